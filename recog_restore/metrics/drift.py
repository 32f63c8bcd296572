"""Impostor drift: what a preprocessor does to the scores of people who are not the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConventionError
from .scores import FAILED, checked

# The quantile that thresholds are set near: one non-mated comparison in a thousand lies above.
TAIL = 0.999


@dataclass(frozen=True, eq=False)
class Drift:
    """Scores of the same non-mated comparisons before and after; failures on either side are left out.

    Attributes:
        count: the comparisons.
        mean, tail: before and after; ``tail`` is the quantile 0.999. NaN without comparisons.
        raised: (K,) rows of those whose score rose most, the most first, ties by row; none that did not rise.
    """

    count: int
    mean: tuple[float, float]
    tail: tuple[float, float]
    raised: NDArray[np.int64]


def impostor_drift(before: ArrayLike, after: ArrayLike, most: int = 10) -> Drift:
    """Return how the scores of non-mated comparisons moved.

    Args:
        before, after: (N,) scores of the same comparisons.
        most: how many of the most raised to name.

    Raises:
        ConventionError: a score is NaN or +inf, or the lengths differ.
    """
    before, after = checked(before, "before"), checked(after, "after")
    if before.shape != after.shape:
        raise ConventionError(f"expected the same comparisons, got {len(before)} before and {len(after)} after")
    there = np.flatnonzero((before > FAILED) & (after > FAILED))
    if not len(there):
        return Drift(0, (np.nan, np.nan), (np.nan, np.nan), there)
    old, new = before[there].astype(np.float64), after[there].astype(np.float64)
    rise = new - old
    order = np.argsort(-rise, kind="stable")[:most]
    return Drift(
        count=len(there),
        mean=(float(old.mean()), float(new.mean())),
        tail=(float(np.quantile(old, TAIL)), float(np.quantile(new, TAIL))),
        raised=there[order[rise[order] > 0]],
    )
