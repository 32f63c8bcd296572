"""Natural variation: no two photos of a person are posed, framed and exposed alike.

A moment (subject, session, expression, jitter) has one face and one pose of the head, which all its cameras share; each
picture of it has its own crop, zoom and background. Light changes none of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .camera import Camera, frame
from .landmarks import points68
from .light import ILLUMINATIONS, Light
from .people import Look
from .shape import EXPRESSIONS
from .shot import Shot

EXPRESSION_SPREAD = 0.08
POSE_SPREAD = (2.5, 3.0, 1.5)  # degrees of yaw, pitch and roll
SHIFT_SPREAD = 1.2  # pixels of a 128-pixel picture
ZOOM = (0.97, 1.03)
EXPOSURE = (0.92, 1.08)
TINT_SPREAD = 0.02

# First words of the seeds, one a purpose.
_MOMENT, _PICTURE, _SCENE, _EXPOSURE = 15485863, 32452843, 49979687, 67867967


def _generator(purpose: int, shot: Shot, *words: int) -> np.random.Generator:
    named = list(EXPRESSIONS.values())
    number = named.index(shot.coefficients) if shot.coefficients in named else len(named)
    jitter = 0 if shot.jitter is None else 1 + shot.jitter
    return np.random.default_rng([purpose, shot.subject, shot.session, number, jitter, *words])


def _pose_words(shot: Shot) -> list[int]:
    return [1_000_000 + round(100 * angle) for angle in (shot.yaw, shot.pitch, shot.roll)]


def moment(shot: Shot) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the (10,) expression of a shot's moment, and (3,) degrees that are added to yaw, pitch and roll."""
    expression = np.array(shot.coefficients, np.float64)
    if shot.jitter is None:
        return expression, np.zeros(3)
    rng = _generator(_MOMENT, shot)
    return expression + rng.normal(0, EXPRESSION_SPREAD, len(expression)), rng.normal(0, POSE_SPREAD)


def camera(shot: Shot, look: Look) -> Camera:
    """Return the camera of a shot."""
    expression, turn = moment(shot)
    shift, zoom = (0.0, 0.0), 1.0
    if shot.jitter is not None:
        rng = _generator(_PICTURE, shot, *_pose_words(shot))
        shift = (float(rng.normal(0, SHIFT_SPREAD)), float(rng.normal(0, SHIFT_SPREAD)))
        zoom = float(rng.uniform(*ZOOM))
    yaw, pitch, roll = np.array([shot.yaw, shot.pitch, shot.roll]) + turn
    landmarks = points68(look.shape, expression)
    return frame(landmarks, yaw, pitch, roll, distance=shot.distance, size=shot.size, shift=shift, zoom=zoom)


def scenery(shot: Shot) -> np.random.Generator:
    """Return the generator of a shot's background."""
    return _generator(_SCENE, shot, *_pose_words(shot))


def exposure(shot: Shot, light: Light) -> NDArray[np.float32]:
    """Return (3,) gain of the channels: the light's exposure, and a little of the camera's own in every picture."""
    gain = np.full(3, light.exposure)
    if shot.jitter is not None:
        number = shot.light if isinstance(shot.light, int) else ILLUMINATIONS
        rng = _generator(_EXPOSURE, shot, *_pose_words(shot), number)
        gain = gain * rng.uniform(*EXPOSURE) * (1 + rng.normal(0, TINT_SPREAD, 3))
    return gain.astype(np.float32)
