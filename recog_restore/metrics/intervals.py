"""Confidence intervals of rates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConventionError

# As it stands beside an interval in a result.
CLOPPER_PEARSON = "clopper-pearson"


def clopper_pearson(hits: ArrayLike, count: ArrayLike, confidence: float = 0.95) -> NDArray[np.float64]:
    """Return (…, 2) lower and upper end of the exact binomial interval of ``hits / count``; NaN where count is 0.

    It covers the true rate with at least the confidence, whatever that rate is, if the trials are independent (the
    searches for one subject are not quite); it is never narrower than it must be near 0 and 1.

    Args:
        hits, count: integers, 0 <= hits <= count; they broadcast.
        confidence: between 0 and 1.

    Raises:
        ConventionError: not counts, or the confidence is not between 0 and 1.

    Source: Clopper, Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
        Biometrika 26 (1934); as quantiles of the beta distribution, e.g. Brown, Cai, DasGupta (2001), section 4.2.1.
    """
    from scipy.special import betaincinv

    hits, count = np.asarray(hits), np.asarray(count)
    if hits.dtype.kind not in "iu" or count.dtype.kind not in "iu" or (hits < 0).any() or (hits > count).any():
        raise ConventionError(f"expected integers 0 <= hits <= count, got hits {hits} of {count}")
    if not 0 < confidence < 1:
        raise ConventionError(f"confidence is {confidence}; expected between 0 and 1, as 0.95")
    hits, count = np.broadcast_arrays(hits.astype(np.float64), count.astype(np.float64))
    tail = (1 - confidence) / 2
    low = np.where(hits > 0, betaincinv(np.maximum(hits, 1), count - hits + 1, tail), 0.0)
    high = np.where(hits < count, betaincinv(hits + 1, np.maximum(count - hits, 1), 1 - tail), 1.0)
    return np.where(count[..., None] > 0, np.stack([low, high], axis=-1), np.nan)


def clopper_pearson_of_rate(rate: float, trials: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of a rate seen in so many trials, which need not be a whole number.

    Dependent trials are worth fewer independent ones (``SubjectBootstrap.worth``). NaN without trials.

    Source: Korn, Graubard, "Confidence intervals for proportions with small expected number of positive counts
        estimated from survey data", Survey Methodology 24 (1998), without their correction for the degrees of freedom.
    """
    if not trials > 0:
        return np.nan, np.nan
    from scipy.special import betaincinv

    tail, hits = (1 - confidence) / 2, rate * trials
    low = float(betaincinv(hits, trials - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, trials - hits, 1 - tail)) if hits < trials else 1.0
    return low, high
