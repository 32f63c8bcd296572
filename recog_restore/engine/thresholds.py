"""The thresholds that a system may be deployed with, and how sure they are."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np

from ..errors import UndefinedMetric
from ..metrics import verification
from ..metrics.bootstrap import SubjectBootstrap
from ..metrics.bootstrap_curves import tar_at_far_draws, threshold_draws
from ..results import Threshold
from .differences import SUBJECT_BOOTSTRAP, percentiles, unknown
from .kept import Kept
from .measures import MOST_ABOVE

FMRS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def thresholds(kept: Kept, preprocessor: str, draws: SubjectBootstrap) -> list[Threshold]:
    """Return the threshold for each of ``FMRS``, on the preprocessor's own scores; none for an identification.

    A rate below ``1 / n`` of the n non-mated comparisons has no threshold: the highest score of a list says nothing
    about the millions that are not in it.

    Args:
        kept: the run.
        preprocessor: its name.
        draws: ``bootstrap(kept)``.
    """
    return [] if kept.kind == "identification" else [_threshold(kept, preprocessor, fmr, draws) for fmr in FMRS]


def _threshold(kept: Kept, preprocessor: str, fmr: float, draws: SubjectBootstrap) -> Threshold:
    scores, counted = kept.scores[preprocessor], kept.counted[preprocessor]
    impostor = counted & ~kept.mated
    n = int(np.count_nonzero(impostor))
    if n * fmr < 1:
        return Threshold(preprocessor, fmr, None, n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetric)  # without mated comparisons there is a threshold all the same
        point = verification.tar_at_far(scores[counted & kept.mated], scores[impostor], fmr)
    influence = np.where(impostor, (scores >= point.threshold) - point.far_achieved, 0.0)
    damping = draws.damping(influence)
    found = Threshold(
        preprocessor=preprocessor,
        fmr=fmr,
        value=point.threshold,
        n=n,
        false_accepts=point.false_accepts,
        fnmr=point.fnmr,
    )
    if n * fmr > MOST_ABOVE:
        return found
    return dataclasses.replace(
        found,
        interval=percentiles(threshold_draws(draws, scores, fmr, counted, damping), draws),
        fnmr_interval=percentiles(1 - tar_at_far_draws(draws, scores, fmr, counted, damping), draws),
        method=SUBJECT_BOOTSTRAP + unknown(kept),
    )
