"""What a metric may lose before a comparison of two runs fails: ``rank1@90 -1.0``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import RecordError, UnknownName
from ..records import nearest
from ..results import NO_DIFFERENCE, Difference
from .wording import between, label, metric, points

_EXAMPLE = 'as in "rank1@90 -1.0"'


@dataclass(frozen=True)
class Limit:
    """A named metric (``rank1``, ``rank1@90``, ``rank1@abs_yaw=90``), and the change in points that is too much."""

    name: str
    points: float


@dataclass(frozen=True)
class Finding:
    """Whether a limit was kept by one preprocessor, and why, in one sentence."""

    kept: bool
    words: str


def limit(text: str) -> Limit:
    """Return the limit of ``METRIC[@PART] POINTS``.

    The sign is that of the change for the worse: ``rank1 -1.0``, ``fnmr@baseline +0.5``. 0 forbids every significant
    one.

    Raises:
        RecordError: it is not of that form, or the sign is that of a change for the better.
    """
    name, _, number = text.strip().rpartition(" ")
    try:
        allowed = float(number.replace("−", "-"))
    except ValueError:
        allowed = math.nan
    if not name.strip() or not math.isfinite(allowed):
        raise RecordError(f"--gate-on {text!r}: expected METRIC[@PART] POINTS, {_EXAMPLE}")
    return Limit(name.strip(), allowed)


def check(limits: Sequence[Limit], found: Sequence[Difference]) -> list[Finding]:
    """Return a finding per limit and pair of preprocessors.

    A limit is broken where the metric is significantly worse and the change is as large as the limit or larger, or
    where the metric is undefined.

    Raises:
        UnknownName: no difference has that name.
        RecordError: several parts have it, or the sign of a limit is that of a change for the better.
    """
    findings = []
    for asked in limits:
        mine = [d for d in found if _typed(asked.name) in map(_typed, _names(d))]
        if not mine:
            known = {name for d in found for name in _names(d)}
            raise UnknownName(f"--gate-on: nothing is called {asked.name!r}; {nearest(asked.name, known)}")
        full = sorted({_names(d)[-1] for d in mine})
        if len(full) > 1:
            raise RecordError(f"--gate-on: {asked.name!r} names {len(full)} parts: {', '.join(full)}; use one of these")
        findings += [_finding(asked, d) for d in mine]
    return findings


def _names(found: Difference) -> tuple[str, ...]:
    """Return what a difference may be called, the full name last."""
    if not found.where:
        return (found.metric,)
    parts = ",".join(found.where.values())
    full = ",".join(f"{key}={part}" for key, part in found.where.items())
    return f"{found.metric}@{parts}", f"{found.metric}@{full}"


def _typed(name: str) -> str:
    """Return a name as a keyboard has it: ``12-16 px``."""
    return name.replace("–", "-").replace("≥ ", ">=").replace("< ", "<")


def _finding(asked: Limit, found: Difference) -> Finding:
    better = metric(found.metric).better or "higher"
    if asked.points * (1 if better == "higher" else -1) > 0:
        sign = "negative" if better == "higher" else "positive"
        raise RecordError(
            f"--gate-on: {asked.name} {asked.points:g}: for {found.metric} {better} is better; expected a {sign} number"
        )
    what = f"{asked.name} ({label(found.preprocessor)})"
    if found.difference is None:
        return Finding(False, f"{what}: undefined")
    change = f"{points(found.difference)}{between(found.interval)} points, {found.verdict}"
    worse = found.verdict == "worse"
    if worse and 100 * abs(found.difference) >= abs(asked.points):
        return Finding(False, f"{what}: {change}; the limit is {points(asked.points / 100)}")
    smallest = found.smallest_detectable
    if found.verdict == NO_DIFFERENCE and smallest is not None and 100 * smallest > abs(asked.points):
        change += f"; only ±{100 * smallest:.2f} or more is found with 80 % power"
    return Finding(True, f"{what}: {change}")
