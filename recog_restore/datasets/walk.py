"""The photos below a folder, and what looks like one and is left out: nothing is dropped without a word."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..decode import SUFFIXES, UNREAD
from ..errors import DataError

_TOLD = 3


class LeftOut(NamedTuple):
    """A path relative to the folder, with ``/``, and why it is left out."""

    name: str
    reason: str


class Photos(NamedTuple):
    """Paths of photos relative to a folder, with ``/``, sorted, and what is left out, in order."""

    names: list[str]
    left_out: list[LeftOut]


def photos(place: Path, below: bool = True) -> Photos:
    """Return the files with an image's ending; hidden ones are left out, and links to folders are not followed.

    Args:
        place: the folder.
        below: whether folders are looked into.
    """
    names: list[str] = []
    left_out: list[LeftOut] = []
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        try:
            entries = list(os.scandir(place / prefix))
        except OSError as error:
            left_out.append(LeftOut(prefix or ".", f"cannot be listed: {error.strerror}"))
            continue
        for entry in entries:
            name, suffix = f"{prefix}{entry.name}", os.path.splitext(entry.name)[1].lower()
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting += [f"{name}/"] if below else []
            elif os.path.isdir(entry.path):
                left_out += [LeftOut(name, "a link to a folder")] if below else []
            elif suffix in SUFFIXES:
                names.append(name)
            elif suffix in UNREAD:
                left_out.append(LeftOut(name, f"{suffix} is not read"))
    return Photos(sorted(names), sorted(left_out))


def folders(place: Path) -> Photos:
    """Return the names of the folders in a folder, links to folders among them; links to nothing are left out.

    Raises:
        DataError: it cannot be listed.
    """
    try:
        entries = [entry for entry in os.scandir(place) if not entry.name.startswith(".")]
    except OSError as error:
        raise DataError(f"{place}: cannot be listed: {error.strerror}") from None
    broken = [entry.name for entry in entries if entry.is_symlink() and not os.path.exists(entry.path)]
    names = sorted(entry.name for entry in entries if os.path.isdir(entry.path))
    return Photos(names, [LeftOut(name, "a link to nothing") for name in sorted(broken)])


def some(left_out: Sequence[LeftOut]) -> str:
    """Return how many are left out, and the first three with their reasons."""
    told = ", ".join(f"{name} ({reason})" for name, reason in left_out[:_TOLD])
    return f"{len(left_out):,}: {told}" + (", …" if len(left_out) > _TOLD else "")
