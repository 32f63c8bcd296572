"""Hair: where it grows on the canvas, and how thick the shell is that it lays over the skull."""

from __future__ import annotations

import cv2
import numpy as np

from .canvas import ANGLE, DEGREES, HEIGHT, TEXELS, WIDTH, Y
from .fields import Image, bell, noise, ridge, smoothstep
from .head import COLUMNS, FRONT, ROWS, SKULL
from .people import Look

# Thickness in mm on the crown and on the sides.
THICKNESS = {
    "short": (10, 5), "buzz": (2.5, 2), "bald": (2, 2), "medium": (14, 9), "full": (20, 9), "long": (12, 15),
    "bob": (13, 18), "bun": (7, 5),
}  # fmt: skip
AZIMUTHS = [0, 14, 30, 42, 54, 62, 70, 80, 88, 95, 104, 120, 140, 180]


def hairline(look: Look, rng: np.random.Generator) -> Image:
    """Return the (HEIGHT, WIDTH) height in mm above which hair grows, a function of the azimuth."""
    hair, traits, male = look.hair, look.traits, look.person.sex > 0
    top = 66 + 5 * traits["hairline"] + (0 if male else 2)
    recession = max(-3.0, 3 + 7 * traits["recession"]) if male else 2 * traits["recession"] - 5
    if hair.fringe:
        top, recession = 38 + 6 * rng.random(), -4
    line = [top, top + 0.25 * recession, top - 2 + recession, top - 8 + 0.7 * recession]
    line += [46, 33, 15, -2, 0, 16, -6, -45, -70, -70]
    if hair.style == "bald":
        line[:8] = [top + 60, top + 60, top + 50, 100, 70, 48, 24, 0]
    degrees = DEGREES
    if hair.style in ("long", "bob") and not hair.fringe:  # parted, falling to both sides
        line[:6] = [top + 6, top - 2, top - 13, top - 22, 32, 22]
        degrees = np.abs(np.rad2deg(ANGLE) - 14 * hair.parting * np.clip(1 - DEGREES / 60, 0, 1))
    height = np.interp(degrees, AZIMUTHS, line)
    if hair.style in ("long", "bob"):
        end = -185 if hair.style == "long" else -95
        height = np.where(DEGREES > 70, np.interp(DEGREES, [70, 79, 180], [24, end, end]), height)
    if hair.style == "medium":
        height = np.where(DEGREES > 74, np.interp(DEGREES, [74, 83, 100, 180], [14, -30, -62, -95]), height)
    return np.asarray(cv2.GaussianBlur(height.astype(np.float32), (0, 0), 2.0), np.float32)


def grow(look: Look, rng: np.random.Generator) -> tuple[Image, Image]:
    """Return the hair's opacity (HEIGHT, WIDTH) on the canvas and its thickness (ROWS, COLUMNS) in mm on the grid."""
    hair, style, fringe = look.hair, look.hair.style, look.hair.fringe
    line = hairline(look, rng)
    across = np.maximum(np.gradient(np.abs(ANGLE) * 78, axis=1) * np.sign(ANGLE + 1e-6), 0.3)
    distance = (Y - line) / np.sqrt(1 + (np.gradient(line, axis=1) / across) ** 2)  # about mm from the hairline
    ragged = noise(rng, (HEIGHT, WIDTH), (10, 34)) * 1.6
    ragged += noise(rng, (HEIGHT, WIDTH), (16, 150)) * (2.6 if fringe else 1.4)
    soft = 2.2 if fringe else 6.0
    full = 2.5 if style in ("long", "bob", "medium") else 0.0
    opacity = smoothstep(-soft, soft * 0.8, distance + ragged + full)
    opacity = opacity * {"buzz": 0.82, "bald": 0.75}.get(style, 1.0)
    inside, y = distance[::TEXELS, ::TEXELS], SKULL[..., 1]
    crown, side = THICKNESS[style]
    thickness = (side + (crown - side) * smoothstep(20, 75, y)) * hair.volume
    forehead = FRONT * (0.6 if fringe else 1) * smoothstep(25, 60, y)
    start = 1 if style in ("long", "bob", "medium") else -1
    thickness = thickness * smoothstep(start, 20 if style == "full" else 12, inside)
    thickness = thickness * (1 - forehead + forehead * smoothstep(0, 34, inside))
    if style in ("short", "medium") and not fringe:
        thickness = thickness + 5 * hair.volume * bell(SKULL[..., 0], y, 22 * hair.parting, 92, 30, 20) * FRONT
    if style not in ("buzz", "bald"):
        locks = noise(rng, (ROWS, COLUMNS), (10, 16)) * 0.08 + noise(rng, (ROWS, COLUMNS), (16, 50)) * 0.06
        thickness = thickness * (1 + locks)
    degrees = DEGREES[::TEXELS, ::TEXELS]
    if not hides_ears(look):  # tucked behind them
        thickness = thickness * (1 - 0.85 * ridge(degrees, 98, 17, 4) * ridge(y, -6, 32, 4))
    if style == "bun":
        thickness = thickness + 24 * ridge(degrees, 180, 25) * ridge(y, 45, 20)
    if style == "long":
        thickness = thickness + 8 * smoothstep(-60, -110, y) * smoothstep(75, 95, degrees)
    return opacity.astype(np.float32), thickness.astype(np.float32)


def strands(rng: np.random.Generator) -> Image:
    """Return the (HEIGHT, WIDTH) brightness of single strands, about 1."""
    shape = (HEIGHT, WIDTH)
    value = (
        noise(rng, shape, (12, WIDTH // 3), smooth=False) * 0.20 + noise(rng, shape, (26, WIDTH), smooth=False) * 0.13
    )
    value += rng.standard_normal(shape, dtype=np.float32) * 0.05
    return np.asarray(np.clip(1 + value, 0.15, 2), np.float32)


def hides_ears(look: Look) -> bool:
    """Return whether the hair covers the ears."""
    return look.hair.style in ("long", "bob")
