"""A training as it stands, in one safetensors file: tensors and text only, so nothing is unpickled."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..errors import StoreError

FILE = "checkpoint.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """Where a training stands.

    Attributes:
        step: steps done, over all stages.
        recipe: the recipe as plain values; a checkpoint of another recipe is of no use.
        learner: weights of network and head.
        optimizer: per parameter, in the optimizer's order, its tensors by name.
    """

    step: int
    recipe: Mapping[str, Any]
    learner: Mapping[str, Tensor]
    optimizer: Mapping[int, Mapping[str, Tensor]]


def save(checkpoint: Checkpoint, folder: Path) -> None:
    """Write the checkpoint; the one before is replaced by a whole one or stays.

    Raises:
        StoreError: the folder cannot be written.
    """
    tensors = {f"learner/{name}": tensor for name, tensor in checkpoint.learner.items()}
    for number, entry in checkpoint.optimizer.items():
        tensors |= {f"optimizer/{number}/{name}": tensor for name, tensor in entry.items()}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    notes = {"step": str(checkpoint.step), "recipe": json.dumps(checkpoint.recipe)}
    temporary = folder / f".{FILE}.{os.getpid()}"
    try:
        safetensors.torch.save_file(tensors, temporary, notes)
        os.replace(temporary, folder / FILE)
    except (OSError, SafetensorError) as error:
        raise StoreError(f"{folder / FILE}: cannot be written: {error}") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def load(folder: Path) -> Checkpoint | None:
    """Return the checkpoint of a folder, or None where there is none.

    Raises:
        StoreError: it is damaged.
    """
    file = folder / FILE
    if not file.exists():
        return None
    learner: dict[str, Tensor] = {}
    optimizer: dict[int, dict[str, Tensor]] = {}
    try:
        with safe_open(file, framework="pt") as content:
            notes = content.metadata()
            for name in content.keys():
                kind, _, rest = name.partition("/")
                if kind == "learner":
                    learner[rest] = content.get_tensor(name)
                else:
                    number, _, key = rest.partition("/")
                    optimizer.setdefault(int(number), {})[key] = content.get_tensor(name)
        return Checkpoint(int(notes["step"]), json.loads(notes["recipe"]), learner, optimizer)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{file}: damaged ({error}); remove it to begin again") from None


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[int, dict[str, Tensor]]:
    """Return what an optimizer has gathered."""
    state: dict[int, dict[str, Any]] = optimizer.state_dict()["state"]
    return {n: {key: value for key, value in entry.items() if isinstance(value, Tensor)} for n, entry in state.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[int, Mapping[str, Tensor]]) -> None:
    """Give an optimizer what ``optimizer_tensors`` returned."""
    state = {number: dict(entry) for number, entry in tensors.items()}
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
