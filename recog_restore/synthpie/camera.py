"""The camera: pose, perspective, and a frame in which the true five points lie where the canonical crop has them.

Convention: a point V of the head in mm is turned by R (roll · pitch · yaw), scaled by f pixels per mm and shifted by t;
these twelve numbers, as rows of ``[f·R | t]``, are 3DDFA's pose. With the perspective of a camera at ``distance`` mm a
point lies at ``t + (f·R·V)·distance / (distance − depth)`` where depth is the z of R·V. Image y points down, so the
second row of R is negated; (0, 0) is the centre of the first pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry import CANONICAL_128, CANONICAL_SIZE, similarity
from .fields import Field
from .landmarks import points5


@dataclass(frozen=True)
class Camera:
    """A posed camera.

    ``turn`` (3, 3) rotates the head (x right, y up, z to the camera); ``scale`` is px per mm at the head's origin and
    ``centre`` (2,) its pixel; ``distance`` in mm; ``size`` of the square picture in pixels.
    """

    turn: Field
    scale: float
    centre: Field
    distance: float
    size: int

    def project(self, points: NDArray[np.floating]) -> Field:
        """Return (..., 3) pixel x, pixel y and depth in mm (larger is nearer) of points (..., 3) mm."""
        turned = points @ self.turn.T
        k = self.scale * self.distance / (self.distance - turned[..., 2])
        return np.stack([self.centre[0] + turned[..., 0] * k, self.centre[1] - turned[..., 1] * k, turned[..., 2]], -1)

    def finer(self, factor: float) -> Camera:
        """Return the same view on a picture with ``factor`` times the pixels across."""
        size = round(self.size * factor)
        q = size / self.size
        return Camera(self.turn, self.scale * q, (self.centre + 0.5) * q - 0.5, self.distance, size)

    def pose(self) -> Field:
        """Return 3DDFA's (12,) pose parameters, rows of the 3×4 matrix [f·R | t], y down."""
        down = np.diag([1.0, -1.0, 1.0])
        return np.hstack([self.scale * down @ self.turn, np.append(self.centre, 0.0)[:, None]]).reshape(-1)


def rotation(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> Field:
    """Return the (3, 3) rotation; degrees, positive yaw turns the face to the image's right, positive pitch downwards,
    positive roll counter-clockwise in the image.
    """
    (cy, cp, cr), (sy, sp, sr) = np.cos(np.deg2rad([yaw, pitch, roll])), np.sin(np.deg2rad([yaw, pitch, roll]))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    turn: Field = about_z @ about_x @ about_y
    return turn


def angles(turn: Field) -> tuple[float, float, float]:
    """Return yaw, pitch and roll in degrees of a rotation with |pitch| < 90°; the inverse of ``rotation``."""
    yaw, pitch = np.arctan2(-turn[2, 0], turn[2, 2]), np.arcsin(np.clip(turn[2, 1], -1, 1))
    roll = np.arctan2(-turn[0, 1], turn[1, 1])
    return float(np.rad2deg(yaw)), float(np.rad2deg(pitch)), float(np.rad2deg(roll))


def frame(
    landmarks: Field,
    yaw: float,
    pitch: float,
    roll: float,
    *,
    distance: float,
    size: int,
    shift: tuple[float, float] = (0.0, 0.0),
    zoom: float = 1.0,
) -> Camera:
    """Return the camera in which the five points lie as the canonical crop wants them.

    The similarity of the crop is absorbed into the camera: its scale, its shift and its turn in the image; ``roll``,
    ``zoom`` and ``shift`` (in pixels of a 128-pixel picture) come on top, about the middle of the picture.

    Args:
        landmarks: (68, 3) mm.
    """
    plain = Camera(rotation(yaw, pitch), 1.0, np.zeros(2), distance, size)
    upright = plain.project(points5(landmarks))[:, :2]
    q = size / CANONICAL_SIZE
    align = similarity(upright, (CANONICAL_128 + 0.5) * q - 0.5)
    scale = float(np.hypot(align[0, 0], align[1, 0]))
    turn = np.rad2deg(np.arctan2(align[0, 1], align[0, 0]))  # y down: this is counter-clockwise as seen
    middle = (size - 1) / 2
    c, s = np.cos(np.deg2rad(roll)), np.sin(np.deg2rad(roll))
    offset = zoom * np.array([[c, s], [-s, c]]) @ (align[:, 2] - middle) + middle
    return Camera(rotation(yaw, pitch, turn + roll), scale * zoom, offset + np.array(shift) * q, distance, size)
