"""What a preprocessor does to a system that keeps its threshold: who is lost, and who looks alike now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..metrics.drift import impostor_drift
from ..results import BASELINE, ExampleFace, Harm, Raised
from .kept import Kept
from .measures import Bools, baseline_threshold


class Turned(NamedTuple):
    """Rows of decisions that became right, and wrong, those whose score changed most first, ties by row."""

    fixed: NDArray[np.int64]
    broken: NDArray[np.int64]


class _Flips(NamedTuple):
    """How many decisions went over, one way and the other."""

    gained: int
    lost: int


def harm(
    kept: Kept,
    preprocessor: str,
    faces: Callable[[Sequence[int]], Sequence[tuple[ExampleFace, ExampleFace]]],
    most: int = 10,
) -> Harm:
    """Return what a preprocessor of a run does at the threshold (or at rank 1) of its untouched baseline.

    Args:
        kept: the run.
        preprocessor: its name.
        faces: those of comparisons, or of searches and their best impostors, by their numbers.
        most: how many raised impostors to name.
    """
    counted = kept.counted[BASELINE] & kept.counted[preprocessor]
    before, after = (_accepted(kept, name) for name in (BASELINE, preprocessor))
    if kept.kind == "identification":
        threshold, matches = None, None
        old, new = (kept.impostor_scores[name] for name in (BASELINE, preprocessor))
        impostors = np.flatnonzero(counted)
    else:
        threshold = baseline_threshold(kept)
        matches = _flips(before, after, counted & ~kept.mated)
        old, new = (kept.scores[name] for name in (BASELINE, preprocessor))
        impostors = np.flatnonzero(counted & ~kept.mated)
    hits = _flips(before, after, counted & kept.mated)
    drift = impostor_drift(old[impostors], new[impostors], most)
    rows = impostors[drift.raised].tolist()
    return Harm(
        preprocessor=preprocessor,
        threshold=threshold,
        fixed=hits.gained,
        broken=hits.lost,
        false_matches_gone=matches.lost if matches else None,
        false_matches_new=matches.gained if matches else None,
        impostors=drift.count,
        impostor_mean=drift.mean,
        impostor_tail=drift.tail,
        raised=tuple(
            Raised(*pair, float(old[row]), float(new[row])) for row, pair in zip(rows, faces(rows), strict=True)
        ),
    )


def turned(kept: Kept, preprocessor: str) -> Turned:
    """Return the decisions that a preprocessor turned, as ``harm`` counts them; those with a failed face are left out.

    The change of a search is that of the mate's lead over the best impostor.
    """
    before, after = (_accepted(kept, name) == kept.mated for name in (BASELINE, preprocessor))
    old, new = (_lead(kept, name) for name in (BASELINE, preprocessor))
    there = kept.counted[BASELINE] & kept.counted[preprocessor] & np.isfinite(old) & np.isfinite(new)
    change = np.zeros(len(old))
    change[there] = np.abs(new[there] - old[there])
    order = np.argsort(-change, kind="stable")
    return Turned(order[(there & ~before & after)[order]], order[(there & before & ~after)[order]])


def _accepted(kept: Kept, preprocessor: str) -> Bools:
    """Return the comparisons that are accepted at the baseline's threshold, or the searches whose mate stands first."""
    accepted: Bools
    if kept.kind == "identification":
        accepted = kept.ranks[preprocessor] == 1
    else:
        accepted = kept.scores[preprocessor] >= baseline_threshold(kept)
    return accepted


def _lead(kept: Kept, preprocessor: str) -> NDArray[np.float64]:
    """Return the scores of comparisons, or by how much the mates of searches lead; -inf where a face failed."""
    scores = kept.scores[preprocessor]
    if kept.kind != "identification":
        return scores
    other = kept.impostor_scores[preprocessor]
    lead = np.full(len(scores), -np.inf)
    np.subtract(scores, other, out=lead, where=np.isfinite(scores) & np.isfinite(other))
    return lead


def _flips(before: Bools, after: Bools, counted: Bools) -> _Flips:
    return _Flips(int((counted & ~before & after).sum()), int((counted & before & ~after).sum()))
