"""The shape model: 40 identity and 10 expression displacement fields over the mean head.

A head is ``MEAN + Σ identity[i] · IDENTITY[i] + Σ expression[j] · EXPRESSION[j]``, linear like 3DDFA's; one unit of an
identity coefficient is about one standard deviation, one of an expression coefficient a full expression.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .fields import Field, bell, dome, pair, ridge, smoothstep
from .head import AZIMUTH, FRONT, MEAN, ROWS, SKULL

_BX, _BY = SKULL[..., 0], SKULL[..., 1]
_X, _Y, _Z = MEAN[..., 0], MEAN[..., 1], MEAN[..., 2]
_SIDE, _AX = np.sign(_X), np.abs(_X)
_HEAD = smoothstep(-190, -125, _Y)  # leaves out the shoulders
_NONE = np.zeros_like(_X)


def _move(dx: Field = _NONE, dy: Field = _NONE, dz: Field = _NONE) -> Field:
    return np.stack([dx + _NONE, dy + _NONE, dz + _NONE], -1)


def identity_modes() -> dict[str, Field]:
    """Return the 40 identity modes by name, each (ROWS, COLUMNS, 3) mm per unit."""
    x, y, z, bx, by, side, ax, front, head = _X, _Y, _Z, _BX, _BY, _SIDE, _AX, FRONT, _HEAD
    azimuth = np.abs(AZIMUTH)[None] * np.ones((ROWS, 1))
    eyes = dome(np.hypot((ax - 31.5) / 30, y / 26)) * front * smoothstep(6, 16, ax)
    lids = dome(np.hypot((ax - 31.5) / 24, y / 17)) * front
    brow = pair(bx, by, 28, 17, 18, 6.5) * front
    nose = ridge(ax, 0, 15) * smoothstep(12, -8, by) * smoothstep(-64, -52, by) * front
    tip = bell(bx, by, 0, -42, 11, 8) * front
    bridge = ridge(ax, 0, 9) * front
    mouth = bell(bx, by, 0, -70, 30, 15) * front
    lower_face = smoothstep(-45, -108, y) * head
    chin = bell(bx, by, 0, -103, 20, 13) * front
    jaw_angle = pair(z, y, -2, -70, 30, 20)
    upper_lip = ridge(by, -65, 4) * ridge(bx, 0, 15, 4) * front
    lower_lip = ridge(by, -76.5, 5) * ridge(bx, 0, 15, 4) * front
    cheekbone = pair(bx, by, 48, -18, 15, 11)
    cheek = pair(bx, by, 44, -55, 17, 20) * smoothstep(0.05, 0.4, np.cos(AZIMUTH))[None]
    outward = x / (np.hypot(x, z) + 1e-3)
    under_chin = smoothstep(-122, -112, by)
    return {
        "face_width": _move(dx=0.045 * x * head),
        "face_height": _move(dy=np.maximum(0.035 * (y + 5), -3.85)),
        "head_depth": _move(dz=0.045 * z * head),
        "jaw_width": _move(dx=0.075 * x * smoothstep(-30, -85, y) * head),
        "chin_width": _move(dx=0.16 * x * smoothstep(-78, -98, by) * front * smoothstep(-135, -112, y)),
        "lower_face_length": _move(dy=-4.6 * smoothstep(-45, -100, by) * (0.35 + 0.65 * front) * head),
        "chin_protrusion": _move(dz=4.5 * smoothstep(-74, -100, by) * ridge(bx, 0, 32) * front * under_chin),
        "forehead_slope": _move(dz=-6.5 * smoothstep(22, 85, y) * front),
        "forehead_height": _move(dy=6.0 * smoothstep(25, 100, y)),
        "cheekbone": _move(dx=3.2 * outward * cheekbone, dz=3.2 * cheekbone * front),
        "cheek_fullness": _move(dx=5.0 * outward * cheek, dz=3.5 * cheek),
        "brow_ridge": _move(dz=2.8 * (pair(bx, by, 25, 16, 18, 7) + 0.6 * bell(bx, by, 0, 16, 10, 8)) * front),
        "brow_height": _move(dy=2.4 * brow),
        "eye_spacing": _move(dx=2.1 * side * (eyes + 0.9 * brow)),
        "eye_size": _move(dx=0.11 * (x - side * 31.5) * lids, dy=0.11 * y * lids),
        "eye_opening": _move(dy=0.20 * y * lids),
        "eye_tilt": _move(dy=0.10 * (ax - 31.5) * eyes),
        "eye_depth": _move(dz=-2.6 * eyes),
        "nose_bridge_height": _move(dz=3.0 * bridge * ridge(by, -2, 12)),
        "nose_hump": _move(dz=2.2 * bridge * ridge(by, -18, 7.5)),
        "nose_length": _move(dy=-2.8 * ridge(ax, 0, 17) * front * smoothstep(0, -40, by) * smoothstep(-68, -54, by)),
        "nose_projection": _move(dz=2.6 * ridge(ax, 0, 14) * front * smoothstep(4, -40, by) * smoothstep(-60, -50, by)),
        "nose_upturn": _move(dy=2.8 * tip, dz=-0.8 * tip),
        "nose_width": _move(dx=0.195 * x * nose * smoothstep(-22, -42, by)),
        "nose_bridge_width": _move(dx=0.22 * x * ridge(ax, 0, 14) * ridge(by, -10, 14) * front),
        "nose_tip_bulb": _move(dx=0.14 * x * tip, dz=1.2 * tip, dy=-0.08 * (by + 42) * tip),
        "philtrum_length": _move(
            dy=-2.4 * smoothstep(-50, -63, by) * smoothstep(-95, -82, by) * ridge(bx, 0, 30) * front
        ),
        "mouth_width": _move(dx=0.14 * x * mouth),
        "upper_lip": _move(dy=1.4 * ridge(by, -62.5, 3) * ridge(bx, 0, 17) * front, dz=1.3 * upper_lip),
        "lower_lip": _move(dy=-1.9 * ridge(by, -80, 4) * ridge(bx, 0, 17) * front, dz=1.5 * lower_lip),
        "mouth_protrusion": _move(dz=2.8 * mouth),
        "mouth_corner": _move(dy=1.7 * pair(bx, by, 25, -70, 8, 6) * front),
        "mentolabial_fold": _move(dz=-2.0 * bell(bx, by, 0, -87, 17, 4.5) * front),
        "jaw_angle_height": _move(dy=6.0 * jaw_angle, dx=1.5 * side * jaw_angle),
        "temple_width": _move(dx=0.04 * x * ridge(y, 35, 25)),
        "occiput": _move(dz=-5.5 * ridge(y, 25, 45) * smoothstep(1.6, 2.6, azimuth)),
        "midface_protrusion": _move(dz=2.6 * bell(bx, by, 0, -40, 34, 26) * front),
        "neck_width": _move(
            dx=0.08 * x * smoothstep(-85, -120, y) * head, dz=0.10 * (z + 20) * smoothstep(-118, -130, y) * head
        ),
        "asymmetric_nose": _move(dx=1.1 * nose * smoothstep(0, -35, by) + 0.4 * chin),
        "asymmetric_jaw": _move(dx=1.6 * lower_face * front, dy=0.8 * np.tanh(x / 30) * (eyes + brow)),
    }


def expression_modes() -> dict[str, Field]:
    """Return the 10 expression modes by name, each (ROWS, COLUMNS, 3) mm per unit."""
    x, y, bx, by, side, ax, front = _X, _Y, _BX, _BY, _SIDE, _AX, FRONT
    corner = pair(bx, by, 25, -70, 12, 10) * front
    cheek = pair(bx, by, 38, -32, 13, 12) * front
    brow = pair(bx, by, 28, 17, 18, 9) * front
    below = np.clip((-69.75 - by) / 0.5, 0, 1)  # the jaw takes the lower lip along; the slit's four rows part evenly
    middle = np.sqrt(np.clip(1 - (ax / 26.5) ** 2, 0, 1))
    jaw = below * middle + (1 - middle) * smoothstep(-52, -98, by)
    jaw = jaw * smoothstep(0.0, 0.5, np.cos(AZIMUTH))[None] * smoothstep(-150, -116, y)
    upper = (1 - below) * smoothstep(-56, -66, by) * ridge(ax, 0, 17) * front
    slit = ridge(by, -70, 0.12) * ridge(ax, 0, 14, 4) * front
    lids = dome(np.hypot((ax - 31.5) / 24, y / 15)) * front
    press = -0.22 * (by + 70) * ridge(by, -70, 7) * ridge(ax, 0, 20) * front
    return {
        "smile": _move(
            dx=5 * side * corner,
            dy=5.5 * corner + 2.5 * cheek + 0.8 * pair(bx, by, 31, -6, 14, 5) * front,
            dz=-4.5 * corner + 2.6 * cheek - 1.5 * bell(bx, by, 0, -70, 14, 8) * front,
        ),
        "jaw_open": _move(dy=-13 * jaw, dz=-4.5 * jaw * smoothstep(-70, -110, by) - 7 * slit),
        "brow_raise": _move(dy=4.5 * brow + 1.3 * pair(bx, by, 31, 5, 15, 4) * front),
        "brow_frown": _move(
            dx=-2.6 * side * pair(bx, by, 19, 16, 12, 8) * front,
            dy=-3.5 * pair(bx, by, 19, 16, 12, 7) * front,
            dz=1.2 * pair(bx, by, 12, 16, 7, 6) * front,
        ),
        "eye_close": _move(dy=-0.78 * (y + 2.5) * np.where(y > -2.5, 1, 0.5) * lids**0.6),
        "lip_stretch": _move(dx=0.16 * x * corner + 0.08 * x * ridge(by, -70, 9) * front * ridge(ax, 0, 25), dy=press),
        "upper_lip_raise": _move(dy=3.6 * upper + 1.5 * pair(bx, by, 15, -46, 8, 8) * front, dz=-4 * slit),
        "lip_corner_down": _move(dy=-4.5 * corner),
        "pucker": _move(
            dx=-0.28 * x * ridge(by, -70, 10) * ridge(ax, 0, 26) * front, dz=4.2 * bell(bx, by, 0, -70, 13, 9) * front
        ),
        "cheek_puff": _move(dx=5 * side * pair(bx, by, 44, -60, 14, 14), dz=4 * pair(bx, by, 40, -60, 14, 14) * front),
    }


def _stack(modes: dict[str, Field]) -> tuple[tuple[str, ...], Field]:
    return tuple(modes), np.stack(list(modes.values()))


IDENTITY_NAMES, IDENTITY = _stack(identity_modes())
EXPRESSION_NAMES, EXPRESSION = _stack(expression_modes())

# Multi-PIE's expressions as coefficients of the ten modes.
EXPRESSIONS: dict[str, tuple[float, ...]] = {
    name: tuple(units.get(mode, 0.0) for mode in EXPRESSION_NAMES)
    for name, units in {
        "neutral": {},
        "smile": {"smile": 1.2, "upper_lip_raise": 0.4, "jaw_open": 0.15},
        "surprise": {"brow_raise": 1.3, "jaw_open": 0.9, "eye_close": -0.3},
        "squint": {"eye_close": 0.6, "brow_frown": 0.6},
        "disgust": {"upper_lip_raise": 1.2, "brow_frown": 1.0, "eye_close": 0.35, "lip_corner_down": 0.5},
        "scream": {"jaw_open": 1.9, "eye_close": 0.8, "brow_frown": 0.5, "upper_lip_raise": 0.5},
    }.items()
}


def vertices(
    identity: Sequence[float] | NDArray[np.floating], expression: Sequence[float] | NDArray[np.floating] = ()
) -> Field:
    """Return the (ROWS, COLUMNS, 3) head in mm of 40 identity and 10 (or no) expression coefficients."""
    head = MEAN + np.tensordot(np.asarray(identity, np.float64), IDENTITY, 1)
    return head + np.tensordot(np.asarray(expression, np.float64), EXPRESSION, 1) if len(expression) else head


def triangles() -> NDArray[np.int32]:
    """Return the (T, 3) vertex numbers of the skin's triangles over the row-major grid, fronts clockwise in pixels."""
    rows, columns = MEAN.shape[:2]
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)[None]).reshape(-1)
    upper = np.stack([first, first + 1, first + columns], -1)
    lower = np.stack([first + columns + 1, first + columns, first + 1], -1)
    return np.concatenate([upper, lower]).astype(np.int32)
