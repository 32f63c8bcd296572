"""A view: what one camera sees of one solid, kept to be developed under many lights."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from .camera import Camera
from .canvas import TEXELS
from .fields import Field, Image
from .raster import Grid, Visible, rasterize
from .shading import Shading, glossy
from .solid import Solid
from .texture import Texture

SUPERSAMPLING = 1.5
_EAR_TINT = np.array([1.0, 0.92, 0.92], np.float32)
_TONES = np.clip((np.arange(4096) / 4095.0) ** (1 / 2.2) * 255 + 0.5, 0, 255).astype(np.uint8)


class View:
    """What a camera sees of a solid before a background: the costly part of a picture, whatever the light.

    Args:
        solid, texture: the head.
        camera: where from.
        background: (S, S, 3) linear light, S = ``fine_size`` of the picture's size.
    """

    def __init__(self, solid: Solid, texture: Texture, camera: Camera, background: Image) -> None:
        self.solid, self.texture, self.camera = solid, texture, camera
        self.fine = camera.finer(SUPERSAMPLING)
        self._background = background
        grids = [self._grid(solid.surface, False)] + [self._grid(ear, True) for ear in solid.ears]
        self.seen: Visible = rasterize(grids, self.fine.size)
        self.direction: Image = (camera.turn.T @ [0, 0, 1]).astype(np.float32)
        self._albedo = self._sample(texture.opened(solid.gap), TEXELS)

    @staticmethod
    def fine_size(size: int) -> int:
        """Return how many pixels across a picture of ``size`` pixels is rendered with."""
        return round(size * SUPERSAMPLING)

    def _grid(self, points: Image, double_sided: bool) -> Grid:
        x, y, depth = np.moveaxis(self.fine.project(points).astype(np.float32), -1, 0)
        return Grid(x, y, depth, double_sided)

    def _sample(self, field: Image, density: int = 1) -> Image:
        column, row = self.seen.column, self.seen.row
        if density != 1:
            column, row = column * density, row * density
        return np.asarray(cv2.remap(field, column, row, cv2.INTER_LINEAR), np.float32)

    @cached_property
    def covered(self) -> NDArray[np.bool_]:
        """Return (S, S) bool at the supersampled size: the pixel shows the head."""
        return self.seen.grid >= 0

    def expose(self, shading: Shading) -> Image:
        """Return the (size, size, 3) linear light that reaches the camera."""
        picture = self._albedo * self._sample(shading.diffuse)
        picture += self._sample(glossy(self.solid, shading, self.texture.gloss, self.direction))
        for number, ear in enumerate(shading.ears, start=1):
            mask = self.seen.grid == number
            if mask.any():
                picture[mask] = self._sample(ear)[mask] * (self.texture.skin * _EAR_TINT) ** 2.2
        np.copyto(picture, self._background, where=~self.covered[..., None])
        size = (self.camera.size, self.camera.size)
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)

    def depth(self) -> Image:
        """Return (size, size) float32 depth in mm along the camera's axis, larger is nearer, NaN where no head is."""
        depth = np.where(self.covered, self.seen.depth, np.nan).astype(np.float32)
        size = (self.camera.size, self.camera.size)
        return np.asarray(cv2.resize(depth, size, interpolation=cv2.INTER_NEAREST), np.float32)

    def sees(self, points: Field, tolerance: float = 4.0) -> NDArray[np.bool_]:
        """Return (K,) bool: points (K, 3) mm in the picture, less than ``tolerance`` mm behind what it shows."""
        projected = self.fine.project(points)
        pixel = np.round(projected[:, :2]).astype(np.int64)
        inside = ((pixel >= 0) & (pixel < self.fine.size)).all(axis=1)
        x, y = np.clip(pixel, 0, self.fine.size - 1).T
        return np.asarray(inside & (self.seen.depth[y, x] < projected[:, 2] + tolerance))


def develop(light: Image, exposure: Image | float) -> NDArray[np.uint8]:
    """Return the uint8 photo of linear light (H, W, 3): a soft shoulder, then gamma 2.2."""
    x = np.clip(light * exposure, 0, 3.0)
    x = x / (1 + 0.12 * x * x)
    photo: NDArray[np.uint8] = _TONES[np.clip(x * 4095, 0, 4095).astype(np.int16)]
    return photo
