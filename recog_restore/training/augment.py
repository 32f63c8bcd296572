"""Augmentation of batches: so that recognition rests on the face, not on tone, hair, framing or sharpness.

Convention: canvases are canonical 128×128 crops; the window of a named crop is cut out, jittered and scaled in one
bilinear warp (``align_corners=False``, reflected border). All randomness comes from the generator; the numbers are
drawn on its device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from ..geometry import CANONICAL_SIZE, CROPS
from ..networks.cards import InputCard

# ITU-R BT.601 luma.
_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Augment:
    """Strengths; 0 leaves a step out.

    Attributes:
        flip: probability of a mirrored face.
        shift: deviation of the window's place, pixels of the canonical crop.
        zoom: deviation of its size, as a part of it.
        turn: deviation of its angle in degrees.
        gain, colour, gamma: deviation of the logarithm of brightness, of each channel's gain, and of the exponent.
        saturation: deviation of the saturation, as a part of it.
        grey: probability of a grey image.
        low: probability of a low resolution, down to ``lowest`` of the size and up again.
        lowest: the smallest part.
        blur: probability of a blur with a deviation of up to 2 % of the width.
        noise: largest deviation of pixel noise, on [0, 1].
        erase: probability of a rectangle of one colour, with sides of a tenth to two fifths.
    """

    flip: float = 0.5
    shift: float = 2.0
    zoom: float = 0.05
    turn: float = 3.0
    gain: float = 0.18
    colour: float = 0.09
    gamma: float = 0.18
    saturation: float = 0.25
    grey: float = 0.15
    low: float = 0.2
    lowest: float = 0.3
    blur: float = 0.1
    noise: float = 0.03
    erase: float = 0.2

    def __call__(self, canvases: Tensor, crop: str, size: tuple[int, int], generator: torch.Generator) -> Tensor:
        """Return (B, 3, *size) float32 in [0, 1] from (B, 128, 128, 3) uint8 canvases on the generator's device."""
        images = canvases.permute(0, 3, 1, 2).float().div_(255.0)
        draw = _Draw(len(images), generator)
        images = self._warped(images, crop, size, draw)
        images = self._toned(images, draw)
        images = self._coarse(images, draw)
        images = self._blurred(images, draw)
        if self.noise:
            amount = self.noise * draw.uniform()
            images = images + amount * torch.randn(images.shape, generator=generator, device=images.device)
        return self._erased(images, draw).clamp_(0, 1)

    def _warped(self, images: Tensor, crop: str, size: tuple[int, int], draw: _Draw) -> Tensor:
        zoom, turn = 1 + self.zoom * draw.normal(), math.radians(self.turn) * draw.normal()
        mirror = torch.where(draw.uniform() < self.flip, -1.0, 1.0)
        shift = self.shift * draw.normal(2) * (2 / CANONICAL_SIZE)
        (height, width), (centre_y, centre_x) = _window(crop)
        cosine, sine = (zoom * turn.cos()).flatten(), (zoom * turn.sin()).flatten()
        theta = torch.empty(len(images), 2, 3, device=images.device)
        theta[:, 0, 0], theta[:, 0, 1] = width * cosine * mirror.flatten(), -height * sine
        theta[:, 1, 0], theta[:, 1, 1] = width * sine * mirror.flatten(), height * cosine
        theta[:, 0, 2], theta[:, 1, 2] = centre_x + shift[:, 0].flatten(), centre_y + shift[:, 1].flatten()
        grid = affine_grid(theta, [len(images), 3, *size], align_corners=False)
        return grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)

    def _toned(self, images: Tensor, draw: _Draw) -> Tensor:
        gain = torch.exp(self.gain * draw.normal() + self.colour * draw.normal(3))
        images = images.clamp(1e-4, 1).pow(torch.exp(self.gamma * draw.normal())) * gain
        saturation = (1 + self.saturation * draw.normal()).clamp(0.2, 1.6)
        saturation = torch.where(draw.uniform() < self.grey, 0.0, saturation)
        return torch.lerp(_luma(images), images, saturation)

    def _coarse(self, images: Tensor, draw: _Draw) -> Tensor:
        """Lower the resolution of some; all of a batch have the same, one of two directions of scaling back."""
        chosen = draw.uniform().flatten() < self.low
        part = self.lowest + (1 - self.lowest) * float(draw.one())
        if not chosen.any():
            return images
        small = [max(4, round(side * part)) for side in images.shape[2:]]
        low = interpolate(images[chosen], small, mode="bilinear", antialias=True)
        images[chosen] = interpolate(low, images.shape[2:], mode="bilinear")
        return images

    def _blurred(self, images: Tensor, draw: _Draw) -> Tensor:
        chosen = draw.uniform().flatten() < self.blur
        deviation = 0.02 * images.shape[3] * float(draw.one()) + 0.1
        if not chosen.any():
            return images
        reach = math.ceil(3 * deviation)
        taps = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
        taps = torch.exp(-0.5 * (taps / deviation).square())
        taps = (taps / taps.sum()).expand(3, 1, -1)
        padded = torch.nn.functional.pad(images[chosen], (reach,) * 4, mode="replicate")
        rows = torch.nn.functional.conv2d(padded, taps[:, :, None, :], groups=3)
        images[chosen] = torch.nn.functional.conv2d(rows, taps[:, :, :, None], groups=3)
        return images

    def _erased(self, images: Tensor, draw: _Draw) -> Tensor:
        height, width = images.shape[2:]
        side, place, colour = 0.1 + 0.3 * draw.uniform(2), draw.uniform(2), draw.uniform(3)
        chosen = draw.uniform() < self.erase
        y = torch.linspace(0, 1, height, device=images.device)[:, None]
        x = torch.linspace(0, 1, width, device=images.device)[None, :]
        top, left = place[:, :1] * (1 - side[:, :1]), place[:, 1:] * (1 - side[:, 1:])
        inside = (y >= top) & (y <= top + side[:, :1]) & (x >= left) & (x <= left + side[:, 1:])
        return torch.where(inside & chosen, colour, images)


class _Draw:
    """Random numbers for every image of a batch, shaped (B, C, 1, 1)."""

    def __init__(self, batch: int, generator: torch.Generator) -> None:
        self._batch, self._generator = batch, generator

    def uniform(self, channels: int = 1) -> Tensor:
        """Return numbers in [0, 1)."""
        shape = (self._batch, channels, 1, 1)
        return torch.rand(shape, generator=self._generator, device=self._generator.device)

    def normal(self, channels: int = 1) -> Tensor:
        """Return standard normal numbers."""
        shape = (self._batch, channels, 1, 1)
        return torch.randn(shape, generator=self._generator, device=self._generator.device)

    def one(self) -> Tensor:
        """Return one number in [0, 1) for all."""
        return torch.rand((), generator=self._generator, device=self._generator.device)


def network_input(images: Tensor, card: InputCard) -> Tensor:
    """Return a network's input from (B, 3, h, w) float32 RGB in [0, 1]: the card's colour and range."""
    if card.colour == "bgr":
        images = images.flip(1)
    elif card.colour == "grey":
        images = _luma(images)
    return images * (255.0 / card.std) - card.mean / card.std


def _luma(images: Tensor) -> Tensor:
    return (images * images.new_tensor(_LUMA)[:, None, None]).sum(1, keepdim=True)


def _window(crop: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return half sides (height, width) and centre (y, x) of a crop in the canvas, which spans −1 … 1."""
    rows, columns = CROPS[crop]
    sides = [(s.stop - s.start) / CANONICAL_SIZE for s in (rows, columns)]
    centres = [(s.stop + s.start) / CANONICAL_SIZE - 1 for s in (rows, columns)]
    return (sides[0], sides[1]), (centres[0], centres[1])
