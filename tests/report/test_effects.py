from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from recog_restore.report import effects
from recog_restore.report.answer import answers, caveat
from recog_restore.results import NO_DIFFERENCE, Difference, Result, Value


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


def found(change: float | None, verdict: str = NO_DIFFERENCE, metric: str = "rank1", **other: Any) -> Difference:
    interval = None if change is None else (change - 0.01, change + 0.01)
    other = {"interval": interval, "fixed": 88, "broken": 12, "smallest_detectable": 0.021} | other
    return Difference(metric, "mdfr", "none", change, other.pop("n", 5318), verdict=verdict, **other)


def run(search: Callable[..., Result], *differences: Difference) -> Result:
    values = Value("rank1", "none", 0.5, 5318), Value("rank1", "mdfr", 0.55, 5318)
    return dataclasses.replace(search(("mdfr",)), values=values, differences=differences)


def yaw(part: str, change: float, verdict: str = NO_DIFFERENCE) -> Difference:
    return found(change, verdict, where={"abs_yaw": part})


def test_where_it_helps_and_harms_is_named_with_differences_and_intervals(search: Callable[..., Result]) -> None:
    parts = (yaw("90", 0.314, "better"), yaw("45", -0.05, "worse"), yaw("0", 0.001))
    result = run(search, found(0.05, "better"), *parts)
    assert effects.where(result, "mdfr") == (
        "Rank-1 hit rate over |yaw|: helps at ±90° (+31.40 [30.40, 32.40]); harms at ±45° (−5.00 [−6.00, −4.00]); "
        "no difference found at 0°."
    )
    assert effects.flips(result, "mdfr") == "Fixes 88 and breaks 12 of 5,318 searches."


def test_of_many_parts_the_largest_three_are_named_and_the_others_counted(search: Callable[..., Result]) -> None:
    helped = [yaw(str(15 * i), 0.1 * i, "better") for i in range(1, 6)]
    same = [yaw(str(100 + i), 0.0) for i in range(4)]
    said = effects.where(run(search, found(0.05), *helped, *same), "mdfr")
    assert said.startswith("Rank-1 hit rate over |yaw|: helps at ±75° (+50.00")
    assert "±45° (+30.00 [29.00, 31.00]), 2 more; no difference found at 4 of 9 parts." in said


def test_parts_of_the_fnmr_stand_in_for_those_of_an_accuracy(make: Callable[..., Result]) -> None:
    values = Value("accuracy_10fold", "none", 0.9, 6000), Value("accuracy_10fold", "mdfr", 0.9, 6000)
    part = found(0.02, "worse", "fnmr@baseline", where={"size": "small"})
    whole = found(0.0, metric="accuracy_10fold", interval=None)
    result = dataclasses.replace(make({"mdfr": 0.0}), values=values, differences=(whole, part))
    assert effects.by_parts(result, "mdfr") == (part,)
    assert "over size: harms at small (+2.00 [1.00, 3.00])." in effects.where(result, "mdfr")


def test_a_run_that_tested_nothing_says_nothing(search: Callable[..., Result]) -> None:
    result = run(search)
    assert effects.overall(result, "mdfr") is None
    assert (effects.where(result, "mdfr"), effects.flips(result, "mdfr")) == ("", "")
    assert effects.flips(run(search, found(0.0, fixed=None, broken=None)), "mdfr") == ""


def test_means_over_parts_and_folds_are_no_parts(search: Callable[..., Result]) -> None:
    mean = found(0.1, "better", "rank1_macro", where={"over": "abs_yaw"})
    assert effects.by_parts(run(search, found(0.0), mean), "mdfr") == ()


def test_the_answer_says_better_only_where_the_difference_is_significant(search: Callable[..., Result]) -> None:
    (sure,) = answers(run(search, found(0.05, "better")))
    assert (sure.verdict, sure.icon) == ("better", "✓")
    assert plain(sure.sentence) == (
        "raises rank-1 hit rate from 50.00 % to 55.00 %: +5.00 [4.00, 6.00] points over 5,318 searches; 0 faces failed."
    )
    (unsure,) = answers(run(search, found(0.05)))
    assert (unsure.verdict, unsure.icon) == ("unsure", "≈")
    assert plain(unsure.sentence) == (
        "makes no significant difference: rank-1 hit rate goes from 50.00 % to 55.00 %, +5.00 [4.00, 6.00] points "
        "over 5,318 searches; this test would detect ±2.10 points (80 % power); 0 faces failed."
    )


@pytest.mark.parametrize("result", ["make", "poses"])
def test_what_better_means_is_said_once_where_all_was_tested(
    result: str, judged: Callable[..., Result], request: pytest.FixtureRequest
) -> None:
    assert caveat(judged(request.getfixturevalue(result)())).startswith("Better and worse are said only where")


def test_a_place_is_written_as_in_the_tables() -> None:
    assert effects.place(found(0.0)) == "all"
    assert effects.place(yaw("90", 0.0)) == "±90°"
    assert effects.place(found(0.0, where={"yaw": "-45", "size": "22 px"})) == "−45°, 22 px"
