"""Web photos: shots as photo collections of known people have them, for training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .light import random_light
from .shape import EXPRESSION_NAMES
from .shot import Shot


@dataclass(frozen=True)
class Web:
    """Limits of web photos.

    Args:
        largest_yaw: degrees; nothing beyond it, as in real collections that a frontal detector found.
        yaw: deviation of most photos; ``wide_yaw`` of the part ``wide``.
        pitch, roll: deviations in degrees.
        sessions: looks of one person.
        moments: geometries (expression and small changes) of one look.
        distance: range of the camera's distance in mm.
        size: of the picture.
    """

    largest_yaw: float = 40.0
    yaw: float = 16.0
    wide_yaw: float = 40.0
    wide: float = 0.14
    pitch: float = 7.0
    roll: float = 3.0
    sessions: int = 2
    moments: int = 6
    distance: tuple[float, float] = (600.0, 2500.0)
    size: int = 128


def random_expression(rng: np.random.Generator) -> tuple[float, ...]:
    """Return ten coefficients: often neutral, else one to three modes, often a smile."""
    units = np.zeros(len(EXPRESSION_NAMES))
    if rng.random() >= 0.35:
        for mode in rng.permutation(len(units))[: rng.integers(1, 4)]:
            units[mode] = rng.uniform(0, 1)
        if rng.random() < 0.35:
            units[EXPRESSION_NAMES.index("smile")] = rng.uniform(0.4, 1.3)
    jaw, smile, lids = (EXPRESSION_NAMES.index(name) for name in ("jaw_open", "smile", "eye_close"))
    if units[jaw] > 0.5 and units[smile] > 0.5:
        units[jaw] *= 0.5
    units[lids] = min(units[lids], 0.55)
    return tuple(float(unit) for unit in units)


def random_shot(rng: np.random.Generator, subject: int, web: Web = Web()) -> Shot:
    """Return one web photo of a person."""
    return random_shots(rng, subject, 1, web)[0]


def random_shots(rng: np.random.Generator, subject: int, views: int, web: Web = Web()) -> list[Shot]:
    """Return web photos of one moment, cheap for a Studio: one look, expression and light, ``views`` poses."""
    session, jitter = int(rng.integers(1, web.sessions + 1)), int(rng.integers(web.moments))
    expression, light, background = random_expression(rng), random_light(rng), "cluttered"
    shots = []
    for _ in range(views):
        deviation = web.wide_yaw if rng.random() < web.wide else web.yaw
        yaw = rng.normal(0, deviation)
        while abs(yaw) > web.largest_yaw:
            yaw = rng.normal(0, deviation)
        pitch, roll, distance = rng.normal(0, web.pitch), rng.normal(0, web.roll), rng.uniform(*web.distance)
        pose = (float(yaw), float(np.clip(pitch, -25, 25)), float(roll))
        shots.append(Shot(subject, session, expression, *pose, light, background, jitter, web.size, float(distance)))
    return shots
