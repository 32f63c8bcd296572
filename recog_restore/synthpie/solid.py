"""The solid that is photographed: a look's skin with its expression, hair and ears; normals and occlusion."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .ears import ears
from .features import SLIT_ROW
from .fields import Field, Image
from .hair import hides_ears
from .head import COLUMNS, MIDDLE, ROWS, SKULL
from .people import Look
from .shape import vertices
from .texture import Texture

# Hair grows outwards from this point; below the brows mostly sideways.
_ROOT = np.array([0.0, 20.0, -10.0])
_UPWARDS = np.where(SKULL[..., 1] > 20, 1, 0.15)
# Occlusion: blur in cells, depth in mm that halves the light, amount.
_CAVITIES = ((7, 2.0, 0.16), (21, 7.0, 0.24), (47, 16.0, 0.2))


@dataclass(frozen=True)
class Solid:
    """One look with one expression.

    ``skin`` (ROWS, COLUMNS, 3) float64 is the bare head; ``surface`` float32 the head with hair, ``normals`` and
    ``openness`` (1 is free, less is a cavity) belong to it; ``gap`` is how far the lips are apart in mm.
    """

    skin: Field
    surface: Image
    normals: Image
    openness: Image
    ears: list[Image]
    ear_normals: list[Image]
    gap: float


def normals(grid: Image) -> Image:
    """Return the unit normals, outwards, of a grid (R, C, 3), from central differences."""
    du, dv = np.empty_like(grid), np.empty_like(grid)
    du[:, 1:-1], dv[1:-1] = grid[:, 2:] - grid[:, :-2], grid[2:] - grid[:-2]
    du[:, 0] = du[:, -1] = grid[:, 1] - grid[:, -2]  # closed at the back
    dv[0], dv[-1] = grid[1] - grid[0], grid[-1] - grid[-2]
    n = np.stack([
        dv[..., 1] * du[..., 2] - dv[..., 2] * du[..., 1],
        dv[..., 2] * du[..., 0] - dv[..., 0] * du[..., 2],
        dv[..., 0] * du[..., 1] - dv[..., 1] * du[..., 0],
    ], -1)  # fmt: skip
    n /= np.sqrt((n * n).sum(-1, keepdims=True)) + 1e-8
    return n


def openness(surface: Image, outward: Image) -> Image:
    """Return (ROWS, COLUMNS) 0.25 … 1.15: how little of the ambient light the surroundings of a point take away."""
    free = np.ones((ROWS, COLUMNS), np.float32)
    for cells, depth, amount in _CAVITIES:
        around = np.asarray(cv2.blur(surface, (cells, cells), borderType=cv2.BORDER_REPLICATE), np.float32)
        hollow = ((around - surface) * outward).sum(-1) / depth
        free -= amount * np.clip(hollow, -0.35, 1.6)
    return np.clip(free, 0.25, 1.15)


def build(look: Look, texture: Texture, expression: tuple[float, ...] | NDArray[np.floating]) -> Solid:
    """Return the solid of a look and ten expression coefficients."""
    skin = vertices(look.shape, expression)
    away = skin - _ROOT
    away[..., 1] *= _UPWARDS
    away /= np.linalg.norm(away, axis=-1, keepdims=True)
    surface = (skin + away * texture.thickness[..., None]).astype(np.float32)
    outward = normals(surface)
    pair = [] if hides_ears(look) else [ear.astype(np.float32) for ear in ears(skin, look.person.ear)]
    facing = [normals(ear) * side for ear, side in zip(pair, (-1, 1), strict=False)]
    slit = skin[SLIT_ROW : SLIT_ROW + 4, MIDDLE]
    gap = float(np.linalg.norm(slit[0] - slit[3]))
    return Solid(skin, surface, outward, openness(surface, outward), pair, facing, gap)
