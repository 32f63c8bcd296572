"""The weights that validation liked best so far, in one safetensors file; a teacher's in one of their own."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from . import tensor_file

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
    """Keep the weights if the number is greater than that of those which are kept; NaN is not.

    Args:
        folder, state, size, step, number: see ``Best``.
        part: module of the learner that validation judges by itself; empty: all of it.

    Raises:
        StoreError: the folder cannot be written, or what is there is damaged.
    """
    before = load(folder, part)
    if math.isnan(number) or (before is not None and before.number >= number):
        return
    notes = {"size": json.dumps(size), "step": str(step), "number": repr(number)}
    tensor_file.write(file_of(folder, part), state, notes)


def load(folder: Path, part: str = "") -> Best | None:
    """Return what is kept in a folder, or None.

    Raises:
        StoreError: it is damaged.
    """
    return tensor_file.read(file_of(folder, part), _made)


def file_of(folder: Path, part: str = "") -> Path:
    """Return where the weights of a part are kept."""
    return folder / (f"best-{part}.safetensors" if part else FILE)


def _made(state: dict[str, Tensor], notes: dict[str, str]) -> Best:
    height, width = json.loads(notes["size"])
    return Best(state, (height, width), int(notes["step"]), float(notes["number"]))


def forget(folder: Path) -> None:
    """Remove what is kept, for a training that begins."""
    for file in (folder / FILE, *folder.glob(file_of(folder, "*").name)):
        file.unlink(missing_ok=True)
