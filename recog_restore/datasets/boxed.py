"""A face of an image that shows more: cut out with its surroundings when it is read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..decode import read_image
from ..errors import DataError


@dataclass(frozen=True)
class BoxedFace:
    """The part of an image around a box.

    Attributes:
        path: of the image.
        box: left, top, width and height in pixels.
        margin: by which the box is widened on each side, in parts of its size.
    """

    path: Path
    box: tuple[float, float, float, float]
    margin: float

    def digest(self) -> str:
        """Return a SHA-256 of the file's bytes and of the box; of the box alone where there is no file."""
        content = self.path.read_bytes() if self.path.is_file() else b""
        return hashlib.sha256(content + f"\0{self.box!r}\0{self.margin!r}".encode()).hexdigest()

    def read(self) -> NDArray[np.uint8]:
        """Return (H, W, 3) uint8 RGB: what of the widened box lies in the image.

        Raises:
            DataError: the image cannot be read, or the box lies outside it.
        """
        image = read_image(self.path)
        left, top, right, bottom = self.edges()
        part = image[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        if not part.size:
            size = f"{image.shape[1]}×{image.shape[0]}"
            raise DataError(f"the box {self.box} lies outside the image of {size} px")
        return np.ascontiguousarray(part)

    def edges(self) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom of the widened box, in whole pixels; they may lie outside the image."""
        left, top, width, height = self.box
        x, y = self.margin * width, self.margin * height
        return round(left - x), round(top - y), round(left + width + x), round(top + height + y)
