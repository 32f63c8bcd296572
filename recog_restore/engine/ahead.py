"""Batches computed ahead by worker processes; what is wrong in one of them reaches the caller as it was raised."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import cv2
from torch.utils.data import DataLoader, Dataset

from ..errors import DataError, RecogRestoreError

# What torch says of a worker process that is no more; an error raised in one reads otherwise.
_DEAD = re.compile(r"DataLoader worker \(pid.*?\) (is killed by signal|exited unexpectedly)")


def ahead(dataset: Dataset[Any], batches: Iterable[Any], workers: int) -> Iterator[Any]:
    """Return an iterator over ``dataset[batch]`` for every batch, in order.

    Args:
        dataset: what computes a batch.
        batches: what it is asked for.
        workers: processes; without any, a batch is computed when it is asked for.

    Raises:
        DataError: while iterating, a worker process was killed.
        RecogRestoreError: while iterating, what the dataset raised of these.
    """
    loader = DataLoader(
        _Answers(dataset),
        sampler=batches,
        batch_size=None,
        num_workers=workers,
        collate_fn=_as_it_is,
        worker_init_fn=_leave_interrupts_to_the_parent,
        prefetch_factor=4 if workers else None,
    )
    # A worker that inherits a pool of OpenCV's threads, which do not survive a fork, waits for ever.
    with opencv_in_one_thread():
        return _told(iter(loader))


@contextmanager
def opencv_in_one_thread() -> Iterator[None]:
    """Within it, OpenCV has no threads of its own."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


class _Answers(Dataset[Any]):
    """A dataset that returns its errors: torch would wrap those of a process in the text of a traceback."""

    def __init__(self, dataset: Dataset[Any]) -> None:
        self._dataset = dataset

    def __getitem__(self, batch: Any) -> Any:
        try:
            return self._dataset[batch]
        except RecogRestoreError as error:
            return error


def _told(answers: Iterator[Any]) -> Iterator[Any]:
    try:
        for answer in answers:
            if isinstance(answer, RecogRestoreError):
                raise answer
            yield answer
    except RuntimeError as error:
        if not _DEAD.match(str(error)):
            raise
        raise DataError(
            f"a process that reads or renders photos died ({error}); is memory short? try --workers 0"
        ) from None


def _leave_interrupts_to_the_parent(_: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _as_it_is(item: Any) -> Any:
    return item
