"""The table of thresholds that a system may be deployed with."""

from __future__ import annotations

from collections.abc import Sequence

from ..results import Result, Threshold
from .grid import Cell, Row
from .wording import ABSENT, FEW_FALSE_ACCEPTS, bare, count, counted, one_in, percent, preprocessors, threshold, trials


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


def why_none(result: Result) -> str:
    """Return why a run has no thresholds, in one sentence; empty where it has some."""
    if result.thresholds:
        return ""
    if result.det:
        return (
            "A search in an open set has its thresholds beside TPIR and FNIR, one for each false positive "
            "identification rate (FPIR)."
        )
    if trials(result) == "search":
        return (
            "A search in a closed set has no threshold: whoever scores highest is taken for the person, however low "
            "the score. A threshold needs people who are not enrolled (a protocol with tpir@fpir), or a verification."
        )
    if not result.differences and not any(value.interval for value in result.values):
        return "Thresholds come with their intervals, and --draws 0 leaves both out."
    return "There are too few mated or non-mated comparisons to set a threshold by."


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
