"""What a preprocessor does to a system that keeps its threshold: who is lost, and who looks alike now."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..metrics.drift import impostor_drift
from ..results import BASELINE, Harm, Raised
from .kept import Kept
from .measures import Bools, baseline_threshold


class _Flips(NamedTuple):
    """How many decisions went over, one way and the other."""

    gained: int
    lost: int


def harm(kept: Kept, preprocessor: str, faces: Callable[[int], tuple[str, str]], most: int = 10) -> Harm:
    """Return what a preprocessor of a run does at the threshold (or at rank 1) of its untouched baseline.

    Args:
        kept: the run.
        preprocessor: its name.
        faces: the samples of a comparison, or of a search and its best impostor, by its number.
        most: how many raised impostors to name.
    """
    counted = kept.counted[BASELINE] & kept.counted[preprocessor]
    threshold, matches = None, None
    if kept.kind == "identification":
        old, new = (kept.impostor_scores[name] for name in (BASELINE, preprocessor))
        impostors = np.flatnonzero(counted)
        hits = _flips(kept.ranks[BASELINE] == 1, kept.ranks[preprocessor] == 1, counted)
    else:
        old, new = (kept.scores[name] for name in (BASELINE, preprocessor))
        impostors = np.flatnonzero(counted & ~kept.mated)
        threshold = baseline_threshold(kept)
        hits = _flips(old >= threshold, new >= threshold, counted & kept.mated)
        matches = _flips(old >= threshold, new >= threshold, counted & ~kept.mated)
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
        raised=tuple(Raised(*faces(row), float(old[row]), float(new[row])) for row in rows),
    )


def _flips(before: Bools, after: Bools, counted: Bools) -> _Flips:
    return _Flips(int((counted & ~before & after).sum()), int((counted & before & ~after).sum()))
