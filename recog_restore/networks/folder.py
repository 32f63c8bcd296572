"""A model's folder: card, weights and golden tensors, written whole or not at all, and the check that it holds."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..errors import RecordError, WeightsError
from ..faces import to_float, to_uint8
from ..geometry import CANONICAL_128, CANONICAL_SIZE
from ..records import build, read_toml
from .cards import EmbedderCard, GoldenCard, RestorerCard
from .toml import card_text
from .weights import parameters, parse_safetensors, read_bytes

_C = TypeVar("_C", EmbedderCard, RestorerCard)


def check_new(out: Path) -> None:
    """Raise RecordError where a folder cannot be written because something is there."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RecordError(f"{out}: expected a folder that does not exist yet, or an empty one")


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give a folder to write into, which becomes ``out`` when the block ends well and vanishes otherwise.

    Raises:
        RecordError: ``out`` holds something.
        WeightsError: it cannot be written.
    """
    check_new(out)
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if out.exists():
            out.rmdir()
        temporary.rename(out)
    except OSError as error:
        raise WeightsError(f"{out}: cannot be written: {error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_model(folder: Path, card: _C, network: nn.Module, *, half: bool = False) -> _C:
    """Return the card with the weights' SHA-256 and number, after both were written.

    Args:
        folder: exists.
        card: what is known of the weights.
        network: whose tensors are stored.
        half: store matrices and kernels as float16; they are computed with as float32.

    Raises:
        RecordError: the card cannot be written as TOML.
    """
    learned = {k: v.contiguous() for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    if half:
        learned = {k: v.half() if v.ndim > 1 else v for k, v in learned.items()}
    data = safetensors.torch.save(learned)
    weights = dataclasses.replace(card.weights, sha256=hashlib.sha256(data).hexdigest(), parameters=parameters(network))
    card = dataclasses.replace(card, weights=weights)
    (folder / card.weights.file).write_bytes(data)
    file = folder / "card.toml"
    file.write_text(card_text(card), "utf-8")
    if build(type(card), read_toml(file), str(file)) != card:
        raise RecordError(f"{folder}: the card cannot be written as TOML; are all arguments numbers, texts or lists?")
    return card


def write_golden(folder: Path, golden: GoldenCard, name: str, compute: Callable[[Tensor], Tensor]) -> None:
    """Write two drawn faces and, under the name, what the stored network makes of them."""
    faces = drawn_faces()
    output = compute(to_float(faces.numpy())).contiguous()
    (folder / golden.file).write_bytes(safetensors.torch.save({"faces": faces, name: output}))


def deviation(
    folder: Path, golden: GoldenCard, name: str, compute: Callable[[Tensor], Tensor], device: str = "cpu"
) -> float:
    """Return the largest deviation of what the network makes of the golden faces from what it made then.

    Raises:
        WeightsError: there are no golden tensors, or they are missed by more than the card allows.
    """
    file = folder / golden.file
    stored = parse_safetensors(read_bytes(file), str(file))
    if set(stored) != {"faces", name}:
        raise WeightsError(f"{file}: expected tensors faces and {name}, found {sorted(stored)}")
    got, expected = compute(to_float(stored["faces"], device)).cpu(), stored[name]
    if got.shape != expected.shape or not torch.allclose(got, expected, golden.rtol, golden.atol):
        worst = float((got - expected).abs().max()) if got.shape == expected.shape else float("inf")
        raise WeightsError(
            f"{folder}: the {name} of {golden.file} are off by up to {worst:.3g}; "
            f"expected them within {golden.rtol:g} relative and {golden.atol:g} absolute"
        )
    return float((got - expected).abs().max())


def drawn_faces() -> Tensor:
    """Return two drawn faces, (2, 128, 128, 3) uint8: an oval with eyes, nose and mouth in place, and smooth noise."""
    generator = torch.Generator().manual_seed(0)
    steps = torch.arange(CANONICAL_SIZE, dtype=torch.float32)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    oval = torch.sigmoid(12 * (1 - ((x - 64) / 40).square() - ((y - 68) / 54).square()))
    points = torch.from_numpy(CANONICAL_128).float()
    marks = sum(torch.exp(-((x - px).square() + (y - py).square()) / 40) for px, py in points)
    skin = torch.tensor([0.80, 0.62, 0.52])[:, None, None]
    noise = interpolate(torch.rand(2, 3, 16, 16, generator=generator), CANONICAL_SIZE, mode="bilinear")
    faces = 0.15 + oval * (skin - 0.45 * marks) + 0.3 * (noise - 0.5)
    return torch.from_numpy(to_uint8(faces.clamp(0, 1)))
