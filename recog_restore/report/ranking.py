"""Several preprocessors in the order of the primary metric: what to look at before the sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..results import Result
from .effects import overall
from .grid import Cell, Row, Values
from .wording import ABSENT, between, chance, count, heading, label, metric, preprocessors, primary

# Preprocessors from which on an order helps.
_SEVERAL = 2


@dataclass(frozen=True)
class Ranking:
    """The table: what its columns are, and the preprocessors with the baseline among them, the best first."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def ranking(result: Result) -> Ranking | None:
    """Return the ranking by the primary metric; None where fewer than two preprocessors stand beside the baseline."""
    name, names = primary(result), preprocessors(result)
    if name is None or len(names) <= _SEVERAL:
        return None
    values, sign = Values(result), -1 if metric(name).better == "lower" else 1

    def place(preprocessor: str) -> float:
        value = values.get(name, preprocessor)
        return math.inf if value is None or value.value is None else -sign * value.value

    return Ranking(
        columns=(heading(name, result), "95 % interval", "Fixed, broken", "Faces failed"),
        rows=tuple(Row(label(p), "", "", _cells(values, name, p)) for p in sorted(names, key=place)),
    )


def _cells(values: Values, name: str, preprocessor: str) -> tuple[Cell, ...]:
    result = values.result
    cell, found = values.cell(name, preprocessor), overall(result, preprocessor)
    turned = ABSENT if found is None or found.fixed is None else f"{count(found.fixed)}, {count(found.broken or 0)}"
    return (
        Cell(cell.value, cell.change, cell.verdict, few=cell.few),
        Cell(between(found.interval).strip() or ABSENT, details=tuple(filter(None, [chance(found.p_holm)])))
        if found
        else Cell(ABSENT),
        Cell(turned),
        Cell(count(result.failed.get(preprocessor, 0))),
    )
