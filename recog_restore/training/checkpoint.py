"""A training as it stands, in one safetensors file: tensors and text only, so nothing is unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import tensor_file

FILE = "checkpoint.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """Where a training stands.

    Attributes:
        step: steps done, over all stages.
        recipe: the recipe as plain values; a checkpoint of another recipe is of no use.
        learner: weights of network and head.
        optimizer: per parameter, in the optimizer's order, its tensors by name.
        data: the digest of the photos; "" of rendered ones, and where nobody kept it.
    """

    step: int
    recipe: Mapping[str, Any]
    learner: Mapping[str, Tensor]
    optimizer: Mapping[int, Mapping[str, Tensor]]
    data: str = ""


def save(checkpoint: Checkpoint, folder: Path) -> None:
    """Write the checkpoint; the one before is replaced by a whole one or stays.

    Raises:
        StoreError: the folder cannot be written.
    """
    tensors = {f"learner/{name}": tensor for name, tensor in checkpoint.learner.items()}
    for number, entry in checkpoint.optimizer.items():
        tensors |= {f"optimizer/{number}/{name}": tensor for name, tensor in entry.items()}
    notes = {"step": str(checkpoint.step), "recipe": json.dumps(checkpoint.recipe), "data": checkpoint.data}
    tensor_file.write(folder / FILE, tensors, notes)


def load(folder: Path) -> Checkpoint | None:
    """Return the checkpoint of a folder, or None where there is none.

    Raises:
        StoreError: it is damaged.
    """
    return tensor_file.read(folder / FILE, _made)


def _made(tensors: dict[str, Tensor], notes: dict[str, str]) -> Checkpoint:
    learner: dict[str, Tensor] = {}
    optimizer: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition("/")
        if kind == "learner":
            learner[rest] = tensor
        else:
            number, _, key = rest.partition("/")
            optimizer.setdefault(int(number), {})[key] = tensor
    return Checkpoint(int(notes["step"]), json.loads(notes["recipe"]), learner, optimizer, notes.get("data", ""))


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[int, dict[str, Tensor]]:
    """Return what an optimizer has gathered."""
    state: dict[int, dict[str, Any]] = optimizer.state_dict()["state"]
    return {n: {key: value for key, value in entry.items() if isinstance(value, Tensor)} for n, entry in state.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[int, Mapping[str, Tensor]]) -> None:
    """Give an optimizer what ``optimizer_tensors`` returned."""
    state = {number: dict(entry) for number, entry in tensors.items()}
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
