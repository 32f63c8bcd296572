"""Tensors and notes in one safetensors file: text only besides the tensors, so nothing is unpickled."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..errors import StoreError

T = TypeVar("T")


def write(file: Path, tensors: Mapping[str, Tensor], notes: dict[str, str]) -> None:
    """Write tensors and notes; the file that was there before is replaced by a whole one or stays.

    Raises:
        StoreError: it cannot be written.
    """
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        safetensors.torch.save_file(whole, temporary, notes)
        os.replace(temporary, file)
    except (OSError, SafetensorError) as error:
        raise StoreError(f"{file}: cannot be written: {error}") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def read(file: Path, made: Callable[[dict[str, Tensor], dict[str, str]], T]) -> T | None:
    """Return what is made of a file's tensors and notes, or None where there is no file.

    Raises:
        StoreError: it is damaged, or nothing can be made of it.
    """
    if not file.exists():
        return None
    try:
        with safe_open(file, framework="pt") as content:
            return made({name: content.get_tensor(name) for name in content.keys()}, content.metadata())
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{file}: damaged ({error}); remove it to begin again") from None
