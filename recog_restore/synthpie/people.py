"""People: who somebody is (shape and colour of the face), and how he looks in one session.

Everything is drawn from ``np.random.default_rng`` seeded with integers, so that a subject number means the same person
on every machine. What the sessions of one person share is the face; hair, stubble, redness, clothes and a little weight
change, so that nothing but the face tells people apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .shape import IDENTITY_NAMES

TRAITS = (
    "melanin", "hemoglobin", "sallow", "redness", "under_eye", "mottle", "brow_dark", "brow_thick", "brow_arch",
    "brow_length", "brow_gap", "brow_tilt", "iris_light", "iris_hue", "lip_red", "lip_dark", "lid_crease", "lash",
    "age", "freckle", "stubble", "beard", "moustache", "hair_dark", "hair_red", "hair_grey", "hairline", "recession",
)  # fmt: skip
# Shift of shape coefficients by sex, −1 female … +1 male.
DIMORPHISM = {
    "jaw_width": 0.5, "chin_width": 0.45, "lower_face_length": 0.4, "brow_ridge": 0.7, "brow_height": -0.5,
    "nose_projection": 0.25, "nose_width": 0.35, "neck_width": 0.8, "eye_size": -0.35, "eye_opening": -0.3,
    "lower_lip": -0.3, "upper_lip": -0.35, "face_width": 0.3, "face_height": 0.35, "forehead_slope": 0.35,
    "cheek_fullness": -0.2,
}  # fmt: skip
WOMEN = {"long": 0.42, "medium": 0.13, "bun": 0.27, "bob": 0.18}
MEN = {"short": 0.52, "buzz": 0.22, "bald": 0.10, "medium": 0.11, "full": 0.05}
# No coefficient lies further from the mean, in standard deviations.
LIMIT = 1.9
# The shape coefficients that change a little from session to session.
WEIGHT = ("cheek_fullness", "neck_width")

# First words of the seeds, one a purpose.
_PERSON, _SESSION, _HAIR = 7919, 104711, 31337


@dataclass(frozen=True)
class Person:
    """Who somebody is: 40 shape coefficients, traits of colour, five ear coefficients, sex in −1 … +1."""

    subject: int
    sex: float
    shape: NDArray[np.float64]
    traits: dict[str, float]
    ear: NDArray[np.float64]


@dataclass(frozen=True)
class Hair:
    """A haircut: style, whether a fringe covers the forehead, relative volume, side of the parting, seed of locks."""

    style: str
    fringe: bool
    volume: float
    parting: float
    seed: int


@dataclass(frozen=True)
class Look:
    """A person in one session."""

    person: Person
    session: int
    shape: NDArray[np.float64]
    traits: dict[str, float]
    hair: Hair
    clothes: NDArray[np.float64]


def person(subject: int) -> Person:
    """Return the person of a subject number."""
    rng = np.random.default_rng([_PERSON, subject])
    side = rng.uniform(-1, 1)
    sex = float(np.sign(side) * np.abs(side) ** 0.4)
    shape = rng.standard_normal(len(IDENTITY_NAMES))
    for name, shift in DIMORPHISM.items():
        i = IDENTITY_NAMES.index(name)
        shape[i] = 0.85 * shape[i] + shift * sex
    traits = dict(zip(TRAITS, rng.standard_normal(len(TRAITS)), strict=True))
    traits["brow_thick"] += 0.5 * sex
    traits["lip_red"] -= 0.5 * sex
    traits = {name: float(np.clip(value, -LIMIT, LIMIT)) for name, value in traits.items()}
    return Person(subject, sex, np.clip(shape, -LIMIT, LIMIT), traits, rng.standard_normal(5).clip(-LIMIT, LIMIT))


def haircut(who: Person, day: int) -> Hair:
    """Return a haircut of a person; another day, another haircut."""
    rng = np.random.default_rng([_HAIR, who.subject, day])
    styles = WOMEN if who.sex < 0 else MEN
    style = list(styles)[int(np.searchsorted(np.cumsum(list(styles.values())), rng.random() * 0.999))]
    fringe = rng.random() < (0.33 if who.sex < 0 else 0.10) and style not in ("buzz", "bald", "full")
    return Hair(style, bool(fringe), float(rng.uniform(0.7, 1.25)), float(rng.uniform(-1, 1)), day)


def look(who: Person, session: int) -> Look:
    """Return how a person looks in a session; session 1 is the person as drawn."""
    rng = np.random.default_rng([_SESSION, who.subject, session])
    clothes = rng.random(3) * 0.7 + 0.05
    cut = haircut(who, 1)
    if session == 1:
        return Look(who, session, who.shape, who.traits, cut, clothes)
    if rng.random() < 0.4:
        cut = haircut(who, session)
    cut = Hair(cut.style, cut.fringe, cut.volume * float(rng.uniform(0.85, 1.15)), cut.parting, cut.seed)
    shape, traits = who.shape.copy(), dict(who.traits)
    for name in WEIGHT:
        shape[IDENTITY_NAMES.index(name)] += 0.3 * rng.standard_normal()
    for name, spread in {"stubble": 0.5, "redness": 0.4}.items():
        traits[name] += spread * rng.standard_normal()
    return Look(who, session, shape, traits, cut, clothes)
