from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from recog_restore.cli import rr

PRE = "bicubic-down8"


def rr_run(*arguments: object) -> Result:
    return CliRunner().invoke(rr, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def runs(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two runs of the same comparisons: the baseline with two preprocessors, and with one; and one of other ones."""
    folder = tmp_path_factory.mktemp("runs")
    found = {name: folder / name for name in ("both", "one", "limited")}
    common = ("eval", "--protocol", "drawn", "--data", drawn, "--embedder", "lbp", "--workers", 0, "--faces", 0)
    places = ("--store", folder / "store")
    for name, options in (
        ("both", ("--pre", PRE, "--pre", "clahe")),
        ("one", ("--pre", "clahe")),
        ("limited", ("--pre", "clahe", "--limit", 60)),
    ):
        done = rr_run(*common, *places, "--out", found[name], *options)
        assert done.exit_code == 0, done.output
    return found


def test_a_run_subtracted_from_itself_changes_nothing_and_keeps_every_limit(runs: dict[str, Path]) -> None:
    done = rr_run("report", "diff", runs["one"], runs["one"], "--gate-on", "accuracy_10fold 0", "--gate-on", "eer 0")
    assert done.exit_code == 0, done.output
    assert "kept: accuracy_10fold (clahe): 0.00" in done.stdout
    rows = json.loads(rr_run("report", "diff", runs["one"], runs["one"], "--json").stdout)
    assert {row["preprocessor"] for row in rows} == {"none", "clahe"}
    assert {(row["difference"], row["verdict"]) for row in rows} == {(0.0, "no difference found")}


def test_a_metric_that_falls_significantly_ends_with_1(runs: dict[str, Path]) -> None:
    compared = (runs["one"], runs["both"], "--pre", PRE, "--against", "none")
    done = rr_run("report", "diff", *compared, "--gate-on", "fnmr@baseline +1.0")
    assert done.exit_code == 1, done.output
    assert f"NOT KEPT: fnmr@baseline ({PRE}): +38.33" in done.stdout
    assert f"baseline → {PRE}" in done.stdout
    assert rr_run("report", "diff", *compared).exit_code == 0
    csv_form = rr_run("report", "diff", *compared, "--gate-on", "fnmr@baseline +1.0", "--csv")
    assert csv_form.exit_code == 1
    assert "NOT KEPT" in csv_form.stderr
    rows = list(csv.DictReader(io.StringIO(csv_form.stdout)))
    assert {(row["preprocessor"], row["against"]) for row in rows} == {(PRE, "none")}
    (worse,) = (row for row in rows if row["metric"] == "fnmr@baseline" and not row["where"])
    assert (worse["verdict"], float(worse["p_holm"]) < 0.05) == ("worse", True)


def test_two_runs_are_compared_by_the_preprocessors_that_both_have(runs: dict[str, Path]) -> None:
    rows = json.loads(rr_run("report", "diff", runs["both"], runs["one"], "--json").stdout)
    assert {row["preprocessor"] for row in rows} == {"none", "clahe"}


def test_runs_without_a_common_preprocessor_are_not_compared_by_their_baselines(
    drawn: Path, runs: dict[str, Path], tmp_path: Path
) -> None:
    places = ("--store", tmp_path / "store", "--out", tmp_path / "other", "--workers", 0, "--faces", 0)
    done = rr_run(
        "eval", "--protocol", "drawn", "--data", drawn, "--embedder", "lbp", "--pre", "clahe,strength=0.5", *places
    )
    assert done.exit_code == 0, done.output
    done = rr_run("report", "diff", runs["one"], tmp_path / "other", "--gate-on", "eer +1.0")
    assert done.exit_code == 2
    assert "no preprocessor in common ('clahe' and 'clahe,strength=0.5'); say --pre NAME --against NAME" in done.stderr


def test_comparisons_of_another_run_than_the_result_are_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(runs["one"], tmp_path / "mixed")
    shutil.copy(runs["limited"] / "result.json", tmp_path / "mixed")
    done = rr_run("report", "diff", tmp_path / "mixed", tmp_path / "mixed")
    assert done.exit_code == 1
    assert "its comparisons are those of another run than its result" in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--pre", "gian"), 1, "the run has no preprocessor 'gian'; it has 'none', 'clahe'"),
        (("--against", "none"), 2, "--against none: say with --pre NAME what of"),
        (("--gate-on", "rank1@90"), 2, "expected METRIC[@PART] POINTS"),
        (("--gate-on", "rank1 -1"), 2, "nothing is called 'rank1'"),
        (("--gate-on", "eer -1"), 2, "for eer lower is better; expected a positive number"),
    ],
)
def test_misuse_is_one_line_with_the_way_out(
    runs: dict[str, Path], options: tuple[str, ...], code: int, message: str
) -> None:
    done = rr_run("report", "diff", runs["one"], runs["one"], *options)
    assert (done.exit_code, message in done.stderr) == (code, True), done.output


def test_runs_of_other_comparisons_and_runs_that_kept_none_are_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    done = rr_run("report", "diff", runs["one"], runs["limited"])
    assert done.exit_code == 1
    assert "only runs of the same comparisons can be subtracted" in done.stderr
    shutil.copy(runs["one"] / "result.json", tmp_path / "result.json")
    done = rr_run("report", "diff", runs["one"], tmp_path)
    assert done.exit_code == 1
    assert "no such file; rr-eval keeps the comparisons of a run" in done.stderr


def test_rendering_needs_no_name_and_a_folder_called_diff_is_reached_by_its_path(
    runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(runs["one"], tmp_path / "diff")
    monkeypatch.chdir(tmp_path)
    for arguments in (("--csv", "./diff"), ("./diff", "--csv"), ("render", "diff", "--csv")):
        done = rr_run("report", *arguments)
        assert done.exit_code == 0, done.output
        assert done.stdout.startswith("protocol,dataset,")
    for option in ("-h", "--help"):
        shown = rr_run("report", option).stdout
        assert "render" in shown
        assert "diff" in shown


def test_values_come_with_their_differences_and_thresholds_as_json(runs: dict[str, Path]) -> None:
    rows = json.loads(rr_run("report", runs["both"], "--json").stdout)
    whole = {row["preprocessor"]: row for row in rows if row["metric"] == "fnmr@baseline"}
    assert whole["none"]["difference"] is None
    assert whole[PRE]["verdict"] == "worse"
    assert 0 < whole[PRE]["difference_low"] < whole[PRE]["difference"] < whole[PRE]["difference_high"]
    thresholds = json.loads(rr_run("report", runs["both"], "--thresholds").stdout)
    assert {row["preprocessor"] for row in thresholds} == {"none", PRE, "clahe"}
    assert {row["fmr"] for row in thresholds} == {1e-2, 1e-3, 1e-4, 1e-5, 1e-6}
    latex = rr_run("report", runs["both"], "--latex").stdout
    assert "significant after Holm" in latex


def test_runs_of_other_protocols_or_parts_are_told_apart_in_words(runs: dict[str, Path], tmp_path: Path) -> None:
    done = rr_run("report", "diff", runs["one"], runs["limited"])
    assert f"{runs['one']} holds all of it, {runs['limited']} 60 of 120 comparisons; only runs" in done.stderr
    other = json.loads((runs["one"] / "result.json").read_text("utf-8"))
    other["protocol"]["id"] = "lfw@1"
    (tmp_path / "result.json").write_text(json.dumps(other), "utf-8")
    done = rr_run("report", "diff", runs["one"], tmp_path)
    assert f"{runs['one']} is of drawn@1, {tmp_path} of lfw@1; only runs of one can be subtracted" in done.stderr
