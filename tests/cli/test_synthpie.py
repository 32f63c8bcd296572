from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from recog_restore.cli import rr, running
from recog_restore.cli.evaluate import SYNTHPIE_EMBEDDER
from recog_restore.datasets.shots import path_of
from recog_restore.datasets.synthpie import NOTE, names, subjects
from recog_restore.errors import RecordError
from recog_restore.protocol import load
from recog_restore.results import read
from recog_restore.training.restorer_recipe import JUDGE

PEOPLE = subjects()[200:203]
FEW = ("--set", "data.options.test_people=3")


def rr_run(*arguments: object) -> Result:
    return CliRunner().invoke(rr, [str(a) for a in arguments])


def evaluate(tmp_path: Path, protocol: str, *more: object, out: str = "out") -> Result:
    places = ("--store", tmp_path / "store", "--out", tmp_path / out, "--workers", 0, "--faces", 0)
    return rr_run("eval", "--protocol", protocol, "--embedder", "lbp", *places, *more)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return three test people of setting 2, as rr-data synthpie writes them; read only."""
    out = tmp_path_factory.mktemp("tree") / "pie"
    people = ",".join(map(str, PEOPLE))
    done = rr_run("data", "synthpie", "--out", out, "--subjects", people, "--recordings", "1,2", "--workers", 1)
    assert done.exit_code == 0, done.output
    assert f"rendered people; read them with --data {out}" in done.stdout
    return out


@pytest.mark.parametrize("protocol", ["multipie-setting2", "multipie-vividgan"])
def test_files_give_exactly_the_numbers_of_the_run_in_memory(tree: Path, tmp_path: Path, protocol: str) -> None:
    first = ("--set", "data.options.train_people=200", *FEW)
    memory = evaluate(tmp_path, protocol, "--pre", "clahe", *first, out="memory")
    assert memory.exit_code == 0, memory.output
    present = ("--set", "data.options.train_people=0", *FEW)
    files = evaluate(tmp_path, protocol, "--pre", "clahe", "--data", tree, *present, out="files")
    assert files.exit_code == 0, files.output
    one, other = read(tmp_path / "memory"), read(tmp_path / "files")
    assert one.values == other.values
    assert len(one.values) > 10
    assert (one.data["gallery"], one.data["probes"]) == (other.data["gallery"], other.data["probes"])
    assert (one.data["dataset"], other.data["dataset"]) == ("synthpie", "multipie")
    assert one.data["note"] == f"SynthPIE (small): {NOTE}"
    assert other.data["note"] == f"SynthPIE: {NOTE}"


def test_without_multi_pie_synthpie_stands_in_and_is_named(tmp_path: Path) -> None:
    done = evaluate(tmp_path, "multipie-setting1", "--set", "data.options.test_people=2", "--search", "exact")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].startswith(f"multipie-setting1@1 on SynthPIE (small): {NOTE} · lbp:")
    title = done.stdout.splitlines()[1:5]
    assert "not a Multi-PIE number" in " ".join(" ".join(title).split())
    result = read(tmp_path / "out")
    assert result.protocol["settings"]["data"]["dataset"] == "synthpie"
    assert result.protocol["settings"]["data"]["options"]["gallery_illumination"] == "07"
    assert result.settings["search"]["backend"] == "exact"
    assert "by over" not in done.stdout


def test_a_registered_tree_is_read_instead_of_the_stand_in(tree: Path, tmp_path: Path) -> None:
    done = rr_run("data", "add", "multipie", tree)
    assert done.exit_code == 0, done.output
    assert "warning: people: expected 337, found 3" in done.stderr
    done = evaluate(tmp_path, "multipie-setting2", "--limit", 3, "--set", "data.options.train_people=0")
    assert done.exit_code == 0, done.output
    assert f"on {tree}; SynthPIE: {NOTE}; only 3 of the 137 test people are there ·" in done.stdout.splitlines()[0]
    done = evaluate(tmp_path, "multipie-setting2", "--synthpie-size", "full")
    assert done.exit_code == 2
    assert f"--synthpie-size full: multipie-setting2@1 runs on {tree}, not on SynthPIE" in done.stderr


def test_a_missing_gallery_image_stops_the_run_with_the_way_out(tree: Path, tmp_path: Path) -> None:
    shutil.copytree(tree, tmp_path / "pie")
    again = ("--data", tmp_path / "pie", "--set", "data.options.train_people=0", *FEW)
    for name in names("small"):
        if name.startswith(f"{PEOPLE[0]:03d}_") and name.endswith("_051_07"):
            (tmp_path / "pie" / path_of(name)).unlink(missing_ok=True)
    done = evaluate(tmp_path, "multipie-setting2", *again)
    assert done.exit_code == 1
    assert (
        f"1 of 3 people have no gallery image (camera 05_1, illumination 07, neutral), '{PEOPLE[0]:03d}'" in done.stderr
    )
    done = evaluate(tmp_path, "multipie-setting2", *again, "--set", "data.options.skip_without_gallery=true")
    assert done.exit_code == 0, done.output
    assert read(tmp_path / "out").data["gallery"] == 2


def test_check_takes_a_protocol_or_a_data_set(tree: Path) -> None:
    assert "people in session 1: expected 250, found 250" in rr_run("data", "check", "synthpie").stdout
    whole = rr_run("data", "check", "multipie-setting2")
    assert (whole.exit_code, whole.stdout.splitlines()[0]) == (0, f"SynthPIE (small): {NOTE}")
    for name in ("multipie-setting2", "multipie"):
        done = rr_run("data", "check", name, tree)
        assert done.exit_code == 1
        assert "NOT  people: expected 337, found 3" in done.stdout
    assert "stands in" in rr_run("data", "list").stdout


def test_on_synthpie_the_embedder_may_be_left_out() -> None:
    question, dataset = running.opened(load("multipie-setting2"), None, "full")
    assert running._default_embedder(question) == SYNTHPIE_EMBEDDER == JUDGE
    assert dataset.note == f"SynthPIE (full): {NOTE}"
    assert question.data.options["size"] == "full"


def test_seed_draws_other_probes_where_probes_are_drawn() -> None:
    drawn = load("multipie-setting2", ["data.options.probes_per_person=2"])
    assert running._seeded(drawn, 3).data.options["seed"] == 3
    with pytest.raises(RecordError, match="--seed 3: nothing in multipie-setting2@1 is drawn at random"):
        running._seeded(load("multipie-setting2"), 3)
    assert running._seeded(load("multipie-setting2"), 3, fits=True) == load("multipie-setting2")


def test_misuse_is_one_line(tmp_path: Path) -> None:
    for options, code, message in (
        (["eval", "--protocol", "lfw", "--data", "."], 2, "lfw@1 needs an embedder: --embedder SPEC"),
        (
            ["eval", "--protocol", "multipie-setting2", "--synthpie-size", "big"],
            2,
            "'big' is not one of 'small', 'full'",
        ),
        (["eval", "--protocol", "multipie-setting2", "--search", "fais"], 2, "'fais' is not one of 'auto', 'exact'"),
        (
            ["eval", "--protocol", "multipie-setting2", "--set", "data.options.max_yow=1", "--embedder", "lbp"],
            2,
            "max_yaw",
        ),
        (["eval", "--protocol", "multipie-setting2", "--data", "nowhere"], 1, "nowhere: no such file or folder"),
        (["data", "check", "multipi"], 2, "no protocol or data set named 'multipi'; did you mean 'multipie'?"),
        (
            ["data", "synthpie", "--out", tmp_path / "x", "--subjects", "a"],
            2,
            "'a': expected subjects from 1, as 1-8 or",
        ),
        (["data", "synthpie", "--out", tmp_path / "x", "--cameras", "19_1"], 2, "has no picture of cameras ('19_1',)"),
        (["data", "add", "lfw", tmp_path], 1, "pairs.txt: no such file"),
    ):
        done = rr_run(*options)
        assert done.exit_code == code, done.output
        assert message in done.stderr
    assert "lfw" not in [
        line.split(":")[0] for line in rr_run("data", "list").stdout.splitlines() if str(tmp_path) in line
    ]
