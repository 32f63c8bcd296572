"""Faces of a run, before and after: what of them a page has room for, and only images that are images."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..results import BASELINE, Confusion, Example, ExampleFace, Flip, Raised, Result
from .wording import count, preprocessors, rise, score

KINDS = {"gain": "Largest gains", "loss": "Largest losses"}
FLIPS = {"fixed": "Fixed", "broken": "Broken"}


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
class Turn:
    """A decision that was turned: its faces; its scores, ranks and nearest impostor's scores before and after.

    Ranks are empty for a comparison; impostor and impostor's scores, where there is none.
    """

    what: str
    score: str
    rank: str
    impostor: str
    impostor_score: str
    faces: tuple[Shown, ...]

    @property
    def weight(self) -> int:
        """The characters its images take."""
        return sum(len(address) for face in self.faces for _, address in face.states)


@dataclass(frozen=True)
class Turns:
    """Decisions that one preprocessor fixed, or broke."""

    preprocessor: str
    kind: str
    title: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Lookalikes:
    """Faces of different people whose scores one preprocessor raised most."""

    preprocessor: str
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Gallery:
    """What is shown of faces, the characters their images take, and how many items did not fit."""

    groups: tuple[Group, ...]
    confusions: tuple[Mistakes, ...]
    flips: tuple[Turns, ...]
    raised: tuple[Lookalikes, ...]
    size: int
    left_out: int

    @property
    def shown(self) -> bool:
        """Whether there is anything in it; raised impostors have their place beside their table."""
        return bool(self.groups or self.confusions or self.flips)


class _Weighty(Protocol):
    @property
    def weight(self) -> int: ...


_Key = TypeVar("_Key", bound=Hashable)
_Item = TypeVar("_Item", bound=_Weighty)


def gallery(result: Result, room: int) -> Gallery:
    """Return what fits into ``room`` characters, every group's first before any group's second.

    Turned decisions have precedence, then confusions, raised impostors and the most changed scores.
    """
    names = preprocessors(result)
    others = [p for p in names if p != BASELINE]
    turned = {
        (p, kind): [_turn(f) for f in result.flips if (f.preprocessor, f.kind) == (p, kind)]
        for p in others
        for kind in FLIPS
    }
    confused = {p: [_mistake(c) for c in result.confusions if c.preprocessor == p] for p in names}
    raised = {h.preprocessor: [_lookalike(r) for r in h.raised if r.first.after] for h in result.harm}
    changed = {
        (p, kind): [_change(e) for e in result.examples if (e.preprocessor, e.kind) == (p, kind)]
        for p in others
        for kind in KINDS
    }
    packing = _Packing(room)
    turns, mistakes = packing.fill(turned), packing.fill(confused)
    lookalikes, changes = packing.fill(raised), packing.fill(changed)
    return Gallery(
        groups=tuple(Group(p, kind, KINDS[kind], found) for (p, kind), found in changes.items() if found),
        confusions=tuple(Mistakes(p, found) for p, found in mistakes.items() if found),
        flips=tuple(Turns(p, kind, FLIPS[kind], found) for (p, kind), found in turns.items() if found),
        raised=tuple(Lookalikes(p, found) for p, found in lookalikes.items() if found),
        size=packing.size,
        left_out=packing.left_out,
    )


def room_each(results: Sequence[Result], room: int) -> int:
    """Return the characters that the faces of each of these results may take."""
    return room // max(1, sum(bool(r.examples or r.confusions or r.flips) for r in results))


class _Packing:
    """What fits into so many characters: ``size`` of them are used, and ``left_out`` items did not fit."""

    def __init__(self, room: int) -> None:
        self.room, self.size, self.left_out = room, 0, 0

    def fill(self, groups: Mapping[_Key, Sequence[_Item]]) -> dict[_Key, tuple[_Item, ...]]:
        """Return what of each group still fits."""
        kept: dict[_Key, list[_Item]] = {key: [] for key in groups}
        for place in range(max(map(len, groups.values()), default=0)):
            for key, items in groups.items():
                if place >= len(items):
                    continue
                if self.size + items[place].weight > self.room:
                    self.left_out += 1
                    continue
                self.size += items[place].weight
                kept[key].append(items[place])
        return {key: tuple(items) for key, items in kept.items()}


def _change(example: Example) -> Change:
    return Change(
        "mated" if example.mated else "non-mated",
        score(example.score_before),
        score(example.score_after),
        rise(example.score_after - example.score_before),
        tuple((face.sample, face.before, face.after) for face in example.faces),
    )


def _mistake(confusion: Confusion) -> Mistake:
    return Mistake(
        score(confusion.mate_score),
        score(confusion.impostor_score),
        rise(confusion.impostor_score - confusion.mate_score),
        count(confusion.rank),
        (
            _shown("probe", confusion.subject, confusion.probe),
            _enrolled("its mate", confusion.subject, confusion.mate),
            _enrolled("taken for", confusion.impostor_subject, confusion.impostor),
        ),
    )


def _turn(flip: Flip) -> Turn:
    what = "search" if flip.rank else "mated comparison" if flip.mated else "non-mated comparison"
    change = _arrow(*map(score, flip.score))
    if flip.impostor_score is None or len(flip.subjects) < 2 or len(flip.faces) < 3:
        return Turn(what, change, "", "", "", tuple(_shown("", "", face) for face in flip.faces))
    subject, other = flip.subjects[:2]
    first, second, nearest = flip.faces[:3]
    impostor_change = _arrow(*map(score, flip.impostor_score))
    if flip.rank is None:
        faces = (
            _shown("face of", subject, first),
            _shown("another of", subject, second),
            _shown("impostor", other, nearest),
        )
        return Turn(what, change, "", other, impostor_change, faces)
    faces = (
        _shown("probe", subject, first),
        _enrolled("its mate", subject, second),
        _enrolled("impostor", other, nearest),
    )
    return Turn(what, change, _arrow(*map(count, flip.rank)), other, impostor_change, faces)


def _lookalike(raised: Raised) -> Turn:
    faces = tuple(_shown("", "", face) for face in (raised.first, raised.second))
    return Turn("different people", _arrow(score(raised.before), score(raised.after)), "", "", "", faces)


def _shown(role: str, subject: str, face: ExampleFace) -> Shown:
    """Return a face before and after, once where the preprocessor did not change it."""
    turned = face.before != face.after
    states = (("before", face.before), ("after", face.after)) if turned else (("", face.after),)
    return Shown(role, subject, face.sample, states)


def _arrow(before: str, after: str) -> str:
    return f"{before} → {after}"


def _enrolled(role: str, subject: str, face: ExampleFace) -> Shown:
    """Return a face of the gallery as it was compared."""
    return Shown(role, subject, face.sample, (("", face.after),))
