"""Preprocessors without weights: the untouched baseline, a demonstration degrader, and two classical enhancements."""

from __future__ import annotations

import math
from typing import Annotated

import cv2
import torch
from torch import Tensor

from ..degrade import bicubic_matrix
from ..errors import RecordError
from ..faces import to_float, to_uint8
from ..geometry import CANONICAL_SIZE
from ..records import Range
from .base import Card, Preprocessor


class Untouched(Preprocessor):
    """The baseline of every report."""

    card = Card("none", "none", "untouched")

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        """Return the images."""
        return images


class BicubicDown(Preprocessor):
    """Reduces the crop n times (antialiased bicubic) and enlarges it again: it can only harm."""

    def __init__(self, n: int, strength: float = 1.0) -> None:
        super().__init__(strength)
        self.card = Card(f"bicubic-down{n}", "degrade", f"reduced {n} times and enlarged again, bicubic")
        self.factor = n

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        """Return M·x·Mᵀ for each channel x, M being reduction and enlargement in one matrix."""
        height, width = images.shape[2:]
        rows, columns = (self._matrix(side).to(images) for side in (height, width))
        return rows @ images @ columns.T

    def _matrix(self, side: int) -> Tensor:
        small = max(1, round(side / self.factor))
        return torch.from_numpy(bicubic_matrix(small, side) @ bicubic_matrix(side, small))


class Clahe(Preprocessor):
    """Contrast-limited adaptive histogram equalisation of the lightness.

    Works on 8 bits, as the method is defined. The defaults are those of OpenCV's tutorial.

    Source: Zuiderveld, "Contrast limited adaptive histogram equalization", Graphics Gems IV, 1994.
    """

    def __init__(
        self, clip: float = 2.0, tiles: Annotated[int, Range(1, CANONICAL_SIZE)] = 8, strength: float = 1.0
    ) -> None:
        super().__init__(strength)
        if clip <= 0 or tiles < 1:
            raise RecordError(f"clahe: expected clip > 0 and tiles >= 1, got clip={clip:g}, tiles={tiles}")
        self.card = Card("clahe", "enhance", f"CLAHE of the lightness, clip {clip:g}, {tiles}×{tiles} tiles")
        self.clip, self.tiles = clip, tiles

    def settings(self) -> dict[str, object]:
        """Return strength, clip and tiles."""
        return {**super().settings(), "clip": self.clip, "tiles": self.tiles}

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        """Return the images with L of L*a*b* equalised."""
        clahe = cv2.createCLAHE(self.clip, (self.tiles, self.tiles))
        pixels = to_uint8(images)
        for row, image in enumerate(pixels):
            lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
            lab[:, :, 0] = clahe.apply(lab[:, :, 0])
            pixels[row] = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
        return to_float(pixels, images.device)


class Gamma(Preprocessor):
    """Brightens each face to a mean luminance of one half, by the one exponent that does it.

    ``limit`` bounds the exponent to [1/limit, limit], so that a black face is not made of noise.
    """

    def __init__(self, limit: float = 3.0, strength: float = 1.0) -> None:
        super().__init__(strength)
        if limit < 1:
            raise RecordError(f"gamma: expected limit >= 1, got {limit:g}")
        self.card = Card("gamma", "enhance", f"gamma that brings the mean to one half, at most {limit:g}")
        self.limit = limit

    def settings(self) -> dict[str, object]:
        """Return strength and limit."""
        return {**super().settings(), "limit": self.limit}

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        """Return images ** γ with γ = log ½ / log(mean), bounded."""
        mean = images.mean(dim=(1, 2, 3)).clamp(1e-6, 1 - 1e-6)
        exponent = (math.log(0.5) / mean.log()).clamp(1 / self.limit, self.limit)
        brighter: Tensor = images ** exponent[:, None, None, None]
        return brighter
