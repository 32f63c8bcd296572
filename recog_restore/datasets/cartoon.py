"""One cartoon face, drawn with polygons: a person is a set of numbers, an image is that person at one moment.

Skin and hair are brushed over, finely, in directions that are the person's own: what an image loses when it is reduced.

Face coordinates: (0, 0) between the eyes and the mouth, x to the right, y down, 1 is half a head's height. Everything
is drawn through one 2×3 matrix from face coordinates to pixels (``geometry``'s convention): the landmarks are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.float64]  # (3,) RGB, 0 … 255
Points = NDArray[np.float64]  # (K, 2) face coordinates

_SKIN = np.array(
    [[255, 224, 200], [244, 200, 166], [224, 172, 128], [190, 132, 90], [140, 92, 62], [92, 58, 42]], float
)
_HAIR = np.array(
    [[28, 24, 26], [64, 42, 30], [112, 70, 40], [150, 62, 34], [206, 166, 96], [236, 214, 150], [150, 150, 154]], float
)
_IRIS = np.array([[84, 52, 32], [112, 84, 44], [72, 108, 72], [86, 128, 170], [110, 120, 130]], float)
_GLASSES = np.array([[30, 30, 34], [120, 40, 36], [44, 60, 110], [140, 110, 50]], float)
HAIR_STYLES = ("bald", "short", "fringe", "parted", "long", "curly", "bob", "quiff")
_FRACTION_BITS = 4  # cv2 draws at 1/16 pixel
_STROKES = 120  # cells across the field of a person's brush strokes, over _FIELD lengths
_FIELD = 2.8
_STROKES_DEPTH = 0.075  # standard deviation, in parts of the brightness
_SHADOWS = 0.1  # the same for the light


@dataclass(frozen=True)
class Person:
    """What stays the same in every image of one person. Lengths are in face coordinates."""

    skin: Colour
    hair: Colour
    iris: Colour
    lips: Colour
    hair_style: str
    hair_height: float
    width: float
    height: float
    jaw: float
    chin: float
    ears: float
    eye_apart: float
    eye_y: float
    eye_width: float
    eye_open: float
    eye_tilt: float
    brow_gap: float
    brow_thick: float
    brow_tilt: float
    brow_arch: float
    nose_y: float
    nose_width: float
    mouth_y: float
    mouth_width: float
    lip_upper: float
    lip_lower: float
    glasses: Colour | None
    round_glasses: bool
    beard: float
    moustache: bool
    freckles: Points
    strokes: NDArray[np.float32]

    @classmethod
    def draw_lots(cls, generator: np.random.Generator) -> Person:
        """Return a person at random."""
        number, chance = generator.uniform, generator.random
        skin = _between(_SKIN, chance()) * number(0.96, 1.03, 3)
        hair = _HAIR[generator.integers(len(_HAIR) if skin[0] > 200 else 3)] * number(0.85, 1.15)
        bearded = chance() < 0.25
        return cls(
            skin=skin,
            hair=hair,
            iris=_IRIS[generator.integers(len(_IRIS))],
            lips=skin * [0.86, 0.58, 0.58] + [number(0, 40), 0, number(0, 12)],
            hair_style=HAIR_STYLES[generator.integers(len(HAIR_STYLES))],
            hair_height=number(0.1, 0.3),
            width=number(0.66, 0.86),
            height=number(0.96, 1.1),
            jaw=number(0.02, 0.34),
            chin=number(1.9, 2.9),
            ears=number(0.1, 0.19),
            eye_apart=number(0.27, 0.38),
            eye_y=number(-0.2, -0.04),
            eye_width=number(0.11, 0.17),
            eye_open=number(0.045, 0.095),
            eye_tilt=number(-0.22, 0.22),
            brow_gap=number(0.11, 0.2),
            brow_thick=number(0.018, 0.06),
            brow_tilt=number(-0.35, 0.35),
            brow_arch=number(0.0, 0.07),
            nose_y=number(0.16, 0.34),
            nose_width=number(0.07, 0.16),
            mouth_y=number(0.48, 0.64),
            mouth_width=number(0.18, 0.34),
            lip_upper=number(0.015, 0.055),
            lip_lower=number(0.025, 0.085),
            glasses=_GLASSES[generator.integers(len(_GLASSES))] if chance() < 0.22 else None,
            round_glasses=chance() < 0.5,
            beard=number(0.25, 0.5) if bearded else 0.0,
            moustache=(bearded and chance() < 0.7) or chance() < 0.06,
            freckles=number(-0.5, 0.5, (generator.integers(10, 24), 2)) * [1, 0.25] + [0, 0.16]
            if chance() < 0.2
            else np.empty((0, 2)),
            strokes=_STROKES_DEPTH * _strokes(generator),
        )


@dataclass(frozen=True)
class Moment:
    """What differs from image to image."""

    scale: float
    roll: float
    shift: NDArray[np.float64]
    turn: float
    nod: float
    smile: float
    mouth_open: float
    lids: float
    brows: float
    gaze: float
    backdrop: NDArray[np.float64]
    shirt: Colour
    light: NDArray[np.float64]
    colour_cast: Colour
    blur: float
    noise: float

    @classmethod
    def draw_lots(cls, generator: np.random.Generator) -> Moment:
        """Return a moment at random."""
        number = generator.uniform
        return cls(
            scale=number(0.92, 1.08),
            roll=generator.normal(0, 0.1),
            shift=generator.normal(0, 0.05, 2),
            turn=generator.normal(0, 0.035),
            nod=generator.normal(0, 0.02),
            smile=number(-0.3, 0.8),
            mouth_open=max(0.0, number(-0.12, 0.08)),
            lids=number(0.75, 1.1),
            brows=generator.normal(0, 0.012),
            gaze=generator.normal(0, 0.2),
            backdrop=number(80, 220, (2, 1)) + number(-35, 35, (2, 3)),
            shirt=number(20, 230, 3),
            light=number(0.82, 1.08) + generator.normal(0, _SHADOWS, (5, 5)),
            colour_cast=number(0.96, 1.04, 3),
            blur=max(0.0, number(-0.8, 0.6)),
            noise=number(0.3, 1.5),
        )


def draw_face(
    person: Person, moment: Moment, size: int, generator: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return an image of the person and its five landmarks.

    Args:
        person, moment: what to draw.
        size: side of the image in pixels; the head takes about three fifths of it.
        generator: of the noise.

    Returns:
        (size, size, 3) uint8 RGB, and (5, 2) float64 pixels.
    """
    to_pixels = _matrix(moment, size)
    ramp = np.linspace(0.0, 1.0, size)[:, None, None]
    image = np.broadcast_to(moment.backdrop[0] * (1 - ramp) + moment.backdrop[1] * ramp, (size, size, 3))
    brush = _Brush(np.ascontiguousarray(image, np.uint8), to_pixels, np.zeros(2))
    inner = np.array([moment.turn, moment.nod])
    _shirt_and_neck(brush, person, moment)
    _hair_behind(brush, person)
    _head(brush, person)
    brush.offset = 0.5 * inner
    _beard(brush, person)
    brush.roughen(0.97 * _outline(person), person.strokes)
    brush.offset = inner
    _freckles(brush, person)
    _eyes(brush, person, moment)
    _mouth(brush, person, moment)
    brush.offset = 1.7 * inner
    _nose(brush, person)
    brush.offset = inner
    _moustache(brush, person)
    _glasses(brush, person)
    brush.offset = 0.3 * inner
    _hair_before(brush, person)
    points = _landmarks(person, moment) + inner * np.array([[1.0], [1.0], [1.7], [1.0], [1.0]])
    return _photograph(brush.image, moment, generator), points @ to_pixels[:, :2].T + to_pixels[:, 2]


class _Brush:
    """Fills polygons and strokes lines given in face coordinates, smooth-edged."""

    def __init__(self, image: NDArray[np.uint8], to_pixels: NDArray[np.float64], offset: NDArray[np.float64]) -> None:
        self.image, self.offset, self._to_pixels = image, offset, to_pixels
        self._scale = float(np.hypot(*to_pixels[:, 0]))

    def fill(self, points: Points, colour: Colour) -> None:
        cv2.fillPoly(self.image, [self._pixels(points)], _rgb(colour), cv2.LINE_AA, _FRACTION_BITS)

    def stroke(self, points: Points, thick: float, colour: Colour, closed: bool = False) -> None:
        thickness = max(1, round(thick * self._scale))
        cv2.polylines(self.image, [self._pixels(points)], closed, _rgb(colour), thickness, cv2.LINE_AA, _FRACTION_BITS)

    def roughen(self, area: Points, field: NDArray[np.float32]) -> None:
        """Darken and brighten an area by a square field, _FIELD lengths wide and centred on (0, 0)."""
        cell = _FIELD / _STROKES
        mask = np.zeros(self.image.shape[:2], np.uint8)
        cv2.fillPoly(mask, [self._pixels(area)], 255, cv2.LINE_AA, _FRACTION_BITS)
        turn = self._to_pixels[:, :2]
        first = turn @ (self.offset - cell * (np.array(field.shape) - 1) / 2) + self._to_pixels[:, 2]
        change = cv2.warpAffine(field, np.hstack([turn * cell, first[:, None]]), mask.shape[::-1])
        change = (change * (mask / 255.0))[:, :, None]
        self.image = np.clip(np.rint(self.image * (1 + change)), 0, 255).astype(np.uint8)

    def _pixels(self, points: Points) -> NDArray[np.int32]:
        pixels = (points + self.offset) @ self._to_pixels[:, :2].T + self._to_pixels[:, 2]
        return np.rint(pixels * (1 << _FRACTION_BITS)).astype(np.int32)


def _shirt_and_neck(brush: _Brush, person: Person, moment: Moment) -> None:
    neck = 0.55 * person.width
    brush.fill(_ellipse(0, 2.0, 1.5, 0.95), moment.shirt)
    brush.fill(
        np.array([[-neck, 0.5], [neck, 0.5], [neck * 1.05, 1.25], [0, 1.45], [-neck * 1.05, 1.25]]), person.skin * 0.8
    )


def _hair_behind(brush: _Brush, person: Person) -> None:
    top, wide = -person.height - person.hair_height, person.width
    colour = person.hair * 0.8
    if person.hair_style == "long":
        brush.fill(_rounded(wide + 0.2, top, 1.25, 0.55), colour)
    elif person.hair_style == "bob":
        brush.fill(_rounded(wide + 0.24, top, 0.55, 0.5), colour)
    elif person.hair_style == "curly":
        for angle in np.linspace(-0.15, np.pi + 0.15, 15):
            x, y = -(wide + 0.1) * np.cos(angle), -0.35 - (person.height - 0.2 + person.hair_height) * np.sin(angle)
            brush.fill(_ellipse(x, y, 0.26, 0.26), colour)


def _head(brush: _Brush, person: Person) -> None:
    for side in (-1, 1):
        brush.fill(_ellipse(side * (person.width + 0.01), 0.02, 0.1, person.ears), person.skin * 0.9)
        brush.stroke(_ellipse(side * (person.width + 0.01), 0.02, 0.05, person.ears * 0.6), 0.02, person.skin * 0.72)
    outline = _outline(person)
    brush.fill(outline, person.skin)
    brush.stroke(outline, 0.025, person.skin * 0.66, closed=True)
    cheek = person.skin * [1.0, 0.9, 0.88]
    for side in (-1, 1):
        brush.fill(_ellipse(side * 0.62 * person.width, 0.3, 0.16, 0.12), cheek)


def _beard(brush: _Brush, person: Person) -> None:
    if not person.beard:
        return
    start = 0.45 - person.beard
    outline = _outline(person) * 0.985
    jaw = outline[outline[:, 1] > start]
    jaw = jaw[np.argsort(jaw[:, 0])]
    x = np.linspace(1, -1, 17)
    edge = person.mouth_y - 0.07 + (start + 0.07 - person.mouth_y) * x**6
    inner = np.stack([0.84 * x * np.abs(jaw[:, 0]).max(), edge], axis=1)
    brush.fill(np.concatenate([jaw, inner]), 0.72 * person.hair + 0.28 * person.skin)


def _freckles(brush: _Brush, person: Person) -> None:
    for x, y in person.freckles:
        brush.fill(_ellipse(x, y, 0.016, 0.016, corners=8), person.skin * [0.78, 0.66, 0.6])


def _eyes(brush: _Brush, person: Person, moment: Moment) -> None:
    opening = person.eye_open * moment.lids * (1 - 0.2 * max(0.0, moment.smile))
    for side in (-1, 1):
        centre = np.array([side * person.eye_apart, person.eye_y])
        tilt = side * person.eye_tilt
        lid = _turned(_almond(person.eye_width, opening), tilt) + centre
        brush.fill(_turned(_almond(person.eye_width * 1.15, opening * 1.6), tilt) + centre, person.skin * 0.86)
        brush.fill(lid, np.array([250.0, 250.0, 248.0]))
        gaze = np.array([0.5 * moment.gaze * person.eye_width, 0.0])
        radius = 0.075
        inside = _almond(person.eye_width * 0.97, opening * 0.97)
        for r, colour in ((radius, person.iris), (radius * 0.5, np.array([18.0, 16.0, 18.0]))):
            disc = _ellipse(gaze[0], 0, r, r)
            limit = np.interp(disc[:, 0], inside[:12, 0], inside[:12, 1])
            disc[:, 1] = np.clip(disc[:, 1], limit, -limit)
            brush.fill(_turned(disc, tilt) + centre, colour)
        glint = _ellipse(-0.025, -0.02, 0.015, 0.015, corners=8) + centre + gaze
        brush.fill(glint, np.array([255.0, 255.0, 255.0]))
        brush.stroke(lid[:12], 0.028, person.skin * 0.25)
        _brow(brush, person, moment, side)


def _brow(brush: _Brush, person: Person, moment: Moment, side: int) -> None:
    x = np.linspace(-1, 1, 9)
    reach = person.eye_width * 1.25
    y = -person.brow_arch * (1 - x**2) + person.brow_tilt * 0.12 * x
    thick = person.brow_thick * np.array([0.9, 1, 1, 1, 0.95, 0.85, 0.7, 0.5, 0.25])
    centre = np.array([side * person.eye_apart, person.eye_y - person.brow_gap - moment.brows])
    upper = np.stack([side * x * reach, y - thick], axis=1)
    lower = np.stack([side * x * reach, y + thick], axis=1)[::-1]
    brush.fill(np.concatenate([upper, lower]) + centre, person.hair * 0.75)


def _nose(brush: _Brush, person: Person) -> None:
    tip, wide = person.nose_y, person.nose_width
    bridge = np.array([[-0.03, person.eye_y + 0.02], [0.03, person.eye_y + 0.02], [0.05, tip], [-0.05, tip]])
    brush.fill(bridge, person.skin * 1.04)
    for side in (-1, 1):
        brush.fill(_ellipse(side * wide * 0.72, tip + 0.02, wide * 0.42, 0.055), person.skin * 0.93)
        brush.fill(_ellipse(side * wide * 0.5, tip + 0.055, wide * 0.22, 0.02), person.skin * 0.45)
    brush.fill(_ellipse(0, tip, wide * 0.66, 0.075), person.skin * 1.05)
    x = np.linspace(-1, 1, 9)
    brush.stroke(np.stack([x * wide, tip + 0.07 - 0.03 * x**2], axis=1), 0.02, person.skin * 0.6)
    brush.stroke(np.array([[-0.045, person.eye_y + 0.06], [-0.06, tip - 0.06]]), 0.016, person.skin * 0.82)


def _mouth(brush: _Brush, person: Person, moment: Moment) -> None:
    half, corner, centre = _mouth_shape(person, moment)
    x = np.linspace(-1, 1, 15)
    line = centre + (corner - centre) * x**2
    bulge = 1 - x**2
    upper = line - person.lip_upper * bulge * (1 - 0.35 * np.exp(-(x**2) / 0.02)) - 0.2 * moment.mouth_open * bulge
    lower = line + (person.lip_lower + moment.mouth_open) * bulge
    brush.fill(_band(x * half, upper, lower), person.lips)
    if moment.mouth_open > 0.02:
        brush.fill(
            _band(x * half * 0.85, line - 0.1 * moment.mouth_open * bulge, line + moment.mouth_open * bulge), _DARK
        )
        brush.fill(_band(x * half * 0.7, line, line + 0.4 * moment.mouth_open * bulge), np.array([245.0, 243.0, 238.0]))
    else:
        brush.stroke(np.stack([x * half, line], axis=1), 0.022, person.lips * 0.5)


_DARK = np.array([70.0, 22.0, 26.0])


def _moustache(brush: _Brush, person: Person) -> None:
    if person.moustache:
        x = np.linspace(-1, 1, 11)
        middle = (person.nose_y + person.mouth_y) / 2 + 0.045
        band = 0.045 * (1.1 - x**2)
        brush.fill(
            _band(x * person.mouth_width * 1.05, middle - band + 0.05 * x**2, middle + band + 0.06 * x**2), person.hair
        )


def _glasses(brush: _Brush, person: Person) -> None:
    if person.glasses is None:
        return
    for side in (-1, 1):
        wide, high = (0.2, 0.19) if person.round_glasses else (0.22, 0.14)
        power = 2.0 if person.round_glasses else 5.0
        ring = _ellipse(side * person.eye_apart, person.eye_y + 0.02, wide, high, power=power)
        brush.stroke(ring, 0.035, person.glasses, closed=True)
        end = np.array([[side * (person.eye_apart + wide), person.eye_y], [side * person.width, person.eye_y - 0.03]])
        brush.stroke(end, 0.03, person.glasses)
    gap = person.eye_apart - (0.2 if person.round_glasses else 0.22)
    brush.stroke(np.array([[-gap, person.eye_y], [0, person.eye_y - 0.03], [gap, person.eye_y]]), 0.03, person.glasses)


def _hair_before(brush: _Brush, person: Person) -> None:
    if person.hair_style == "bald":
        return
    crown = -person.height - person.hair_height
    line = person.eye_y - person.brow_gap - 0.12
    x = np.linspace(-1, 1, 21)
    wide = person.width + (0.04 if person.hair_style in ("short", "quiff", "parted", "fringe") else 0.1)
    over = np.stack([x * wide, line + 0.12 + (crown - line - 0.12) * (1 - np.abs(x) ** 2.6) ** (1 / 2.6)], axis=1)
    edge = {
        "short": line - 0.3 + 0.34 * x**4,
        "fringe": line - 0.02 + 0.035 * np.cos(x * 19) + 0.12 * x**6,
        "parted": line - 0.32 + 0.5 * np.abs(x + 0.35) ** 1.5,
        "long": line - 0.38 + 0.75 * np.abs(x) ** 2.2,
        "curly": line - 0.24 + 0.05 * np.cos(x * 14) + 0.3 * x**4,
        "bob": line - 0.05 + 0.4 * x**6,
        "quiff": line - 0.34 + 0.1 * np.sin(x * 3) + 0.3 * x**4,
    }[person.hair_style]
    edge = np.minimum(edge, 0.35)
    if person.hair_style == "quiff":
        over[:, 1] -= 0.16 * np.exp(-((x - 0.25) ** 2) / 0.12)
    shape = np.concatenate([over, np.stack([x * wide, edge], axis=1)[::-1]])
    brush.fill(shape, person.hair)
    brush.roughen(shape, 2 * person.strokes)
    for start in (-0.5, -0.1, 0.35):
        strand = np.array([[start * wide, 0.5 * (crown + line)], [start * wide * 1.25, line - 0.28]])
        brush.stroke(strand, 0.02, person.hair * 0.8 + 14)


def _landmarks(person: Person, moment: Moment) -> Points:
    half, corner, _ = _mouth_shape(person, moment)
    return np.array(
        [
            [-person.eye_apart, person.eye_y],
            [person.eye_apart, person.eye_y],
            [0.0, person.nose_y],
            [-half, corner],
            [half, corner],
        ]
    )


def _mouth_shape(person: Person, moment: Moment) -> tuple[float, float, float]:
    """Return half the mouth's width, and the heights of its corners and of its middle."""
    half = person.mouth_width * (1 + 0.18 * moment.smile)
    return half, person.mouth_y - 0.06 * moment.smile, person.mouth_y + 0.03 * moment.smile


def _photograph(image: NDArray[np.uint8], moment: Moment, generator: np.random.Generator) -> NDArray[np.uint8]:
    size = image.shape[0]
    light = cv2.resize(moment.light, (size, size), interpolation=cv2.INTER_CUBIC)[:, :, None]
    pixels: NDArray[np.float64] = image * (light * moment.colour_cast)
    if moment.blur > 0.2:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), moment.blur), np.float64)
    noise = moment.noise * generator.standard_normal(pixels.shape, np.float32)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def _matrix(moment: Moment, size: int) -> NDArray[np.float64]:
    scale = 0.31 * size * moment.scale
    turn = scale * np.array([[np.cos(moment.roll), -np.sin(moment.roll)], [np.sin(moment.roll), np.cos(moment.roll)]])
    centre = np.array([0.5, 0.53]) * (size - 1) + scale * moment.shift
    return np.hstack([turn, centre[:, None]])


def _outline(person: Person) -> Points:
    outline = _ellipse(0, 0, person.width, person.height, power=person.chin, corners=64)
    below = np.clip(outline[:, 1], 0, None)
    return outline * np.stack([1 - person.jaw * below, np.ones(len(outline))], axis=1)


def _ellipse(x: float, y: float, rx: float, ry: float, power: float = 2.0, corners: int = 28) -> Points:
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    exponent = 2 / power
    unit = np.stack([np.sign(cos) * np.abs(cos) ** exponent, np.sign(sin) * np.abs(sin) ** exponent], axis=1)
    return np.array([x, y]) + unit * [rx, ry]


def _rounded(half: float, top: float, bottom: float, corner: float) -> Points:
    angle = np.linspace(np.pi, 2 * np.pi, 25)
    arch = np.stack([half * np.cos(angle), top + corner + 0.4 + (corner + 0.4) * np.sin(angle)], axis=1)
    return np.concatenate(
        [arch, [[half, bottom - 0.1], [half * 0.8, bottom], [-half * 0.8, bottom], [-half, bottom - 0.1]]]
    )


def _almond(half: float, opening: float) -> Points:
    """Return an eye's outline: 12 points along the upper lid from left to right, then the lower lid back."""
    x = np.linspace(-1, 1, 12)
    upper = np.stack([x * half, -opening * (1 - np.abs(x) ** 2.2)], axis=1)
    lower = np.stack([x * half, 0.8 * opening * (1 - np.abs(x) ** 2.2)], axis=1)
    return np.concatenate([upper, lower[::-1]])


def _band(x: NDArray[np.float64], upper: NDArray[np.float64], lower: NDArray[np.float64]) -> Points:
    return np.concatenate([np.stack([x, upper], axis=1), np.stack([x, lower], axis=1)[::-1]])


def _turned(points: Points, angle: float) -> Points:
    cos, sin = np.cos(angle), np.sin(angle)
    turned: Points = points @ np.array([[cos, sin], [-sin, cos]])
    return turned


def _strokes(generator: np.random.Generator) -> NDArray[np.float32]:
    """Return a field of brush strokes, each region in its direction; mean 0, standard deviation 1."""
    noise = generator.standard_normal((_STROKES, _STROKES), np.float32)
    along = np.arange(-10, 11)
    layers, weights = [], []
    for angle in np.pi * np.arange(6) / 6:
        u = along * np.cos(angle) + along[:, None] * np.sin(angle)
        v = along[:, None] * np.cos(angle) - along * np.sin(angle)
        brush = np.exp(-(u**2) / 32 - v**2 / 0.6)  # standard deviations 4 cells along, 0.55 across
        layer = cv2.filter2D(noise, -1, brush / brush.sum())
        layers.append(layer / layer.std())
        region = cv2.GaussianBlur(generator.standard_normal(noise.shape, np.float32), (0, 0), 14)
        weights.append(np.exp(4 * region / region.std()))
    field = np.sum(np.multiply(layers, weights), axis=0) / np.sum(weights, axis=0)
    return np.asarray((field - field.mean()) / field.std(), np.float32)


def _between(palette: NDArray[np.float64], where: float) -> Colour:
    """Return the colour at a place from 0 (the palette's first) to 1 (its last)."""
    place = where * (len(palette) - 1)
    low = min(int(place), len(palette) - 2)
    return np.asarray(palette[low] + (place - low) * (palette[low + 1] - palette[low]))


def _rgb(colour: Colour) -> tuple[float, ...]:
    return tuple(float(value) for value in np.clip(colour, 0, 255))
