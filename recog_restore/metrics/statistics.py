"""From draws and p-values to what may be said: intervals, corrections, the smallest difference, the verdict."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConventionError
from .intervals import clopper_pearson_of_rate

Verdict = Literal["better", "worse", "no difference found"]

LEVEL = 0.05
POWER = 0.8

_NORMAL = NormalDist()

# So many independent trials that changed, all in one direction, are significant (``with_two_more``).
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
    reach = _reach(subjects, confidence) * float(spread)
    return float(value) - reach, float(value) + reach


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


def rate_interval(
    value: float, spread: float, trials: int, subjects: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of a rate, for as many independent trials as have its standard error.

    That number is lowered where few subjects make the standard error uncertain, and never above that of the trials.

    Args:
        value: the rate, 0…1.
        spread: the standard deviation of its draws, above 0.
        trials: that it rests on.
        subjects, confidence: as of ``percentile_interval``, which names what is raised.

    Source: Korn, Graubard, "Confidence intervals for proportions with small expected number of positive counts
        estimated from survey data", Survey Methodology 24 (1998).
    """
    known = _NORMAL.inv_cdf((1 + confidence) / 2) / _reach(subjects, confidence)
    worth = min(trials, value * (1 - value) / spread**2) * known**2
    return clopper_pearson_of_rate(value, worth, confidence)


def with_two_more(
    value: float, spread: float, trials: int, together: float = 1.0, weight: float | None = None
) -> tuple[float, float]:
    """Return a difference of rates and its standard error with two more changes, one to either side.

    A difference of 0 between decisions is not certain, only unseen: n trials without a change give ± 2.8 / n. From
    there on every change counts as much as the one before. Six independent changes, all to one side, are the fewest
    that are significant, as for McNemar's exact test.

    Args:
        value: the difference.
        spread: its standard error, as seen.
        trials: n, that were decided before and after.
        together: how many of them change at once (``SubjectBootstrap.together``).
        weight: of one trial in the difference; 1 / n by default.

    Source: Bonett, Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on paired
        data", Journal of Educational and Behavioral Statistics 37 (2012), for independent trials; recommended by
        Fagerland, Lydersen, Laake, Statistics in Medicine 33 (2014).
    """
    share = trials / (trials + 2 * together)
    moved = together * (1 / trials if weight is None else weight)
    return value * share, math.hypot(spread, math.sqrt(2) * moved) * share


def normal_p(value: float, spread: float, subjects: int) -> float:
    """Return the two-sided p-value of no difference: below 0.05 just where ``normal_interval`` does not hold 0.

    Args:
        value, spread, subjects: as of ``normal_interval``; NaN where the first or the second is, where the spread is 0,
            and for one subject.
    """
    if math.isnan(value) or not spread > 0 or subjects < 2:
        return math.nan
    from scipy.special import stdtr

    return 2 * float(stdtr(subjects - 1, -abs(value) / (spread * math.sqrt(subjects / (subjects - 1)))))


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


def smallest_detectable(spread: float, trials: float, subjects: int, tests: int = 1) -> float:
    """Return the true difference of rates that a run like this one would find with 80 % power.

    It is the half width of the interval at the level 5 % / ``tests``, and z(0.8) · ``spread`` more; no less than what
    makes six trials change in one direction four times out of five: with fewer nothing is found. NaN without trials.

    Args:
        spread: standard error of the observed difference.
        trials: independent ones that the rates rest on.
        subjects: as of ``normal_interval``.
        tests: among how many the level of 5 % is shared (Bonferroni: the worst case of Holm's).

    Source: Cohen, "Statistical power analysis for the behavioral sciences" (1988), for the normal part.
    """
    if trials <= 0 or subjects < 2 or math.isnan(spread):
        return math.nan
    from scipy.special import pdtri

    # P(Poisson(mean) <= 5) = 0.2 where the mean is such that six or more come up with 80 % power.
    floor = float(pdtri(_FEWEST_CHANGED - 1, 1 - POWER)) / trials
    return min(1.0, max((_reach(subjects, 1 - LEVEL / tests) + _NORMAL.inv_cdf(POWER)) * spread, floor))


def verdict(value: float, p: float, lower_is_better: bool = False) -> Verdict:
    """Return what a difference means for recognition: ``better`` or ``worse`` where its p-value is at most 0.05.

    Args:
        value: the difference to the baseline.
        p: corrected for the number of tests; NaN is no test.
        lower_is_better: for rates of error.
    """
    if not p <= LEVEL:  # also where it is NaN
        return "no difference found"
    return "better" if (value > 0) != lower_is_better else "worse"
