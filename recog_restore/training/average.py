"""The mean of a training's weights after some of its steps, which often generalizes better than any of them.

Paper: Izmailov, Podoprikhin, Garipov, Vetrov, Wilson, "Averaging Weights Leads to Wider Optima and Better
Generalization", UAI 2018, algorithm 1. What differs: the steps are named one by one, and statistics of batch
normalization are averaged like weights, not measured anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..errors import StoreError
from . import tensor_file


def keep(folder: Path, state: Mapping[str, Tensor], step: int) -> None:
    """Keep the weights after a step.

    Raises:
        StoreError: the folder cannot be written.
    """
    tensor_file.write(_file(folder, step), state, {})


def kept(folder: Path, steps: Iterable[int]) -> list[dict[str, Tensor]]:
    """Return the weights after the steps.

    Raises:
        StoreError: a file is damaged or absent.
    """
    return [_state(_file(folder, step)) for step in steps]


def mean(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the mean of weights; what is no floating number, a count of steps, is the last one's."""
    return {
        name: torch.stack([state[name] for state in states]).mean(0) if tensor.is_floating_point() else tensor
        for name, tensor in states[-1].items()
    }


def forget(folder: Path) -> None:
    """Remove what is kept, for a training that begins."""
    for file in folder.glob("average-*.safetensors"):
        file.unlink(missing_ok=True)


def _state(file: Path) -> dict[str, Tensor]:
    state = tensor_file.read(file, lambda tensors, _: tensors)
    if state is None:
        raise StoreError(f"{file}: no such file; the mean needs it, so begin the training again in another --out")
    return state


def _file(folder: Path, step: int) -> Path:
    return folder / f"average-{step:06d}.safetensors"
