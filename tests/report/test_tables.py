from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from recog_restore.report import tables
from recog_restore.results import Result, Value


def printed(result: Result, width: int = 80) -> str:
    console = Console(width=width, file=io.StringIO(), legacy_windows=False)
    console.print(tables.summary(result))
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_gives_every_value_back_to_the_last_bit(make: Callable[..., Result]) -> None:
    result = make()
    found = rows(tables.csv([result]))
    assert tuple(found[0]) == tables.COLUMNS
    for row, value in zip(found, result.values, strict=True):
        assert (row["metric"], row["preprocessor"], int(row["n"])) == (value.metric, value.preprocessor, value.n)
        assert (float(row["value"]) if row["value"] else None) == value.value
        assert (float(row["threshold"]) if row["threshold"] else None) == value.threshold
        assert (json.loads(row["where"]) if row["where"] else {}) == value.where


def test_csv_survives_every_name(hostile: Result, nasty_names: tuple[str, ...]) -> None:
    found = rows(tables.csv([hostile]))
    assert len(found) == len(hostile.values)
    names = [tables.csv_text(name) for name in ("none", *nasty_names)]
    assert list(dict.fromkeys(row["preprocessor"] for row in found)) == names
    tables.csv([hostile]).encode("utf-8")


def test_json_is_strict_and_equals_csv(make: Callable[..., Result], hostile: Result) -> None:
    def refuse(constant: str) -> Any:
        raise AssertionError(f"{constant} is not JSON")

    for results in ([make()], [make(interval=True), hostile]):
        text = tables.json(results)
        text.encode("utf-8")
        found = json.loads(text, parse_constant=refuse)
        assert [tuple(row) for row in found] == [tables.COLUMNS] * sum(len(result.values) for result in results)
        for row, same in zip(found, rows(tables.csv(results)), strict=True):
            assert row["metric"] == same["metric"]
            assert ("" if row["value"] is None else str(row["value"])) == same["value"]
            assert ("" if row["interval_low"] is None else str(row["interval_low"])) == same["interval_low"]


def test_latex_has_one_table_per_protocol_with_a_cell_per_column(
    make: Callable[..., Result], search: Callable[..., Result]
) -> None:
    text = tables.latex([make(), search(), make(seed=1, embedder="sphere20a")])
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 2
    for table in text.split(r"\begin{table}")[1:]:
        columns = re.search(r"\\begin\{tabular\}\{(l+r+)\}", table)
        assert columns is not None
        body = [line for line in table.splitlines() if line.endswith(r"\\")]
        assert {len(re.split(r"(?<!\\)&", line)) for line in body} == {len(columns[1])}
        assert table.count(r"\toprule") == table.count(r"\bottomrule") == 1


def test_latex_prints_numbers_without_unit_and_differences_in_parentheses(make: Callable[..., Result]) -> None:
    values = Value("eer", "none", 0.1, 10), Value("eer", "mdfr", 0.05, 10), Value("eer", "gamma", None, 10)
    text = tables.latex([dataclasses.replace(make({"mdfr": 0.1, "gamma": 0.0}), values=values)])
    assert r"mdfr & 5.00 ($-$5.00) \\" in text
    assert r"baseline & 10.00 \\" in text
    assert r"gamma & undefined \\" in text


def test_latex_escapes_every_special_character(hostile: Result) -> None:
    text = "\n".join(line for line in tables.latex([hostile]).splitlines() if not line.startswith("%"))
    bare = re.sub(r"\$(\\leq|-|\\times|\^\\dagger|\^\\circ)\$", "", text)
    bare = re.sub(r"\\text[a-z]+\{\}", "", bare)
    bare = re.sub(r"\\[&%$#_{},\\]", "", bare)
    bare = re.sub(r"\\(begin|end)\{(table|tabular)\}(\{l+r+\})?|\\(centering|toprule|midrule|bottomrule)", "", bare)
    bare = re.sub(r"\\caption\{(.*)\}", r"\1", bare).replace("-{}-", "")
    assert not re.search(r"[\\%$#_{}~^<>|\"\x00-\x09\x0b-\x1f]", bare)


def test_the_summary_has_the_baseline_and_every_preprocessor_with_differences(make: Callable[..., Result]) -> None:
    result = make()
    text = printed(result, 160)
    for name in ("baseline", "bicubic-down8", "clahe"):
        assert name in text
    value, base = result.value("accuracy_10fold", "bicubic-down8"), result.value("accuracy_10fold", "none")
    assert value is not None
    assert base is not None
    assert f"{100 * value.value:.2f}\u202f%" in text  # type: ignore[operator]
    assert f"−{100 * (base.value - value.value):.2f}" in text  # type: ignore[operator]
    assert "worse" not in text  # nothing was tested
    assert "†" in text
    assert "partial" not in text
    assert "partial run" in printed(make(partial="--limit 10"), 160)


def test_the_summary_fits_eighty_columns(make: Callable[..., Result], search: Callable[..., Result]) -> None:
    for result in (make(), search()):
        text = printed(result)
        assert max(map(len, text.splitlines())) <= 80
        assert "…" not in text
        assert "Failed" in text
        assert all(entry["name"] in text for entry in result.preprocessors[1:])


def test_names_are_no_markup_on_the_terminal(make: Callable[..., Result]) -> None:
    text = printed(make({"[red]x[/red]": 0.1, "bell\x07\x1b[2J": 0.1}), 200)
    assert "[red]x[/red]" in text
    assert r"bell\x07\x1b[2J" in text
    assert "\x07" not in text


def test_what_is_not_a_number_is_undefined_in_every_table(make: Callable[..., Result]) -> None:
    value = Value("eer", "none", float("nan"), 10, threshold=float("inf"))
    result = dataclasses.replace(make({}), values=(value,))
    assert (rows(tables.csv([result]))[0]["value"], rows(tables.csv([result]))[0]["threshold"]) == ("", "")
    assert json.loads(tables.json([result]))[0]["value"] is None
    assert "undefined" in tables.latex([result])
    assert "undefined" in printed(result)


def test_a_result_without_values_gives_empty_tables(make: Callable[..., Result]) -> None:
    empty = dataclasses.replace(make(), values=())
    assert rows(tables.csv([empty])) == []
    assert json.loads(tables.json([empty])) == []
    assert r"\begin{tabular}{ll}" in tables.latex([empty])
    assert "baseline" in printed(empty)
    assert tables.latex([]).startswith("%")


def test_the_summary_of_a_search_has_a_column_per_bin_and_says_what_its_faces_are(
    poses: Callable[..., Result],
) -> None:
    for width in (80, 100):
        text = printed(poses(), width)
        assert max(map(len, text.splitlines())) <= width
        assert "…" not in text
        assert "SynthPIE: synthetic faces" in text
        assert "Rank-1 hit rate over |yaw|, %" in text
        table = text.split("over |yaw|")[1]
        assert re.search(r"±90° +±75° +±60° +±45° +±30° +±15° +0° +mean +all", table)
        rows = {line.split()[0]: line.split()[1:] for line in table.splitlines() if line.strip()}
        assert rows["baseline"] == "15.50 55.09 85.91 97.14 98.41 98.61 99.50 78.60 76.91".split()
        assert rows["searches"] == "5,477 5,480 5,480 5,480 5,480 5,480 2,603 35,480".split()
        assert "+16.71" in table


def test_the_last_column_is_whole_where_all_numbers_are_long(poses: Callable[..., Result]) -> None:
    result = poses()
    values = tuple(
        dataclasses.replace(value, value=1.0 if value.preprocessor == "none" else 0.5) for value in result.values
    )
    text = printed(dataclasses.replace(result, values=values, differences=()))
    assert max(map(len, text.splitlines())) <= 80
    numbers = [line.split() for line in text.split("over |yaw|")[1].splitlines()]
    assert ["baseline", *["100.00"] * 9] in numbers
    assert ["−50.00"] * 9 in [line[-9:] for line in numbers]


def test_a_search_without_bins_has_one_table(search: Callable[..., Result], make: Callable[..., Result]) -> None:
    assert "over" not in printed(search())
    assert "over" not in printed(make())


def test_latex_has_the_papers_table_with_differences_below(poses: Callable[..., Result]) -> None:
    text = tables.latex([poses({"mdfr": 0.2}), poses({"mdfr": 0.1}, embedder="cosface")])
    assert text.count(r"\begin{table}") == 4  # all metrics; rank-1 and rank-5 over |yaw|; rank-1 over session
    (table,) = (t for t in text.split(r"\begin{table}") if r"Rank-1 hit rate over \textbar{}yaw\textbar{}" in t)
    assert r"Embedder & Preprocessor & $\pm$90$^\circ$ & $\pm$75$^\circ$" in table
    assert r"arcface-synthpie & baseline & 15.50 & 55.09 & 85.91 & 97.14 & 98.41 & 98.61 & 99.50" in table
    assert r" &  & ($+$16.71)" in table or r" &  & (+16.71) & (+8.80)" in table
    assert "cosface & mdfr & " in table
    assert text.count("not a Multi-PIE number.") == 4
    for part in text.split(r"\begin{table}")[1:]:
        columns = re.search(r"\\begin\{tabular\}\{(l+r+)\}", part)
        assert columns is not None
        body = [line for line in part.splitlines() if line.endswith(r"\\")]
        assert {len(re.split(r"(?<!\\)&", line)) for line in body} == {len(columns[1])}


def test_csv_says_how_intervals_were_had_and_what_the_faces_are(poses: Callable[..., Result]) -> None:
    found = rows(tables.csv([poses()]))
    assert {row["note"] for row in found} == {
        "SynthPIE: synthetic faces rendered by this program; not a Multi-PIE number"
    }
    assert {row["interval_method"] for row in found if row["interval_low"]} == {"wilson"}
    assert {row["interval_method"] for row in found if not row["interval_low"]} == {""}


def test_differences_stand_beside_their_values_with_p_values_in_csv_and_json(
    poses: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    result = judged(poses({"mdfr": 0.2, "clahe": -0.1}))
    for row, value in zip(json.loads(tables.json([result])), result.values, strict=True):
        found = result.difference(value.metric, value.preprocessor, **value.where)
        if found is None:
            assert {row[key] for key in ("difference", "p", "p_holm", "verdict", "fixed")} == {None}
            continue
        assert (row["difference"], row["p"], row["p_holm"]) == (found.difference, found.p, found.p_holm)
        assert [row["difference_low"], row["difference_high"]] == list(found.interval or ())
        assert (row["verdict"], row["broken"]) == (found.verdict, found.broken)
    assert {row["verdict"] for row in rows(tables.csv([result]))} == {"", "better", "worse", "no difference found"}


def test_latex_has_a_table_of_tested_differences_with_stars(
    poses: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    text = tables.latex([judged(poses({"mdfr": 0.2}))])
    table = text.split(r"\begin{table}")[-1]
    assert "significant after Holm" in table
    assert "In parentheses" not in table
    assert re.search(r"mdfr & Rank 1 & \$\\pm\$90\$\^\\circ\$ & \+16\.71\* & \[16\.41, 17\.01\] & \\textless", table)
    assert re.search(r"Rank 1 & 0\$\^\\circ\$ & \$-\$0\.12 & .* & 0\.400 & 0\.800 & 30 & 12 ", table)
    assert text.count("significant after Holm") == 1
    assert "significant" not in tables.latex([poses()])


def test_the_terminal_says_what_was_tested(make: Callable[..., Result], judged: Callable[..., Result]) -> None:
    text = " ".join(printed(judged(make())).split())
    assert "✗ bicubic-down8 lowers 10-fold accuracy from" in text
    assert "worse" in text.split("✗")[0]
    assert not {"▲", "▼"} & set(text)  # an error rate that rises is worse
    assert "Fixes 30 and breaks 12 of 6,000 comparisons." in text
    assert "FRR at the baseline’s threshold over yaw: no difference found at 4 of 4 parts." in text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1+1", "'+1+1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("a\x1b[31m\r\n\t\u202eb", r"a\x1b[31m\r\n\t\u202eb"),
        ("caf\udce9", r"caf\udce9"),
        ("clahe,clip=3", "clahe,clip=3"),
    ],
)
def test_a_spreadsheet_computes_nothing_of_a_csv(name: str, shown: str, make: Callable[..., Result]) -> None:
    found = rows(tables.csv([make({name: -0.1})]))
    assert {row["preprocessor"] for row in found} == {"none", shown}
    assert tables.csv_text(-0.5) == -0.5
