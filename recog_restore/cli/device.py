"""``--device`` into the name that torch takes."""

from __future__ import annotations

import re

import torch

from ..errors import RecordError


def chosen_device(name: str) -> str:
    """Return ``cpu``, ``cuda`` or ``cuda:1``; for ``auto`` a GPU where torch sees one.

    Raises:
        RecordError: it is none of these, or torch sees no GPU.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name != "cpu" and not re.fullmatch(r"cuda(:\d+)?", name):
        raise RecordError(f"--device {name}: expected auto, cpu, cuda or cuda:1")
    if name != "cpu" and not torch.cuda.is_available():
        raise RecordError(f"--device {name}: this torch sees no CUDA device; use --device cpu")
    return name
