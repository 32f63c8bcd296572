"""The batch of faces that every preprocessor and embedder receives.

Convention: RGB, canonical 128×128 crop (``geometry.CANONICAL_128``), float32 in [0, 1], layout (B, 3, H, W).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .errors import ConventionError


@dataclass(frozen=True)
class FaceBatch:
    """Faces on their way from the files to the embedder.

    Attributes:
        images: (B, 3, H, W) float32 RGB in [0, 1]; a failed face is black.
        landmarks: (B, 5, 2) float32 pixels in ``images``, or None where nobody knows them.
        status: B strings; "" is a face that can be used, anything else the reason of a failure to acquire.

    Raises:
        ConventionError: a shape, dtype or range is wrong; the message has the index that breaks it.
    """

    images: Tensor
    landmarks: Tensor | None = None
    status: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = tuple(self.images.shape)
        if len(shape) != 4 or shape[1] != 3:
            raise ConventionError(f"images: expected (B, 3, H, W), got {shape}")
        if self.images.dtype != torch.float32:
            raise ConventionError(f"images: expected float32 in [0, 1], got {self.images.dtype}")
        if not self.status:
            object.__setattr__(self, "status", ("",) * shape[0])
        if len(self.status) != shape[0]:
            raise ConventionError(f"status: expected {shape[0]} entries, got {len(self.status)}")
        if self.landmarks is not None and tuple(self.landmarks.shape) != (shape[0], 5, 2):
            raise ConventionError(f"landmarks: expected ({shape[0]}, 5, 2), got {tuple(self.landmarks.shape)}")
        if shape[0] and not _within_0_1(self.images):
            row = next(i for i, image in enumerate(self.images) if not _within_0_1(image))
            low, high = (float(end) for end in self.images[row].aminmax())
            raise ConventionError(f"images[{row}]: expected values in [0, 1], got {low:.4g} … {high:.4g}")

    def __len__(self) -> int:
        return len(self.status)

    @property
    def valid(self) -> Tensor:
        """(B,) bool: false marks a failure to acquire."""
        return torch.tensor([not reason for reason in self.status], dtype=torch.bool)

    def take(self, rows: Sequence[int]) -> FaceBatch:
        """Return the batch of some of the faces."""
        landmarks = None if self.landmarks is None else self.landmarks[list(rows)]
        return FaceBatch(self.images[list(rows)], landmarks, tuple(self.status[row] for row in rows))

    def replace(self, **changes: object) -> FaceBatch:
        """Return a copy with some attributes replaced."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


def _within_0_1(images: Tensor) -> bool:
    low, high = images.aminmax()
    return bool(low >= 0) and bool(high <= 1)


def to_float(crops: NDArray[np.uint8] | Tensor, device: torch.device | str = "cpu") -> Tensor:
    """Return (B, 3, H, W) float32 in [0, 1] from (B, H, W, 3) uint8."""
    pixels = torch.as_tensor(crops).to(device).permute(0, 3, 1, 2).contiguous()
    return pixels.float().div_(255.0)


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """Return (B, H, W, 3) uint8, rounded, from (B, 3, H, W) float32 in [0, 1]."""
    pixels = images.detach().mul(255.0).round_().clamp_(0, 255).to(torch.uint8)
    return np.ascontiguousarray(pixels.permute(0, 2, 3, 1).cpu().numpy())


def luma(images: Tensor) -> Tensor:
    """Return (B, 1, H, W) BT.601 luma of (B, 3, H, W) RGB: OpenCV's and Pillow's grey."""
    return (images * images.new_tensor((0.299, 0.587, 0.114))[:, None, None]).sum(1, keepdim=True)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let torch compute in the calling thread alone.

    After a step on several threads, torch's go on spinning for a while and take the cores from whoever computes next.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Let torch take denormal numbers as 0 in the calling thread.

    With denormal weights some CPUs take up to 70 times as long. Scores and statistics keep to IEEE 754.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
