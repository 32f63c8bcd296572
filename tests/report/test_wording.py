from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

import pytest

from recog_restore.report import wording
from recog_restore.results import Difference, Result, Value


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0.9930, "99.30\u202f%"),
        (0.0, "0.00\u202f%"),
        (1.0, "100.00\u202f%"),
        (0.00004, "0.00\u202f%"),
        (None, "undefined"),
    ],
)
def test_a_rate_is_printed_in_percent_with_two_decimals(rate: float | None, text: str) -> None:
    assert wording.percent(rate) == text


@pytest.mark.parametrize(
    ("difference", "text"),
    [(-0.1118, "−11.18"), (0.0005, "+0.05"), (0.0, "0.00"), (-0.00001, "0.00"), (0.00001, "0.00"), (None, "undefined")],
)
def test_a_difference_is_signed_and_zero_has_no_sign(difference: float | None, text: str) -> None:
    assert wording.points(difference) == text


def test_every_difference_reads_back_to_within_half_of_its_last_digit() -> None:
    rng = random.Random(0)
    for _ in range(1000):
        difference = rng.uniform(-1, 1)
        assert float(wording.points(difference).replace("−", "-")) == pytest.approx(100 * difference, abs=0.005001)


def test_thresholds_have_four_decimals_and_a_true_minus() -> None:
    assert wording.threshold(0.31415926) == "0.3142"
    assert wording.threshold(-0.02) == "−0.0200"
    assert wording.threshold(None) == "undefined"


def test_counts_have_separators_and_agree_with_their_noun() -> None:
    assert wording.counted(1, "face") == "1 face"
    assert wording.counted(0, "face") == "0 faces"
    assert wording.counted(6000, "face") == "6,000 faces"


def test_trials_are_comparisons_or_searches(make: Callable[..., Result], search: Callable[..., Result]) -> None:
    assert wording.trials_counted(make(), 6000) == "6,000 comparisons"
    assert wording.trials_counted(search(), 548) == "548 searches"
    assert wording.trials_counted(search(), 1) == "1 search"


@pytest.mark.parametrize(
    ("name", "title", "better"),
    [
        ("accuracy_10fold", "10-fold accuracy", "higher"),
        ("accuracy_8fold", "8-fold accuracy", "higher"),
        ("accuracy", "accuracy", "higher"),
        ("eer", "EER", "lower"),
        ("auc", "AUC", "higher"),
        ("tar@far=1e-4", "TAR at FAR ≤ 1e-4", "higher"),
        ("fnmr@baseline", "FNMR at the baseline’s threshold", "lower"),
        ("fmr@baseline", "FMR at the baseline’s threshold", "lower"),
        ("tar_nearest@far=1e-4", "TAR at FAR nearest to 1e-4", "higher"),
        ("rank10", "rank-10 hit rate", "higher"),
        ("rank10_macro", "macro mean rank-10 hit rate", "higher"),
        ("tpir@fpir=1e-2", "TPIR(N, R = 1) at FPIR ≤ 1e-2", "higher"),
        ("tpir@fpir=1e-2_macro", "macro mean TPIR(N, R = 1) at FPIR ≤ 1e-2", "higher"),
        ("fnir@fpir=1e-2", "FNIR(N, R = 1) at FPIR ≤ 1e-2", "lower"),
        ("fnir@fpir=1e-2_macro", "macro mean FNIR(N, R = 1) at FPIR ≤ 1e-2", "lower"),
        ("map", "mean average precision", "higher"),
        ("map_macro", "macro mean mean average precision", "higher"),
        ("map_trapezoid_euclidean", "TinyFace’s own mAP", "higher"),
    ],
)
def test_every_metric_of_the_toolkit_has_words_and_a_direction(name: str, title: str, better: str) -> None:
    words = wording.metric(name)
    assert (words.name, words.title, words.better) == (name, title, better)
    assert words.meaning.endswith(".")
    assert "{" not in words.title + words.short + words.meaning


def test_an_unknown_metric_keeps_its_name_and_has_no_direction() -> None:
    assert wording.metric("map<b>") == wording.Metric("map<b>", "map<b>", "map<b>", "", "")
    assert wording.judged("map<b>", 0.5, found(0.5, "better")) == "unknown"


@pytest.mark.parametrize(
    ("name", "change", "verdict"),
    [
        ("auc", 0.1, "better"),
        ("auc", -0.1, "worse"),
        ("eer", 0.1, "worse"),
        ("eer", -0.1, "better"),
        ("eer", 0.00001, "same"),
        ("eer", None, "unknown"),
    ],
)
def test_a_verdict_is_about_recognition_not_about_the_sign(name: str, change: float | None, verdict: str) -> None:
    assert wording.judged(name, change, found(change, verdict)) == verdict
    assert wording.judged(name, change, None) == ("same" if verdict == "same" else "unknown")


def found(change: float | None, verdict: str) -> Difference:
    return Difference("any", "mdfr", "none", change, 10, verdict=verdict)


def test_few_false_accepts_are_marked_below_thirty_and_only_on_defined_rates() -> None:
    value = Value("tar@far=1e-3", "none", 0.9, 6000, false_accepts=29)
    assert wording.few(value)
    assert not wording.few(dataclasses.replace(value, false_accepts=30))
    assert not wording.few(dataclasses.replace(value, false_accepts=None))
    assert not wording.few(dataclasses.replace(value, value=None))


def test_the_primary_metric_is_the_protocols_whatever_its_folds_else_the_first(make: Callable[..., Result]) -> None:
    result = make(breakdown=False)
    settings = result.protocol["settings"]
    for asked, found in (
        ("accuracy", "accuracy_10fold"),
        ("accuracy_10fold", "accuracy_10fold"),
        ("eer", "eer"),
        ("absent", "accuracy_10fold"),
        ("", "accuracy_10fold"),
    ):
        protocol = {**result.protocol, "settings": {**settings, "primary": asked}}
        assert wording.primary(dataclasses.replace(result, protocol=protocol)) == found
    assert wording.primary(dataclasses.replace(result, values=(), protocol={})) is None


def test_the_baseline_is_first_and_nobody_is_forgotten(make: Callable[..., Result]) -> None:
    result = make({"a": 0.1})
    values = (*result.values, Value("eer", "unlisted", 0.1, 6000))
    assert wording.preprocessors(dataclasses.replace(result, values=values)) == ("none", "a", "unlisted")


def test_what_cannot_be_seen_is_written_out_and_all_else_stays() -> None:
    assert wording.visible("a\u202eb\x00c\udc80d\x1b[1m") == r"a\u202eb\x00c\udc80d\x1b[1m"
    for text in ("é 😀 שלום 99\u202f% − ×\tnew\nline", "<script>", ""):
        assert wording.visible(text) == text
    assert wording.visible("\u2066").isascii()


def test_error_rates_are_named_by_whether_failures_count(make: Callable[..., Result]) -> None:
    complete = make(failures=0)
    lost = make(failures=3)
    excluded = dataclasses.replace(
        lost, protocol={**lost.protocol, "settings": {**lost.protocol["settings"], "faces": {"failure": "exclude"}}}
    )
    for name, completed, counting in (("fnmr@baseline", "FNMR", "FRR"), ("fmr@baseline", "FMR", "FAR")):
        assert wording.metric(name, lost).name == name
        assert wording.heading(name, lost) == f"{counting} at the baseline’s threshold"
        assert wording.metric(name, lost).short == f"{counting} @base"
        assert "could not be had" in wording.metric(name, lost).meaning
        for result in (complete, excluded):
            assert wording.heading(name, result) == f"{completed} at the baseline’s threshold"


def test_rates_of_an_open_set_print_how_many_are_enrolled_and_the_rank(search: Callable[..., Result]) -> None:
    one = dataclasses.replace(search(), data={"gallery_subjects": 3531})
    assert wording.heading("fnir@fpir=1e-2", one) == "FNIR(N = 3,531, R = 1) at FPIR ≤ 1e-2"
    two = dataclasses.replace(one, data={"galleries": {"G1": {"gallery": 1772}, "G2": {"gallery": 1759}}})
    assert wording.heading("tpir@fpir=1e-2", two) == "TPIR(N = 1,772 and 1,759, R = 1) at FPIR ≤ 1e-2"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("tar_nearest@far=1e-1", "TAR at FAR nearest to 1e-1"),
        ("accuracy_insightface_10fold", "10-fold accuracy, insightface’s thresholds"),
        ("accuracy_insightface", "accuracy, insightface’s thresholds"),
    ],
)
def test_another_definition_has_another_title_and_meaning(name: str, title: str) -> None:
    found = wording.metric(name)
    assert (found.title, found.better) == (title, "higher")
    assert found.meaning != wording.metric(name.replace("_nearest", "").replace("_insightface", "")).meaning
