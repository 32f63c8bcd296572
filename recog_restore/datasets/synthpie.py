"""SynthPIE in Multi-PIE's structure: the same people, sessions, cameras and illuminations, rendered when asked for.

337 people with numbers up to 346 and gaps; 250, 203, 230 and 239 of them come to the sessions 1 to 4, and numbers
follow the first appearance, as in Multi-PIE. The raised cameras are not rendered. ``full`` has all recordings, 13
cameras and 20 illuminations. ``small``, which fits two cores, has each person's first two sessions, all cameras, and of
each camera one illumination drawn from the twenty: a sample of ``full``. The frontal camera has 06 and 07 besides:
galleries are made of them.

A picture is a ``recog_restore.synthpie.Shot``; a person looks the same in either size. Landmarks are the renderer's,
kept to 0.01 as ``landmarks.csv`` keeps them, so that files written from here give the same numbers.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..synthpie import VERSION, Shot, Studio
from .base import Finding, Samples
from .posed import Posed, Selection
from .shots import (
    EXPRESSION,
    FRONTAL,
    ILLUMINATIONS,
    LAST_SUBJECT,
    PEOPLE,
    PEOPLE_OF,
    YAW,
    fields_of,
    name_of,
    table_of,
    whole_session,
)

NOTE = "synthetic faces rendered by this program; not a Multi-PIE number"
MARK = "synthpie.toml"  # at the root of a tree that was written from here

_SEED = 337
_GALLERY_ILLUMINATIONS = ("06", "07")
_DECIMALS = 2


@dataclass(frozen=True)
class Options(Selection):
    """A selection, and how much is rendered.

    Attributes:
        size: ``small`` or ``full``.
    """

    size: Literal["small", "full"] = "small"


@dataclass(frozen=True)
class RenderedShot:
    """A picture of SynthPIE: rendered when it is read."""

    shot: Shot

    def digest(self) -> str:
        """Return a SHA-256 of the shot and of the renderer's version."""
        return hashlib.sha256(f"SynthPIE {VERSION} {self.shot!r}".encode()).hexdigest()

    def read(self) -> NDArray[np.uint8]:
        """Return (128, 128, 3) uint8 RGB."""
        return _studio().photograph(self.shot).image


class SynthPIE(Posed):
    """The rendered data set; label columns as ``shots.table_of`` has them.

    Args:
        root: only a name; nothing is read.
        options: who is tested, enrolled and searched for, and how much is rendered.
    """

    options_record: ClassVar[type[Selection]] = Options
    faces = "rendered"

    def __init__(self, root: Path = Path("SynthPIE"), options: Options | None = None) -> None:
        super().__init__(root, options or Options())
        self.size = (options or Options()).size

    @property
    def note(self) -> str:
        """That these are no faces of people, how much of the whole it is, and what is not there."""
        return "; ".join(text for text in (f"SynthPIE ({self.size}): {NOTE}", super().note) if text)

    @cached_property
    def table(self) -> pd.DataFrame:
        """All pictures of this size, sorted by sample."""
        return table_of(names(self.size))

    def _samples(self, table: pd.DataFrame) -> Samples:
        shots = [shot_of(name) for name in table["sample"]]
        return Samples(table, tuple(shots), true_landmarks(shots))

    def _people_of(self) -> dict[int, int]:
        return {session: len(people) for session, people in attendance().items()}

    def check(self) -> list[Finding]:
        """Compare the people with the published counts of Multi-PIE, and say what is rendered."""
        return [*super().check(), Finding(True, f"pictures ({self.size})", "-", f"{len(self.table):,}")]


def names(size: Literal["small", "full"]) -> list[str]:
    """Return the names of all pictures of a size, sorted."""
    if size == "full":
        return sorted(name for session, people in attendance().items() for name in whole_session(people, session))
    return sorted(name for subject in subjects() for name in _few(subject))


def shot_of(name: str) -> RenderedShot:
    """Return the picture of that name; a recording is one moment, seen by all cameras under all lights."""
    subject, session, recording, camera, illumination = fields_of(name)
    shot = Shot(
        subject=int(subject),
        session=int(session),
        expression=EXPRESSION[int(session), int(recording)],
        yaw=float(YAW[camera]),
        light=int(illumination),
        jitter=int(recording),
    )
    return RenderedShot(shot)


def subjects() -> list[int]:
    """Return the numbers of the 337 people, in order."""
    gaps = np.random.default_rng(_SEED).choice(LAST_SUBJECT - 1, LAST_SUBJECT - PEOPLE, replace=False) + 1
    return sorted(set(range(1, LAST_SUBJECT + 1)) - set(gaps.tolist()))


@cache
def attendance() -> dict[int, tuple[int, ...]]:
    """Return who comes to each session: those who have not come before, in order of number, and some who have.

    Those who are not in session 1 come first to the sessions 2, 3 and 4 in equal thirds.
    """
    people, rng = subjects(), np.random.default_rng([_SEED, 0])
    new = np.array_split(people[PEOPLE_OF[1] :], len(PEOPLE_OF) - 1)
    there = {1: tuple(people[: PEOPLE_OF[1]])}
    for session, first in zip((2, 3, 4), new, strict=True):
        known = [person for person in people if person < first[0]]
        again = rng.choice(known, PEOPLE_OF[session] - len(first), replace=False)
        there[session] = tuple(sorted([*again.tolist(), *first.tolist()]))
    return there


def _few(subject: int) -> list[str]:
    """Return the names of a person's pictures in ``small``; the draw depends on the person alone."""
    cameras, found = list(YAW), []
    drawn = np.random.default_rng([_SEED, 1, subject]).choice(ILLUMINATIONS, (len(EXPRESSION), len(cameras)))
    sessions = [session for session, people in attendance().items() if subject in people][:2]
    for number, (session, recording) in enumerate(EXPRESSION):
        if session in sessions:
            for column, camera in enumerate(cameras):
                lights = {str(drawn[number, column]), *(_GALLERY_ILLUMINATIONS if camera == FRONTAL else ())}
                found += [name_of(subject, session, recording, camera, light) for light in lights]
    return found


def true_landmarks(shots: Sequence[RenderedShot]) -> NDArray[np.float64]:
    """Return the (M, 5, 2) pixels of the shots' points, to 0.01; those that differ only in light share them."""
    found: dict[Shot, NDArray[np.float64]] = {}
    for unlit in dict.fromkeys(replace(rendered.shot, light=0) for rendered in shots):
        found[unlit] = np.round(_studio().truth(unlit).landmarks5, _DECIMALS)
    return np.array([found[replace(rendered.shot, light=0)] for rendered in shots]).reshape(-1, 5, 2)


_local = threading.local()


def _studio() -> Studio:
    """Return this thread's studio."""
    if not hasattr(_local, "studio"):
        _local.studio = Studio()
    studio: Studio = _local.studio
    return studio
