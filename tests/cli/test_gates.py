"""Gates, fusions, a fitted gate and the drift meter from the command line."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from recog_restore.cli import rr
from recog_restore.results import read


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store that the runs share."""
    return tmp_path_factory.mktemp("store")


def evaluate(drawn: Path, kept: Path, out: Path, *more: str) -> Result:
    fixed = ["--protocol", "drawn", "--data", str(drawn), "--embedder", "lbp", "--workers", "0", "--faces", "1"]
    return CliRunner().invoke(rr, ["eval", *fixed, "--store", str(kept), "--out", str(out), *more])


def test_gates_and_fusions_are_compared_and_each_prints_the_fmr_it_achieves(
    drawn: Path, kept: Path, tmp_path: Path
) -> None:
    more = ("--pre", "clahe", "--gate", "none", "--gate", "size<40", "--fuse", "replace", "--fuse", "mean")
    done = evaluate(drawn, kept, tmp_path, *more, "--set", "metrics=['accuracy','tar@far=1e-1']")
    assert done.exit_code == 0, done.output
    names = [p["name"] for p in read(tmp_path).preprocessors]
    assert names == ["none", "clahe", "clahe, fused by mean", "clahe if size<40", "clahe if size<40, fused by mean"]
    for name in ("baseline", *names[1:]):
        assert f"\n{name}: tar@far=1e-1 at a threshold of its own, 0." in done.stdout
    assert "clahe if size&lt;40" in (tmp_path / "report.html").read_text("utf-8")


def test_a_plain_run_prints_no_thresholds_of_pipelines(drawn: Path, kept: Path, tmp_path: Path) -> None:
    done = evaluate(drawn, kept, tmp_path, "--pre", "clahe")
    assert "threshold of its own" not in done.stdout


def test_drift_is_printed_and_written(drawn: Path, kept: Path, tmp_path: Path) -> None:
    done = evaluate(drawn, kept, tmp_path, "--pre", "clahe", "--judge", "lbp,flip=sum")
    assert done.exit_code == 0, done.output
    assert "drift of 60 faces by clahe, judged by lbp: mean cosine 0." in done.stdout
    with (tmp_path / "drift.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 61
    gated = evaluate(drawn, kept, tmp_path, "--pre", "clahe", "--gate", "size<26", "--drift")
    (said,) = (line for line in gated.stdout.splitlines() if line.startswith("drift of"))
    found = re.match(r"drift of (\d+) faces? \((\d+) more left as they were\) by clahe if size<26, judged by lbp", said)
    assert found is not None, said
    assert 0 < int(found[1]) < 60 == int(found[1]) + int(found[2])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--gate", "sise<3"), "no measure named 'sise'; did you mean 'size'"),
        (("--gate", "learned:gone.json"), "gone.json: no such gate"),
        (("--fit-gate", "nowhere/gate.json"), "there is no folder nowhere"),
        (("--draws", "1"), "--draws 1: an interval needs at least 2"),
    ],
)
def test_a_gate_that_cannot_be_is_misuse(drawn: Path, kept: Path, tmp_path: Path, more: tuple, message: str) -> None:
    done = evaluate(drawn, kept, tmp_path, "--pre", "clahe", *more)
    assert done.exit_code == 2
    assert message in done.stderr


def test_drift_without_a_preprocessor_is_misuse(drawn: Path, kept: Path, tmp_path: Path) -> None:
    done = evaluate(drawn, kept, tmp_path, "--drift")
    assert done.exit_code == 2
    assert "--drift and --judge are about what a preprocessor does; name one with --pre" in done.stderr


def test_a_gate_that_opens_for_nobody_is_said_to_have_tested_nothing(drawn: Path, kept: Path, tmp_path: Path) -> None:
    done = evaluate(drawn, kept, tmp_path, "--pre", "clahe", "--gate", "size<1", "--gate", "size>1")
    assert done.exit_code == 0, done.output
    words = " ".join(done.stdout.split())
    assert "The gate touches no face: nothing was tested." in words
    assert "The gate touches 60 faces." in words
