from __future__ import annotations

from pathlib import Path

import click
from click.testing import CliRunner, Result

from recog_restore.cli import rr
from recog_restore.cli.data import data
from recog_restore.datasets.mimics import MIMICS
from recog_restore.results import read


def rr_run(*arguments: object) -> Result:
    return CliRunner().invoke(rr, [str(a) for a in arguments])


def evaluate(tmp_path: Path, protocol: str, data: Path, *more: object) -> Result:
    places = ("--store", tmp_path / "store", "--out", tmp_path / "out", "--workers", 0, "--faces", 0)
    return rr_run("eval", "--protocol", protocol, "--data", data, "--embedder", "lbp", *places, *more)


def test_a_mimic_is_written_checked_and_run_and_named_wherever_a_number_stands(drawn: Path, tmp_path: Path) -> None:
    out = tmp_path / "mimic"
    done = rr_run(
        "data", "mimic", "lfw", "--from", "drawn", "--data", drawn, "--out", out, "--people", 20, "--images", 3
    )
    assert done.exit_code == 0, done.output
    assert "a mimic of LFW, not a number of it; made of drawn (faces)" in done.stdout
    assert f"rr-eval --protocol lfw --data {out}" in done.stdout
    checked = rr_run("data", "check", "lfw", out)
    assert checked.exit_code == 0, checked.output
    assert "comparisons (as written)" in checked.stdout
    run = evaluate(tmp_path, "lfw", out)
    assert run.exit_code == 0, run.output
    assert "a mimic of LFW, not a number of it" in run.stdout


def test_a_mimic_of_multi_pie_runs_setting_2(drawn: Path, tmp_path: Path) -> None:
    out = tmp_path / "mimic"
    done = rr_run("data", "mimic", "multipie", "--from", "drawn", "--data", drawn, "--out", out, "--images", 3)
    assert done.exit_code == 0, done.output
    run = evaluate(tmp_path, "multipie-setting2", out, "--set", "data.options.train_people=0", "--pre", "clahe")
    assert run.exit_code == 0, run.output
    assert "a mimic of Multi-PIE" in run.stdout
    assert {value.preprocessor for value in read(tmp_path / "out" / "result.json").values} == {"none", "clahe"}


def test_the_choice_of_layouts_is_the_registry() -> None:
    (layout,) = (p for p in data.commands["mimic"].params if p.name == "layout")
    assert isinstance(layout.type, click.Choice)
    assert sorted(layout.type.choices) == list(MIMICS)


def test_what_cannot_be_imitated_is_said_in_one_sentence(drawn: Path, tmp_path: Path) -> None:
    few = rr_run("data", "mimic", "ijbc", "--from", "drawn", "--data", drawn, "--out", tmp_path / "m", "--images", 9)
    assert few.exit_code != 0
    assert "expected 24 people with 9 images each, found 0 of 20" in few.output
    unknown = rr_run("data", "mimic", "ijbc", "--from", "drwan", "--out", tmp_path / "m")
    assert unknown.exit_code != 0
    assert "no protocol or data set named 'drwan'; did you mean 'drawn'" in unknown.output
    assert not (tmp_path / "m").exists()


def test_low_quality_comparisons_are_chosen_written_and_run(drawn: Path, tmp_path: Path) -> None:
    out = tmp_path / "lq"
    source = ("--from", "drawn", "--data", drawn, "--quality", "sharpness", "--out", out)
    done = rr_run("data", "low-quality", *source, "--below", 1e9)
    assert done.exit_code == 0, done.output
    assert "60 of them mated" in done.stdout
    run = evaluate(tmp_path, "ijbc-lq", out)
    assert run.exit_code == 0, run.output
    none = rr_run("data", "low-quality", *source[:-1], tmp_path / "other", "--below", 0)
    assert "no mated comparison has both images under 0" in none.output


def test_a_mimic_of_tinyface_is_written_and_checked(drawn: Path, tmp_path: Path) -> None:
    out = tmp_path / "mimic"
    done = rr_run(
        "data", "mimic", "tinyface", "--from", "drawn", "--data", drawn, "--out", out, "--people", 6, "--images", 3
    )
    assert done.exit_code == 0, done.output
    checked = rr_run("data", "check", "tinyface", out)
    assert checked.exit_code == 0, checked.output
    few = rr_run("data", "mimic", "ijbc", "--from", "drawn", "--data", drawn, "--out", tmp_path / "m", "--images", 3)
    assert "needs at least 4 people with 4 images each, got 24 with 3" in few.output
