from __future__ import annotations

import json
import pickle
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import torch
from click.testing import CliRunner, Result

from recog_restore import cli
from recog_restore.cli import rr
from recog_restore.cli.base import Command
from recog_restore.report import paper
from recog_restore.results import read


def rr_run(*arguments: object) -> Result:
    return CliRunner().invoke(rr, [str(a) for a in arguments])


def evaluate(drawn: Path, tmp_path: Path, *more: object) -> Result:
    places = ("--store", tmp_path / "store", "--out", tmp_path / "out", "--workers", 0)
    return rr_run("eval", "--protocol", "drawn", "--data", drawn, "--embedder", "lbp", *places, *more)


def test_a_run_writes_result_and_report_and_prints_the_table(drawn: Path, tmp_path: Path) -> None:
    done = evaluate(drawn, tmp_path, "--pre", "bicubic-down8")
    assert done.exit_code == 0, done.output
    first = done.stdout.splitlines()[0]
    for part in ("drawn@1", "lbp: 112×112 grey", "no flip", "none against bicubic-down8", "cpu", "batch 32"):
        assert part in first
    assert "baseline" in done.stdout
    assert "bicubic-down8" in done.stdout
    result = read(tmp_path / "out")
    assert [p["name"] for p in result.preprocessors] == ["none", "bicubic-down8"]
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>")


def test_warnings_and_reasons_reach_the_terminal(drawn: Path, tmp_path: Path) -> None:
    shutil.copytree(drawn, tmp_path / "faces")
    next((tmp_path / "faces").rglob("*.jpg")).write_bytes(b"")
    done = evaluate(tmp_path / "faces", tmp_path, "--folds", "1-2", "--by", "size", "--set", "degradation.name=mdfr")
    assert done.exit_code == 0, done.output
    assert "faces degraded by mdfr" in done.stdout.splitlines()[0]
    assert "by size: see the report" in done.stdout
    (tmp_path / "blocked").write_text("")
    blocked = rr_run("eval", "--protocol", "drawn", "--data", drawn, "--embedder", "lbp", "--out", tmp_path / "blocked")
    assert blocked.exit_code == 1
    assert "the result cannot be written" in blocked.stderr
    alone = evaluate(drawn, tmp_path, "--folds", 1)
    assert "warning: accuracy over folds needs 2 folds, got 1" in alone.stdout


def test_json_on_stdout_is_nothing_but_json(drawn: Path, tmp_path: Path) -> None:
    done = evaluate(drawn, tmp_path, "--json", "--limit", 40)
    rows = json.loads(done.stdout)
    assert {row["preprocessor"] for row in rows} == {"none"}
    assert "drawn@1" in done.stderr


def test_reports_can_be_rendered_again_and_side_by_side(drawn: Path, tmp_path: Path) -> None:
    evaluate(drawn, tmp_path, "--pre", "clahe")
    page = (tmp_path / "out" / "report.html").read_bytes()
    assert rr_run("report", tmp_path / "out").exit_code == 0
    assert (tmp_path / "out" / "report.html").read_bytes() == page
    other = rr_run("report", tmp_path / "out", tmp_path / "out" / "result.json", "--out", tmp_path / "both.html")
    assert other.exit_code == 0
    assert (tmp_path / "both.html").stat().st_size > 1_000_000
    for form, sign in (("--latex", "toprule"), ("--csv", "accuracy_10fold"), ("--json", '"eer"')):
        assert sign in rr_run("report", tmp_path / "out", form).stdout


def test_paper_table_is_printed_with_the_numbers_of_a_run() -> None:
    run = Path(__file__).resolve().parents[2] / "reports" / "examples" / "multipie-setting2-synthpie.json"
    done = rr_run("report", "--table", "mdfr-2", run)
    assert done.exit_code == 0, done.output
    (b, _, *_) = [line.split() for line in done.stdout.splitlines() if "reported " in line or "measured " in line]
    assert b == ["b", "reported", "15.50", "55.10", "85.92", "97.13", "98.41", "98.62"]
    assert "measured on SynthPIE: multipie-setting2@1" in done.stdout
    other = rr_run("report", "--table", "mdfr-2", run, "--csv")
    assert other.exit_code == 2
    assert "--table prints text; leave out --out, --title" in other.stderr
    assert rr_run("report", "--table", "mdfr-3", run).exit_code == 2


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--protocol", "lfv", "--embedder", "lbp"], 2, r"no protocol named 'lfv'; did you mean 'lfw'?"),
        (["--protocol", "lfw", "--embedder", "lbp"], 2, "say where it is with --data PATH"),
        (["--protocol", "lfw", "--embedder", "lpb", "--data", "."], 2, "did you mean 'lbp'?"),
        (["--protocol", "lfw", "--embedder", "lbp", "--data", ".", "--pre", "claeh"], 2, "did you mean 'clahe'?"),
        (["--protocol", "lfw", "--embedder", "onnx:none.onnx", "--data", "."], 1, "none.onnx: no such file"),
        (["--protocol", "lfw", "--embedder", "lbp", "--data", "nowhere"], 1, "nowhere: no such file or folder"),
        (
            ["--protocol", "lfw", "--embedder", "lbp", "--data", ".", "--set", "data.optoins=1"],
            2,
            "did you mean 'options'?",
        ),
        (["--protocol", "lfw", "--embedder", "lbp", "--data", ".", "--folds", "x"], 2, "expected folds from 1"),
        (["--protocol", "lfw", "--embedder", "lbp", "--data", ""], 2, "--data: expected a path, found nothing"),
        (["--protocol", "lfw", "--embedder", "", "--data", "."], 2, "got no name"),
        (
            ["--protocol", "lfw", "--embedder", "lbp", "--data", ".", "--seed", "1"],
            2,
            "nothing in lfw@1 is drawn at random",
        ),
        (["--protocol", "lfw", "--embedder", "lbp", "--device", "gpu"], 2, "expected auto, cpu, cuda or cuda:1"),
        (
            ["--protocol", "lfw", "--embedder", "lbp", "--data", ".", "--set", "data.options={imagess='x'}"],
            2,
            "'imagess'",
        ),
    ],
)
def test_misuse_is_one_line_with_the_way_out(options: list[str], code: int, message: str) -> None:
    done = rr_run("eval", *options)
    assert done.exit_code == code, done.output
    assert message in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize("folds", ["9-3", "", ",", "1,", "\u00b2", "1-9999999"])
def test_a_selection_that_names_nothing_is_refused_not_taken_as_all(drawn: Path, tmp_path: Path, folds: str) -> None:
    done = evaluate(drawn, tmp_path, "--folds", folds)
    assert done.exit_code == 2
    assert f"{folds!r}: expected folds from 1" in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--subjects", "--sessions", "--recordings", "--cameras", "--illuminations"])
def test_a_part_of_synthpie_that_names_nothing_is_refused(tmp_path: Path, option: str) -> None:
    done = rr_run("data", "synthpie", "--out", tmp_path / "pie", option, "")
    assert done.exit_code == 2, done.output
    assert "'': expected" in done.stderr
    assert not (tmp_path / "pie").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--draws", 100_000_000], "100000000 is not in the range 0<=x<=100000"),
        (["--batch", 10**8], "not in the range 1<=x<=65536"),
        (["--batch", "9" * 5000], "is not a valid integer range"),
        (["--workers", 5000], "not in the range 0<=x<=256"),
        (["--threads", 10**9], "not in the range 1<=x<=1024"),
        (["--seed", -1], "-1 is not in the range"),
        (["--faces", 10**8], "not in the range 0<=x<=1000"),
        (["--pre", "+".join(["clahe"] * 5000)], "a chain of 5,000 preprocessors; expected at most 32"),
        (["--pre", f"bicubic-down{'9' * 5000}"], "no preprocessor named 'bicubic-down9"),
        (["--pre", "bicubic-down0"], "no preprocessor named 'bicubic-down0'"),
        (["--pre", "clahe,clip=1e400"], "clip is inf; expected a finite number"),
        (["--pre", "clahe,tiles=100000"], "tiles is 100000; expected a number from 1 to 128"),
        (["--pre", "gamma,limit=nan"], "limit is nan; expected a finite number"),
        (["--set", "version=-1"], "version is -1; expected a number from 1 to 999,999"),
        (["--set", "name="], "name is ''; expected a text of 1 to 200 characters"),
        (["--set", "degradation={name='mdfr',seed=-1}"], "degradation.seed is -1; expected a number from 0"),
        (["--set", "data.options.images=3"], "data set 'drawn': data.options.images is 3; expected str"),
    ],
)
def test_an_option_out_of_its_range_is_refused(options: list[object], message: str, drawn: Path) -> None:
    done = rr_run("eval", "--protocol", "drawn", "--data", drawn, "--embedder", "lbp", *options)
    assert done.exit_code == 2
    assert message in done.stderr


def test_a_number_is_finite() -> None:
    for options in (["--mean", "nan"], ["--std", "1e400"]):
        done = rr_run("models", "convert", "x.pt", "--out", "y", *options)
        assert (done.exit_code, "is not finite" in done.stderr) == (2, True)


def test_every_option_of_an_evaluation_stands_below_a_heading() -> None:
    words = rr_run("eval", "--help").stdout
    headings = [line for line in words.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings[0] == "What is compared:"
    rest = "--debug Print the traceback of an error. -h, --help Show this message and exit."
    assert words.partition("\nOptions:\n")[2].split() == rest.split()
    named = {option.opts[0] for option in rr.commands["eval"].params}
    assert {word for word in words.split() if word in named} == named


class Payload:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.target,))


def test_a_malicious_package_and_checkpoint_are_refused_unrun(tmp_path: Path) -> None:
    target = tmp_path / "owned"
    (tmp_path / "lfw.bin").write_bytes(pickle.dumps(([Payload(target)], [True])))
    done = rr_run("eval", "--protocol", "lfw", "--data", tmp_path / "lfw.bin", "--embedder", "lbp")
    assert done.exit_code == 1
    assert "refused: unpickling it would use pathlib.Path.touch" in done.stderr
    torch.save({"state_dict": Payload(target)}, tmp_path / "net.pth")
    done = rr_run("models", "convert", tmp_path / "net.pth", "--out", tmp_path / "net")
    assert done.exit_code == 1
    assert "Error:" in done.stderr
    assert not target.exists()
    assert not (tmp_path / "net").exists()


def test_script_in_a_file_name_is_only_text(drawn: Path, tmp_path: Path) -> None:
    people = tmp_path / "people"
    shutil.copytree(drawn / "lfw-deepfunneled", people)
    (people / "Person_001").rename(people / "<script>alert(1)")
    (people / "Person_002" / "<script>alert(2).jpg").write_bytes(b"no image")
    lines = (drawn / "landmarks.csv").read_text()
    (people / "landmarks.csv").write_text(lines.replace("Person_001/", "<script>alert(1)/"))
    places = ("--store", tmp_path / "store", "--out", tmp_path / "out", "--workers", 0)
    done = rr_run(
        "eval", "--protocol", "folder-verification", "--data", people, "--embedder", "lbp", "--pre", "clahe", *places
    )
    assert done.exit_code == 0, done.output
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "no landmarks" in page or "not an image" in page


def test_wrong_index_in_a_pairs_line_is_named(drawn: Path, tmp_path: Path) -> None:
    shutil.copytree(drawn, tmp_path / "faces")
    lines = (tmp_path / "faces" / "pairs.txt").read_text().splitlines()
    lines[3] = "Person_001\t0\t2"
    (tmp_path / "faces" / "pairs.txt").write_text("\n".join(lines) + "\n")
    done = evaluate(tmp_path / "faces", tmp_path)
    assert done.exit_code == 1
    assert "pairs.txt: line 4" in done.stderr


def test_data_sets_are_registered_checked_and_forgotten(drawn: Path, tmp_path: Path) -> None:
    assert "lfw" in rr_run("data", "list").stdout
    assert rr_run("data", "add", "drawn", drawn).exit_code == 0
    assert str(drawn) in rr_run("data", "list").stdout
    assert rr_run("data", "check", "drawn").exit_code == 0
    shutil.copytree(drawn, tmp_path / "faces")
    next((tmp_path / "faces").rglob("*.jpg")).unlink()
    done = rr_run("data", "check", "drawn", tmp_path / "faces")
    assert done.exit_code == 1
    assert "1 missing" in done.stdout
    assert rr_run("data", "remove", "drawn").exit_code == 0
    assert rr_run("data", "check", "drawn").exit_code == 2
    assert "did you mean 'lfw'?" in rr_run("data", "add", "lfv", drawn).stderr


def test_models_are_listed_and_shown() -> None:
    listed = rr_run("models", "list").stdout
    for name in ("onnx:FILE", "lbp", "clahe", "yunet:FILE", "iresnet50"):
        assert name in listed
    assert 'name = "lbp"' in rr_run("models", "show", "lbp").stdout


def test_check_finds_a_wrong_range_on_real_faces(shared: Path) -> None:
    spec = f"onnx:{shared / 'weights' / 'mobilefacenet-arcface-ms1m-112.onnx'}"
    wrong = rr_run("models", "check", f"{spec},range=-1..1", "--data", shared / "data" / "lfw", "--faces", 60)
    assert wrong.exit_code == 1, wrong.output
    assert "range 0..255 separates better" in wrong.stdout
    assert "the card is probably wrong" in wrong.stdout


def test_check_finds_faces_with_a_detector(shared: Path, tmp_path: Path) -> None:
    spec = f"onnx:{shared / 'weights' / 'mobilefacenet-arcface-ms1m-112.onnx'}"
    detector = f"yunet:{shared / 'weights' / 'yunet.onnx'}"
    (tmp_path / "lfw").mkdir()
    for name in ("pairs.txt", "lfw-deepfunneled"):
        (tmp_path / "lfw" / name).symlink_to(shared / "data" / "lfw" / name)
    without = rr_run("models", "check", spec, "--data", tmp_path / "lfw", "--faces", 30)
    assert without.exit_code == 1
    assert (
        "no landmarks found: pass --detector yunet:FILE (or scrfd:FILE), or put a landmarks.csv there" in without.stderr
    )
    done = rr_run("models", "check", spec, "--data", tmp_path / "lfw", "--faces", 30, "--detector", detector)
    assert done.exit_code == 0, done.output


def test_what_a_reader_cannot_read_is_not_registered(drawn: Path, tmp_path: Path) -> None:
    done = rr_run("data", "add", "drawn", tmp_path)
    assert done.exit_code == 1
    assert "pairs.txt: no such file" in done.stderr
    assert str(tmp_path) not in rr_run("data", "list").stdout
    shutil.copytree(drawn, tmp_path / "faces")
    next((tmp_path / "faces").rglob("*.jpg")).unlink()
    done = rr_run("data", "add", "drawn", tmp_path / "faces")
    assert done.exit_code == 0
    assert "warning: images on disk: expected 60, found 59; 1 missing" in done.stderr


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    script = Path(__file__).resolve().parents[2] / "benchmarks" / "kills.py"
    done = subprocess.run(
        [sys.executable, script, "--kills", "2", "--people", "20"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("same bytes") == 2


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (cli.train, "the same command with --resume goes on"),
        (cli.restore, "the same command begins again"),
        (cli.evaluate, "run the same command again to go on"),
    ],
)
def test_an_interrupted_command_says_what_is_left_of_it(
    command: Command, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "callback", interrupted)
    monkeypatch.setattr(command, "params", [])
    done = CliRunner().invoke(command, [])
    assert done.exit_code == 130
    assert said in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_to_end_interrupts(number: int, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(number)
    monkeypatch.setattr(cli.evaluate, "callback", lambda: signal.raise_signal(number))
    monkeypatch.setattr(cli.evaluate, "params", [])
    done = CliRunner().invoke(cli.evaluate, [])
    assert done.exit_code == code
    assert f"Interrupted by {signal.Signals(number).name}: what is finished is kept" in done.stderr
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("words", ["eval", "report render", "report diff", "restore", "train", "export"])
def test_help_has_every_option(words: str) -> None:
    command: click.Command = rr
    for word in words.split():
        assert isinstance(command, click.Group)
        command = command.commands[word]
    shown = rr_run(*words.split(), "--help").stdout
    options = [name for p in command.params if isinstance(p, click.Option) and not p.hidden for name in p.opts]
    assert [name for name in options if name not in shown] == []


def test_help_names_every_table_of_a_paper() -> None:
    shown = rr_run("report", "render", "--help").stdout
    assert [name for name in paper.known() if name not in shown] == []
