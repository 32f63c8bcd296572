"""Shading of vertices: ambient light, wrapped diffuse lamps with soft self-shadows, and a little gloss."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .ears import SHADE
from .fields import Image
from .head import COLUMNS, ROWS
from .light import Light
from .solid import Solid

# Light wraps around skin, the red of it furthest.
WRAP = np.array([0.22, 0.12, 0.08], np.float32)
# Shadow map: cells across, mm across; in shadow is what has something nearer to the lamp by BIAS to BIAS + SOFT mm.
_MAP, _SPAN, _BIAS, _SOFT = 112, 330.0, 5.5, 9.0
# Grazing light needs more bias; below this cosine no more.
_GRAZING = 0.25
_EAR_SHADE = SHADE.astype(np.float32)[..., None]


@dataclass(frozen=True)
class Shading:
    """Light on a solid: diffuse light on the surface and on the ears, and each lamp's visibility at each vertex."""

    light: Light
    diffuse: Image
    ears: list[Image]
    visibility: list[Image]


def shadow(solid: Solid, direction: Image, cosine: Image) -> Image:
    """Return (ROWS, COLUMNS) 0 (shadow) … 1: whether a vertex sees a lamp, by a depth map seen from it.

    Args:
        direction: (3,) unit vector towards the lamp.
        cosine: (ROWS, COLUMNS) of the normals with it.
    """
    up = np.array([0, 1, 0]) if abs(direction[1]) < 0.9 else np.array([1, 0, 0])
    across = np.cross(up, direction)
    across /= np.linalg.norm(across)
    frame = np.stack([across, np.cross(direction, across), direction]).astype(np.float32)
    rows = ROWS - 6  # the shoulders throw no shadow on the face
    seen = solid.surface[:rows].reshape(-1, 3) @ frame.T
    seen[:, :2] = (seen[:, :2] + _SPAN / 2) * (_MAP / _SPAN)
    seen = seen.reshape(rows, COLUMNS, 3)
    dense = np.asarray(cv2.resize(seen, (COLUMNS * 2, rows * 2)), np.float32).reshape(-1, 3)
    cell = np.clip(dense[:, :2], 0, _MAP - 1).astype(np.int64)
    depth = np.full(_MAP * _MAP, -1e3, np.float32)
    np.maximum.at(depth, cell[:, 1] * _MAP + cell[:, 0], dense[:, 2])
    kernel = np.ones((3, 3), np.uint8)
    closed = cv2.erode(cv2.dilate(depth.reshape(_MAP, _MAP), kernel), kernel)
    nearest = cv2.remap(closed, seen[..., 0] - 0.5, seen[..., 1] - 0.5, cv2.INTER_LINEAR)
    visible = np.ones((ROWS, COLUMNS), np.float32)
    bias = _BIAS / np.maximum(cosine[:rows], _GRAZING)
    visible[:rows] = 1 - np.clip((nearest - seen[..., 2] - bias) / _SOFT, 0, 1)
    return np.asarray(cv2.GaussianBlur(visible, (5, 5), 1.1), np.float32)


def _ambient(light: Light, normals: Image) -> Image:
    above = normals[..., 1:2] * 0.5 + 0.5
    front = normals[..., 2:3] * 0.5 + 0.5
    base, sky, room = (np.array(c, np.float32) for c in (light.ambient, light.above, light.front))
    return np.asarray(base + sky * above + room * front, np.float32)


def illuminate(solid: Solid, light: Light) -> Shading:
    """Return the light on a solid, whatever the camera."""
    diffuse = _ambient(light, solid.normals) * solid.openness[..., None]
    ears = [_ambient(light, n) * _EAR_SHADE for n in solid.ear_normals]
    visibility = []
    for lamp in light.lamps:
        direction, colour = np.array(lamp.direction, np.float32), np.array(lamp.colour, np.float32)
        cosine = solid.normals @ direction
        visible = shadow(solid, direction, cosine)
        visibility.append(visible)
        amount = visible * (0.5 + 0.5 * solid.openness)
        diffuse += np.clip((cosine[..., None] + WRAP) / (1 + WRAP), 0, 1) * amount[..., None] * colour
        for ear, normals, side in zip(ears, solid.ear_normals, (-1, 1), strict=False):
            seen = np.float32(np.clip(0.55 + 1.2 * direction[0] * side + 0.25 * direction[2], 0.05, 1))
            ear += np.clip((normals @ direction)[..., None] * 0.8 + 0.2, 0, 1) * colour * _EAR_SHADE * seen
    return Shading(light, diffuse, ears, visibility)


def glossy(solid: Solid, shading: Shading, gloss: Image, view: Image) -> Image:
    """Return (ROWS, COLUMNS, 3): the light that the surface reflects towards the unit direction ``view``."""
    result = np.zeros((ROWS, COLUMNS, 3), np.float32)
    for lamp, visible in zip(shading.light.lamps, shading.visibility, strict=True):
        half = np.array(lamp.direction, np.float32) + view
        half /= np.linalg.norm(half) + 1e-6
        cosine = np.clip(solid.normals @ half, 0, 1)
        sheen = cosine**7
        lobe = (0.10 * sheen**3 * cosine + 0.035 * sheen) * visible * gloss
        result += lobe[..., None] * np.array(lamp.colour, np.float32)
    edge = np.clip(1 - np.abs(solid.normals @ view), 0, 1) ** 4
    result += (0.04 * edge * gloss)[..., None] * shading.diffuse
    return result
