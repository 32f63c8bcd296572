"""Alignment: five points, a least-squares similarity, and the one canonical crop.

Convention: points are ``(x, y)`` in pixels, x to the right, y down, (0, 0) the centre of the first pixel, in the order
eye on the image's left, eye on its right, nose tip, mouth corner on the left, on the right. A transform is a 2×3
float64 matrix that maps source points to crop points. Warps are bilinear with a black border, as insightface's.

One 128×128 crop serves every network; the recognition crops are windows of it, so nothing is resampled twice.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import ConventionError

CANONICAL_SIZE = 128

# insightface, python-package/insightface/utils/face_align.py (arcface_dst), for a 112×112 crop.
ARCFACE_112 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
# The same points in the 128×128 crop: 8 columns further right, so that the 112×112 crop is a window of it.
CANONICAL_128 = ARCFACE_112 + np.array([8.0, 0.0])

# The same points of a mean head in mm: x to the right of a frontal image, y up, z forwards (SynthPIE's mean head).
HEAD_5 = np.array(
    [[-31.8, 0.2, 76.9], [31.8, 0.2, 76.9], [0.0, -40.2, 115.7], [-26.4, -69.5, 82.8], [26.4, -69.5, 82.8]]
)

Crop = Literal["arcface-112", "sphereface-112x96", "canonical-128"]
# Rows and columns of the canonical crop. SphereFace's template is ArcFace's 8 columns further left.
CROPS: dict[str, tuple[slice, slice]] = {
    "arcface-112": (slice(0, 112), slice(8, 120)),
    "sphereface-112x96": (slice(0, 112), slice(16, 112)),
    "canonical-128": (slice(0, 128), slice(0, 128)),
}


def crop_size(crop: str) -> tuple[int, int]:
    """Return height and width of a named crop in pixels."""
    rows, columns = CROPS[crop]
    return rows.stop - rows.start, columns.stop - columns.start


def similarity(source: NDArray[np.floating], target: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the 2×3 similarity (rotation, one scale, translation; no reflection) that best maps source to target.

    Args:
        source, target: (K, 2) points, K ≥ 2.

    Raises:
        ConventionError: shapes differ, a value is not finite, or all source points coincide.

    Source: Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    TPAMI 13(4), 1991, equations 40-43; in the plane the rotation has the closed form used here.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 2 or len(source) < 2:
        raise ConventionError(f"expected two (K, 2) arrays of points, K >= 2; got {source.shape} and {target.shape}")
    centre_s, centre_t = source.mean(axis=0), target.mean(axis=0)
    s, t = source - centre_s, target - centre_t
    spread = float((s * s).sum())
    if not (np.isfinite(spread) and np.isfinite(t).all()):
        raise ConventionError("a landmark is not a finite number")
    if spread < 1e-12:
        raise ConventionError("all landmarks coincide")
    a = float((s * t).sum()) / spread
    b = float((s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0]).sum()) / spread
    rotation = np.array([[a, -b], [b, a]])
    return np.hstack([rotation, (centre_t - rotation @ centre_s)[:, None]])


def face_size(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return (M,) sizes in pixels: the distance between the eyes that a frontal face has at the same scale.

    It is the template's eye distance over the scale of ``similarity``, so that a profile, whose eyes nearly coincide in
    the image, is as large as the frontal face beside it. NaN where a landmark is.

    Args:
        landmarks: (M, 5, 2) pixels in the original images.
    """
    source = landmarks - landmarks.mean(axis=1, keepdims=True)
    target = ARCFACE_112 - ARCFACE_112.mean(axis=0)
    spread = (source * source).sum(axis=(1, 2))
    along = (source * target).sum(axis=(1, 2))
    across = (source[:, :, 0] * target[:, 1] - source[:, :, 1] * target[:, 0]).sum(axis=1)
    eyes = np.hypot(*(ARCFACE_112[1] - ARCFACE_112[0]))
    size: NDArray[np.float64] = eyes * spread / np.maximum(np.hypot(along, across), 1e-12)
    return size


def head_yaw(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return (M,) the turn of each head in degrees, 0 for a frontal face and 90 for a profile, whichever the side.

    It is that of a mean head whose five points, seen from afar, fit best. NaN where a landmark is.

    Args:
        landmarks: (M, 5, 2) pixels.

    Source: DeMenthon, Davis, "Model-based object pose in 25 lines of code", IJCV 15 (1995), its first step.
    """
    head = HEAD_5 - HEAD_5.mean(axis=0)
    points = landmarks - landmarks.mean(axis=1, keepdims=True)
    affine = np.swapaxes(np.linalg.pinv(head) @ points, 1, 2)
    known = np.isfinite(affine).all(axis=(1, 2))
    left, _, right = np.linalg.svd(np.where(known[:, None, None], affine, 0.0), full_matrices=False)
    rows = left @ right
    forwards = np.cross(rows[:, 0], rows[:, 1])[:, 2]
    yaw: NDArray[np.float64] = np.degrees(np.arctan2(np.abs(rows[:, 0, 2]), np.abs(forwards)))
    return np.where(known, yaw, np.nan)


def canonical_crop(image: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return the 128×128 crop of an RGB image, warped once.

    Args:
        image: (H, W, 3) uint8.
        landmarks: (5, 2) pixels in that image.

    Raises:
        ConventionError: the landmarks determine no similarity.
    """
    size = (CANONICAL_SIZE, CANONICAL_SIZE)
    crop = cv2.warpAffine(image, similarity(landmarks, CANONICAL_128), size, flags=cv2.INTER_LINEAR)
    return crop.astype(np.uint8, copy=False)


def place_crop(image: NDArray[np.uint8], crop: str) -> NDArray[np.uint8]:
    """Return the 128×128 canvas that holds an already aligned crop in its window, pixel for pixel; the rest is black.

    Args:
        image: (h, w, 3) uint8 of the named crop's size.

    Raises:
        ConventionError: the image has another size.
    """
    expected = (*crop_size(crop), 3)
    if image.shape != expected:
        raise ConventionError(f"an aligned {crop} crop has shape {expected}; got {image.shape}")
    canvas = np.zeros((CANONICAL_SIZE, CANONICAL_SIZE, 3), np.uint8)
    canvas[CROPS[crop]] = image
    return canvas
