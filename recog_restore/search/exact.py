"""The search that defines the truth: every probe against every row, in tiles of one matrix product each.

Of a tile only those scores are looked at that exceed the probe's k-th best so far; they wait in a reservoir until there
are enough of them to be worth sorting. So a search costs little more than its products, and its memory does not depend
on the size of the gallery.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from .base import Found, Gallery, Vectors


class Candidates(NamedTuple):
    """Entries of a tile, (n,) each: probe, row of the tile, score; sorted by probe, then by row."""

    probe: NDArray[np.int64]
    row: NDArray[np.int64]
    score: NDArray[np.float32]


class Products(Protocol):
    """Scores a tile and gives what is worth keeping of it; ``shape`` is the probes and the rows of a tile."""

    shape: tuple[int, int]

    def enroll(self, vectors: Vectors) -> None:
        """Take the gallery."""

    def candidates(self, probes: Vectors, rows: slice, least: NDArray[np.float32], k: int) -> Candidates:
        """Return the scores above ``least`` (p,), or where that is -inf those that may be among the tile's k best."""


class NumpyProducts:
    """Tiles that stay in the cache of a CPU."""

    shape = (1024, 4096)

    def enroll(self, vectors: Vectors) -> None:
        """Keep a reference."""
        self._vectors = vectors
        self._scores = np.empty(self.shape[0] * self.shape[1], np.float32)
        self._kept = np.empty(self.shape[0] * self.shape[1], np.bool_)

    def candidates(self, probes: Vectors, rows: slice, least: NDArray[np.float32], k: int) -> Candidates:
        """Return the entries of one tile."""
        tile = self._vectors[rows]
        shape, size = (len(probes), len(tile)), len(probes) * len(tile)
        scores, kept = self._scores[:size], self._kept[:size]  # flat: where a few are true is found fastest so
        matrix = np.matmul(probes, tile.T, out=scores.reshape(shape))
        if np.isneginf(least).any():
            place = max(0, len(tile) - k)
            np.greater_equal(matrix, np.partition(matrix, place, axis=1)[:, place, None], out=kept.reshape(shape))
        else:
            np.greater(matrix, least[:, None], out=kept.reshape(shape))
        found = np.flatnonzero(kept)
        probe, row = np.divmod(found, len(tile))
        return Candidates(probe, row, scores[found])


class TorchProducts:
    """Tiles on a torch device; only what is kept comes back from it."""

    shape = (4096, 32_768)

    def __init__(self, device: str) -> None:
        self._device = device

    def enroll(self, vectors: Vectors) -> None:
        """Copy the gallery to the device."""
        self._vectors = torch.tensor(vectors, device=self._device)

    @torch.inference_mode()
    def candidates(self, probes: Vectors, rows: slice, least: NDArray[np.float32], k: int) -> Candidates:
        """Return the entries of one tile."""
        scores = torch.tensor(probes, device=self._device) @ self._vectors[rows].T
        if np.isneginf(least).any():
            kept = scores >= scores.topk(min(k, scores.shape[1])).values[:, -1:]
        else:
            kept = scores > torch.tensor(least, device=self._device)[:, None]
        probe, row = kept.nonzero(as_tuple=True)
        return Candidates(probe.cpu().numpy(), row.cpu().numpy(), scores[kept].cpu().numpy())


class Exact(Gallery):
    """Blocked matrix products: NumPy on the CPU, torch elsewhere.

    The last bits of a product can depend on where in a tile it stands, so two scores that differ by less than 1e-6 may
    change places from one device to another.

    Args:
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        products: who multiplies; by default what suits the device.
    """

    name, exact = "exact", True

    def __init__(self, device: str = "cpu", products: Products | None = None) -> None:
        self.device = device
        self._products = products or (NumpyProducts() if device == "cpu" else TorchProducts(device))

    def _enroll(self, vectors: Vectors) -> None:
        self._products.enroll(vectors)

    def _search(self, probes: Vectors, k: int) -> Found:
        at_once, width = self._products.shape
        parts = []
        for start in range(0, len(probes), at_once):
            block = probes[start : start + at_once]
            best = _Best(len(block), k)
            for first in range(0, self._shape[0], width):
                found = self._products.candidates(block, slice(first, first + width), best.least, k)
                best.add(found.probe, found.row + first, found.score)
            parts.append(best.sorted())
        return Found(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


class _Best:
    """The k best of what came so far, and a reservoir of what may replace them."""

    def __init__(self, probes: int, k: int) -> None:
        self._scores = np.full((probes, k), -np.inf, np.float32)
        self._rows = np.full((probes, k), -1, np.int64)
        self._waiting: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]] = []
        self._count = 0

    @property
    def least(self) -> NDArray[np.float32]:
        """(P,) what a score must exceed: a row with the k-th best's very score stands behind it, being a later one."""
        return self._scores[:, -1]

    def add(self, probe: NDArray[np.int64], row: NDArray[np.int64], score: NDArray[np.float32]) -> None:
        self._waiting.append((probe, row, score))
        self._count += len(probe)
        if self._count >= self._scores.size:
            self._sort()

    def sorted(self) -> Found:
        self._sort()
        return Found(self._scores, self._rows)

    def _sort(self) -> None:
        probes, k = self._scores.shape
        first = np.repeat(np.arange(probes), k), self._rows.ravel(), self._scores.ravel()
        probe, row, score = (np.concatenate(arrays) for arrays in zip(first, *self._waiting, strict=True))
        order = np.lexsort((-score, probe))  # stable: equal scores stay in the order of their rows
        starts = np.searchsorted(probe[order], np.arange(probes))
        kept = order[starts[:, None] + np.arange(k)]
        self._scores, self._rows = score[kept], row[kept]
        self._waiting, self._count = [], 0
