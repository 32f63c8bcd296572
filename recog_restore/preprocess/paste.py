"""A restored crop back into the photo that it was taken from: one warp, and a soft mask that hides its edge."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

FEATHER = 16  # pixels of the crop over which it fades out towards its border


def paste(photo: NDArray[np.uint8], crop: NDArray[np.uint8], transform: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return a copy of the photo with the crop where it was taken from.

    Convention: ``transform`` maps pixels of the photo to pixels of the crop, as ``geometry.similarity`` gives it for
    ``canonical_crop``; its inverse is applied to crop and mask at once, bilinearly. A crop that is finer than the photo
    is smoothed first, so that nothing aliases. Pixels outside the crop stay as they are, bit for bit, and what the crop
    shows beyond the photo's edge, which was black there, does not bleed into the photo.

    Args:
        photo: (H, W, 3) uint8.
        crop: (h, w, 3) uint8.
        transform: (2, 3) similarity.
    """
    pasted = photo.copy()
    left, top, right, bottom = _box(photo.shape[:2], crop.shape[:2], transform)
    if left >= right or top >= bottom:
        return pasted
    weights = mask(*crop.shape[:2]) * _seen(photo.shape[:2], crop.shape[:2], transform)
    layers = np.dstack([_smoothed(crop, math.hypot(*transform[:, 0])), weights])
    shifted = np.array(transform, np.float64)
    shifted[:, 2] += shifted[:, :2] @ (left, top)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(layers, shifted, (right - left, bottom - top), flags=flags)
    region = photo[top:bottom, left:right].astype(np.float32)
    blended = region + warped[:, :, 3:] * (warped[:, :, :3] - region)
    pasted[top:bottom, left:right] = np.rint(blended).clip(0, 255).astype(np.uint8)
    return pasted


def mask(height: int, width: int) -> NDArray[np.float32]:
    """Return (height, width) weights in 0…1: 0 on the border, 1 from ``FEATHER`` pixels inside, a cosine between."""
    rows, columns = (_ramp(side) for side in (height, width))
    return np.outer(rows, columns).astype(np.float32)


def _ramp(side: int) -> NDArray[np.float64]:
    inside = np.minimum(np.arange(side), side - 1 - np.arange(side))
    ramp: NDArray[np.float64] = 0.5 - 0.5 * np.cos(np.pi * np.minimum(inside / FEATHER, 1.0))
    return ramp


def _seen(photo: tuple[int, ...], crop: tuple[int, ...], transform: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return (h, w) whether a pixel of the crop and its neighbours were taken from the photo alone."""
    white = np.full(photo, 255, np.uint8)
    taken = cv2.warpAffine(white, transform, crop[::-1], flags=cv2.INTER_LINEAR) == 255
    return np.asarray(cv2.erode(taken.astype(np.uint8), np.ones((3, 3), np.uint8)) == 1)


def _smoothed(crop: NDArray[np.uint8], scale: float) -> NDArray[np.float32]:
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
