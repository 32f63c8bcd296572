"""The features painted on the skin: lips and mouth, nostrils, brows, eyes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .canvas import Window, cover, darken
from .fields import Image, noise, pair, ridge, smoothstep
from .head import MIDDLE, SKULL
from .people import Person
from .skin import darkness, hair_colour, hair_darkness, tone

Floats = NDArray[np.floating]

MOUTH = Window((-31, 31), (-86, -56))
NOSTRILS = Window((-24, 24), (-58, -38))
BROWS = Window((-58, 58), (6, 32))
EYES = {-1: Window((-53, -9), (-12, 15)), 1: Window((9, 53), (-12, 15))}
# First of the four rows of the grid that form the slit of the mouth and open to its inside.
SLIT_ROW = int(np.argmin(np.abs(SKULL[:, MIDDLE, 1] + 69.75)))
TEETH_LENGTH = 7.0  # mm
TEETH_COLOUR = np.array([0.70, 0.65, 0.54], np.float32)  # linear


@dataclass(frozen=True)
class Mouth:
    """What shows only when the mouth is open: (h, w) opacity of the teeth in the window MOUTH, were they endless."""

    teeth: Image

    def opened(self, gap: float) -> Image:
        """Return (h, w) opacity of the upper teeth in a mouth open by ``gap`` mm."""
        length = min(TEETH_LENGTH / max(gap, 0.1), 0.8) * 3  # in rows of the slit
        edge = smoothstep(length + 0.25, length - 0.1, MOUTH.row - SLIT_ROW)
        return np.asarray(self.teeth * edge * smoothstep(1.2, 3.5, gap), np.float32)


def paint_mouth(canvas: Image, gloss: Image, who: Person, rng: np.random.Generator) -> Mouth:
    """Paint lips and the dark inside of the mouth in place; return the teeth for open mouths."""
    paint, x, y, ax = canvas[MOUTH.area], MOUTH.x, MOUTH.y, MOUTH.ax
    top = -70 + 6.6 * np.clip(1 - (ax / 25.5) ** 1.7, 0, 1) - 1.2 * ridge(x, 0, 3.0)
    bottom = -70 - 9.6 * np.clip(1 - (ax / 25.0) ** 2, 0, 1) ** 0.85
    lips = smoothstep(-0.7, 0.7, top - y) * smoothstep(-0.9, 0.9, y - bottom) * smoothstep(26.3, 24.5, ax)
    dark, red = who.traits["lip_dark"], who.traits["lip_red"]
    factors = np.array([0.93 - 0.05 * dark, 0.72 - 0.06 * dark - 0.05 * red, 0.73 - 0.05 * dark - 0.025 * red])
    colour = tone(who) * factors + np.array([0.02, 0, 0.015])
    folds = 1 + 0.07 * noise(rng, MOUTH.shape, (5, MOUTH.shape[1] // 3)) - 0.16 * ridge(y, -70, 1.6) - 0.08 * (y > -70)
    cover(paint, lips * 0.86, colour * folds[..., None])
    gloss[MOUTH.area] += lips
    row = MOUTH.row - SLIT_ROW
    inside = smoothstep(-0.1, 0.35, row) * smoothstep(3.1, 2.7, row) * smoothstep(26, 22, ax)
    cover(paint, inside, np.array([0.16, 0.05, 0.05]))
    darken(paint, 0.5 * ridge(y, -70, 0.7) * smoothstep(27, 24, ax) * (1 - inside))
    gaps = 1 - 0.35 * ridge(ax % 7.5, 0, 0.5)
    return Mouth((inside * smoothstep(19, 14, ax) * gaps).astype(np.float32))


def paint_nostrils(canvas: Image) -> None:
    """Darken the nostrils and the grooves beside the nose in place."""
    paint = canvas[NOSTRILS.area]
    darken(paint, 0.72 * pair(NOSTRILS.x, NOSTRILS.y, 6.8, -51.0, 3.0, 1.7, 0.25))
    darken(paint, 0.20 * pair(NOSTRILS.x, NOSTRILS.y, 19.5, -47, 1.5, 4, 0.3))


def paint_brows(canvas: Image, who: Person, rng: np.random.Generator) -> None:
    """Paint the eyebrows in place."""
    traits = who.traits
    inner, outer = 11.5 + 2.2 * traits["brow_gap"], 47 + 2.5 * traits["brow_length"]
    along = (BROWS.ax - inner) / (outer - inner)
    t = np.clip(along, 0, 1)
    middle = 16.5 + (4.0 + 1.8 * traits["brow_arch"]) * np.sin(t**1.3 * np.pi * 0.86)
    middle = middle + 1.5 * traits["brow_tilt"] * (along - 0.4)
    half = np.maximum((3.4 + 0.85 * traits["brow_thick"]) * (1 - 0.62 * t**1.5), 0.4)
    hairs = noise(rng, BROWS.shape, (BROWS.shape[0] // 2, BROWS.shape[1] // 2), smooth=False)
    brow = smoothstep(1.25, 0.6, np.abs(BROWS.y - middle) / half + 0.16 * hairs) * BROWS.face
    brow *= smoothstep(1.06, 0.95, along) * smoothstep(-0.12, 0.03, along)
    amount = np.clip(brow * (0.78 + 0.12 * traits["brow_dark"]) * (1 + 0.18 * hairs), 0, 0.95)
    shade = (0.75 if hair_darkness(who) > 0.3 else 0.6) * (1 - 0.15 * traits["brow_dark"])
    cover(canvas[BROWS.area], amount, hair_colour(who) * shade)


def iris_colour(who: Person) -> Image:
    """Return the (3,) colour of the iris: brown, or hazel to blue where it is light."""
    light = float(np.clip(0.35 + 0.33 * who.traits["iris_light"] - 0.18 * (darkness(who) - 2.0), 0, 1))
    blue = float(smoothstep(-0.5, 1.2, who.traits["iris_hue"]))
    bright = np.array([0.36, 0.50, 0.60]) * blue + np.array([0.45, 0.42, 0.22]) * (1 - blue)
    return np.asarray(np.array([0.20, 0.12, 0.07]) * (1 - light) + bright * light, np.float32)


def paint_eyes(canvas: Image, gloss: Image, who: Person) -> None:
    """Paint eyeballs, lashes and lid creases in place."""
    for side in (-1, 1):
        _paint_eye(canvas, gloss, who, side)


def _paint_eye(canvas: Image, gloss: Image, who: Person, side: int) -> None:
    window, traits = EYES[side], who.traits
    paint, y, x = canvas[window.area], window.y, window.x * side - 31.5  # x grows outwards
    t = np.clip(x / 15.0, -1.4, 1.4)
    open_ = np.clip(1 - np.abs(t) ** 2.2, 0, 1)
    upper = 5.3 * open_**0.75 * (1 - 0.10 * t) + 0.6 * t
    lower = -4.3 * open_**0.85 * (1 + 0.12 * t) + 0.6 * t
    far = np.abs(t)
    aperture = smoothstep(-0.45, 0.45, upper - y) * smoothstep(-0.45, 0.45, y - lower) * smoothstep(1.03, 0.97, far)
    white = (1 - 0.35 * smoothstep(3.5, 0, upper - y)) * (1 - 0.22 * np.clip(far**3, 0, 1))
    ball = np.array([0.87, 0.84, 0.82]) * white[..., None]
    ball = ball * (1 - ridge(x, -14, 1.6)[..., None] * np.array([0.05, 0.3, 0.3]))  # the red inner corner
    radius = np.hypot(x, y - 0.6)
    rays = 1 + 0.12 * np.sin(np.arctan2(y, x + 1e-3) * 17 + 3 * np.sin(radius))
    rays = rays * (1 - 0.55 * smoothstep(4.6, 6.1, radius))
    ball = _over(ball, smoothstep(6.35, 5.75, radius), iris_colour(who) * rays[..., None])
    ball = _over(ball, smoothstep(2.8, 2.1, radius), np.full(3, 0.02))
    ball = ball * (1 - 0.45 * smoothstep(2.6, 0.3, upper - y)[..., None])  # shadow of the lid
    ball = _over(ball, np.exp(-0.5 * (((x * side - 1.8) / 0.8) ** 2 + ((y - 2.6) / 0.8) ** 2)), np.ones(3))  # highlight
    cover(paint, aperture, ball)
    gloss[window.area] *= (1 - 0.6 * aperture).astype(np.float32)
    lashes = ridge(y - upper, 0.25, 0.75 + 0.15 * traits["lash"] - 0.15 * who.sex) * smoothstep(1.12, 0.98, far)
    lashes = lashes * (t > -1.02) * (0.78 + 0.1 * traits["lash"] - 0.08 * who.sex)
    rim = 0.35 * ridge(y - lower, -0.3, 0.6) * smoothstep(1.05, 0.9, far)
    crease_y = upper + 3.1 + 0.5 * traits["lid_crease"] - 0.3 * t
    depth = np.clip(0.55 + 0.35 * traits["lid_crease"], 0, 1.2)
    crease = 0.38 * depth * ridge(y, crease_y, 0.8) * smoothstep(1.15, 0.8, far)
    for amount in (np.clip(lashes, 0, 0.95), rim, crease):
        darken(paint, amount)


def _over(below: Floats, amount: Floats, colour: Floats) -> Floats:
    return np.asarray(below * (1 - amount[..., None]) + amount[..., None] * colour)
