"""Illumination: Multi-PIE's twenty, and random light for web-like photos. Directions are in the head's frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ConventionError

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Lamp:
    """A distant lamp: the unit direction towards it (x right, y up, z forwards) and its colour."""

    direction: tuple[float, float, float]
    colour: Colour


@dataclass(frozen=True)
class Light:
    """Ambient light from everywhere, from above and from the front, lamps, and the exposure of the photo."""

    ambient: Colour
    above: Colour = (0.0, 0.0, 0.0)
    front: Colour = (0.0, 0.0, 0.0)
    lamps: tuple[Lamp, ...] = ()
    exposure: float = 1.0


ROOM = ((0.13, 0.13, 0.135), (0.09, 0.09, 0.095), (0.06, 0.06, 0.06))
FLASH = (0.62, 0.61, 0.59)
ILLUMINATIONS = 20


def lamp(azimuth: float, elevation: float, colour: Colour) -> Lamp:
    """Return a lamp; azimuth in degrees from the front to the image's right, elevation upwards."""
    a, e = np.deg2rad([azimuth, elevation])
    return Lamp((float(np.sin(a) * np.cos(e)), float(np.sin(e)), float(np.cos(a) * np.cos(e))), colour)


def multipie_light(illumination: int) -> Light:
    """Return one of Multi-PIE's illuminations.

    0 and 19 have no flash, 1 … 13 one at −90° … 90° (7 is frontal), 14 … 18 a raised one.

    Raises:
        ConventionError: the number is not 0 … 19.
    """
    if not 0 <= illumination < ILLUMINATIONS:
        raise ConventionError(f"Multi-PIE's illuminations are 0 to {ILLUMINATIONS - 1}; got {illumination}")
    if illumination in (0, 19):
        gain = 1.15 if illumination == 0 else 1.1
        ambient, above, front = (_scaled(colour, gain) for colour in ROOM)
        return Light(ambient, above, front, exposure=1.15)
    if illumination <= 13:
        azimuth, elevation = -90 + 15 * (illumination - 1), 6
    else:
        azimuth, elevation = (-60, -30, 0, 30, 60)[illumination - 14], 40
    return Light(*ROOM, lamps=(lamp(azimuth, elevation, FLASH),), exposure=1.15)


def random_light(rng: np.random.Generator) -> Light:
    """Return a light as web photos have: none to two lamps, mostly from above, tinted ambient light, any exposure."""
    count = int(np.searchsorted(np.cumsum([0.2, 0.55]), rng.random()))
    tint, level = 1 + rng.normal(0, 0.06, 3), rng.uniform(0.12, 0.38)
    sky = 1 + rng.normal(0, 0.06, 3)
    lamps = []
    for _ in range(count):
        azimuth, elevation = rng.normal(0, 50), rng.normal(25, 22)
        colour = rng.uniform(0.25, 0.8) / max(1, count * 0.75) * (1 + rng.normal(0, 0.05, 3))
        lamps.append(lamp(azimuth, elevation, _colour(colour)))
    ambient, above, front = _colour(level * 0.5 * tint), _colour(level * 0.8 * sky), _colour(level * 0.6 * tint)
    return Light(ambient, above, front, tuple(lamps), float(rng.uniform(0.8, 1.3)))


def _colour(values: np.ndarray) -> Colour:
    r, g, b = (float(value) for value in values)
    return r, g, b


def _scaled(colour: Colour, gain: float) -> Colour:
    return _colour(np.array(colour) * gain)
