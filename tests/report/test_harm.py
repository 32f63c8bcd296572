from __future__ import annotations

import dataclasses
from collections.abc import Callable

from recog_restore.report.harm import harmed
from recog_restore.report.wording import points
from recog_restore.results import Result


def test_rates_at_the_baselines_threshold_stand_beside_what_turned(
    make: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    result = judged(make({"mdfr": 0.3}))
    (entry,) = harmed(result)
    assert entry.columns == ("FRR at the baseline’s threshold", "FAR at the baseline’s threshold")
    assert [row.heading for row in entry.rows] == ["all", "yaw 0°", "yaw +15°", "yaw +30°", "yaw 45 to 90"]
    for row in entry.rows:
        where = {} if row.heading == "all" else {"yaw": row.heading[4:].strip("+°")}
        found = result.difference("fnmr@baseline", "mdfr", **where)
        assert found is not None
        assert row.cells[0].change == points(found.difference)
        assert row.cells[0].details[0] == f"30 fixed, 12 broken of {found.n:,}"
        assert row.cells[0].details[1].endswith("], p < 0.001" if found.p_holm < 0.001 else "], p = 0.800")
    assert entry.rows[0].cells[1].details[0] == "30 removed, 12 added of 3,000"
    assert entry.rows[1].cells[1].value == "–"  # no FMR by parts in this run


def test_the_drift_of_impostors_is_told_with_its_direction(
    make: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    (entry,) = harmed(judged(make({"mdfr": 0.3})))
    assert entry.drift == (
        "Scores of 3,000 non-mated comparisons: mean 0.020 → 0.034 (+0.014), quantile 99.9 % 0.260 → 0.310 (+0.050)."
    )
    assert entry.raised == (
        ("a.jpg", "b.jpg", "0.100 → 0.450", "+0.350"),
        ("b.jpg", "a.jpg", "−0.050 → 0.200", "+0.250"),
    )


def test_a_search_has_no_threshold_and_no_false_matches(
    poses: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    first, _ = harmed(judged(poses()))
    assert first.decisions == "Of 35,480 searches 30 became right at rank 1 and 12 became wrong."
    assert first.drift.startswith("Scores of the best impostors (3,000): mean 0.020 → 0.034")
    assert first.columns == ("Rank-1 hit rate",)
    assert "illumination 00" in [row.heading for row in first.rows]


def test_undefined_scores_are_said_and_a_run_without_harm_has_no_entry(
    make: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    result = judged(make({"mdfr": 0.3}))
    nan = (float("nan"), float("nan"))
    lost = dataclasses.replace(result.harm[0], threshold=float("nan"), impostor_mean=nan, impostor_tail=nan)
    (entry,) = harmed(dataclasses.replace(result, harm=(lost,)))
    assert "undefined → undefined" in entry.drift
    assert "threshold, undefined:" in entry.decisions
    (none,) = harmed(dataclasses.replace(result, harm=(dataclasses.replace(lost, impostors=0),)))
    assert none.drift == ""
    assert harmed(make()) == ()


def test_one_sided_preprocessing_stands_beside_both_sides(
    make: Callable[..., Result], poses: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    result = judged(make({"mdfr": 0.3}))
    (entry,) = harmed(result)
    assert entry.side_columns == ("FRR at the baseline’s threshold", "FAR at the baseline’s threshold")
    assert [row.heading for row in entry.sides] == [
        "both",
        "the probe alone (the second face)",
        "the gallery alone (the first face)",
    ]
    found = result.difference("fnmr@baseline", "mdfr")
    assert found is not None
    for row in entry.sides:
        assert row.cells[0].change == f"{100 * found.difference:+.2f}"
        assert (row.cells[0].verdict, row.cells[0].word) == ("unsure", "n.s.")
        assert row.cells[0].details[0] == "30 fixed, 12 broken of 3,000"
    assert [row.heading for row in harmed(judged(poses()))[0].sides][1:] == ["the probe alone", "the gallery alone"]
    only = dataclasses.replace(result, sides={"probe": result.sides["probe"]})
    assert harmed(only)[0].sides[2].cells[0].change == ""
    assert harmed(dataclasses.replace(result, sides={}))[0].sides == ()
