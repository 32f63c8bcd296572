"""The one check of every array of scores that enters this package."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConventionError

FAILED = -np.inf

Scores = NDArray[np.floating[Any]]


def checked(scores: ArrayLike, name: str, ndim: int = 1) -> Scores:
    """Return the scores as an array of floats: the argument itself where it is one, float64 where it holds integers.

    Raises:
        ConventionError: not numbers, another number of axes, or a NaN or +inf; the message has the first index of it.
    """
    array = np.asarray(scores)
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        raise ConventionError(f"{name}: expected floating point scores, got {array.dtype}")
    if array.ndim != ndim:
        raise ConventionError(f"{name}: expected an array of {ndim} axes, got shape {array.shape}")
    valid = array < np.inf
    if not valid.all():
        index = np.unravel_index(int(np.argmin(valid)), array.shape)
        where = ", ".join(str(int(i)) for i in index)
        raise ConventionError(
            f"{name}[{where}] is {array[index]}; expected a finite score, or -inf for a comparison that failed"
        )
    return array
