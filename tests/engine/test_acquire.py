from __future__ import annotations

import os
import signal

import pytest
from torch.utils.data import Dataset

from recog_restore.engine.acquire import load
from recog_restore.errors import DataError


class Ends(Dataset[int]):
    """Kills its own process, or makes a mistake there."""

    def __getitem__(self, batch: list[int]) -> int:
        if batch == [0]:
            os.kill(os.getpid(), signal.SIGKILL)
        raise RuntimeError("a mistake in a worker")


def test_a_dead_process_is_told_of_with_a_way_out() -> None:
    with pytest.raises(DataError, match=r"photos died twice \(.*\); is memory short\?"):
        list(load(Ends(), [[0]], 1))


def test_a_mistake_is_no_dead_process() -> None:
    with pytest.raises(RuntimeError, match="a mistake in a worker"):
        list(load(Ends(), [[1]], 1))
