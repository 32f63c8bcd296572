"""Backgrounds: blurred clutter, or a plain wall. Both say nothing about who stands before them."""

from __future__ import annotations

import cv2
import numpy as np

from .fields import Image

_CELLS = 48


def cluttered(rng: np.random.Generator, size: int) -> Image:
    """Return (size, size, 3) linear light: soft colours and blocks out of focus."""
    colours = rng.random((3, 4, 3), dtype=np.float32)
    scene = cv2.resize(colours, (_CELLS, _CELLS), interpolation=cv2.INTER_CUBIC) * 0.5
    scene = scene + rng.random(3, dtype=np.float32) * 0.3
    for _ in range(rng.integers(0, 7)):
        (x, y), (wide, high) = rng.integers(-8, _CELLS, 2), rng.integers(3, 26, 2)
        block = scene[max(y, 0) : max(y + high, 0), max(x, 0) : max(x + wide, 0)]
        block *= 0.4
        block += rng.random(3, dtype=np.float32) * 0.6
    scene = 0.3 * scene + 0.7 * scene.mean(axis=-1, keepdims=True)
    scene = cv2.GaussianBlur(scene, (0, 0), float(rng.uniform(0.4, 2.5)))
    linear = 0.6 * np.clip(scene, 0.01, 1) ** 1.8
    return np.asarray(cv2.resize(linear, (size, size)), np.float32)


def clean(rng: np.random.Generator, size: int) -> Image:
    """Return (size, size, 3) linear light: a grey wall, a little brighter on one side."""
    level, slope = rng.uniform(0.10, 0.30), rng.uniform(-0.2, 0.2, 2)
    across = np.linspace(-1, 1, size)
    wall = level * (1 + slope[0] * across[None] + slope[1] * across[:, None])
    return np.repeat(wall[..., None], 3, axis=2).astype(np.float32)


BACKGROUNDS = {"cluttered": cluttered, "clean": clean}
