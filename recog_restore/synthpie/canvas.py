"""The texture's canvas: TEXELS × TEXELS texels a cell of the head's grid, with the skull's coordinates at each."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .fields import Image, smoothstep
from .head import AZIMUTH, COLUMNS, ROWS, SKULL

TEXELS = 3
HEIGHT, WIDTH = (ROWS - 1) * TEXELS + 1, (COLUMNS - 1) * TEXELS + 1
MIDDLE = WIDTH // 2


def spread(grid: NDArray[np.floating]) -> Image:
    """Return a (ROWS, COLUMNS[, C]) field of the grid resampled to the canvas."""
    u, v = np.meshgrid(np.arange(WIDTH, dtype=np.float32) / TEXELS, np.arange(HEIGHT, dtype=np.float32) / TEXELS)
    return np.asarray(cv2.remap(grid.astype(np.float32), u, v, cv2.INTER_LINEAR), np.float32)


X, Y = spread(SKULL[..., 0]), spread(SKULL[..., 1])
ANGLE = spread(np.repeat(AZIMUTH[None], ROWS, 0))
DEGREES: Image = np.abs(np.rad2deg(ANGLE))
FACE: Image = smoothstep(0.05, 0.3, np.cos(ANGLE)).astype(np.float32)
ROW: Image = np.repeat(np.arange(HEIGHT, dtype=np.float32)[:, None] / TEXELS, WIDTH, 1)


class Window:
    """A rectangle of the canvas over a region of the face, with its coordinates, so that only it is painted.

    Args:
        x, y: limits in mm on the skull.
        azimuth: the largest angle from the middle, in radians.
    """

    def __init__(self, x: tuple[float, float], y: tuple[float, float], azimuth: float = 1.5) -> None:
        inside = (X >= x[0]) & (X <= x[1]) & (np.abs(ANGLE) < azimuth)
        rows = np.flatnonzero((Y[:, MIDDLE] >= y[0] - 1) & (Y[:, MIDDLE] <= y[1] + 1))
        columns = np.flatnonzero(inside[rows[0] : rows[-1] + 1].any(axis=0))
        self.area = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
        self.x, self.y, self.face, self.row = X[self.area], Y[self.area], FACE[self.area], ROW[self.area]
        self.ax: Image = np.abs(self.x)
        self.degrees, self.angle = DEGREES[self.area], ANGLE[self.area]
        self.shape: tuple[int, int] = self.x.shape


def cover(paint: Image, amount: NDArray[np.floating], colour: NDArray[np.floating]) -> None:
    """Lay a colour, (3,) or (h, w, 3), over paint (h, w, 3) in place; ``amount`` (h, w) is its opacity."""
    a = amount.astype(np.float32)[..., None]
    paint *= 1 - a
    paint += a * colour.astype(np.float32)


def darken(paint: Image, amount: NDArray[np.floating], colour: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> None:
    """Take the part ``amount`` (h, w) of each channel, weighted by ``colour``, from paint (h, w, 3) in place."""
    paint *= 1 - amount.astype(np.float32)[..., None] * np.array(colour, np.float32)
