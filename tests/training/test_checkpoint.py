from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from recog_restore.errors import StoreError
from recog_restore.training import checkpoint as checkpoints
from recog_restore.training.checkpoint import FILE, Checkpoint, load, optimizer_tensors, restore_optimizer, save


def some() -> Checkpoint:
    return Checkpoint(7, {"name": "n", "stages": [1]}, {"a.b": torch.arange(3.0)}, {0: {"m": torch.ones(2)}})


def test_checkpoint_is_read_back(tmp_path: Path) -> None:
    save(some(), tmp_path)
    found = load(tmp_path)
    assert found is not None
    assert (found.step, found.recipe) == (7, {"name": "n", "stages": [1]})
    assert found.learner["a.b"].tolist() == [0, 1, 2]
    assert found.optimizer[0]["m"].tolist() == [1, 1]
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


def test_no_checkpoint_is_none(tmp_path: Path) -> None:
    assert load(tmp_path) is None


def test_failed_write_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(some(), tmp_path)
    before = (tmp_path / FILE).read_bytes()

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(StoreError, match="cannot be written: .*No space left"):
        save(Checkpoint(8, {}, {}, {}), tmp_path)
    assert (tmp_path / FILE).read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


def test_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    save(some(), tmp_path)
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:50])
    with pytest.raises(StoreError, match=r"checkpoint\.safetensors: damaged .*remove it to begin again"):
        load(tmp_path)


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW])
def test_optimizer_goes_on_as_if_it_had_never_stopped(kind: type[torch.optim.Optimizer], tmp_path: Path) -> None:
    def steps(weight: torch.nn.Parameter, optimizer: torch.optim.Optimizer, count: int) -> None:
        for _ in range(count):
            optimizer.zero_grad()
            (weight**2).sum().backward()
            optimizer.step()

    def fresh(value: torch.Tensor) -> tuple[torch.nn.Parameter, torch.optim.Optimizer]:
        weight = torch.nn.Parameter(value.clone())
        return weight, kind([weight], lr=0.1, **({"momentum": 0.9} if kind is torch.optim.SGD else {}))  # type: ignore[call-arg]

    whole, optimizer = fresh(torch.arange(3.0))
    steps(whole, optimizer, 5)
    weight, first = fresh(torch.arange(3.0))
    steps(weight, first, 2)
    checkpoints.save(Checkpoint(2, {}, {"w": weight}, optimizer_tensors(first)), tmp_path)
    found = load(tmp_path)
    assert found is not None
    weight, second = fresh(found.learner["w"])
    restore_optimizer(second, found.optimizer)
    steps(weight, second, 3)
    assert torch.equal(weight, whole)
