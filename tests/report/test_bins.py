"""The papers' table against a slow reading of the values."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from recog_restore.report import bins
from recog_restore.report.grid import breakdowns
from recog_restore.results import Result, Value


def percent(rate: float) -> str:
    return f"{100 * rate:.2f}"


def the(result: Result, metric: str, preprocessor: str, where: dict[str, str]) -> Value:
    (value,) = (v for v in result.values if (v.metric, v.preprocessor, v.where) == (metric, preprocessor, where))
    return value


def test_every_cell_is_the_value_of_the_result_with_difference_interval_and_count(
    poses: Callable[..., Result],
) -> None:
    result = poses()
    table = bins.tables([result])[0]
    assert (table.title, table.metric, table.key) == ("Rank-1 hit rate over |yaw|", "rank1", "abs_yaw")
    wheres = [("rank1", {"abs_yaw": yaw}) for yaw in ("90", "75", "60", "45", "30", "15", "0")]
    wheres += [("rank1_macro", {"over": "abs_yaw"}), ("rank1", {})]
    (group,) = table.groups
    assert [row.heading for row in group.rows] == ["none", "clahe", "mdfr"]
    assert table.bins == 7
    for row in group.rows:
        for cell, column, (metric, where) in zip(row.cells, table.columns, wheres, strict=True):
            value, base = the(result, metric, row.heading, where), the(result, metric, "none", where)
            assert value.value is not None
            assert base.value is not None
            assert cell.value == percent(value.value)
            change = f"{100 * (value.value - base.value):+.2f}".replace("-", "−") if row.heading != "none" else ""
            assert cell.change == change
            between = "–".join(map(percent, value.interval)) if value.interval else ""
            assert cell.details == ((between,) if between else ())
            assert column.over == (f"{value.n:,} searches" if metric == "rank1" else "7 bins")
            assert cell.over == ""


def test_columns_are_in_the_order_of_the_papers(poses: Callable[..., Result]) -> None:
    tables = {table.key: table for table in bins.tables([poses()]) if table.metric == "rank1"}
    assert [column.heading for column in tables["abs_yaw"].columns] == [
        *("±90°", "±75°", "±60°", "±45°", "±30°", "±15°", "0°"),
        *("macro mean", "all"),
    ]
    assert [column.heading for column in tables["session"].columns] == ["1", "2", "3", "4", "macro mean", "all"]


def test_the_primary_metric_comes_first(poses: Callable[..., Result]) -> None:
    result = poses()
    other = dataclasses.replace(result, protocol={**result.protocol, "settings": {"primary": "rank5"}})
    assert bins.tables([result])[0].metric == "rank1"
    assert bins.tables([other])[0].metric == "rank5"


def test_what_is_no_search_or_has_parts_that_are_no_numbers_has_no_such_table(
    make: Callable[..., Result], poses: Callable[..., Result]
) -> None:
    assert bins.tables([make()]) == ()
    result = poses(by=())
    named = Value("rank1", "none", 0.5, 10, {"yaw": "15"}), Value("rank1", "none", 0.5, 10, {"yaw": "left"})
    assert bins.tables([dataclasses.replace(result, values=(*result.values, *named))]) == ()
    assert bins.tables([dataclasses.replace(result, values=(*result.values, named[0]))])[0].key == "yaw"


@pytest.mark.parametrize("part", ["nan", "inf", "1e3", "٣", "", "1_000", " 5"])
def test_only_plain_decimals_are_numbers(poses: Callable[..., Result], part: str) -> None:
    result = dataclasses.replace(poses(by=()), values=(Value("rank1", "none", 0.5, 10, {"yaw": part}),))
    assert bins.binned([result]) == {}


def test_more_bins_than_fit_stay_a_table_with_its_parts_in_rows(poses: Callable[..., Result]) -> None:
    result = poses()
    shown = {(table.metric, table.key) for table in bins.tables([result])}
    left = {table.heading: table for table in breakdowns(result, shown)}
    assert shown == {("rank1", "abs_yaw"), ("rank5", "abs_yaw"), ("rank1", "session")}
    assert set(left) == {"yaw", "illumination"}
    assert [row.heading for row in left["yaw"].rows][:2] == ["−90°", "−75°"]
    assert [row.heading for row in left["yaw"].rows][-2:] == ["+90°", "macro mean"]
    assert left["yaw"].rows[-1].over == "13 bins"
    assert left["illumination"].rows[3].heading == "03"
    for row in left["illumination"].rows[:-1]:
        assert row.over == "2,000 searches"
        assert all(cell.details for cell in row.cells)


def test_counts_that_differ_between_methods_stand_in_their_cells(poses: Callable[..., Result]) -> None:
    result = poses({"mdfr": 0.1})
    values = tuple(
        dataclasses.replace(v, n=v.n - 1) if (v.preprocessor, v.where.get("abs_yaw")) == ("mdfr", "90") else v
        for v in result.values
    )
    table = bins.tables([dataclasses.replace(result, values=values)])[0]
    assert table.columns[0].over == ""
    assert [row.cells[0].over for row in table.groups[0].rows] == ["5,477 searches", "5,476 searches"]
    assert table.columns[1].over == "5,480 searches"


def test_without_macro_means_there_is_no_such_column(poses: Callable[..., Result]) -> None:
    result = poses()
    values = tuple(v for v in result.values if not v.metric.endswith("_macro"))
    table = bins.tables([dataclasses.replace(result, values=values)])[0]
    assert [column.heading for column in table.columns][-2:] == ["0°", "all"]
    assert {len(row.cells) for row in table.groups[0].rows} == {8}


def test_several_runs_share_the_columns_that_any_of_them_has(poses: Callable[..., Result]) -> None:
    first = poses({"mdfr": 0.1})
    second = poses({"clahe": 0.1}, embedder="cosface-synthpie")
    fewer = tuple(v for v in second.values if v.where.get("abs_yaw") != "45")
    table = bins.tables([first, dataclasses.replace(second, values=fewer)], ["A", "B"])[0]
    assert [(group.label, [row.heading for row in group.rows]) for group in table.groups] == [
        ("A", ["none", "mdfr"]),
        ("B", ["none", "clahe"]),
    ]
    assert table.columns[3].heading == "±45°"
    assert [row.cells[3].value for row in table.groups[1].rows] == ["–", "–"]
    base, after = the(second, "rank1", "none", {"abs_yaw": "90"}), the(second, "rank1", "clahe", {"abs_yaw": "90"})
    assert base.value is not None
    assert after.value is not None
    assert table.groups[1].rows[1].cells[0].change == f"+{100 * (after.value - base.value):.2f}"


def test_an_undefined_value_says_so(poses: Callable[..., Result]) -> None:
    values = Value("rank1", "none", None, 0, {"yaw": "15"}), Value("rank1", "none", 0.5, 10)
    table = bins.tables([dataclasses.replace(poses(), values=values)])[0]
    assert [cell.value for cell in table.groups[0].rows[0].cells] == ["undefined", "50.00"]


def test_the_caption_names_what_stands_below_the_rates_and_nothing_else(poses: Callable[..., Result]) -> None:
    result = poses({})
    assert bins.tables([poses()])[0].below == ("the difference to the baseline in points", "the 95 % interval")
    assert bins.tables([result])[0].below == ("the 95 % interval",)
    values = tuple(dataclasses.replace(v, interval=None) for v in result.values)
    assert bins.tables([dataclasses.replace(result, values=values)])[0].below == ()
