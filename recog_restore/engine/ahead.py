"""Batches computed ahead by processes, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ..processes import computed


def ahead(dataset: Dataset[Any], batches: Iterable[Any], workers: int) -> Iterator[Any]:
    """Return an iterator over ``dataset[batch]`` for every batch, in order.

    Args:
        dataset: what computes a batch.
        batches: what it is asked for.
        workers: processes; without any, a batch is computed when it is asked for.

    Raises:
        DataError: as ``computed``.
        Exception: while iterating, what the dataset raised.
    """
    if not workers:
        return map(dataset.__getitem__, batches)
    return computed(_InOneThread(dataset), batches, workers, {Tensor: _by_value})


class _InOneThread:
    """A dataset in a process of which there are as many as cores."""

    def __init__(self, dataset: Dataset[Any]) -> None:
        self._dataset = dataset

    def __call__(self, batch: Any) -> Any:
        torch.set_num_threads(1)
        return self._dataset[batch]


def _by_value(tensor: Tensor) -> tuple[Any, ...]:
    """Pickle the content of a tensor: torch's own way goes through a file in shared memory."""
    return torch.from_numpy, (tensor.numpy(),)
