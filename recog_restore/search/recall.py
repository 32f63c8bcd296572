"""How much of the truth an approximate search finds."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ConventionError
from .base import Found, Gallery
from .exact import Exact

# What is asked of how many probes; those are spread evenly.
CANDIDATES, PROBES = 10, 1000
_TIE = 1e-6


class Recall(NamedTuple):
    """``recall``: the share of the exact search's ``at`` best candidates that are listed, for ``probes`` probes."""

    recall: float
    at: int
    probes: int


def recall(found: Found, truth: Found) -> float:
    """Return the share of the true k candidates that were found; a score equal to the k-th (to 1e-6) is as good.

    Raises:
        ConventionError: the lists are not of one shape, or empty.
    """
    if found.scores.shape != truth.scores.shape or not truth.scores.size:
        raise ConventionError(f"expected lists of one shape, got {found.scores.shape} and {truth.scores.shape}")
    return float((found.scores >= truth.scores[:, -1:] - _TIE).mean())


def measure(gallery: Gallery, vectors: NDArray[np.floating[Any]], probes: NDArray[np.floating[Any]]) -> Recall:
    """Return the recall of a gallery against ``exact``.

    Args:
        gallery: with ``vectors`` enrolled.
        vectors: (G, D), at least one.
        probes: (P, D), at least one; up to 1000 of them are searched.
    """
    count, at = min(PROBES, len(probes)), min(CANDIDATES, len(vectors))
    sample = probes[np.linspace(0, len(probes) - 1, count).round().astype(np.int64)]
    truth = Exact(gallery.device)
    truth.enroll(vectors)
    return Recall(recall(gallery.search(sample, at), truth.search(sample, at)), at, count)
