from __future__ import annotations

import dataclasses
from collections.abc import Callable

from recog_restore.report.grid import Cell, Values, breakdowns, overall, side_by_side
from recog_restore.results import Result, Value


def test_every_cell_is_the_value_of_the_result_and_its_difference(make: Callable[..., Result]) -> None:
    result = make()
    metrics = dict.fromkeys(v.metric for v in result.values if not v.where)
    for row, metric in zip(overall(result), metrics, strict=True):
        for cell, entry in zip(row.cells, result.preprocessors, strict=True):
            (value,) = (v for v in result.values if (v.metric, v.preprocessor, v.where) == (metric, entry["name"], {}))
            (base,) = (v for v in result.values if (v.metric, v.preprocessor, v.where) == (metric, "none", {}))
            shown = "undefined" if value.value is None else f"{100 * value.value:.2f}\u202f%"
            assert cell.value == shown
            if entry["name"] == "none" or value.value is None or base.value is None:
                assert cell.change == ""
            else:
                change = f"{100 * (value.value - base.value):+.2f}".replace("-", "−")
                assert cell.change == (change if change[1:] != "0.00" else "0.00")


def test_details_name_spread_interval_threshold_and_false_accepts(make: Callable[..., Result]) -> None:
    value = Value(
        "tar@far=1e-3", "none", 0.5, 6000, std=0.0123, false_accepts=1, threshold=0.25, interval=(0.4, 0.6)
    )  # fmt: skip
    cell = Values(dataclasses.replace(make(), values=(value,))).cell("tar@far=1e-3", "none")
    assert [detail.replace("\u202f", " ") for detail in cell.details] == [
        "± 1.23 between folds",
        "95 %: 40.00–60.00",
        "threshold 0.2500",
        "1 false accept",
    ]
    assert cell.few
    assert cell.over == "6,000 comparisons"


def test_an_absent_value_is_a_dash_and_an_undefined_one_says_so(make: Callable[..., Result]) -> None:
    values = Values(dataclasses.replace(make(), values=(Value("eer", "none", None, 0),)))
    assert values.cell("eer", "absent") == Cell("–")
    assert values.cell("eer", "none").value == "undefined"


def test_a_count_that_all_share_stands_once_and_others_in_their_cells(make: Callable[..., Result]) -> None:
    same = make({"mdfr": 0.1}, breakdown=False)
    assert {row.over for row in overall(same)} == {"6,000 comparisons", "3,000 comparisons"}
    values = Value("eer", "none", 0.1, 6000), Value("eer", "mdfr", 0.1, 5999)
    (row,) = overall(dataclasses.replace(same, values=values))
    assert (row.over, [cell.over for cell in row.cells]) == ("", ["6,000 comparisons", "5,999 comparisons"])


def test_a_breakdown_has_every_part_once_in_the_order_of_the_run(make: Callable[..., Result]) -> None:
    tables = breakdowns(make())
    assert [table.title for table in tables] == [
        "FRR at the baseline’s threshold by yaw",
        "AUC by yaw",
        "Accuracy by fold",
    ]
    assert [[row.heading for row in table.rows] for table in tables] == [["0", "15", "30", "45 to 90"]] * 2 + [
        ["1", "2"]
    ]
    assert breakdowns(make(breakdown=False)) == ()


def test_a_part_of_the_data_may_have_any_name(make: Callable[..., Result]) -> None:
    where = {"metric": "a", "preprocessor": "b", "self": "c", "<b>": "</script>"}
    values = Value("eer", "none", 0.1, 10, where), Value("eer", "mdfr", 0.2, 10, where)
    (table,) = breakdowns(dataclasses.replace(make({"mdfr": 0.1}), values=values))
    assert table.rows[0].cells[1].change == "+10.00"
    assert table.heading == "<b>, metric, preprocessor, self"


def test_side_by_side_every_run_differs_from_its_own_baseline(make: Callable[..., Result]) -> None:
    first, second = make({"mdfr": 0.1}), make({"mdfr": 0.1, "clahe": 0.0}, seed=1)
    table = dict(side_by_side((first, second)))
    rows = {row.heading: row for row in table["EER"]}
    assert list(rows) == ["none", "mdfr", "clahe"]
    assert rows["clahe"].cells[0] == Cell("–")
    for result, cell in zip((first, second), rows["mdfr"].cells, strict=True):
        assert cell.change == dataclasses.replace(Values(result).cell("eer", "mdfr"), over="").change


def test_what_a_search_raises_wrongly_is_an_alarm(make: Callable[..., Result]) -> None:
    alarming = Value("tpir@fpir=1e-1", "none", 0.5, 6000, false_accepts=12)
    values = Values(dataclasses.replace(make(), values=(alarming,)))
    assert values.cell("tpir@fpir=1e-1", "none").details == ("12 false alarms",)
