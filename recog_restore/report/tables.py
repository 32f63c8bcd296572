"""Results as tables: LaTeX for papers, CSV and JSON for scripts, and the summary that the command line prints."""

from __future__ import annotations

import csv as _csv
import io
import json as _json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ..results import Result
from .grid import Cell, Values
from .wording import count, label, metric, metrics, preprocessors, primary, protocol, unique, visible

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
)

# What fits a terminal of 80 columns, after the primary metric; the report has the rest.
_HEADLINES = ("eer", "tar@far=1e-3", "fnmr@baseline", "fmr@baseline", "rank1", "rank5", "rank10")

_STYLES = {"better": "green", "worse": "red"}
_FEW = "† fewer than 10 false accepts: read the order of magnitude, not the digits"

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
    "×": r"$\times$",
    "\u202f": r"\,",
}


def csv(results: Sequence[Result]) -> str:
    """Return every value as a row under ``COLUMNS``; ``where`` is JSON, an undefined or absent entry is empty.

    Numbers are as exact as in the result. Text stands as it is, quoted where CSV asks for it.
    """
    text = io.StringIO()
    writer = _csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in _rows(results):
        where = _json.dumps(row["where"], ensure_ascii=False) if row["where"] else ""
        writer.writerow(row | {"where": where})
    return text.getvalue().encode("utf-8", "backslashreplace").decode()


def json(results: Sequence[Result]) -> str:
    """Return every value as an object with the keys ``COLUMNS``, in one list of strict JSON; undefined is null."""
    return _json.dumps(list(_rows(results)), indent=1, allow_nan=False) + "\n"


def latex(results: Sequence[Result]) -> str:
    r"""Return one ``booktabs`` table per protocol: rows are embedders and preprocessors, columns metrics in percent.

    Differences to the baseline stand in parentheses. All text is escaped; letters beyond ASCII are left to the engine.
    """
    tables = [_latex_table([r for r in results if protocol(r) == name]) for name in unique(map(protocol, results))]
    return _LATEX_HEAD + "\n".join(tables)


def summary(result: Result) -> Table:
    """Return the headline numbers for the terminal: the baseline and each preprocessor in rows, differences below."""
    names, values = _headlines(result), Values(result)
    table = Table(
        title=Text(_heading(result)), title_justify="left", caption_justify="left", box=SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("", overflow="fold", min_width=min(24, max(map(len, preprocessors(result)))))
    for name in names:
        table.add_column(Text(metric(name).short.replace(" ", "\n")), justify="right", no_wrap=True)
    table.add_column("Failed", justify="right")
    cells = {p: [values.cell(name, p) for name in names] for p in preprocessors(result)}
    for preprocessor, row in cells.items():
        table.add_row(
            Text(visible(label(preprocessor))), *map(_terminal, row), count(result.failed.get(preprocessor, 0))
        )
    if any(cell.few for row in cells.values() for cell in row):
        table.caption = Text(_FEW)
    return table


def _headlines(result: Result) -> tuple[str, ...]:
    first, present = primary(result), metrics(result)
    return unique([*([first] if first else []), *(name for name in _HEADLINES if name in present)])


def _heading(result: Result) -> str:
    partial = " · partial run" if result.data.get("partial") else ""
    return visible(f"{protocol(result)} · {result.embedder.get('name', '')}{partial}")


def _terminal(cell: Cell) -> Text:
    text = Text(cell.value + ("†" if cell.few else ""))
    if cell.change:
        text.append(f"\n{cell.icon} {cell.change}".replace("\n ", "\n"), _STYLES.get(cell.verdict, ""))
    return text


def _rows(results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    for result in results:
        for value in result.values:
            low, high = value.interval or (None, None)
            yield {
                "protocol": protocol(result),
                "dataset": result.data.get("dataset", ""),
                "fingerprint": result.data.get("fingerprint", ""),
                "partial": result.data.get("partial", ""),
                "embedder": result.embedder.get("name", ""),
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
            }


def _latex_table(results: Sequence[Result]) -> str:
    names = unique(m for result in results for m in metrics(result))
    head = " & ".join(["Embedder", "Preprocessor", *(_escaped(metric(m).short) for m in names)])
    lines, few = [], False
    for result in results:
        values = Values(result)
        for preprocessor in preprocessors(result):
            cells = [values.cell(m, preprocessor) for m in names]
            few = few or any(cell.few for cell in cells)
            texts = [str(result.embedder.get("name", "")), label(preprocessor), *map(_latex_text, cells)]
            lines.append(" & ".join(map(_escaped, texts)) + r" \\")
        lines.append(r"\midrule")
    first = results[0]
    caption = f"{first.protocol.get('title') or protocol(first)} ({protocol(first)}), in %."
    caption += " In parentheses: difference to the baseline in points."
    if any(result.data.get("partial") for result in results):
        caption += " Partial run."
    if few:
        caption += f" {_FEW}."
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_escaped(caption)}}}",
            rf"\begin{{tabular}}{{ll{'r' * len(names)}}}",
            r"\toprule",
            rf"{head} \\",
            r"\midrule",
            *lines[:-1],
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _latex_text(cell: Cell) -> str:
    text = cell.value.replace("\u202f%", "") + ("†" if cell.few else "")
    return f"{text} ({cell.change})" if cell.change else text


def _escaped(text: str) -> str:
    """Return text that LaTeX prints letter for letter, on one line."""
    escaped = "".join(_LATEX.get(c, c if c.isprintable() else " ") for c in visible(text))
    return re.sub("-(?=-)", "-{}", escaped)
