"""Textures: what one person's skin and features look like, and one session's version of it with hair and clothes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from . import canvas as cv
from .features import MOUTH, TEETH_COLOUR, Mouth, paint_brows, paint_eyes, paint_mouth, paint_nostrils
from .fields import Image, smoothstep
from .hair import grow, strands
from .people import Look, Person
from .skin import FACE, SHINY, hair_colour, paint_beard, paint_redness, paint_skin, tone

_SKIN, _LOOK, _CUT = 104729, 104743, 777
_LINEAR: Image = ((np.arange(1024) / 1023.0) ** 2.2).astype(np.float32)
_COLLAR = slice(-14 * cv.TEXELS, None)


@dataclass(frozen=True)
class Makeup:
    """A person's paint before the session: sRGB canvas, gloss, strands of hair, teeth."""

    canvas: Image
    gloss: Image
    strands: Image
    mouth: Mouth


@dataclass(frozen=True)
class Texture:
    """A look's texture: linear albedo on the canvas, gloss and hair thickness in mm on the grid, colour of the skin."""

    albedo: Image
    gloss: Image
    thickness: Image
    skin: Image
    mouth: Mouth

    def opened(self, gap: float) -> Image:
        """Return the albedo with the teeth that a mouth open by ``gap`` mm shows."""
        teeth = self.mouth.opened(gap)
        if not teeth.any():
            return self.albedo
        albedo = self.albedo.copy()
        cv.cover(albedo[MOUTH.area], teeth, TEETH_COLOUR)
        return albedo


def make_up(who: Person) -> Makeup:
    """Return what all sessions of a person share."""
    rng = np.random.default_rng([_SKIN, who.subject])
    canvas = paint_skin(who, rng)
    gloss = np.full((cv.HEIGHT, cv.WIDTH), 0.9, np.float32)
    gloss[FACE.area] += SHINY
    mouth = paint_mouth(canvas, gloss, who, rng)
    paint_nostrils(canvas)
    paint_brows(canvas, who, rng)
    paint_eyes(canvas, gloss, who)
    return Makeup(canvas, gloss, strands(rng), mouth)


def dress(look: Look, makeup: Makeup) -> Texture:
    """Return the texture of a person's look in a session."""
    who = look.person
    rng = np.random.default_rng([_LOOK, who.subject, look.session])
    canvas, gloss = makeup.canvas.copy(), makeup.gloss.copy()
    paint_redness(canvas, look, rng)
    paint_beard(canvas, gloss, look, makeup.strands, rng)
    opacity, thickness = grow(look, np.random.default_rng([_CUT, who.subject, look.hair.seed]))
    cv.cover(canvas, opacity, hair_colour(who) * makeup.strands[..., None])
    gloss = gloss * (1 - opacity) + 0.45 * opacity
    collar = smoothstep(-158, -164, cv.Y[_COLLAR] - 8 * np.cos(cv.ANGLE[_COLLAR])) * (1 - opacity[_COLLAR])
    cv.cover(canvas[_COLLAR], collar, look.clothes)
    gloss[_COLLAR] *= (1 - collar).astype(np.float32)
    albedo = _LINEAR[np.clip(canvas * 1023, 8, 1023).astype(np.int16)]
    coarse = np.asarray(cv2.blur(gloss, (3, 3)), np.float32)[:: cv.TEXELS, :: cv.TEXELS].copy()
    return Texture(albedo, coarse, thickness, tone(who), makeup.mouth)
