from __future__ import annotations

import dataclasses
from collections.abc import Callable

from recog_restore.report.figures import series
from recog_restore.report.forest import forest
from recog_restore.results import NO_DIFFERENCE, Result


def drawn(result: Result) -> dict[str, object]:
    names = [p["name"] for p in result.preprocessors]
    figure = forest(result, list(zip(series(names), names, strict=True))[1:])
    assert figure is not None
    assert figure.spec is not None
    return {"words": figure.words, "title": figure.title, **figure.spec}


def test_every_tested_part_is_a_mark_with_its_interval(
    poses: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    result = judged(poses({"clahe": -0.1, "mdfr": 0.2}))
    spec = drawn(result)
    ticks = spec["layout"]["yaxis"]["ticktext"]  # type: ignore[index]
    assert ticks == ["all", "0°", "±15°", "±30°", "±45°", "±60°", "±75°", "±90°"]
    for marks, name in zip(spec["data"], ("clahe", "mdfr"), strict=True):  # type: ignore[call-overload]
        parts = [
            d
            for d in result.differences
            if (d.preprocessor, d.metric) == (name, "rank1") and (not d.where or "abs_yaw" in d.where)
        ]
        assert marks["x"] == [round(100 * d.difference, 3) for d in parts]
        low = [x - minus for x, minus in zip(marks["x"], marks["error_x"]["arrayminus"], strict=True)]
        assert all(abs(x - 100 * d.interval[0]) < 2e-3 for x, d in zip(low, parts, strict=True))
        filled = [symbol == "circle" for symbol in marks["marker"]["symbol"]]
        assert filled == [d.verdict != NO_DIFFERENCE for d in parts]
        assert marks["customdata"][0].endswith("n = 35,480")
    assert spec["title"] == "Rank-1 hit rate: differences to the baseline"


def test_marks_of_two_preprocessors_never_share_a_height(
    poses: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    first, second = drawn(judged(poses()))["data"]  # type: ignore[misc]
    assert not set(first["y"]) & set(second["y"])
    assert all(abs(a - b) < 0.5 for a, b in zip(first["y"], second["y"], strict=True))


def test_the_whole_is_left_out_where_the_parts_are_of_another_metric(
    make: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    spec = drawn(judged(make({"mdfr": 0.1})))
    assert spec["layout"]["yaxis"]["ticktext"] == ["0°", "+15°", "+30°", "45 to 90"]  # type: ignore[index]
    assert str(spec["title"]).startswith("FRR at the baseline’s threshold")


def test_a_run_without_parts_has_one_row_and_one_without_tests_no_plot(
    make: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    bare = make({"mdfr": 0.1}, breakdown=False)
    assert drawn(judged(bare))["layout"]["yaxis"]["ticktext"] == ["all"]  # type: ignore[index]
    assert forest(bare, list(zip(series(["none", "mdfr"]), ["none", "mdfr"], strict=True))[1:]) is None


def test_an_undefined_difference_has_no_mark(make: Callable[..., Result], judged: Callable[..., Result]) -> None:
    result = judged(make({"mdfr": 0.1}, breakdown=False))
    lost = tuple(dataclasses.replace(d, difference=None, interval=None) for d in result.differences)
    assert drawn(dataclasses.replace(result, differences=lost))["data"] == []
