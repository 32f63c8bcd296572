"""Open-set identification (1:N): what a threshold finds of those who are enrolled, and how often others raise an alarm.

A search whose subject is enrolled is mated; it is a hit where the mate stands first and scores at least the threshold.
A non-mated search is an alarm where its top score does: FPIR counts searches, not comparisons. One number stands for
each search, so that hits and alarms are those numbers at or above the threshold, and an FNIR over an FPIR is what an
FNMR over an FMR is in ``verification``.

Source: ISO/IEC 19795-1:2021, 3.22 and following; NIST IR 8271 (FRVT part 2: identification), section 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .scores import FAILED
from .verification import Roc, roc, tar_at_far

# With fewer alarms than this, the rate found is chance to a large part: 30 of them give the FPIR to ± 30 % with 90 %
# confidence (the rule of 30, ISO/IEC 19795-1).
FEW_ALARMS = 30


@dataclass(frozen=True)
class OpenPoint:
    """What one threshold does to searches: counts, and the rates they give.

    Attributes:
        threshold: alarm when ``score >= threshold``; NaN where none could be chosen.
        hits: mated searches whose mate stands first, at or above the threshold.
        alarms: non-mated searches whose top score is at or above it.
        n_mated, n_non_mated: all searches, failed ones included.
        fpir_target: what the threshold was chosen for.
    """

    threshold: float
    hits: int
    alarms: int
    n_mated: int
    n_non_mated: int
    fpir_target: float

    @property
    def tpir(self) -> float:
        """Share of the mated searches that are hits; NaN where there are none."""
        return self.hits / self.n_mated if self.n_mated and not math.isnan(self.threshold) else math.nan

    @property
    def fnir(self) -> float:
        """Share of the mated searches that are no hits, 1 - TPIR; NaN where there are none."""
        return (self.n_mated - self.hits) / self.n_mated if not math.isnan(self.tpir) else math.nan

    @property
    def fpir(self) -> float:
        """Share of the non-mated searches that raise an alarm, never above the target; NaN where there are none."""
        return self.alarms / self.n_non_mated if self.n_non_mated else math.nan

    @property
    def few(self) -> bool:
        """Whether the threshold rests on fewer than thirty false alarms."""
        return self.alarms < FEW_ALARMS


def hit_scores(ranks: ArrayLike, mate_scores: ArrayLike) -> NDArray[np.float64]:
    """Return (P,) the score of each mated search's mate where it stands first, and -inf, as for a failure, where not.

    Args:
        ranks: (P,) as ``identification.ranks`` gives them: a non-mate with the mate's score stands before it.
        mate_scores: (P,) of the best mate.
    """
    return np.where(np.asarray(ranks) == 1, np.asarray(mate_scores, np.float64), FAILED)


def tpir_at_fpir(hits: ArrayLike, tops: ArrayLike, fpir: float) -> OpenPoint:
    """Return the operating point with the largest TPIR whose FPIR does not exceed the target.

    The threshold is the lowest observed score that keeps to the target; where the target leaves no alarm, it lies just
    above the highest top score. A failed mated search is a miss, a failed non-mated one no alarm. Without mated
    searches TPIR is NaN, without non-mated ones the threshold and both rates are, each with ``UndefinedMetric``.

    Args:
        hits: (Pm,) of the mated searches, as ``hit_scores`` gives them.
        tops: (Pn,) the top score of each non-mated search; -inf for a failed one.
        fpir: the target, 0…1.

    Raises:
        ConventionError: a score is NaN or +inf, or the target is not in 0…1.
    """
    point = tar_at_far(hits, tops, fpir)
    return OpenPoint(
        point.threshold, point.true_accepts, point.false_accepts, point.n_mated, point.n_non_mated, float(fpir)
    )


def det(hits: ArrayLike, tops: ArrayLike) -> Roc:
    """Return FPIR (as ``fmr``) and FNIR (as ``fnmr``) at every distinct score, thresholds falling from +inf.

    The least FNIR is the share of mated searches whose mate does not stand first.

    Args:
        hits, tops: as in ``tpir_at_fpir``.
    """
    return roc(hits, tops)
