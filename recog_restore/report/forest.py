"""The forest plot: the tested differences to the baseline, over all of the data and by its parts, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..results import NO_DIFFERENCE, Difference, Result
from .effects import by_parts, overall, place
from .figures import Figure, Series, legend, plain, rule
from .wording import between, count, heading, points

_ROW, _APART = 34, 0.18  # pixels of a row of one preprocessor; part of a row between two of them


def forest(result: Result, lines: Sequence[tuple[Series, str]]) -> Figure | None:
    """Return the differences as marks with their 95 % intervals; None where none was tested.

    Filled marks are significant. The parts are those of the first breakdown; the whole is the topmost row, and is left
    out where the parts are of another metric.

    Args:
        result: of one run.
        lines: how each preprocessor is drawn, and its name; the baseline is no difference.
    """
    rows: dict[str, list[tuple[Series, Difference]]] = {}
    metric = ""
    for line, name in lines:
        parts, whole = by_parts(result, name), overall(result, name)
        shown = [whole] if whole and (not parts or whole.metric == parts[0].metric) else []
        for found in (*shown, *parts):
            metric = found.metric
            rows.setdefault(place(found), []).append((line, found))
    if not rows:
        return None
    height = {row: -i for i, row in enumerate(rows)}
    drawn = [_marks(line, i, len(lines), rows, height) for i, (line, _) in enumerate(lines)]
    layout = plain("Difference to the baseline in points", "")
    layout["height"] = 150 + max(_ROW, 16 * len(lines)) * len(rows)
    layout["yaxis"] |= {
        "tickvals": list(height.values()),
        "ticktext": [legend(row) for row in height],
        "range": [-len(rows) + 0.4, 0.6],
    }
    layout["shapes"] = [rule(x0=0, x1=0, y0=0, y1=1, yref="paper")]
    title = f"{heading(metric, result)}: differences to the baseline"
    words = f"{title}, in points, with 95 % intervals; filled marks are significant, the dotted line is no difference."
    return Figure(title, words, {"data": [marks for marks in drawn if marks["x"]], "layout": layout})


def _marks(
    line: Series, index: int, count_: int, rows: dict[str, list[tuple[Series, Difference]]], height: dict[str, int]
) -> dict[str, Any]:
    mine = [(row, d) for row, found in rows.items() for of, d in found if of is line and d.difference is not None]
    ends = [d.interval or (d.difference or 0.0, d.difference or 0.0) for _, d in mine]
    values = [d.difference or 0.0 for _, d in mine]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": legend(line.name),
        "x": [round(100 * value, 3) for value in values],
        "y": [round(height[row] + _APART * ((count_ - 1) / 2 - index), 3) for row, _ in mine],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [round(100 * (high - value), 3) for value, (_, high) in zip(values, ends, strict=True)],
            "arrayminus": [round(100 * (value - low), 3) for value, (low, _) in zip(values, ends, strict=True)],
            "color": line.colour,
            "thickness": 1.5,
        },
        "marker": {
            "color": line.colour,
            "size": 9,
            "symbol": ["circle-open" if d.verdict == NO_DIFFERENCE else "circle" for _, d in mine],
        },
        "customdata": [f"{points(d.difference)}{between(d.interval)} points, n = {count(d.n)}" for _, d in mine],
        "hovertemplate": "%{customdata}<extra>%{fullData.name}</extra>",
    }
