"""Faces of a run, before and after: what of them a page has room for, and only images that are images."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..results import BASELINE, Confusion, Example, ExampleFace, Result
from .wording import count, preprocessors

# The only addresses a page may hold: nothing is fetched, nothing is run (an SVG could).
_IMAGE = re.compile(r"data:image/(?:png|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}")

KINDS = {"gain": "Largest gains", "loss": "Largest losses"}


@dataclass(frozen=True)
class Change:
    """A comparison before and after: scores in words, and the images (sample, before, after), empty if unusable."""

    mated: str
    before: str
    after: str
    change: str
    images: tuple[tuple[str, str, str], ...]

    @property
    def weight(self) -> int:
        """The characters its images take."""
        return sum(len(address) for image in self.images for address in image[1:])


@dataclass(frozen=True)
class Shown:
    """One face of a confusion: what it is, whose, its sample, and its images by state (``before``, ``after``)."""

    role: str
    subject: str
    sample: str
    states: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Mistake:
    """A probe, its mate and the impostor it was taken for; scores, their difference and the mate's rank in words."""

    mate: str
    impostor: str
    excess: str
    rank: str
    faces: tuple[Shown, ...]

    @property
    def weight(self) -> int:
        """The characters its images take."""
        return sum(len(address) for face in self.faces for _, address in face.states)


@dataclass(frozen=True)
class Group:
    """The comparisons that one preprocessor changed most in one direction."""

    preprocessor: str
    kind: str
    title: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Mistakes:
    """The worst confusions of one preprocessor."""

    preprocessor: str
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True)
class Gallery:
    """What is shown of examples and confusions, the characters their images take, and how many did not fit."""

    groups: tuple[Group, ...]
    confusions: tuple[Mistakes, ...]
    size: int
    left_out: int


class _Weighty(Protocol):
    @property
    def weight(self) -> int: ...


_Key = TypeVar("_Key", bound=Hashable)
_Item = TypeVar("_Item", bound=_Weighty)


def gallery(result: Result, room: int) -> Gallery:
    """Return what fits into ``room`` characters, every group's first before any group's second; confusions first."""
    names = preprocessors(result)
    confused = {p: [_mistake(c) for c in result.confusions if c.preprocessor == p] for p in names}
    mistakes, used, missed = _packed(confused, room)
    changed = {
        (p, kind): [_change(e) for e in result.examples if (e.preprocessor, e.kind) == (p, kind)]
        for p in names
        if p != BASELINE
        for kind in KINDS
    }
    changes, more, left_out = _packed(changed, room - used)
    return Gallery(
        tuple(Group(p, kind, KINDS[kind], found) for (p, kind), found in changes.items() if found),
        tuple(Mistakes(p, found) for p, found in mistakes.items() if found),
        used + more,
        missed + left_out,
    )


def room_each(results: Sequence[Result], room: int) -> int:
    """Return the characters that the faces of each of these results may take."""
    return room // max(1, sum(bool(result.examples or result.confusions) for result in results))


def _packed(groups: Mapping[_Key, Sequence[_Item]], room: int) -> tuple[dict[_Key, tuple[_Item, ...]], int, int]:
    """Return what of each group fits, the characters it takes, and how many items did not fit."""
    shown: dict[_Key, list[_Item]] = {key: [] for key in groups}
    size = left_out = 0
    for place in range(max(map(len, groups.values()), default=0)):
        for key, items in groups.items():
            if place >= len(items):
                continue
            item = items[place]
            if size + item.weight > room:
                left_out += 1
                continue
            size += item.weight
            shown[key].append(item)
    return {key: tuple(items) for key, items in shown.items()}, size, left_out


def _change(example: Example) -> Change:
    return Change(
        "mated" if example.mated else "non-mated",
        _score(example.score_before),
        _score(example.score_after),
        _signed(example.score_after - example.score_before),
        tuple((face.sample, _image(face.before), _image(face.after)) for face in example.faces),
    )


def _mistake(confusion: Confusion) -> Mistake:
    probe = confusion.probe
    before, after = _image(probe.before), _image(probe.after)
    states = (("before", before), ("after", after)) if before != after else (("", after),)
    return Mistake(
        _score(confusion.mate_score),
        _score(confusion.impostor_score),
        _signed(confusion.impostor_score - confusion.mate_score),
        count(confusion.rank),
        (
            Shown("probe", confusion.subject, probe.sample, states),
            _enrolled("its mate", confusion.subject, confusion.mate),
            _enrolled("taken for", confusion.impostor_subject, confusion.impostor),
        ),
    )


def _enrolled(role: str, subject: str, face: ExampleFace) -> Shown:
    """Return a face of the gallery as it was compared."""
    return Shown(role, subject, face.sample, (("", _image(face.after)),))


def _score(score: float) -> str:
    return f"{score:.3f}".replace("-", "−")


def _signed(change: float) -> str:
    return f"{change:+.3f}".replace("-", "−")


def _image(address: str) -> str:
    return address if _IMAGE.fullmatch(address) else ""
