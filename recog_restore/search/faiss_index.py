"""Searches by faiss (Douze et al., "The Faiss library", 2024; https://github.com/facebookresearch/faiss, MIT)."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import numpy as np
import torch

from ..errors import ConventionError, ExtraMissing
from .base import Found, Gallery, Vectors

# More candidates than this faiss does not list on a GPU.
GPU_CANDIDATES = 2048
# The part of a GPU's free memory that a gallery may fill; the search needs some as well.
_SHARE = 0.8


class _Faiss(Gallery):
    def __init__(self, device: str = "cpu") -> None:
        try:
            import faiss
        except ImportError:
            raise ExtraMissing(
                "this search needs faiss, which is not installed: pip install 'recog-restore[cpu]' (or [gpu]), "
                "or take --search exact"
            ) from None
        self._faiss: Any = faiss

    def _enroll(self, vectors: Vectors) -> None:
        self._index = self._filled(vectors)

    @abstractmethod
    def _filled(self, vectors: Vectors) -> Any:
        """Return an index of the vectors, numbered by their rows."""

    def _search(self, probes: Vectors, k: int) -> Found:
        scores, rows = self._index.search(probes, k)
        scores = np.where(rows < 0, -np.inf, scores)
        order = np.lexsort((rows, -scores), axis=1)
        return Found(np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1))


class FaissFlat(_Faiss):
    """Every probe against every row. Which of several equal scores at the end of a list is in it, faiss decides.

    Args:
        device: ``cuda`` copies the gallery to every visible GPU, or deals it out to them where it does not fit into
            each; ``cuda:1`` takes that one. Without a faiss that sees a GPU, and with ``cpu``, the CPU searches.
    """

    name, exact = "faiss-flat", True

    def __init__(self, device: str = "cpu") -> None:
        super().__init__(device)
        count = self._faiss.get_num_gpus() if device != "cpu" else 0
        self.device = device if count else "cpu"
        self._gpus = [int(device.partition(":")[2])] if count and ":" in device else list(range(count))

    def _filled(self, vectors: Vectors) -> Any:
        index = self._faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        if not self._gpus:
            return index
        options = self._faiss.GpuMultipleClonerOptions()
        options.shard = len(self._gpus) > 1 and vectors.nbytes > _SHARE * _smallest_memory(self._gpus)
        return self._faiss.index_cpu_to_gpus_list(index, co=options, gpus=self._gpus)

    def _search(self, probes: Vectors, k: int) -> Found:
        if self._gpus and k > GPU_CANDIDATES:
            raise ConventionError(f"k is {k}; faiss lists at most {GPU_CANDIDATES} candidates on a GPU")
        return super()._search(probes, k)


class FaissHNSW(_Faiss):
    """Approximate: a graph of near neighbours (Malkov, Yashunin 2018), on the CPU.

    The graph depends on the order in which the threads insert, so a repeated run may list others.
    """

    name, exact = "faiss-hnsw", False
    _LINKS, _WHILE_BUILDING, _WHILE_SEARCHING = 32, 200, 128

    def _filled(self, vectors: Vectors) -> Any:
        index = self._faiss.IndexHNSWFlat(vectors.shape[1], self._LINKS, self._faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = self._WHILE_BUILDING
        index.add(vectors)
        return index

    def _search(self, probes: Vectors, k: int) -> Found:
        self._index.hnsw.efSearch = max(self._WHILE_SEARCHING, 2 * k)
        return super()._search(probes, k)


class FaissIVF(_Faiss):
    """Approximate: the rows are dealt to 4 √G cells, of which the sixteenth nearest to a probe is looked into; CPU."""

    name, exact = "faiss-ivf", False
    _LEAST_PER_CELL = 39  # as faiss recommends

    def _filled(self, vectors: Vectors) -> Any:
        count, width = vectors.shape
        cells = max(1, min(round(4 * math.sqrt(count)), count // self._LEAST_PER_CELL))
        quantizer = self._faiss.IndexFlatIP(width)
        index = self._faiss.IndexIVFFlat(quantizer, width, cells, self._faiss.METRIC_INNER_PRODUCT)
        index.cp.spherical, index.cp.min_points_per_centroid = True, 1
        index.nprobe = min(cells, max(8, cells // 16))
        index.train(vectors)
        index.add(vectors)
        return index


def _smallest_memory(gpus: list[int]) -> float:
    """Return the free bytes of the fullest GPU; 0 where torch does not see them."""
    if not torch.cuda.is_available():
        return 0.0
    return float(min(torch.cuda.mem_get_info(gpu)[0] for gpu in gpus))
