"""Gallery and probes of Multi-PIE: one selection, with every known disagreement between papers as a named option.

Files and stand-in share it: a protocol's ``[data.options]`` are the fields of ``Selection``.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError, RecordError
from ..records import Seed, nearest
from .base import Dataset, Finding, Samples, Split, count_finding
from .shots import CAMERA_FLASH, EXPRESSIONS, FRONTAL, ILLUMINATIONS, PEOPLE, PEOPLE_OF, YAW

_Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Selection:
    """Who is tested, who is enrolled with which image, and what is searched for.

    People are those with an image in ``sessions``, in the order of their numbers: the first ``train_people`` are
    training people, whatever their numbers are, since the numbers have gaps.

    Attributes:
        sessions: of Multi-PIE's four.
        train_people: how many come first and are left to training.
        test_people: how many come next; 0 means all.
        part: ``test``, or ``train`` for the same gallery and probes of the training people.
        gallery_illumination: ``07`` is the frontal flash (bob and most validators); TP-GAN and FFWM enrol ``06``.
        gallery_choice: the gallery is one frontal neutral image of a person: of the ``first`` appearance, or ``drawn``
            from all of that illumination (FFWM).
        skip_without_gallery: leave out people who have no such image, instead of refusing.
        min_yaw, max_yaw: |yaw| of the probes; 90 are 13 poses, 75 are 11.
        probe_illumination: ``all``, a number as ``07``, or ``camera``: the flash at each camera (TP-GAN).
        expressions: of the probes.
        recording_4_2: whether the probes have the second neutral recording of session 4.
        gallery_among_probes: whether the gallery image is searched for, too, as some validators do.
        probes_per_person: at most so many, drawn from each person's; 0 means all.
        seed: of what is drawn.
    """

    sessions: tuple[int, ...] = (1, 2, 3, 4)
    train_people: int = 0
    test_people: int = 0
    part: Literal["test", "train"] = "test"
    gallery_illumination: str = "07"
    gallery_choice: Literal["first", "drawn"] = "first"
    skip_without_gallery: bool = False
    min_yaw: int = 0
    max_yaw: int = 90
    probe_illumination: str = "all"
    expressions: tuple[str, ...] = ("neutral",)
    recording_4_2: bool = True
    gallery_among_probes: bool = False
    probes_per_person: int = 0
    seed: Seed = 0

    def __post_init__(self) -> None:
        for name in ("train_people", "test_people", "probes_per_person", "seed"):
            if getattr(self, name) < 0:
                raise RecordError(f"{name} is {getattr(self, name)}; expected 0 or more")
        if not self.sessions or not set(self.sessions) <= set(PEOPLE_OF):
            raise RecordError(f"sessions is {list(self.sessions)}; expected some of 1, 2, 3, 4")
        poses = sorted({abs(yaw) for yaw in YAW.values()})
        for name in ("min_yaw", "max_yaw"):
            if getattr(self, name) not in poses:
                raise RecordError(f"{name} is {getattr(self, name)}; expected one of {', '.join(map(str, poses))}")
        if self.gallery_illumination not in ILLUMINATIONS:
            raise RecordError(f"gallery_illumination is {self.gallery_illumination!r}; expected '00' to '19'")
        if self.probe_illumination not in ("all", "camera", *ILLUMINATIONS):
            raise RecordError(
                f"probe_illumination is {self.probe_illumination!r}; expected 'all', 'camera', or '00' to '19'"
            )
        for expression in self.expressions:
            if expression not in EXPRESSIONS:
                raise RecordError(f"expressions: no expression {expression!r}; {nearest(expression, EXPRESSIONS)}")


@dataclass(frozen=True)
class Chosen:
    """What a selection takes from a table.

    Attributes:
        rows: of the table, in its order: all images that are needed.
        gallery, probes: places in ``rows``; the gallery is in the order of its people.
        people: how many belong to the part.
        without_gallery: those of them who have no gallery image; none of their images is needed.
    """

    rows: _Rows
    gallery: _Rows
    probes: _Rows
    people: int
    without_gallery: tuple[str, ...]


def choose(table: pd.DataFrame, selection: Selection) -> Chosen:
    """Return gallery and probes.

    Args:
        table: as ``shots.table_of`` makes it, sorted by sample.
    """
    s = selection
    there = table[table["session"].isin(s.sessions)]
    people = sorted(there["subject"].unique())
    train, rest = people[: s.train_people], people[s.train_people :]
    part = train if s.part == "train" else rest[: s.test_people or None]
    images = there[there["subject"].isin(part)]
    enrolled = _gallery(images, s)
    searched = images[_are_probes(images, s) & images["subject"].isin(enrolled)]
    if not s.gallery_among_probes:
        searched = searched.drop(index=list(enrolled.values()), errors="ignore")
    if s.probes_per_person:
        searched = searched.loc[_drawn(searched, s)]
    gallery, probes = np.array(list(enrolled.values()), np.int64), searched.index.to_numpy(np.int64)
    rows, places = np.unique(np.concatenate([gallery, probes]), return_inverse=True)
    return Chosen(
        rows=rows,
        gallery=places[: len(gallery)].astype(np.int64),
        probes=places[len(gallery) :].astype(np.int64),
        people=len(part),
        without_gallery=tuple(subject for subject in part if subject not in enrolled),
    )


def _gallery(images: pd.DataFrame, s: Selection) -> dict[str, int]:
    """Return the row of each person's gallery image."""
    frontal = (images["camera"] == FRONTAL) & (images["illumination"] == s.gallery_illumination)
    candidates = images[frontal & (images["expression"] == "neutral")].groupby("subject", sort=True)
    if s.gallery_choice == "first":
        return {str(subject): int(group.index[0]) for subject, group in candidates}
    return {str(subject): int(_generator(s, str(subject)).choice(group.index)) for subject, group in candidates}


def _are_probes(images: pd.DataFrame, s: Selection) -> pd.Series:
    wanted = images["abs_yaw"].between(s.min_yaw, s.max_yaw) & images["expression"].isin(s.expressions)
    if not s.recording_4_2:
        wanted &= (images["session"] != 4) | (images["recording"] != 2)
    if s.probe_illumination == "camera":
        wanted &= images["illumination"] == images["camera"].map(CAMERA_FLASH)
    elif s.probe_illumination != "all":
        wanted &= images["illumination"] == s.probe_illumination
    return wanted


def _drawn(searched: pd.DataFrame, s: Selection) -> _Rows:
    """Return the rows of the probes that are drawn, in order; a person's do not depend on the other people."""
    kept = []
    for subject, group in searched.groupby("subject", sort=True):
        count = min(s.probes_per_person, len(group))
        kept.append(np.sort(_generator(s, str(subject)).choice(group.index, count, replace=False)))
    return np.concatenate(kept).astype(np.int64) if kept else np.empty(0, np.int64)


def _generator(s: Selection, subject: str) -> np.random.Generator:
    return np.random.default_rng([s.seed, int(subject)])


class Posed(Dataset):
    """Multi-PIE or what stands in for it: identification by a ``Selection``.

    Args:
        root: where it is.
        options: who is tested, enrolled and searched for.
    """

    options_record: ClassVar[type[Selection]] = Selection

    def __init__(self, root: Path, options: Selection) -> None:
        super().__init__(root)
        self.options = options

    @property
    @abstractmethod
    def table(self) -> pd.DataFrame:
        """All images that are there, sorted by sample; see ``shots.table_of``."""

    @abstractmethod
    def _samples(self, table: pd.DataFrame) -> Samples:
        """Return some of the images."""

    @cached_property
    def _chosen(self) -> Chosen:
        return choose(self.table, self.options)

    @property
    def note(self) -> str:
        """Which people of the protocol are not there."""
        o, chosen = self.options, self._chosen
        wanted = o.train_people if o.part == "train" else o.test_people
        parts = []
        if chosen.people < wanted:
            parts.append(f"only {chosen.people} of the {wanted} {o.part} people are there")
        if chosen.without_gallery:
            parts.append(f"people left out for want of a gallery image: {len(chosen.without_gallery)}")
        return "; ".join(parts)

    def samples(self) -> Samples:
        """Return the gallery and the probes.

        Raises:
            DataError: nobody is left to test, or somebody has no gallery image and ``skip_without_gallery`` is not set.
        """
        o, chosen = self.options, self._chosen
        if not chosen.people:
            raise DataError(
                f"{self.root}: expected people in sessions {', '.join(map(str, o.sessions))} beyond the first "
                f"{o.train_people}, who are training people, found none; for a part of the data set say "
                "--set data.options.train_people=0"
            )
        if chosen.without_gallery and not o.skip_without_gallery:
            raise DataError(
                f"{self.root}: {len(chosen.without_gallery)} of {chosen.people} people have no gallery image (camera "
                f"{FRONTAL}, illumination {o.gallery_illumination}, neutral), {chosen.without_gallery[0]!r} for one; "
                "copy it, or leave them out with --set data.options.skip_without_gallery=true"
            )
        return self._samples(self.table.iloc[chosen.rows].reset_index(drop=True))

    def split(self) -> Split:
        """Return one gallery image of each person, and the probes."""
        return Split(self._chosen.gallery, self._chosen.probes)

    def _people_of(self) -> dict[int, int]:
        """Return how many people come to each session."""
        by_session = self.table.groupby("session")["subject"].nunique()
        return {session: int(by_session.get(session, 0)) for session in PEOPLE_OF}

    def check(self) -> list[Finding]:
        """Compare the people with the published counts, and say what the selection takes."""
        o, chosen = self.options, self._chosen
        lacking = chosen.without_gallery
        some = ", ".join(lacking[:3]) + (", …" if len(lacking) > 3 else "")
        return [
            count_finding("people", PEOPLE, self.table["subject"].nunique()),
            *(
                count_finding(f"people in session {session}", PEOPLE_OF[session], count)
                for session, count in self._people_of().items()
            ),
            Finding(
                ok=not lacking,
                what=f"{o.part} people with a gallery image (camera {FRONTAL}, illumination {o.gallery_illumination})",
                expected=f"{chosen.people:,}",
                found=f"{len(chosen.gallery):,}" + (f"; {len(lacking):,} without: {some}" if lacking else ""),
                way_out="copy the images, or --set data.options.skip_without_gallery=true" if lacking else "",
            ),
            Finding(True, "gallery and probes", "-", f"{len(chosen.gallery):,} and {len(chosen.probes):,}"),
        ]
