"""The weights that validation liked best so far, in one safetensors file; a teacher's in one of their own."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..errors import StoreError

FILE = "best.safetensors"


@dataclass(frozen=True)
class Best:
    """A learner's weights, the size of its inputs, the step after which it had them, and validation's number."""

    state: Mapping[str, Tensor]
    size: tuple[int, int]
    step: int
    number: float


def offer(
    folder: Path, state: Mapping[str, Tensor], size: tuple[int, int], step: int, number: float, part: str = ""
) -> None:
    """Keep the weights if the number is greater than that of those which are kept.

    Args:
        folder, state, size, step, number: see ``Best``.
        part: module of the learner that validation judges by itself; empty: all of it.

    Raises:
        StoreError: the folder cannot be written, or what is there is damaged.
    """
    before, file = load(folder, part), file_of(folder, part)
    if before is not None and before.number >= number:
        return
    notes = {"size": json.dumps(size), "step": str(step), "number": repr(number)}
    temporary = folder / f".{file.name}.{os.getpid()}"
    try:
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
        safetensors.torch.save_file(tensors, temporary, notes)
        os.replace(temporary, file)
    except (OSError, SafetensorError) as error:
        raise StoreError(f"{file}: cannot be written: {error}") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def load(folder: Path, part: str = "") -> Best | None:
    """Return what is kept in a folder, or None.

    Raises:
        StoreError: it is damaged.
    """
    file = file_of(folder, part)
    if not file.exists():
        return None
    try:
        with safe_open(file, framework="pt") as content:
            notes = content.metadata()
            height, width = json.loads(notes["size"])
            state = {name: content.get_tensor(name) for name in content.keys()}
            return Best(state, (height, width), int(notes["step"]), float(notes["number"]))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{file}: damaged ({error}); remove it to begin again") from None


def file_of(folder: Path, part: str = "") -> Path:
    """Return where the weights of a part are kept."""
    return folder / (f"best-{part}.safetensors" if part else FILE)


def forget(folder: Path) -> None:
    """Remove what is kept, for a training that begins."""
    for file in (folder / FILE, *folder.glob(file_of(folder, "*").name)):
        file.unlink(missing_ok=True)
