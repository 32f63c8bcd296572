"""The contract of a search."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import ConventionError

Vectors = NDArray[np.float32]


class Found(NamedTuple):
    """The k candidates of P probes, by falling score; equal scores by rising row.

    Attributes:
        scores: (P, k) float32 inner products; -inf where there is no such candidate.
        rows: (P, k) int64 rows of what was enrolled; -1 where there is no such candidate.
    """

    scores: NDArray[np.float32]
    rows: NDArray[np.int64]


class Gallery(ABC):
    """G vectors, and searches among them by inner product (of vectors of length 1: the cosine).

    Attributes:
        name: as it is registered.
        exact: whether a list always holds the k best.
        device: where the search computes.
    """

    name: ClassVar[str]
    exact: ClassVar[bool]
    device: str = "cpu"
    _shape: tuple[int, ...] = (0, 0)

    def enroll(self, vectors: NDArray[np.floating[Any]]) -> None:
        """Make (G, D) finite vectors the gallery, in place of what was in it. They are not copied where float32.

        Raises:
            ConventionError: another shape or type, or a value is not finite.
        """
        checked = _checked(vectors, "gallery")
        self._shape = checked.shape
        if len(checked):
            self._enroll(checked)

    def search(self, probes: NDArray[np.floating[Any]], k: int) -> Found:
        """Return the k best of the gallery for each of (P, D) probes.

        Raises:
            ConventionError: ``k`` below 1, another number of dimensions than the gallery's, or a value is not finite.
        """
        if k < 1:
            raise ConventionError(f"k is {k}; expected at least 1")
        checked = _checked(probes, "probes")
        if checked.shape[1] != self._shape[1]:
            raise ConventionError(f"probes have {checked.shape[1]} dimensions, the gallery has {self._shape[1]}")
        there = min(k, self._shape[0])
        found = Found(np.full((len(checked), k), -np.inf, np.float32), np.full((len(checked), k), -1, np.int64))
        if there and len(checked):
            found.scores[:, :there], found.rows[:, :there] = self._search(checked, there)
        return found

    @abstractmethod
    def _enroll(self, vectors: Vectors) -> None:
        """Take (G, D) contiguous float32 vectors, one at least."""

    @abstractmethod
    def _search(self, probes: Vectors, k: int) -> Found:
        """Return the list of each probe; there is one at least, and 1 <= k <= G."""


def _checked(vectors: NDArray[np.floating[Any]], name: str) -> Vectors:
    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or vectors.dtype.kind != "f":
        raise ConventionError(f"{name}: expected (N, D) floating point vectors, got {vectors.shape} {vectors.dtype}")
    if vectors.size and not (np.isfinite(vectors.min()) and np.isfinite(vectors.max())):  # no array of N × D booleans
        row = int(np.argmin(np.isfinite(vectors).all(axis=1)))
        raise ConventionError(f"{name}[{row}] is not finite; failed faces are left out of a search")
    return np.ascontiguousarray(vectors, np.float32)
