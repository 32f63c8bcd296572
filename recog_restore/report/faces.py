"""Before/after faces: what of them a page has room for, and only images that are images."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..results import BASELINE, Example, Result
from .wording import preprocessors

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


@dataclass(frozen=True)
class Group:
    """The comparisons that one preprocessor changed most in one direction."""

    preprocessor: str
    kind: str
    title: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Gallery:
    """What is shown of the examples of a run, the characters its images take, and how many did not fit."""

    groups: tuple[Group, ...]
    size: int
    left_out: int


def gallery(result: Result, room: int) -> Gallery:
    """Return the examples whose images fit into ``room`` characters, every group's first before any group's second."""
    groups: dict[tuple[str, str], list[Example]] = {}
    for name in preprocessors(result):
        for kind in KINDS:
            found = [e for e in result.examples if (e.preprocessor, e.kind) == (name, kind)]
            if found and name != BASELINE:
                groups[name, kind] = found
    shown: dict[tuple[str, str], list[Change]] = {key: [] for key in groups}
    size = left_out = 0
    for place in range(max(map(len, groups.values()), default=0)):
        for key, examples in groups.items():
            if place >= len(examples):
                continue
            change = _change(examples[place])
            weight = sum(len(address) for image in change.images for address in image[1:])
            if size + weight > room:
                left_out += 1
                continue
            size += weight
            shown[key].append(change)
    filled = tuple(Group(p, kind, KINDS[kind], tuple(changes)) for (p, kind), changes in shown.items() if changes)
    return Gallery(filled, size, left_out)


def _change(example: Example) -> Change:
    change = f"{example.score_after - example.score_before:+.3f}".replace("-", "−")
    return Change(
        "mated" if example.mated else "non-mated",
        _score(example.score_before),
        _score(example.score_after),
        change,
        tuple((face.sample, _image(face.before), _image(face.after)) for face in example.faces),
    )


def _score(score: float) -> str:
    return f"{score:.3f}".replace("-", "−")


def _image(address: str) -> str:
    return address if _IMAGE.fullmatch(address) else ""


def room_each(results: Sequence[Result], room: int) -> int:
    """Return the characters that the faces of each of these results may take."""
    return room // max(1, sum(bool(result.examples) for result in results))
