"""Whether five points can be those of a face, from the points alone: order, axes, unit and scale.

A face is measured from the middle of its mouth corners up to the middle of its eyes. In units of that height, along the
perpendicular to it, lie the second eye from the first and the second mouth corner from the first; along it lies the
nose. Measured on 9,250 landmarks of LFW, 5,599 of CFP (profiles too) and 4,302 of SynthPIE (0 to 90 degrees):

=============  ==============  ==============  ==============
               LFW             CFP             SynthPIE
=============  ==============  ==============  ==============
eyes           0.13 … 1.22     −0.30 … 1.20    −0.19 … 1.13
mouth          0.13 … 1.05     −0.23 … 1.14    −0.15 … 1.00
nose           0.22 … 0.64     0.28 … 0.67     0.21 … 0.59
thinness       0.40 … 1.00     0.17 … 1.00     0.33 … 1.00
turn, degrees  −41 … 28        −53 … 46        −5 … 5
=============  ==============  ==============  ==============

The residual of the alignment alone does not tell full profiles (up to 0.55 eye distances) from coordinates in the order
x1 … x5, y1 … y5 (0.48 on LFW in the median). It does where the eyes lie apart: beyond 0.6 of the height no residual of
a face is above 0.28, and none of a face in that other order below 0.27.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..geometry import ARCFACE_112

Floats = NDArray[np.float64]

_LEAST = 2.0  # pixels
_THIN = 0.1
_SWAPPED = -0.35
_TURNED = 135.0  # degrees; a face that lies on its side is turned by 90
_WIDE = 2.5  # a head that nods is lower than any of the table, so its eyes and mouth are wider
_NOSE = (-0.25, 1.25)
_APART, _MISFIT = 0.6, 0.3
_EYES = float(np.hypot(*(ARCFACE_112[1] - ARCFACE_112[0])))


class _Shape(NamedTuple):
    """(M,) each, see the module; ``extent`` is the longer side of the points' box in pixels."""

    extent: Floats
    thinness: Floats
    eyes: Floats
    mouth: Floats
    nose: Floats
    turn: Floats


def faults(landmarks: NDArray[np.floating]) -> list[str]:
    """Return why the points of each face cannot be a face's, or "" where they can or are unknown.

    Args:
        landmarks: (M, 5, 2) pixels, NaN where unknown.
    """
    with np.errstate(all="ignore"):
        shape = _shape(np.asarray(landmarks, np.float64))
        found = {
            "all five lie within 2 pixels; are they parts of the image's size?": shape.extent < _LEAST,
            "they lie on a line": shape.thinness < _THIN,
            "the eyes are swapped": shape.eyes < _SWAPPED,
            "the mouth corners are swapped": shape.mouth < _SWAPPED,
            "the eyes lie below the mouth": np.abs(shape.turn) > _TURNED,
            "they have not the shape of a face": (np.maximum(shape.eyes, shape.mouth) > _WIDE)
            | (shape.nose < _NOSE[0])
            | (shape.nose > _NOSE[1]),
        }
    return [str(text) for text in np.select(list(found.values()), list(found), "")]


def unusual(landmarks: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return (M,) whether the points have a shape that no face of LFW, CFP or SynthPIE has; false where unknown."""
    with np.errstate(all="ignore"):
        odd = (_shape(np.asarray(landmarks, np.float64)).eyes > _APART) & (misfit(landmarks) > _MISFIT)
    return odd | np.array([bool(fault) for fault in faults(landmarks)], np.bool_)


def misfit(landmarks: NDArray[np.floating]) -> Floats:
    """Return (M,) the root of the mean squared distance to the template after alignment, in its eye distances."""
    target = ARCFACE_112 - ARCFACE_112.mean(axis=0)
    source = landmarks - landmarks.mean(axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        spread = (source * source).sum(axis=(1, 2))
        along = (source * target).sum(axis=(1, 2))
        across = (source[:, :, 0] * target[:, 1] - source[:, :, 1] * target[:, 0]).sum(axis=1)
        left = (target * target).sum() - (along**2 + across**2) / spread
    return np.asarray(np.sqrt(np.maximum(left, 0.0) / 5) / _EYES, np.float64)


def _shape(points: Floats) -> _Shape:
    centred = points - points.mean(axis=1, keepdims=True)
    xx, yy = (centred * centred).mean(axis=1).T
    xy = (centred[:, :, 0] * centred[:, :, 1]).mean(axis=1)
    middle, radius = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    eyes, mouth = points[:, :2].mean(axis=1), points[:, 3:].mean(axis=1)
    up = eyes - mouth
    height = np.hypot(*up.T)
    right = np.stack([-up[:, 1], up[:, 0]], axis=1)

    def beside(first: int, second: int) -> Floats:
        found: Floats = ((points[:, second] - points[:, first]) * right).sum(axis=1) / height**2
        return found

    return _Shape(
        extent=np.ptp(points, axis=1).max(axis=1),
        thinness=np.sqrt(np.maximum(middle - radius, 0.0) / (middle + radius)),
        eyes=beside(0, 1),
        mouth=beside(3, 4),
        nose=((points[:, 2] - mouth) * up).sum(axis=1) / height**2,
        turn=np.degrees(np.arctan2(up[:, 0], -up[:, 1])),
    )
