from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import cv2
import pytest
from torch.utils.data import Dataset

from recog_restore.engine.ahead import ahead
from recog_restore.errors import DataError, UnknownName


class Doubled(Dataset[int]):
    """Doubles numbers; of some of them something else comes."""

    def __getitem__(self, number: int) -> int:
        if number == 1:
            raise DataError("one is not a photo")
        if number == 2:
            raise UnknownName("two is nobody's name")
        if number == 3:
            raise RuntimeError("a mistake in a worker")
        if number == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 5:
            os._exit(1)
        return 2 * number


@pytest.mark.parametrize("workers", [0, 2])
def test_answers_come_in_order_and_an_error_after_those_before_it(workers: int) -> None:
    threads = cv2.getNumThreads()
    coming = ahead(Doubled(), [9, 8, 7, 1], workers)
    assert cv2.getNumThreads() == threads
    assert [next(coming) for _ in range(3)] == [18, 16, 14]
    with pytest.raises(DataError, match=r"^one is not a photo$"):
        next(coming)
    with pytest.raises(UnknownName, match=r"^two is nobody's name$"):
        list(ahead(Doubled(), [2], workers))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_mistake_is_no_dead_process(workers: int) -> None:
    with pytest.raises(RuntimeError, match="a mistake in a worker"):
        list(ahead(Doubled(), [3], workers))


@pytest.mark.parametrize("number", [4, 5])
def test_a_dead_process_is_told_of_with_a_way_out(number: int) -> None:
    expected = r"a process that reads or renders photos died \(.*\); is memory short\? try --workers 0"
    with pytest.raises(DataError, match=expected):
        list(ahead(Doubled(), [number], 1))


class Interrupted(Dataset[bool]):
    """Interrupts its own process, and says whether a folder holds ``here``."""

    def __getitem__(self, folder: str) -> bool:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        return (Path(folder) / "here").exists()


def test_an_interrupt_is_left_to_the_parent(tmp_path: Path) -> None:
    (tmp_path / "here").touch()
    assert list(ahead(Interrupted(), [str(tmp_path)], 1)) == [True]
