"""Values as cells of tables: metric by preprocessor, each beside the baseline."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

from ..results import BASELINE, UNKNOWN_LABEL, Difference, Result, Value
from .wording import (
    ABSENT,
    VERDICTS,
    bare,
    bin_words,
    counted,
    difference,
    few,
    heading,
    judged,
    macro,
    metric,
    metrics,
    number,
    percent,
    points,
    preprocessors,
    property_words,
    rests_on,
    threshold,
    unique,
)

Where = tuple[tuple[str, str], ...]

# What the mean over the parts of a property stands under: ``{"over": "abs_yaw"}``.
OVER = "over"


@dataclass(frozen=True)
class Cell:
    """One number as it is printed.

    Attributes:
        value: in percent, ``undefined``, or ``–`` where the run has none.
        change: the signed difference to the baseline in points; empty in the baseline itself.
        verdict: what the change means for recognition.
        details: standard deviation, interval, threshold and false accepts, in words.
        over: the comparisons or searches it rests on.
        few: it rests on too few false accepts to be read to the digit.
    """

    value: str
    change: str = ""
    verdict: str = ""
    details: tuple[str, ...] = ()
    over: str = ""
    few: bool = False

    @property
    def word(self) -> str:
        """The verdict as it is printed; empty where there is nothing to say."""
        return VERDICTS.get(self.verdict, "")


@dataclass(frozen=True)
class Row:
    """A row: its heading, what the heading means, what it rests on if all cells agree, and one cell per column."""

    heading: str
    meaning: str
    over: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Breakdown:
    """The values of one metric by a property of the data."""

    title: str
    heading: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


class Values:
    """The values of a result by metric, preprocessor and part of the data."""

    def __init__(self, result: Result) -> None:
        self.result = result
        self._values = {(v.metric, v.preprocessor, _where(v)): v for v in result.values}
        self._differences = {(d.metric, d.preprocessor, _where(d)): d for d in result.differences}

    def get(self, name: str, preprocessor: str, where: Where = ()) -> Value | None:
        """Return that value, or None where the run has none."""
        return self._values.get((name, preprocessor, where))

    def difference(self, value: Value) -> Difference | None:
        """Return the tested difference of a value to the baseline's, or None where the run has none."""
        return self._differences.get((value.metric, value.preprocessor, _where(value)))

    def cell(self, name: str, preprocessor: str, where: Where = ()) -> Cell:
        """Return that value as a cell, with its difference to the baseline."""
        value = self.get(name, preprocessor, where)
        if value is None:
            return Cell(ABSENT)
        details, over = _details(value), rests_on(self.result, value)
        if preprocessor == BASELINE:
            return Cell(percent(value.value), details=details, over=over, few=few(value))
        change = difference(value, self.get(name, BASELINE, where))
        kind = judged(name, change, self._differences.get((name, preprocessor, where)))
        shown = "" if change is None else points(change)
        return Cell(percent(value.value), shown, kind, details, over, few(value))


def overall(result: Result) -> tuple[Row, ...]:
    """Return one row per metric over all of the data, one cell per preprocessor."""
    values, names = Values(result), preprocessors(result)
    return tuple(
        _row(heading(m, result), metric(m, result).meaning, [values.cell(m, p) for p in names]) for m in metrics(result)
    )


def breakdowns(result: Result, without: Collection[tuple[str, str]] = ()) -> tuple[Breakdown, ...]:
    """Return one table per property of the data (or combination of them) and metric, rows in the order of the run.

    Folds come last: they are a property of the protocol, not of the faces.

    Args:
        result: with its parts in ``where``.
        without: metric and property of tables that are shown in another form.
    """
    values, names = Values(result), preprocessors(result)
    parts: dict[tuple[tuple[str, ...], str], dict[Where, None]] = {}
    for value in result.values:
        keys = tuple(sorted(value.where))
        if keys and keys != (OVER,) and (value.metric, ", ".join(keys)) not in without:
            parts.setdefault((keys, value.metric), {})[_where(value)] = None
    tables = []
    for (keys, name), wheres in sorted(parts.items(), key=lambda part: part[0][0] == ("fold",)):
        numbered = all(number(part) is not None or part == UNKNOWN_LABEL for where in wheres for _, part in where)
        rows = [
            _row(
                ", ".join(bin_words(key, part) if numbered else part for key, part in where),
                "",
                [values.cell(name, p, where) for p in names],
            )
            for where in wheres
        ]
        mean = [values.cell(macro(name), p, ((OVER, ", ".join(keys)),)) for p in names]
        if any(cell != Cell(ABSENT) for cell in mean):
            apart = [row for row, where in zip(rows, wheres, strict=True) if UNKNOWN_LABEL in dict(where).values()]
            known = [row for row in rows if row not in apart]
            rows = [*known, _row("macro mean", metric(macro(name), result).meaning, mean), *apart]
        by = ", ".join(map(property_words, keys))
        tables.append(Breakdown(f"{heading(name, result)} by {by}", by, names, tuple(rows)))
    return tuple(tables)


def side_by_side(results: tuple[Result, ...]) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    """Return per metric one row per preprocessor, one cell per result: each beside its own baseline."""
    values = [Values(result) for result in results]
    names = unique(p for result in results for p in preprocessors(result))
    return tuple(
        (
            heading(m, *results),
            tuple(
                _row(p, metric(m, *results).meaning, [v.cell(m, p) for v in values])
                for p in names
                if any(v.get(m, p) for v in values)
            ),
        )
        for m in unique(m for result in results for m in metrics(result))
    )


def _where(value: Value | Difference) -> Where:
    return tuple(sorted(value.where.items()))


def _row(heading: str, meaning: str, cells: list[Cell]) -> Row:
    """Return a row that says once, beside its heading, how many comparisons all its cells rest on."""
    counts = {cell.over for cell in cells if cell.over}
    if len(counts) == 1:
        return Row(heading, meaning, counts.pop(), tuple(dataclasses.replace(cell, over="") for cell in cells))
    return Row(heading, meaning, "", tuple(cells))


def _details(value: Value) -> tuple[str, ...]:
    details = []
    if value.std is not None:
        details.append(f"± {100 * value.std:.2f} between folds")
    if value.interval is not None:
        details.append(f"95 %: {'–'.join(bare(percent(end)) for end in value.interval)}")
    if value.threshold is not None:
        details.append(f"threshold {threshold(value.threshold)}")
    if value.false_accepts is not None:
        searched = value.metric.startswith(("tpir", "fnir"))
        details.append(counted(value.false_accepts, "false alarm" if searched else "false accept"))
    return tuple(details)
