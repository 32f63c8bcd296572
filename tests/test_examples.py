"""The committed examples: their numbers against foreign golden numbers, and their pages against their numbers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from recog_restore.cli import report
from recog_restore.networks.cards import read_restorer_card, shipped
from recog_restore.report import html
from recog_restore.results import Difference, read

EXAMPLES = Path(__file__).resolve().parent.parent / "reports" / "examples"

# Measured by a separate script, in percent: 10-fold accuracy on LFW with the same weights, and how near we must come.
GOLDEN = {
    "lfw-ms1m": (99.30, 0.05),
    "lfw-ms1m-flip": (99.38, 0.05),
    "lfw-casia": (98.75, 0.10),
    "lfw-casia-flip": (98.87, 0.10),
}
RESTORED = ("lfw-lq-down5", "lfw-lq-down3", "lfw-down5", "lfw-down3", "lfw")
# Of all comparisons; they have no page.
WHOLE = ("lfw-as-it-is", "lfw-down3", "lfw-down8", "lfw-lq-down5-probes")
# Networks of other people; of 300 comparisons.
THIRD_PARTY = "lfw-down5-third-party"
PAGES = {
    "lfw-ms1m.html": ["lfw-ms1m"],
    "lfw-four-embedders.html": list(GOLDEN),
    "cfp.html": ["cfp-ff-ms1m", "cfp-fp-ms1m"],
    "cfp-identification.html": ["cfp-identification-ms1m"],
    "multipie-setting2-synthpie.html": ["multipie-setting2-synthpie"],
    "multipie-setting2-gates.html": ["multipie-setting2-gates", "multipie-setting2-fitted"],
    "lfw-restored.html": ["lfw-lq-fitted", *(f"{protocol}-gated" for protocol in RESTORED)],
    "mdfr-figure-8.html": ["mdfr-figure-8"],
    "mimics.html": ["ijbc-mimic", "ijbc-1n-mimic", "tinyface-mimic"],
}

TABLES = {
    "mdfr-1": ["tables/mdfr-1"],
    "mdfr-2": ["multipie-setting2-synthpie", "tables/mdfr-2"],
    "mdfr-4": ["tables/mdfr-4-lfw", "tables/mdfr-4-synthpie"],
    "mdfr-5": [
        "multipie-setting2-synthpie",
        *(f"tables/mdfr-5-{which}" for which in ("sphereface", "arcface", "lfw")),
    ],
}


@pytest.mark.parametrize("name", GOLDEN)
def test_lfw_equals_a_separate_script(name: str) -> None:
    result = read(EXAMPLES / f"{name}.json")
    accuracy, tolerance = GOLDEN[name]
    found = result.value("accuracy_10fold", "none")
    assert found is not None
    assert found.n == 6000
    assert 100 * found.value == pytest.approx(accuracy, abs=tolerance + 1e-9)
    assert result.failed["none"] == 0


@pytest.mark.parametrize("name", ["cfp-ff-ms1m", "cfp-fp-ms1m"])
def test_cfp_says_that_it_is_partial(name: str) -> None:
    result = read(EXAMPLES / f"{name}.json")
    assert result.data["partial"] == "folds 1, 2, 3, 4, 5, 6, 7, 8 only"
    assert result.value("accuracy_8fold", "none").n == 5600


@pytest.mark.parametrize("page", PAGES)
def test_page_is_what_its_results_render_to(page: str) -> None:
    results = [read(EXAMPLES / f"{name}.json") for name in PAGES[page]]
    assert (EXAMPLES / page).read_text("utf-8") == html.render(results)


def test_closed_set_identification_on_real_faces_counts_everyone() -> None:
    result = read(EXAMPLES / "cfp-identification-ms1m.json")
    assert (result.data["gallery"], result.data["probes"]) == (400, 5200)
    assert result.data["note"] == "400 of the 500 people are there"
    views = {view: result.value("rank1", "none", view=view) for view in ("frontal", "profile")}
    whole = result.value("rank1", "none")
    assert sum(value.n for value in views.values()) == whole.n == 5200
    assert sum(value.value * value.n for value in views.values()) == pytest.approx(whole.value * whole.n)


def test_the_default_embedder_falls_with_yaw_as_a_real_one_does() -> None:
    result = read(EXAMPLES / "multipie-setting2-synthpie.json")
    assert "not a Multi-PIE number" in result.data["note"]
    rank1 = [result.value("rank1", "none", abs_yaw=str(yaw)).value for yaw in (15, 30, 45, 60, 75, 90)]
    assert rank1 == sorted(rank1, reverse=True)
    # The bounds are around the ResNet-50 of MDFR's table II: 98.6, 98.4, 97.1, 85.9, 55.1, 15.5.
    bounds = [(0.98, 1.0), (0.96, 1.0), (0.9, 1.0), (0.5, 0.9), (0.2, 0.6), (0.05, 0.25)]
    assert all(low <= found <= high for found, (low, high) in zip(rank1, bounds, strict=True)), rank1


def test_mdfr_gains_with_yaw_before_a_recognizer_that_no_loss_used() -> None:
    result = read(EXAMPLES / "multipie-setting2-synthpie.json")
    (mdfr,) = (one for one in result.preprocessors if one["name"] == "mdfr")
    assert mdfr["card"]["sha256"] == read_restorer_card(shipped("restorer")["mdfr"] / "card.toml").weights.sha256
    assert result.embedder["sha256"] not in {teacher["sha256"] for teacher in mdfr["card"]["teachers"]}
    before, after = (
        {yaw: result.value("rank1", name, abs_yaw=str(yaw)).value for yaw in (0, 15, 30, 45, 60, 75, 90)}
        for name in ("none", "mdfr")
    )
    near, far = (0, 15, 30, 45), (60, 75, 90)
    assert [after[yaw] for yaw in near] == pytest.approx([before[yaw] for yaw in near], abs=0.01)
    gains = [after[yaw] - before[yaw] for yaw in far]
    assert gains == sorted(gains)
    assert gains[-1] >= 0.65
    assert after[90] >= 0.8
    assert after[75] >= 0.85
    assert after[60] >= 0.9


def test_damaged_faces_gain_and_others_pass_alone_with_a_gate_and_with_fusion() -> None:
    gate, fusion = "mdfr-restore if learned:gate-lfw.json", "mdfr-restore, fused by mean"
    found = {name: read(EXAMPLES / f"{name}-gated.json") for name in RESTORED}
    for result in found.values():
        assert result.data["partial"] == "folds 1, 2, 6, 9, 10 only"
        assert not [warning for warning in result.warnings if "fitted" in warning]
        card = result.preprocessors[1]["card"]
        assert result.embedder["sha256"] not in {teacher["sha256"] for teacher in card["teachers"]}
        assert card["sha256"] == read_restorer_card(shipped("restorer")["mdfr-restore"] / "card.toml").weights.sha256

    def accuracy(name: str, pipeline: str) -> Difference:
        change = found[name].difference("accuracy_5fold", pipeline)
        assert change is not None
        return change

    damaged = "lfw-lq-down5"
    assert accuracy(damaged, "mdfr-restore").difference >= 0.1
    assert accuracy(damaged, gate).difference >= 0.9 * accuracy(damaged, "mdfr-restore").difference
    others = ("lfw-down5", "lfw-down3", "lfw")
    for pipeline in ("mdfr-restore", gate, fusion):
        assert all(accuracy(name, pipeline).verdict == "better" for name in (damaged, "lfw-lq-down3"))
        assert all(accuracy(name, pipeline).verdict == "no difference found" for name in others)


def test_at_22_px_more_are_known_at_the_untouched_threshold_and_at_37_px_and_as_they_are_none_is_lost() -> None:
    weights = read_restorer_card(shipped("restorer")["mdfr-restore"] / "card.toml").weights.sha256
    assert {read(EXAMPLES / f"{name}.json").preprocessors[1]["card"]["sha256"] for name in WHOLE} == {weights}
    damaged = read(EXAMPLES / "lfw-lq-down5-probes.json").difference("fnmr@baseline", "mdfr-restore")
    assert damaged is not None
    assert damaged.verdict == "better"
    assert damaged.difference <= -0.1
    for name in ("lfw-down3", "lfw-as-it-is"):
        result = read(EXAMPLES / f"{name}.json")
        found = [d for d in result.differences if d.preprocessor == "mdfr-restore" and not d.where]
        assert {d.metric for d in found} >= {"accuracy_10fold", "tar@far=1e-2", "fnmr@baseline", "fmr@baseline"}
        assert {d.verdict for d in found} == {"no difference found"}


def test_at_14_px_it_gains_as_the_documentation_says() -> None:
    result = read(EXAMPLES / "lfw-down8.json")
    text = (EXAMPLES.parents[1] / "docs" / "does-it-help.md").read_text("utf-8")
    for pipeline in ("mdfr-restore", "mdfr-restore, fused by mean"):
        change = result.difference("accuracy_10fold", pipeline)
        assert change is not None
        assert change.verdict == "better"
        low, high = change.interval
        assert f"**+{100 * change.difference:.2f}** [{100 * low:.2f}, {100 * high:.2f}]" in text


def test_fused_profiles_gain_and_hardly_any_search_breaks() -> None:
    result = read(EXAMPLES / "multipie-setting2-gates.json")
    (fused,) = (harm for harm in result.harm if harm.preprocessor == "mdfr, fused by mean")
    assert fused.fixed > 20 * fused.broken
    for yaw in (0, 15, 30, 45):
        change = result.difference("rank1", "mdfr, fused by mean", abs_yaw=str(yaw))
        assert change is not None
        assert change.difference >= 0


def test_restorers_of_other_people_run_under_names_of_their_own() -> None:
    result = read(EXAMPLES / f"{THIRD_PARTY}.json")
    assert [p["name"] for p in result.preprocessors] == ["none", "animevideov3-x4", "zero-dce"]
    assert set(result.failed.values()) == {0}
    verdicts = {d.preprocessor: d.verdict for d in result.differences if d.metric == "accuracy_10fold"}
    assert verdicts == {"animevideov3-x4": "worse", "zero-dce": "no difference found"}


def test_mimics_have_1_to_1_1_to_n_and_ranks_for_baseline_and_preprocessor_and_say_what_they_are() -> None:
    metrics = {
        "ijbc-mimic": ["tar@far=1e-4", "tar_nearest@far=1e-4"],
        "ijbc-1n-mimic": ["tpir@fpir=1e-2", "fnir@fpir=1e-2", "rank1", "rank10"],
        "tinyface-mimic": ["rank1", "rank50", "map", "map_trapezoid_euclidean"],
    }
    page = (EXAMPLES / "mimics.html").read_text("utf-8")
    for name, asked in metrics.items():
        result = read(EXAMPLES / f"{name}.json")
        assert all(result.value(metric, pre) for metric in asked for pre in ("none", "clahe"))
        assert "not a number of it; made of synthpie" in result.data["note"]
        assert result.data["note"] in page


@pytest.mark.parametrize("name", TABLES)
def test_table_in_the_documentation_is_what_the_results_print(name: str) -> None:
    files = [str(EXAMPLES / f"{result}.json") for result in TABLES[name]]
    done = CliRunner().invoke(report, ["--table", name, *files], env={"COLUMNS": "112"})
    assert done.exit_code == 0, done.output
    printed = "\n".join(line.rstrip() for line in done.output.splitlines()).strip()
    assert f"```\n{printed}\n```" in (EXAMPLES.parents[1] / "docs" / "ablations.md").read_text("utf-8")


def test_tables_of_what_ships_are_of_what_ships() -> None:
    ours = {
        name: read_restorer_card(folder / "card.toml").weights.sha256 for name, folder in shipped("restorer").items()
    }
    used = [
        (name, one)
        for file in (EXAMPLES / "tables").glob("*.json")
        for one in read(file).preprocessors
        for name in ours.keys() & {one["name"]}
    ]
    assert {name for name, _ in used} == set(ours)
    assert all(one["card"]["sha256"] == ours[name] for name, one in used)


def test_examples_hold_no_real_face_and_no_stray_file() -> None:
    results = {path.relative_to(EXAMPLES).with_suffix("").as_posix() for path in EXAMPLES.rglob("*.json")}
    shown = {name for names in PAGES.values() for name in names}
    assert results == shown | {name for names in TABLES.values() for name in names} | {*WHOLE, THIRD_PARTY}
    assert {path.name for path in EXAMPLES.glob("*.html")} == set(PAGES)
    for name in results:
        result = read(EXAMPLES / f"{name}.json")
        assert result.examples == ()
        assert result.confusions == () or result.data["root"] == "SynthPIE"
        assert not Path(result.data["root"]).is_absolute()
        words = [part for word in result.settings["command"] for part in re.split("[:=]", word)]
        assert not any(Path(word).is_absolute() for word in words)
