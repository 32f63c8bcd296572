"""Scalar fields that shapes and paint are made of: steps, bells, their mirrored pairs, and noise."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]
Image = NDArray[np.float32]


def smoothstep(start: float, stop: float, x: Any) -> Any:
    """Return 0 at ``start``, 1 at ``stop`` and a smooth cubic between; ``stop`` may be the smaller one."""
    t = np.clip((x - start) / (stop - start), 0, 1)
    return t * t * (3 - 2 * t)


def bell(x: Any, y: Any, cx: float, cy: float, sx: float, sy: float, tilt: float = 0.0) -> Any:
    """Return a Gaussian of height 1 at (cx, cy) with deviations sx, sy, turned by ``tilt`` radians."""
    dx, dy = x - cx, y - cy
    if tilt:
        c, s = np.cos(tilt), np.sin(tilt)
        dx, dy = c * dx + s * dy, c * dy - s * dx
    return np.exp(-0.5 * ((dx / sx) ** 2 + (dy / sy) ** 2))


def ridge(x: Any, centre: Any, width: float, power: int = 2) -> Any:
    """Return a bell in one dimension; a power above 2 gives it a flat top."""
    return np.exp(-0.5 * ((x - centre) / width) ** power)


def pair(x: Any, y: Any, cx: float, cy: float, sx: float, sy: float, tilt: float = 0.0) -> Any:
    """Return two bells, mirrored at x = 0."""
    return bell(np.abs(x), y, cx, cy, sx, sy, tilt)


def dome(distance: Any) -> Any:
    """Return a dome of height 1 that ends smoothly at distance 1."""
    return (1 - np.minimum(distance, 1) ** 2) ** 2


def noise(rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int], smooth: bool = True) -> Image:
    """Return (H, W) float32 noise of about unit deviation with ``cells`` knots down and across."""
    knots = rng.standard_normal((max(2, cells[0]), max(2, cells[1])), dtype=np.float32)
    how = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(knots, (shape[1], shape[0]), interpolation=how), np.float32)
