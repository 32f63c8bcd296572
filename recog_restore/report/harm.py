"""Whom a preprocessor harms in a system that keeps its threshold: what turned, where, and who looks alike now."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ..results import BASELINE, Difference, Harm, Raised, Result
from .grid import OVER, Cell, Row, Values, Where
from .wording import (
    ABSENT,
    between,
    bin_words,
    chance,
    count,
    counted,
    heading,
    judged,
    points,
    primary,
    property_words,
    rise,
    score,
    threshold,
    trials,
    trials_counted,
    unique,
)

# Of a system that keeps its threshold; of a search, whose decision is rank 1.
_RATES = ("fnmr@baseline", "fmr@baseline")
_FIRST = "rank1"


@dataclass(frozen=True)
class Harmed:
    """What one preprocessor does at the threshold (or at rank 1) of the untouched baseline.

    Attributes:
        preprocessor: its name.
        decisions: which decisions it turned, in one sentence.
        drift: how the scores of impostors moved, in one sentence.
        columns: the rates of the table, in words.
        rows: all of the data, then every part of it.
        side_columns, sides: differences where both sides of every comparison are preprocessed, or only one of them.
        raised: the impostors whose score rose most: both samples, scores before and after in one, and the difference.
    """

    preprocessor: str
    decisions: str
    drift: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    side_columns: tuple[str, ...]
    sides: tuple[Row, ...]
    raised: tuple[tuple[str, str, str, str], ...]


def harmed(result: Result) -> tuple[Harmed, ...]:
    """Return one entry per preprocessor whose harm the run computed."""
    names = _RATES if any(h.false_matches_new is not None for h in result.harm) else (_FIRST,)
    if names == (_FIRST,) and result.value(_FIRST, BASELINE) is None and (asked := primary(result)):
        names = (asked,)
    return tuple(
        Harmed(
            h.preprocessor,
            _decisions(result, h),
            _drift(h),
            tuple(heading(name, result) for name in names),
            _rows(result, h.preprocessor, names),
            *_sides(result, h.preprocessor),
            tuple(map(_raised, h.raised)),
        )
        for h in result.harm
    )


def _decisions(result: Result, harm: Harm) -> str:
    if harm.false_matches_gone is None or harm.false_matches_new is None:
        value = result.value(_FIRST, harm.preprocessor)
        of = f"Of {trials_counted(result, value.n)} " if value else ""
        return f"{of}{count(harm.fixed)} became right at rank 1 and {count(harm.broken)} became wrong."
    return (
        f"At the baseline’s threshold, {threshold(harm.threshold)}: "
        f"{counted(harm.fixed, 'mated comparison')} fixed and {count(harm.broken)} broken; "
        f"{counted(harm.false_matches_gone, 'false match')} removed, {count(harm.false_matches_new)} added."
    )


def _drift(harm: Harm) -> str:
    if not harm.impostors:
        return ""
    (mean, tail) = (" → ".join(map(score, ends)) for ends in (harm.impostor_mean, harm.impostor_tail))
    changes = [
        f" ({rise(after - before)})" if before is not None and after is not None else ""
        for before, after in (harm.impostor_mean, harm.impostor_tail)
    ]
    pairs = harm.false_matches_new is not None
    whose = (
        counted(harm.impostors, "non-mated comparison") if pairs else f"the best impostors ({count(harm.impostors)})"
    )
    return f"Scores of {whose}: mean {mean}{changes[0]}, quantile 99.9 % {tail}{changes[1]}."


def _rows(result: Result, preprocessor: str, names: tuple[str, ...]) -> tuple[Row, ...]:
    values = Values(result)
    tested = {
        (d.metric, tuple(sorted(d.where.items()))): d
        for d in result.differences
        if d.preprocessor == preprocessor and OVER not in d.where and d.metric in names
    }
    return tuple(
        Row(
            _part(where),
            "",
            "",
            tuple(_cell(values, tested.get((name, where)), name, preprocessor, where) for name in names),
        )
        for where in dict.fromkeys(where for _, where in tested)
    )


def _cell(values: Values, found: Difference | None, name: str, preprocessor: str, where: Where) -> Cell:
    """Return the rate with its difference to the baseline, what turned, and how sure it is."""
    cell = values.cell(name, preprocessor, where)
    if found is None:
        return cell
    return dataclasses.replace(cell, details=_sure(found), over="", few=False)


def _sides(result: Result, preprocessor: str) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """Return the headings of the metrics, and a row for both sides, the probe alone and the gallery alone."""
    known = {
        side: {d.metric: d for d in found if d.preprocessor == preprocessor} for side, found in result.sides.items()
    }
    names = unique(name for found in known.values() for name in found)
    if not names:
        return (), ()
    both = {name: d for name in names if (d := result.difference(name, preprocessor))}
    face = ("", "") if trials(result) == "search" else (" (the second face)", " (the first face)")
    sides = [
        ("both", both),
        (f"the probe alone{face[0]}", known.get("probe", {})),
        (f"the gallery alone{face[1]}", known.get("gallery", {})),
    ]
    rows = [Row(title, "", "", tuple(_change(found.get(name)) for name in names)) for title, found in sides]
    return tuple(heading(name, result) for name in names), tuple(rows)


def _change(found: Difference | None) -> Cell:
    """Return a difference as a cell of its own, with what turned and how sure it is."""
    if found is None:
        return Cell(ABSENT)
    return Cell("", points(found.difference), judged(found.metric, found.difference, found), _sure(found))


def _sure(found: Difference) -> tuple[str, ...]:
    less, more = ("removed", "added") if found.metric == "fmr@baseline" else ("fixed", "broken")
    turned = "" if found.fixed is None else f"{count(found.fixed)} {less}, {count(found.broken or 0)} {more} "
    sure = ", ".join(filter(None, (between(found.interval).strip(), chance(found.p_holm))))
    return (f"{turned}of {count(found.n)}", *filter(None, [sure]))


def _part(where: Where) -> str:
    return ", ".join(f"{property_words(key)} {bin_words(key, part)}" for key, part in where) or "all"


def _raised(raised: Raised) -> tuple[str, str, str, str]:
    scores = f"{score(raised.before)} → {score(raised.after)}"
    return raised.first.sample, raised.second.sample, scores, rise(raised.after - raised.before)
