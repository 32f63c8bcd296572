from __future__ import annotations

import pytest
import torch
from torch.utils.data import Dataset

from recog_restore.engine.ahead import ahead
from recog_restore.errors import DataError

Answer = tuple[torch.Tensor, torch.Tensor, int]


class Tensors(Dataset[Answer]):
    """Tensors, and how many threads torch has."""

    def __getitem__(self, number: int) -> Answer:
        if number == 1:
            raise DataError("one is not a photo")
        return torch.full((40, 40), number), torch.tensor([True]), torch.get_num_threads()


@pytest.mark.parametrize("workers", [0, 2])
def test_tensors_come_as_they_were_and_errors_after_them(workers: int) -> None:
    coming = ahead(Tensors(), [9, 8, 1], workers)
    for expected in (9, 8):
        numbers, flag, threads = next(coming)
        assert torch.equal(numbers, torch.full((40, 40), expected))
        assert torch.equal(flag, torch.tensor([True]))
        assert threads == 1 or not workers
        numbers += 1  # an array that may be written to
    with pytest.raises(DataError, match=r"^one is not a photo$"):
        next(coming)


def test_tensors_take_no_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise RuntimeError("No space left on device")

    monkeypatch.setattr(torch.UntypedStorage, "_share_fd_cpu_", full)
    monkeypatch.setattr(torch.UntypedStorage, "_share_filename_cpu_", full)
    assert len(list(ahead(Tensors(), [7, 8, 9], 2))) == 3
