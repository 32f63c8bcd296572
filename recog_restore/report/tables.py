"""Results as tables: LaTeX for papers, CSV and JSON for scripts, and the summary that the command line prints."""

from __future__ import annotations

import csv as _csv
import io
import json as _json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..results import BASELINE, NO_DIFFERENCE, Difference, Result
from .answer import answers
from .bins import Column, tables
from .bins import Table as Bins
from .effects import by_parts, overall, place
from .grid import Cell, Values
from .wording import (
    FEW_FALSE_ACCEPTS,
    bare,
    between,
    chance,
    count,
    label,
    metric,
    metrics,
    note,
    points,
    preprocessors,
    primary,
    protocol,
    unique,
    visible,
)

COLUMNS = (
    "protocol",
    "dataset",
    "fingerprint",
    "partial",
    "embedder",
    "preprocessor",
    "metric",
    "where",
    "value",
    "n",
    "std",
    "false_accepts",
    "threshold",
    "interval_low",
    "interval_high",
    "interval_method",
    "difference",
    "difference_low",
    "difference_high",
    "difference_method",
    "p",
    "p_holm",
    "correction",
    "test",
    "fixed",
    "broken",
    "smallest_detectable",
    "verdict",
    "note",
)

THRESHOLD_COLUMNS = (
    "protocol",
    "dataset",
    "fingerprint",
    "partial",
    "embedder",
    "preprocessor",
    "fmr",
    "threshold",
    "threshold_low",
    "threshold_high",
    "method",
    "non_mated",
    "false_accepts",
    "fnmr",
    "fnmr_low",
    "fnmr_high",
    "note",
)

# What fits a terminal of 80 columns, after the primary metric; the report has the rest.
_HEADLINES = (
    "eer",
    "tar@far=1e-3",
    "tar_nearest@far=1e-3",
    "fnmr@baseline",
    "fmr@baseline",
    "rank1",
    "rank5",
    "rank10",
)

# Characters of a name that stand on one line of the terminal; longer ones are wrapped, so that all columns have room.
_NAME = 9
_WIDTH = 80
_STYLES = {"better": "green", "worse": "red"}
_FEW = f"† fewer than {FEW_FALSE_ACCEPTS} false accepts or alarms: read the order of magnitude, not the digits"

_LATEX_HEAD = "% needs \\usepackage{booktabs}, \\usepackage[T1]{fontenc} and \\usepackage{textcomp}\n"
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "≤": r"$\leq$",
    "−": r"$-$",
    "–": r"\textendash{}",
    "’": r"\textquoteright{}",
    "†": r"$^\dagger$",
    "±": r"$\pm$",
    "°": r"$^\circ$",
    "×": r"$\times$",
    "\u202f": r"\,",
}


def csv(results: Sequence[Result]) -> str:
    """Return every value as a row under ``COLUMNS``; ``where`` is JSON, an undefined or absent entry is empty.

    The difference to the baseline stands beside the value, with its p-values, where the run tested it.
    Numbers are as exact as in the result. Text is quoted where CSV asks for it; see ``csv_text``.
    """
    text = io.StringIO()
    writer = _csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in _rows(results):
        where = _json.dumps(row["where"], ensure_ascii=False) if row["where"] else ""
        writer.writerow({name: csv_text(entry) for name, entry in (row | {"where": where}).items()})
    return text.getvalue()


def csv_text(entry: Any) -> Any:
    """Return an entry of a CSV: in text, control characters are escaped, and what a spreadsheet would compute quoted.

    Numbers and None are as they are.
    """
    if not isinstance(entry, str):
        return entry
    text = visible(entry).replace("\n", "\\n").replace("\t", "\\t")
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def json(results: Sequence[Result]) -> str:
    """Return every value as an object with the keys ``COLUMNS``, in one list of strict JSON; undefined is null."""
    return _json.dumps(list(_rows(results)), indent=1, allow_nan=False) + "\n"


def thresholds(results: Sequence[Result]) -> str:
    """Return every threshold as an object with the keys ``THRESHOLD_COLUMNS``, in one list of strict JSON.

    One that cannot be told from the run's comparisons is null.
    """
    return _json.dumps(list(_threshold_rows(results)), indent=1, allow_nan=False) + "\n"


def latex(results: Sequence[Result]) -> str:
    r"""Return ``booktabs`` tables: rows are embedders and preprocessors, columns metrics in percent.

    There is one per protocol and, of a search, one more per property whose parts are numbers, as papers print them;
    then one of the tested differences, over all of the data and by its parts, with p-values.
    Differences to the baseline stand in parentheses. All text is escaped; letters beyond ASCII are left to the engine.
    """
    found = []
    for name in unique(map(protocol, results)):
        same = [result for result in results if protocol(result) == name]
        found += [_latex_table(same), *(_latex_bins(table, same) for table in tables(same, list(map(_embedder, same))))]
        found += [_latex_differences(same)] if any(result.differences for result in same) else []
    return _LATEX_HEAD + "\n".join(found)


def summary(result: Result) -> RenderableType:
    """Return the headline numbers for the terminal: the baseline and each preprocessor in rows, differences below.

    A search that is broken down by numbers has a second table: its primary metric over the first of them.
    """
    over = [table for table in tables([result]) if table.metric == primary(result)]
    heading = Text(_heading(result), "italic")
    return Group(heading, _headline(result), *map(_over, over[:1]), *_said(result))


def _said(result: Result) -> list[Text]:
    """Return the answer of every preprocessor whose difference was tested."""
    if not result.differences:
        return []
    return [
        Text(visible(" ".join(filter(None, (a.icon, label(a.preprocessor), a.sentence, a.where, a.flips)))))
        for a in answers(result)
        if a.preprocessor != BASELINE
    ]


def _headline(result: Result) -> Table:
    names, values = _headlines(result), Values(result)
    table = Table(caption_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", overflow="fold", min_width=min(_NAME, max(map(len, preprocessors(result)))))
    for name in names:
        table.add_column(Text(metric(name, result).short.replace(" ", "\n")), justify="right", no_wrap=True)
    table.add_column("Failed", justify="right")
    cells = {p: [values.cell(name, p) for name in names] for p in preprocessors(result)}
    for preprocessor, row in cells.items():
        table.add_row(
            Text(visible(label(preprocessor))), *map(_terminal, row), count(result.failed.get(preprocessor, 0))
        )
    if any(cell.few for row in cells.values() for cell in row):
        table.caption = Text(_FEW)
    return table


def _over(bins: Bins) -> Table:
    rows = [row for group in bins.groups for row in group.rows]
    name = min(_NAME, max(len(label(row.heading)) for row in rows))
    cells = [[_narrow(row.cells[place]) for row in rows] for place in range(len(bins.columns))]
    headings = [Text(column.heading.replace(" ", "\n")) for column in bins.columns]
    widths = [max(cell_len(line) for text in texts for line in text.plain.split("\n")) for texts in cells]
    room = 2 + name + sum(width + 2 for width in widths) <= _WIDTH
    table = Table(
        title=Text(f"{bins.title}, %"),
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, int(room)),
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("", overflow="fold", min_width=name)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row, *numbers in zip(rows, *cells, strict=True):
        table.add_row(Text(visible(label(row.heading))), *numbers)
    if any(searches := [_searches(column) for column in bins.columns]):
        table.add_row(Text("searches", "dim"), *(Text(number, "dim") for number in searches))
    if bins.apart:
        table.caption, table.caption_justify = Text(visible(bins.apart)), "left"
    return table


def _narrow(cell: Cell) -> Text:
    text = Text(cell.value)
    if cell.change:
        text.append(f"\n{cell.change}", _STYLES.get(cell.verdict, ""))
    return text


def _searches(column: Column) -> str:
    number, _, noun = column.over.partition(" ")
    return number if noun.startswith("search") else ""


def _headlines(result: Result) -> tuple[str, ...]:
    first, present = primary(result), metrics(result)
    return unique([*([first] if first else []), *(name for name in _HEADLINES if name in present)])


def _heading(result: Result) -> str:
    partial = " · partial run" if result.data.get("partial") else ""
    said = f"\n{note(result)}" if note(result) else ""
    return visible(f"{protocol(result)} · {result.embedder.get('name', '')}{partial}{said}")


def _terminal(cell: Cell) -> Text:
    text = Text(cell.value + ("†" if cell.few else ""))
    if cell.change:
        text.append("".join(f"\n{line}" for line in (cell.change, cell.word) if line), _STYLES.get(cell.verdict, ""))
    return text


def _run(result: Result) -> dict[str, Any]:
    """Return the columns that all rows of a run begin with."""
    return {
        "protocol": protocol(result),
        "dataset": result.data.get("dataset", ""),
        "fingerprint": result.data.get("fingerprint", ""),
        "partial": result.data.get("partial", ""),
        "embedder": result.embedder.get("name", ""),
    }


def _threshold_rows(results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    for result in results:
        for found in result.thresholds:
            low, high = found.interval or (None, None)
            fnmr_low, fnmr_high = found.fnmr_interval or (None, None)
            yield {
                **_run(result),
                "preprocessor": found.preprocessor,
                "fmr": found.fmr,
                "threshold": found.value,
                "threshold_low": low,
                "threshold_high": high,
                "method": found.method,
                "non_mated": found.n,
                "false_accepts": found.false_accepts,
                "fnmr": found.fnmr,
                "fnmr_low": fnmr_low,
                "fnmr_high": fnmr_high,
                "note": note(result),
            }


def _rows(results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    for result in results:
        tested = Values(result)
        for value in result.values:
            low, high = value.interval or (None, None)
            yield {
                **_run(result),
                "preprocessor": value.preprocessor,
                "metric": value.metric,
                "where": value.where,
                "value": value.value,
                "n": value.n,
                "std": value.std,
                "false_accepts": value.false_accepts,
                "threshold": value.threshold,
                "interval_low": low,
                "interval_high": high,
                "interval_method": value.method,
                **difference_columns(tested.difference(value)),
                "note": note(result),
            }


def difference_columns(found: Difference | None) -> dict[str, Any]:
    """Return the columns of a difference by name; all None where it was not tested."""
    low, high = found.interval or (None, None) if found else (None, None)
    return {
        "difference": found and found.difference,
        "difference_low": low,
        "difference_high": high,
        "difference_method": found and found.method,
        "p": found and found.p,
        "p_holm": found and found.p_holm,
        "correction": found and found.correction,
        "test": found and found.test,
        "fixed": found and found.fixed,
        "broken": found and found.broken,
        "smallest_detectable": found and found.smallest_detectable,
        "verdict": found and found.verdict,
    }


def _latex_table(results: Sequence[Result]) -> str:
    names = unique(m for result in results for m in metrics(result))
    lines, few = [], False
    for result in results:
        values = Values(result)
        for preprocessor in preprocessors(result):
            cells = [values.cell(m, preprocessor) for m in names]
            few = few or any(cell.few for cell in cells)
            lines.append([_embedder(result), label(preprocessor), *map(_latex_text, cells)])
        lines.append([])
    return _booktabs(_caption(results, "", few), [metric(m, *results).short for m in names], lines[:-1])


def _latex_bins(table: Bins, results: Sequence[Result]) -> str:
    """Return the papers' table: the differences below their values, as there is no room beside them."""
    lines: list[list[str]] = []
    for group in table.groups:
        for row in group.rows:
            lines.append([group.label, label(row.heading), *(cell.value for cell in row.cells)])
            if any(cell.change for cell in row.cells):
                lines.append(["", "", *(f"({cell.change})" if cell.change else "" for cell in row.cells)])
        lines.append([])
    return _booktabs(_caption(results, f"{table.title}. "), [column.heading for column in table.columns], lines[:-1])


def _latex_differences(results: Sequence[Result]) -> str:
    """Return the tested differences of the primary metric: over all of the data, and by the parts of the breakdown."""
    lines: list[list[str]] = []
    for result in results:
        for preprocessor in preprocessors(result):
            whole = overall(result, preprocessor)
            for found in (*([whole] if whole else []), *by_parts(result, preprocessor)):
                significant = "" if found.verdict == NO_DIFFERENCE else "*"
                lines.append(
                    [
                        _embedder(result),
                        label(preprocessor),
                        metric(found.metric, result).short,
                        place(found),
                        f"{points(found.difference)}{significant}",
                        between(found.interval).strip(),
                        *(chance(p).removeprefix("p = ").removeprefix("p ") for p in (found.p, found.p_holm)),
                        *("" if n is None else count(n) for n in (found.fixed, found.broken)),
                    ]
                )
        lines.append([])
    said = "Differences to the baseline in points, with 95 % intervals; * significant after Holm’s correction. "
    columns = ["Metric", "Part", "Difference", "95 % interval", "p", "p (Holm)", "Fixed", "Broken"]
    return _booktabs(_caption(results, said, beside=False), columns, lines[:-1])


def _caption(results: Sequence[Result], what: str, few: bool = False, beside: bool = True) -> str:
    first = results[0]
    caption = f"{what}{first.protocol.get('title') or protocol(first)} ({protocol(first)}), in %."
    if beside:
        caption += " In parentheses: difference to the baseline in points."
    if any(result.data.get("partial") for result in results):
        caption += " Partial run."
    if few:
        caption += f" {_FEW}."
    return " ".join([caption, *(f"{said}." for said in unique(map(note, results)) if said)])


def _embedder(result: Result) -> str:
    return str(result.embedder.get("name", ""))


def _booktabs(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of embedders and preprocessors; an empty row is a rule."""
    head = " & ".join(["Embedder", "Preprocessor", *map(_escaped, columns)])
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_escaped(caption)}}}",
            rf"\begin{{tabular}}{{ll{'r' * len(columns)}}}",
            r"\toprule",
            rf"{head} \\",
            r"\midrule",
            *(" & ".join(map(_escaped, row)) + r" \\" if row else r"\midrule" for row in rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _latex_text(cell: Cell) -> str:
    text = bare(cell.value) + ("†" if cell.few else "")
    return f"{text} ({cell.change})" if cell.change else text


def _escaped(text: str) -> str:
    """Return text that LaTeX prints letter for letter, on one line."""
    escaped = "".join(_LATEX.get(c, c if c.isprintable() else " ") for c in visible(text))
    return re.sub("-(?=-)", "-{}", escaped)
