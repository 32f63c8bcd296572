"""Sheets of samples: probe, painted image, output and target.

Rendered people are such as no training has seen; photos are those of the training.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..degrade import degrade
from ..errors import StoreError
from ..faces import to_uint8
from ..networks.mdfr import Decoded
from ..synthpie import Shot, Studio
from .judging import sized
from .pair_batch import PairBatch, PairSource
from .pairs import Points, points_of, target
from .restorer_recipe import PairData

_YAWS = (-90.0, -75.0, -60.0, -45.0, -30.0, 0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0)


def sample_batch(data: PairData, points: Points) -> PairBatch:
    """Return one pair at each of twelve yaws, of people who follow those of the training; the last two are degraded.

    Args:
        data: says who is trained on, and the degradation.
        points: which landmarks are wanted.
    """
    assert data.pairs is not None
    studio, first = Studio(), data.pairs.first + data.pairs.people
    shots = [Shot(first + n, yaw=yaw, light=n % 20, jitter=0) for n, yaw in enumerate(_YAWS)]
    targets = [target(first + n, 1) for n in range(len(_YAWS))]
    clean, wanted = (np.stack([studio.photograph(shot).image for shot in group]) for group in (shots, targets))
    probes, degraded = clean.copy(), np.zeros(len(shots), np.bool_)
    for place in range(len(shots) - 2 if data.degradation else len(shots), len(shots)):
        probes[place] = degrade(clean[place], data.degradation, data.pairs.seed, f"sample {place}")
        degraded[place] = True
    known = points_of(shots, points), points_of(targets, points, frontal=True)
    numbers, yaws = np.arange(len(shots)), np.array(_YAWS, np.float32)
    arrays = (probes, clean, wanted, numbers, yaws, degraded, *known)
    return PairBatch(*(torch.from_numpy(array) for array in arrays))


def some_of(source: PairSource) -> PairBatch:
    """Return twelve pairs of the training itself, evenly spread: of photos there are no more people than those."""
    return source[np.linspace(0, len(source) - 1, len(_YAWS)).astype(int).tolist()]


def sheet(probes: Tensor, painted: Decoded, targets: Tensor) -> NDArray[np.uint8]:
    """Return (4 · S, B · S, 3) uint8 rows of probes, painted images, outputs and targets, all (B, 3, S, S)."""
    side = targets.shape[-1]
    rows = [to_uint8(sized(images.float(), side)) for images in (probes, painted.image, painted.output, targets)]
    return np.concatenate([np.concatenate(list(row), axis=1) for row in rows])


def write_sheet(image: NDArray[np.uint8], file: Path) -> None:
    """Write a PNG.

    Raises:
        StoreError: it cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(file), image[:, :, ::-1]):
        raise StoreError(f"{file}: cannot be written")
