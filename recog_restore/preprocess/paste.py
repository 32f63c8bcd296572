"""Restored crops back into the photo that they were taken from: one warp each, and a soft ellipse about the face."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..geometry import CANONICAL_128

# The ellipse about a face of the canonical crop, temple to temple and hairline to chin: its centre and half axes.
CENTRE = CANONICAL_128.mean(axis=0)
AXES = np.array(
    [
        1.25 * (CANONICAL_128[1, 0] - CANONICAL_128[0, 0]),
        1.3 * (CANONICAL_128[3:, 1].mean() - CANONICAL_128[:2, 1].mean()),
    ]
)
WHOLE = 0.7  # of the half axes, within which the crop alone is seen; from there to the ellipse it fades out
_BETWEEN = 0.03  # half axes over which one face goes over into the next
_LIGHT = 8.0  # pixels of the crop: the standard deviation of the blur that leaves colours and light only

Image = NDArray[np.uint8]


def paste(
    photo: Image,
    crops: Sequence[Image],
    transforms: Sequence[NDArray[np.floating]],
    kept: Sequence[NDArray[np.floating]] = (),
) -> Image:
    """Return a copy of the photo with each crop's face where it was taken from; where faces meet, the nearer is seen.

    Convention: a transform maps pixels of the photo to pixels of the crop, as ``geometry.similarity`` gives it for
    ``canonical_crop``; its inverse is applied bilinearly. A crop that is finer than the photo is smoothed first, so
    that nothing aliases. Pixels outside the ellipses stay as they are, bit for bit, and what a crop shows beyond the
    photo's edge, which was black there, does not bleed into the photo. The order of the faces makes no difference but
    for rounding.

    Args:
        photo: (H, W, 3) uint8.
        crops: (128, 128, 3) uint8 each.
        transforms: (2, 3) similarities, one per crop.
        kept: of the photo's other faces, which stay as they are.
    """
    pasted = photo.copy()
    for index, (crop, transform) in enumerate(zip(crops, transforms, strict=True)):
        left, top, right, bottom = _box(photo.shape[:2], crop.shape[:2], transform)
        if left >= right or top >= bottom:
            continue
        seen = _seen(photo.shape[:2], crop.shape[:2], transform)
        layers = np.dstack([_smoothed(crop, math.hypot(*transform[:, 0])), seen])
        here = _moved(transform, left, top)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = cv2.warpAffine(layers, here, (right - left, bottom - top), flags=flags)
        others = [_moved(other, left, top) for other in [*transforms[:index], *transforms[index + 1 :], *kept]]
        weights = warped[:, :, 3] * _weights((bottom - top, right - left), here, others)
        change = weights[:, :, None] * (warped[:, :, :3] - photo[top:bottom, left:right])
        region = pasted[top:bottom, left:right]
        region[:] = np.rint(region + change).clip(0, 255)
    return pasted


def mask(distance: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return weights in 0…1 at these distances from a face: 1 within ``WHOLE``, 0 from 1 on, a cosine between."""
    weights: NDArray[np.float64] = 0.5 + 0.5 * np.cos(np.pi * ((distance - WHOLE) / (1.0 - WHOLE)).clip(0.0, 1.0))
    return weights


def distance(size: tuple[int, int], transform: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return (H, W) how far each pixel of a photo is from a face: 0 in its middle, 1 on the ellipse about it."""
    rows, columns = np.arange(size[0])[:, None], np.arange(size[1])
    x, y = (
        (transform[axis, 0] * columns + transform[axis, 1] * rows + transform[axis, 2] - CENTRE[axis]) / AXES[axis]
        for axis in (0, 1)
    )
    return np.asarray(np.hypot(x, y), np.float64)


def relit(crop: Image, original: Image) -> Image:
    """Return the detail of a (128, 128, 3) uint8 crop in the colours and the light of the original crop."""
    ours, theirs = crop.astype(np.float32), original.astype(np.float32)
    light = cv2.GaussianBlur(theirs - ours, (0, 0), _LIGHT, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.rint(ours + light).clip(0, 255), np.uint8)


def _weights(
    size: tuple[int, int], transform: NDArray[np.floating], others: Sequence[NDArray[np.floating]]
) -> NDArray[np.float64]:
    """Return the mask of a face, less what belongs to the others: its share is ½ where another one is as near."""
    own = distance(size, transform)
    weights = mask(own)
    rivals = np.zeros_like(own)
    for other in others:
        rivals += np.exp(((own - distance(size, other)) / _BETWEEN).clip(-40.0, 40.0))
    return np.asarray(weights / (1.0 + rivals), np.float64)


def _moved(transform: NDArray[np.floating], left: int, top: int) -> NDArray[np.float64]:
    """Return the transform for a part of the photo that begins there."""
    moved = np.array(transform, np.float64)
    moved[:, 2] += moved[:, :2] @ (left, top)
    return moved


def _seen(photo: tuple[int, ...], crop: tuple[int, ...], transform: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return (h, w) whether a pixel of the crop and its neighbours were taken from the photo alone."""
    white = np.full(photo, 255, np.uint8)
    taken = cv2.warpAffine(white, transform, crop[::-1], flags=cv2.INTER_LINEAR) == 255
    return np.asarray(cv2.erode(taken.astype(np.uint8), np.ones((3, 3), np.uint8)) == 1)


def _smoothed(crop: Image, scale: float) -> NDArray[np.float32]:
    """Return the crop without the detail that a photo with ``scale`` times fewer pixels cannot hold."""
    pixels = crop.astype(np.float32)
    if scale <= 1:
        return pixels
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.5 * math.sqrt(scale**2 - 1)), np.float32)


def _box(photo: tuple[int, ...], crop: tuple[int, ...], transform: NDArray[np.floating]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the photo's pixels that the crop covers; right and bottom are excluded."""
    (height, width), (rows, columns) = photo, crop
    corners = np.array([[0, 0], [columns - 1, 0], [0, rows - 1], [columns - 1, rows - 1]], np.float64)
    inverse = cv2.invertAffineTransform(np.asarray(transform, np.float64))
    found = corners @ inverse[:, :2].T + inverse[:, 2]
    (left, top), (right, bottom) = np.floor(found.min(axis=0)), np.ceil(found.max(axis=0)) + 1
    return max(0, int(left)), max(0, int(top)), min(width, int(right)), min(height, int(bottom))
