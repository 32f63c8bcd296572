"""Skin: tone, redness, shadows under the eyes, lines, freckles, moles, stubble and beard.

Paint is sRGB-like in 0 … 1 on the canvas; :mod:`texture` makes it linear at the end.
"""

from __future__ import annotations

import cv2
import numpy as np

from .canvas import HEIGHT, WIDTH, Window, cover, darken
from .fields import Image, bell, noise, pair, ridge, smoothstep
from .people import Look, Person

# Skin from light to dark.
TONES = np.array(
    [[240, 208, 191], [230, 190, 168], [216, 172, 147], [190, 143, 115], [152, 108, 83], [110, 76, 58], [76, 52, 42]]
) / 255.0  # fmt: skip
# Hair from light to dark: lightness, then the three channels.
HAIR_STEPS = np.array([0, 0.2, 0.4, 0.6, 0.8, 1])
HAIR_TONES = np.array(
    [
        [0.80, 0.62, 0.45, 0.30, 0.20, 0.115],
        [0.66, 0.46, 0.31, 0.20, 0.135, 0.095],
        [0.44, 0.28, 0.19, 0.13, 0.105, 0.085],
    ]
)

FACE = Window((-75, 75), (-125, 75))
BEARD = Window((-90, 90), (-140, 12), 1.75)


def _red() -> Image:
    x, y = FACE.x, FACE.y
    spots = 0.9 * pair(x, y, 40, -30, 17, 14) + 0.8 * bell(x, y, 0, -42, 13, 8)
    spots += 0.35 * bell(x, y, 0, -100, 15, 9) + 0.3 * bell(x, y, 0, 30, 50, 12)
    return np.asarray(spots * FACE.face, np.float32)


def _under_eye() -> Image:
    x, y = FACE.x, FACE.y
    rings = 0.7 * pair(x, y, 27, -10, 11, 4.5, -0.15) + 0.45 * pair(x, y, 31, 5, 14, 6) + 0.6 * pair(x, y, 15, 0, 5, 7)
    return np.asarray(rings * FACE.face, np.float32)


def _lines() -> Image:
    x, y, ax = FACE.x, FACE.y, FACE.ax
    fold = ax - (15 + (-47 - y) * 0.62 + 0.004 * (y + 60) ** 2)  # from the nose to the mouth's corner
    lines = ridge(fold, 0, 1.3) * smoothstep(-80, -66, y) * smoothstep(-42, -50, y)
    for k in (-1, 0, 1):  # crow's feet
        foot = ridge(y - 1 - k * (ax - 47) * 0.35 - 1.2 * k, 0, 0.6)
        lines += 0.5 * foot * smoothstep(47, 50, ax) * smoothstep(60, 54, ax)
    return np.asarray((lines + 0.5 * pair(x, y, 4.5, 18, 0.9, 5)) * FACE.face, np.float32)


RED, UNDER_EYE, LINES = _red(), _under_eye(), _lines()
FOREHEAD: Image = (np.exp(-0.5 * (FACE.x / 32) ** 4) * 0.5 * FACE.face).astype(np.float32)
FRECKLED: Image = (
    (pair(FACE.x, FACE.y, 32, -22, 20, 14) + bell(FACE.x, FACE.y, 0, -25, 16, 14)
     + 0.3 * smoothstep(80, 20, FACE.y) * smoothstep(-100, -40, FACE.y)) * FACE.face
).astype(np.float32)  # fmt: skip
SHINY: Image = (0.5 * (bell(FACE.x, FACE.y, 0, 30, 26, 18) + bell(FACE.x, FACE.y, 0, -30, 8, 16)) * FACE.face).astype(
    np.float32
)
# The beard's upper edge over the azimuth (it climbs to the sideburn), the bare lips, its lower edge.
BEARD_TOP = np.interp(BEARD.degrees, [0, 16, 30, 50, 68, 79, 90], [-58, -58, -54, -46, -36, -4, 2]).astype(np.float32)
BEARD_LIPS: Image = smoothstep(0.98, 1.12, np.hypot(BEARD.x / 29, (BEARD.y + 71.5) / 13.5)).astype(np.float32)
BEARD_BOTTOM: Image = (smoothstep(-138, -120, BEARD.y) * smoothstep(93, 84, BEARD.degrees)).astype(np.float32)
MOUSTACHE: Image = (
    ridge(BEARD.y + 60.0 + 0.06 * BEARD.ax + 0.003 * BEARD.ax**2, 0, 3.2, 4) * smoothstep(30, 23, BEARD.ax) * BEARD.face
).astype(np.float32)


def darkness(who: Person) -> float:
    """Return how dark the skin is, 0.25 … 5.6 steps of TONES."""
    return float(np.clip(2.4 + 1.4 * who.traits["melanin"], 0.25, 5.6))


def tone(who: Person) -> Image:
    """Return the (3,) colour of a person's skin."""
    steps = np.arange(len(TONES))
    colour = np.array([np.interp(darkness(who), steps, channel) for channel in TONES.T])
    blood, sallow = who.traits["hemoglobin"], max(who.traits["sallow"], -0.6)
    return np.asarray(colour * [1, 1 - 0.016 * blood, 1 - 0.02 * blood - 0.03 * sallow], np.float32)


def age(who: Person) -> float:
    """Return 0 (young) … 2 (old)."""
    return float(np.clip(0.4 + 0.6 * who.traits["age"], 0, 2))


def hair_darkness(who: Person) -> float:
    """Return 0 (light) … 1 (black)."""
    return float(np.clip(0.55 + 0.35 * who.traits["hair_dark"] + 0.25 * (darkness(who) - 2.4), 0, 1))


def hair_colour(who: Person) -> Image:
    """Return the (3,) colour of a person's hair, brows and beard."""
    colour = np.array([np.interp(hair_darkness(who), HAIR_STEPS, channel) for channel in HAIR_TONES])
    red = float(np.clip(0.3 * who.traits["hair_red"], 0, 0.6)) * (darkness(who) < 3)
    grey = float(np.clip((who.traits["hair_grey"] - 1.0) * 0.7 + 0.25 * (age(who) - 1), 0, 0.9))
    colour = colour * [1 + 0.5 * red, 1 - 0.05 * red, 1 - 0.35 * red]
    return np.asarray(colour * (1 - grey) + grey * np.array([0.66, 0.66, 0.67]), np.float32)


def paint_skin(who: Person, rng: np.random.Generator) -> Image:
    """Return the canvas, (HEIGHT, WIDTH, 3), with bare skin: tone, shadows under the eyes, lines, freckles, moles."""
    shape = (HEIGHT, WIDTH)
    grain = noise(rng, shape, (14, 18)) * 0.018 + noise(rng, shape, (60, 80)) * 0.012
    grain += rng.standard_normal(shape, dtype=np.float32) * 0.016
    canvas: Image = tone(who) * (1 + grain * np.float32(1 + 0.4 * who.traits["mottle"]))[..., None]
    face = canvas[FACE.area]
    darken(face, np.clip(0.55 + 0.35 * who.traits["under_eye"], 0, 1.6) * UNDER_EYE, (0.14, 0.17, 0.15))
    wavy = FACE.y + noise(rng, FACE.shape, (4, 8)) * 1.5
    lines = LINES.copy()
    for k in range(3):
        lines += ridge(wavy, 34 + 9 * k + 1.5 * rng.standard_normal(), 0.9) * FOREHEAD
    darken(face, np.clip(lines * (age(who) * 0.16), 0, 0.5), (0.8, 1, 1))
    if who.traits["freckle"] > 0.7 and darkness(who) < 3:
        freckles = noise_threshold(rng, FACE.shape) * FRECKLED
        darken(face, freckles * 0.22 * who.traits["freckle"], (0.6, 1, 1.2))
    for _ in range(rng.poisson(2.5)):
        x, y, radius, depth = rng.uniform(-78, 78), rng.uniform(-100, 55), rng.uniform(0.7, 1.7), rng.uniform(0.5, 1)
        mole = smoothstep(1.3, 0.7, np.hypot(FACE.angle * 80 - x, FACE.y - y) / radius)
        darken(face, mole * depth, (0.55, 0.65, 0.68))
    return canvas


def noise_threshold(rng: np.random.Generator, shape: tuple[int, int]) -> Image:
    """Return (h, w) specks: 1 on about one cell in ten of half the resolution, 0 elsewhere, soft edges."""
    cells = rng.random((shape[0] // 2, shape[1] // 2), dtype=np.float32)
    return np.asarray(smoothstep(0.86, 0.97, cv2.resize(cells, shape[::-1])), np.float32)


def paint_redness(canvas: Image, look: Look, rng: np.random.Generator) -> None:
    """Redden cheeks, nose and chin in place."""
    strength = np.clip(0.5 + 0.35 * look.traits["redness"], 0, 1.5) * (1.0 - 0.1 * darkness(look.person))
    patches = strength * RED * (1 + 0.35 * noise(rng, FACE.shape, (20, 26)))
    darken(canvas[FACE.area], patches, (0.02, 0.13, 0.11))


def paint_beard(canvas: Image, gloss: Image, look: Look, strands: Image, rng: np.random.Generator) -> None:
    """Paint stubble, and on some men a beard or a moustache, in place; hair takes the gloss."""
    who = look.person
    if who.sex <= 0:
        return
    paint = canvas[BEARD.area]
    grain = rng.standard_normal(BEARD.shape, dtype=np.float32)
    edge = BEARD.y - BEARD_TOP + 3 * noise(rng, BEARD.shape, (12, 30))
    region = BEARD_LIPS * BEARD_BOTTOM * smoothstep(9, -9, edge)
    stubble = np.clip(0.35 + 0.35 * look.traits["stubble"], 0, 1) * 0.26
    darken(paint, np.maximum(region, MOUSTACHE * 0.9) * stubble * (1 + 0.35 * grain), (1.1, 1.0, 0.85))
    density = rng.random(2)
    beard = 0.6 + 0.35 * density[0] if who.traits["beard"] > 0.75 else 0.0
    moustache = 0.6 + 0.3 * density[1] if beard or who.traits["moustache"] > 0.9 else 0.0
    if not (beard or moustache):
        return
    chin_only = 1 if who.traits["stubble"] > -0.3 else smoothstep(34, 26, BEARD.ax)
    hair = np.maximum(region * beard * chin_only, moustache * MOUSTACHE)
    texture = 1 + 0.2 * grain + 0.15 * noise(rng, BEARD.shape, (BEARD.shape[0] // 3, BEARD.shape[1] // 3))
    amount = np.clip(hair * texture, 0, 0.95)
    gloss[BEARD.area] *= 1 - 0.8 * amount
    cover(paint, amount, hair_colour(who) * 0.9 * strands[BEARD.area][..., None])
