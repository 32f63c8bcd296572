from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

from recog_restore.report import html, tables
from recog_restore.report.thresholds import thresholds, why_none
from recog_restore.results import Curve, Result


def test_a_row_per_rate_has_threshold_interval_false_accepts_and_fnmr(
    make: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    rows = thresholds(judged(make({"mdfr": 0.1})))
    assert [row.heading for row in rows] == [
        f"FMR 1 in {n}" for n in ("100", "1,000", "10,000", "100,000", "1,000,000")
    ]
    cell = rows[0].cells[1]
    assert cell.value == "0.3000"
    assert [text.replace("\u202f", " ") for text in cell.details] == [
        "95 %: 0.2800 to 0.3300",
        "30 false accepts",
        "FNMR 1.20 % (0.80 to 1.70)",
    ]
    assert [row.cells[1].few for row in rows] == [False, True, False, False, False]


def test_a_rate_that_the_list_is_too_short_for_has_no_threshold(
    make: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    result = judged(make({"mdfr": 0.1}))
    assert thresholds(result)[-1].cells[0].value == "–"
    assert thresholds(result)[-1].cells[0].details == ("needs 1,000,000 non-mated", "comparisons; has 3,000")
    only = dataclasses.replace(result, thresholds=result.thresholds[:1])
    assert [cell.value for cell in thresholds(only)[0].cells] == ["0.3000", "–"]
    assert thresholds(make()) == ()


def test_a_run_without_thresholds_says_why(
    make: Callable[..., Result], judged: Callable[..., Result], search: Callable[..., Result]
) -> None:
    assert why_none(judged(make({"mdfr": 0.1}))) == ""
    closed = search()
    assert why_none(closed).startswith("A search in a closed set has no threshold: whoever scores highest")
    assert why_none(closed) in html.render([closed])
    opened = dataclasses.replace(closed, det={"none": {"": Curve((None,), (0.0,), (1.0,))}})
    assert why_none(opened).startswith("A search in an open set has its thresholds beside TPIR and FNIR")
    assert why_none(make()) == "Thresholds come with their intervals, and --draws 0 leaves both out."


def test_thresholds_as_json_are_strict_and_complete(
    make: Callable[..., Result], judged: Callable[..., Result], poses: Callable[..., Result]
) -> None:
    result = judged(make({"mdfr": 0.1}))
    found = json.loads(tables.thresholds([result, judged(poses())]))
    assert [tuple(row) for row in found] == [tables.THRESHOLD_COLUMNS] * 10
    assert found[0] | {"threshold": 0.3, "threshold_low": 0.28, "fmr": 0.01, "false_accepts": 30} == found[0]
    assert (found[4]["threshold"], found[4]["fnmr_low"], found[4]["non_mated"]) == (None, None, 3000)
