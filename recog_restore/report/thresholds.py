"""The table of thresholds that a system may be deployed with."""

from __future__ import annotations

from collections.abc import Sequence

from ..results import Result, Threshold
from .grid import Cell, Row
from .wording import ABSENT, FEW_FALSE_ACCEPTS, bare, count, counted, one_in, percent, preprocessors, threshold


def thresholds(result: Result) -> tuple[Row, ...]:
    """Return one row per false match rate, one cell per preprocessor; () where the run has none."""
    known = {(t.fmr, t.preprocessor): t for t in result.thresholds}
    return tuple(
        Row(
            f"FMR {one_in(fmr)}",
            f"A false match rate of {100 * fmr:g} %.",
            "",
            tuple(_cell(known.get((fmr, p))) for p in preprocessors(result)),
        )
        for fmr in _rates(result.thresholds)
    )


def _rates(found: Sequence[Threshold]) -> tuple[float, ...]:
    return tuple(sorted({t.fmr for t in found}, reverse=True))


def _cell(found: Threshold | None) -> Cell:
    if found is None:
        return Cell(ABSENT)
    if found.value is None:
        needed = round(1 / found.fmr)
        return Cell(ABSENT, details=(f"needs {count(needed)} non-mated", f"comparisons; has {count(found.n)}"))
    accepts = found.false_accepts or 0
    details = [f"95 %: {' to '.join(map(threshold, found.interval))}"] if found.interval else []
    details.append(counted(accepts, "false accept"))
    if found.fnmr is not None:
        ends = f" ({' to '.join(bare(percent(end)) for end in found.fnmr_interval)})" if found.fnmr_interval else ""
        details.append(f"FNMR {percent(found.fnmr)}{ends}")
    return Cell(threshold(found.value), details=tuple(details), few=accepts < FEW_FALSE_ACCEPTS)
