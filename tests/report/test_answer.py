from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from recog_restore.report.answer import answers, caveat
from recog_restore.results import NOT_DETECTED, Failure, Result, Value


def result(make: Callable[..., Result], *values: Value, failed: dict[str, int] | None = None, kind: str = "") -> Result:
    base = make({"mdfr": 0.1}, breakdown=False)
    protocol = base.protocol | ({"kind": kind} if kind else {})
    return dataclasses.replace(base, protocol=protocol, values=values, failed=failed or {})


def value(preprocessor: str, number: float | None, metric: str = "accuracy_10fold", **other: Any) -> Value:
    return Value(metric, preprocessor, number, other.pop("n", 6000), **other)


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


def test_the_answer_is_one_sentence_with_both_numbers_the_difference_the_count_and_the_failures(
    make: Callable[..., Result],
) -> None:
    (answer,) = answers(result(make, value("none", 0.9930), value("mdfr", 0.8812)))
    assert plain(answer.sentence) == (
        "lowers 10-fold accuracy from 99.30 % to 88.12 %: −11.18 points over 6,000 comparisons; 0 faces failed."
    )
    assert (answer.preprocessor, answer.verdict, answer.icon, answer.points) == ("mdfr", "unknown", "?", "−11.18")


def test_what_was_not_tested_is_neither_better_nor_worse(make: Callable[..., Result]) -> None:
    (gain,) = answers(result(make, value("none", 0.5), value("mdfr", 0.6)))
    assert (gain.sentence.split()[0], gain.verdict, gain.icon) == ("raises", "unknown", "?")
    (error,) = answers(result(make, value("none", 0.5, "eer"), value("mdfr", 0.4, "eer")))
    assert (error.sentence.split()[0], error.verdict, error.icon) == ("lowers", "unknown", "?")


def test_no_change_and_hardly_any_change_are_said_apart(make: Callable[..., Result]) -> None:
    (equal,) = answers(result(make, value("none", 0.5), value("mdfr", 0.5)))
    assert plain(equal.sentence).startswith("leaves 10-fold accuracy unchanged at 50.00 % over")
    (near,) = answers(result(make, value("none", 0.5), value("mdfr", 0.50001)))
    assert "a difference below 0.01 points" in near.sentence
    assert equal.verdict == near.verdict == "same"


def test_failures_of_the_files_are_told_apart_from_those_of_the_preprocessor(make: Callable[..., Result]) -> None:
    lost = [
        Failure("a", "none", "acquire", NOT_DETECTED),
        *(Failure(s, "none", "acquire", "not an image") for s in "bc"),
    ]
    rates = value("none", 0.5), value("mdfr", 0.4)
    (answer,) = answers(
        dataclasses.replace(result(make, *rates, failed={"none": 3, "mdfr": 5}), failures=tuple(lost)),
    )
    assert (
        "1 face could not be detected, 2 faces could not be read or aligned, 2 faces failed in mdfr." in answer.sentence
    )
    (answer,) = answers(
        dataclasses.replace(result(make, *rates, failed={"none": 1, "mdfr": 1}), failures=tuple(lost[:1]))
    )
    assert answer.sentence.endswith("; 1 face could not be detected.")


@pytest.mark.parametrize(
    ("values", "lacking"),
    [
        ([value("none", None), value("mdfr", 0.4)], "undefined for the baseline"),
        ([value("none", 0.4), value("mdfr", None)], "undefined for this preprocessor"),
        ([value("none", None), value("mdfr", None)], "undefined for the baseline and this preprocessor"),
        ([value("none", 0.4)], "absent or undefined for this preprocessor"),
    ],
)
def test_what_is_undefined_is_not_judged(make: Callable[..., Result], values: list[Value], lacking: str) -> None:
    (answer,) = answers(result(make, *values))
    assert answer.sentence.startswith("cannot be judged")
    assert lacking in answer.sentence
    assert (answer.verdict, answer.points) == ("unknown", "")


def test_different_counts_are_both_named(make: Callable[..., Result]) -> None:
    (answer,) = answers(result(make, value("none", 0.5, n=6000), value("mdfr", 0.4, n=5400)))
    assert "over 5,400 comparisons (6,000 in the baseline)" in answer.sentence


def test_searches_are_called_searches(make: Callable[..., Result]) -> None:
    values = value("none", 0.5, "rank1", n=548), value("mdfr", 0.6, "rank1", n=548)
    (answer,) = answers(result(make, *values, kind="identification"))
    assert "raises rank-1 hit rate" in answer.sentence
    assert "over 548 searches" in answer.sentence


def test_a_run_without_preprocessors_says_what_the_baseline_reaches(make: Callable[..., Result]) -> None:
    base = make({}, breakdown=False, failures=0)
    (answer,) = answers(dataclasses.replace(base, values=(value("none", 0.993),)))
    assert plain(answer.sentence) == (
        "(the baseline: untouched faces) reaches 10-fold accuracy 99.30 % over 6,000 comparisons; 0 faces failed. "
        "No preprocessor was compared."
    )
    assert caveat(base) == ""


def test_a_run_without_values_has_no_answer(make: Callable[..., Result]) -> None:
    assert answers(result(make)) == ()
    assert caveat(result(make)) == ""


def test_without_intervals_it_says_that_there_is_none(make: Callable[..., Result]) -> None:
    assert caveat(result(make, value("none", 0.5), value("mdfr", 0.4))).startswith("No interval was computed")
    one = result(make, value("none", 0.5, interval=(0.4, 0.6)), value("mdfr", 0.4))
    assert caveat(one).startswith("No interval was computed")


def test_intervals_and_spread_are_told_without_claiming_a_test(make: Callable[..., Result]) -> None:
    both = result(
        make, value("none", 0.5, interval=(0.4, 0.6), std=0.01), value("mdfr", 0.4, interval=(0.3, 0.5), std=0.025)
    )
    assert "were not tested for significance" in caveat(both)
    assert plain(answers(both)[0].spread) == (
        "95 % intervals: 40.00 % to 60.00 % in the baseline, 30.00 % to 50.00 % after. "
        "Standard deviation between folds: 1.00 points in the baseline, 2.50 after."
    )


def test_the_bins_that_gain_and_lose_most_are_named(poses: Callable[..., Result]) -> None:
    clahe, mdfr = answers(poses({"clahe": -0.006, "mdfr": 0.2}))
    assert clahe.where == "Over |yaw|: nothing gained, most lost at ±90° (−0.71)."
    assert mdfr.where == "Over |yaw|: most gained at ±90° (+16.71), most lost at 0° (−0.12)."
    assert answers(poses(by=()))[0].where == ""


def test_the_most_gaining_and_losing_bin_equal_a_slow_search(poses: Callable[..., Result]) -> None:
    run = poses({"mdfr": 0.02})
    changes = {}
    for after in run.values:
        for before in run.values:
            alike = (before.metric, before.where) == (after.metric, after.where)
            if alike and after.metric == "rank1" and "abs_yaw" in after.where:
                if (before.preprocessor, after.preprocessor) == ("none", "mdfr"):
                    changes[after.where["abs_yaw"]] = after.value - before.value  # type: ignore[operator]
    best, worst = max(changes, key=lambda yaw: changes[yaw]), min(changes, key=lambda yaw: changes[yaw])
    (answer,) = answers(run)
    assert f"most gained at ±{best}° (+{100 * changes[best]:.2f})" in answer.where
    assert f"most lost at {'±' * (worst != '0')}{worst}° (−{-100 * changes[worst]:.2f})" in answer.where


def test_a_search_says_that_its_differences_carry_no_paired_test(poses: Callable[..., Result]) -> None:
    assert "the differences carry no paired test" in caveat(poses())


def test_the_baseline_of_degraded_faces_is_not_called_untouched(make: Callable[..., Result]) -> None:
    base = dataclasses.replace(make({}, breakdown=False, failures=0), values=(value("none", 0.993),))
    for apply, words in (("all", "faces"), ("probes", "probes")):
        degradation = {"name": "down8", "apply": apply, "seed": 0}
        settings = {**base.protocol["settings"], "degradation": degradation}
        degraded = dataclasses.replace(base, protocol={**base.protocol, "settings": settings})
        (answer,) = answers(degraded)
        assert answer.sentence.startswith(f"(the baseline: {words} degraded by down8, not preprocessed) reaches")
