"""McNemar's test: did the same trials change for the better more often than for the worse?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConventionError


class McNemar(NamedTuple):
    """Two-sided p-values; both are 1 where nothing changed, or as much for the better as for the worse.

    Attributes:
        exact: never too small, whatever the number of trials; too large where few changed.
        mid: counts what was observed by half: as often below 0.05 as it should be, on the whole.
    """

    exact: float
    mid: float


def mcnemar(fixed: int, broken: int) -> McNemar:
    """Return the p-values for independent trials: of those that changed, half should have become right.

    Args:
        fixed: trials wrong before and right after.
        broken: trials right before and wrong after.

    Raises:
        ConventionError: a count is negative.

    Source: McNemar, Psychometrika 12 (1947); Fagerland, Lydersen, Laake, "The McNemar test for binary matched-pairs
        data: mid-p and asymptotic are better than exact conditional", BMC Medical Research Methodology 13 (2013).
    """
    if fixed < 0 or broken < 0:
        raise ConventionError(f"expected counts, got {fixed} fixed and {broken} broken")
    from scipy.special import bdtr

    changed, fewer = fixed + broken, min(fixed, broken)
    if fixed == broken:
        return McNemar(1.0, 1.0)
    at_most = float(bdtr(fewer, changed, 0.5))
    below = float(bdtr(fewer - 1, changed, 0.5)) if fewer else 0.0
    return McNemar(min(1.0, 2 * at_most), min(1.0, at_most + below))


def mcnemar_by_subject(gain: ArrayLike) -> McNemar:
    """Return the p-values where trials of one subject go together: a subject's changes are one coin, not many.

    Under the hypothesis of no difference, before and after could be exchanged for any subject: the sign of its gain
    is open. The distribution of the sum over all signs is computed whole, not drawn. Where every subject has
    one changed trial this is ``mcnemar``.

    Args:
        gain: (S,) integers, fixed less broken trials of each subject.

    Raises:
        ConventionError: not integers.

    Source: Fisher's randomization test; its large-sample form for clustered pairs is Durkalski et al., Statistics in
        Medicine 22 (2003).
    """
    gain = np.asarray(gain)
    if gain.dtype.kind not in "iu" or gain.ndim != 1:
        raise ConventionError(f"gain: expected integers in one axis, got {gain.dtype} of shape {gain.shape}")
    size, times = np.unique(np.abs(gain[gain != 0]).astype(np.int64), return_counts=True)
    observed = abs(int(gain.sum()))
    if not observed:
        return McNemar(1.0, 1.0)
    # The sum is 2·U − Σ|gain|, with U the sum of the gains whose sign came up positive.
    least = (int(size @ times) + observed) // 2
    upper = _sums(size, times)[least:]
    tail, there = float(upper.sum()), float(upper[0])
    return McNemar(min(1.0, 2 * tail), min(1.0, 2 * tail - there))


def _sums(size: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probability of every sum of the subset that fair coins leave of ``times`` numbers of each size."""
    from scipy.stats import binom

    chance = np.ones(1)
    for step, count in zip(size.tolist(), times.tolist(), strict=True):
        longer = np.zeros(len(chance) + step * count)
        for positive, weight in enumerate(binom.pmf(np.arange(count + 1), count, 0.5).tolist()):
            longer[positive * step : positive * step + len(chance)] += weight * chance
        chance = longer
    return chance
