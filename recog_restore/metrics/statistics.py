"""From draws and p-values to what may be said: intervals, corrections, the smallest difference, the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConventionError

Verdict = Literal["better", "worse", "no difference found"]

LEVEL = 0.05
POWER = 0.8

_NORMAL = NormalDist()

# So many trials that changed, all in one direction, give McNemar's exact test a p-value below 0.05 (2 · 0.5^6).
_FEWEST_CHANGED = 6


def percentile_interval(draws: ArrayLike, subjects: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the ends of the middle share of the draws, the share expanded for few subjects; NaN where a draw is NaN.

    Args:
        draws: (B,) of the bootstrap.
        subjects: S, from 2.
        confidence: between 0 and 1.

    Raises:
        ConventionError: the confidence is not between 0 and 1, or fewer than 2 subjects.

    Source: Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69 (2015): the
        expanded percentile interval. Where it is taken: docs/decisions/0005-bootstrap-by-subject.md.
    """
    reach = _reach(subjects, confidence)
    low, high = np.quantile(np.asarray(draws, np.float64), [_NORMAL.cdf(-reach), _NORMAL.cdf(reach)])
    return float(low), float(high)


def normal_interval(value: float, spread: float, subjects: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of a value around it, from the standard deviation of its draws; as wide as the expanded one.

    Args:
        value: what was measured.
        spread: the standard deviation of its draws.
        subjects, confidence: as of ``percentile_interval``, which names what is raised.
    """
    reach = _reach(subjects, confidence) * spread
    return value - reach, value + reach


def _reach(subjects: int, confidence: float) -> float:
    """Return how many standard deviations of the draws an interval reaches to either side.

    That is Student's quantile times √(S / (S − 1)): a bootstrap of S subjects knows their variance no better than S − 1
    degrees of freedom do, and makes it smaller by (S − 1) / S.
    """
    if not 0 < confidence < 1:
        raise ConventionError(f"confidence is {confidence}; expected between 0 and 1, as 0.95")
    if subjects < 2:
        raise ConventionError(f"subjects is {subjects}; one subject says nothing about others")
    from scipy.special import stdtrit

    return -float(stdtrit(subjects - 1, (1 - confidence) / 2)) * math.sqrt(subjects / (subjects - 1))


def square_and_add(
    gained: float, gained_interval: tuple[float, float], lost: float, lost_interval: tuple[float, float]
) -> tuple[float, float]:
    """Return the interval of ``gained − lost`` from those of its two parts, both taken as uncorrelated.

    It is right where few trials changed and a bootstrap has little to draw from: the parts' intervals are exact.

    Source: Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine
        17 (1998), method 10's construction; Zou, Donner, Statistics in Medicine 27 (2008).
    """
    below = math.hypot(gained - gained_interval[0], lost_interval[1] - lost)
    above = math.hypot(gained_interval[1] - gained, lost - lost_interval[0])
    return max(-1.0, gained - lost - below), min(1.0, gained - lost + above)


def normal_p(value: float, spread: float) -> float:
    """Return the two-sided p-value of a value whose standard error is known; 1 for 0 ± 0, 0 for anything else ± 0.

    NaN where either is.
    """
    if math.isnan(value) or math.isnan(spread):
        return math.nan
    if spread > 0:
        return 2 * _NORMAL.cdf(-abs(value) / spread)
    return 1.0 if value == 0 else 0.0


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Return p-values corrected for their number, in the same order; comparing them to 0.05 keeps 5 % over all.

    NaN is no test, and stays NaN.

    Raises:
        ConventionError: not p-values.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian J. of Statistics 6 (1979).
    """
    p = np.asarray(p, np.float64)
    if p.ndim != 1 or ((p < 0) | (p > 1)).any():
        raise ConventionError("expected p-values from 0 to 1 in one axis")
    corrected = np.full(len(p), np.nan)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]
    factor = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * factor))
    return corrected


def smallest_detectable(spread: float, trials: int, tests: int = 1) -> float:
    """Return the true difference of rates that a run like this one would find with 80 % power.

    It is ``(z(1 − 0.05 / 2·tests) + z(0.8)) · spread``, and no less than what makes six trials change in one direction
    four times out of five: with fewer, no exact test finds anything. NaN without trials.

    Args:
        spread: standard error of the observed difference.
        trials: that the rates rest on.
        tests: among how many the level of 5 % is shared (Bonferroni: the worst case of Holm's).

    Source: Cohen, "Statistical power analysis for the behavioral sciences" (1988), for the normal part.
    """
    if trials <= 0 or math.isnan(spread):
        return math.nan
    from scipy.special import pdtri

    # P(Poisson(mean) <= 5) = 0.2 where the mean is such that six or more come up with 80 % power.
    floor = float(pdtri(_FEWEST_CHANGED - 1, 1 - POWER)) / trials
    return min(1.0, max((_NORMAL.inv_cdf(1 - LEVEL / (2 * tests)) + _NORMAL.inv_cdf(POWER)) * spread, floor))


def verdict(value: float, interval: Sequence[float], p: float, lower_is_better: bool = False) -> Verdict:
    """Return what a difference means for recognition: ``better`` or ``worse`` only where two witnesses agree.

    They are the interval, which must not hold 0, and the corrected p-value, which must be at most 0.05.

    Args:
        value: the difference to the baseline.
        interval: its 95 % interval.
        p: corrected for the number of tests.
        lower_is_better: for rates of error.
    """
    low, high = interval
    if not (p <= LEVEL and (low > 0 or high < 0)):  # also where one is NaN
        return "no difference found"
    return "better" if (value > 0) != lower_is_better else "worse"
