"""The papers' table of a search: methods in rows, the bins of one property (±90° … ±15°) in columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from ..results import UNKNOWN_LABEL, Result
from .grid import OVER, Cell, Row, Values, Where
from .wording import (
    ABSENT,
    bare,
    bin_words,
    heading,
    label,
    macro,
    number,
    percent,
    preprocessors,
    primary,
    property_words,
    trials,
    trials_counted,
    unique,
)

# More columns fit neither a page nor a sheet of paper: such a breakdown stays a table with its parts in rows.
MOST = 9

Bins = dict[tuple[str, str], tuple[str, ...]]


@dataclass(frozen=True)
class Column:
    """A column: its heading, and what all of its cells rest on; empty where they differ and say it themselves."""

    heading: str
    over: str


@dataclass(frozen=True)
class Group:
    """The rows of one run; the label is empty where there is only one."""

    label: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """One metric over the bins of one property, rates without their unit.

    Attributes:
        metric, key: their names in the result.
        title: both in words.
        bins: how many of the columns are bins; the macro mean, where a run has it, and all of the data follow.
        below: what stands under the rates, in words.
        apart: what is known of those whose part is not known, in one sentence; they count in no bin and in no macro
            mean. Empty where there are none.
    """

    metric: str
    key: str
    title: str
    bins: int
    below: tuple[str, ...]
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    apart: str = ""


def binned(results: Sequence[Result]) -> Bins:
    """Return the parts of every breakdown of a search that are all numbers, by metric and property.

    The primary metric's come first; the part ``unknown`` is left out. Parts are in the papers' order where only their
    size counts (|yaw|: the largest first), else in the order of their numbers.
    """
    parts: dict[tuple[str, str], list[str]] = {}
    for result in results:
        for value in result.values if trials(result) == "search" else ():
            if len(value.where) == 1 and OVER not in value.where:
                ((key, part),) = value.where.items()
                if part != UNKNOWN_LABEL:
                    parts.setdefault((value.metric, key), []).append(part)
    first = {primary(result) for result in results}
    return {
        (name, key): tuple(sorted(unique(found), key=lambda p: number(p) or 0.0, reverse=key.startswith("abs_")))
        for (name, key), found in sorted(parts.items(), key=lambda entry: entry[0][0] not in first)
        if all(number(part) is not None for part in found)
    }


def tables(results: Sequence[Result], labels: Sequence[str] = ("",)) -> tuple[Table, ...]:
    """Return the table of every breakdown of ``binned`` that has at most ``MOST`` bins.

    Args:
        results: of one protocol.
        labels: what each of them is called.
    """
    values = [Values(result) for result in results]
    return tuple(
        _table(values, labels, name, key, parts) for (name, key), parts in binned(results).items() if len(parts) <= MOST
    )


def _table(values: Sequence[Values], labels: Sequence[str], name: str, key: str, parts: Sequence[str]) -> Table:
    headings = [bin_words(key, part) for part in parts]
    rows = [[(p, _cells(v, name, key, parts, p)) for p in preprocessors(v.result)] for v in values]
    if any(cells[-2].value != ABSENT for group in rows for _, cells in group):
        headings += ["macro mean"]
    else:
        rows = [[(p, [*cells[:-2], cells[-1]]) for p, cells in group] for group in rows]
    headings += ["all"]
    counts = [{cells[i].over for group in rows for _, cells in group} - {""} for i in range(len(headings))]
    shared = [next(iter(found)) if len(found) == 1 else "" for found in counts]
    return Table(
        metric=name,
        key=key,
        title=f"{heading(name, *(v.result for v in values))} over {property_words(key)}",
        bins=len(parts),
        below=_below([cell for group in rows for _, cells in group for cell in cells]),
        columns=tuple(Column(text, over) for text, over in zip(headings, shared, strict=True)),
        groups=tuple(
            Group(title, tuple(_row(p, cells, shared) for p, cells in group))
            for title, group in zip(labels, rows, strict=True)
        ),
        apart=" ".join(unique(filter(None, (unknown(v, name, key) for v in values)))),
    )


def unknown(values: Values, name: str, key: str) -> str:
    """Return how many comparisons or searches have no known part, and what each preprocessor reaches there."""
    where = ((key, UNKNOWN_LABEL),)
    found = {p: v for p in preprocessors(values.result) if (v := values.get(name, p, where)) is not None}
    if not found:
        return ""
    rates = ", ".join(f"{label(p)} {percent(v.value)}" for p, v in found.items())
    number = trials_counted(values.result, next(iter(found.values())).n)
    return f"{number} of unknown {property_words(key)}, in no bin and not in the macro mean: {rates}."


def _cells(values: Values, name: str, key: str, parts: Sequence[str], preprocessor: str) -> list[Cell]:
    """Return the cells of the bins, of the macro mean, and of all of the data."""
    cells = [_cell(values, name, preprocessor, ((key, part),)) for part in parts]
    mean = _cell(values, macro(name), preprocessor, ((OVER, key),))
    return [*cells, mean, _cell(values, name, preprocessor)]


def _cell(values: Values, name: str, preprocessor: str, where: Where = ()) -> Cell:
    """Return the value as a narrow cell: no unit, and the interval alone."""
    cell, value = values.cell(name, preprocessor, where), values.get(name, preprocessor, where)
    interval = value.interval if value is not None else None
    details = ("–".join(bare(percent(end)) for end in interval),) if interval else ()
    return dataclasses.replace(cell, value=bare(cell.value), details=details)


def _below(cells: Sequence[Cell]) -> tuple[str, ...]:
    changes = "the difference to the baseline in points" if any(cell.change for cell in cells) else ""
    intervals = "the 95 % interval" if any(cell.details for cell in cells) else ""
    return tuple(filter(None, (changes, intervals)))


def _row(preprocessor: str, cells: Sequence[Cell], shared: Sequence[str]) -> Row:
    kept = tuple(dataclasses.replace(c, over="" if said else c.over) for c, said in zip(cells, shared, strict=True))
    return Row(preprocessor, "", "", kept)
