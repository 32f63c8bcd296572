"""SynthPIE written as files: PNG in Multi-PIE's own names and layout, with ``landmarks.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, RecordError
from ..files import write_whole
from ..processes import computed
from ..records import read_toml
from ..synthpie import VERSION
from .landmarks import FILE_NAME, read_landmarks, write_landmarks
from .shots import fields_of, path_of
from .synthpie import MARK, NOTE, names, shot_of, true_landmarks
from .textfiles import read_text, write_text


@dataclass(frozen=True)
class Part:
    """Which pictures of a size; None means all.

    Attributes:
        size: ``small`` or ``full``.
        subjects, sessions, recordings: by number.
        cameras: as ``05_1``.
        illuminations: as ``07``.
    """

    size: Literal["small", "full"] = "small"
    subjects: Collection[int] | None = None
    sessions: Collection[int] | None = None
    recordings: Collection[int] | None = None
    cameras: Collection[str] | None = None
    illuminations: Collection[str] | None = None

    def names(self) -> list[str]:
        """Return the names of the pictures, sorted.

        Raises:
            RecordError: there is no such picture.
        """
        wanted = [
            None if (chosen := getattr(self, field.name)) is None else {str(value).zfill(width) for value in chosen}
            for field, width in zip(fields(self)[1:], (3, 2, 2, 4, 2), strict=True)
        ]
        chosen = [
            name
            for name in names(self.size)
            if all(some is None or value in some for value, some in zip(fields_of(name), wanted, strict=True))
        ]
        if not chosen:
            lists = {f.name: getattr(self, f.name) for f in fields(self)[1:]}
            given = ", ".join(f"{name} {chosen}" for name, chosen in lists.items() if chosen is not None)
            raise RecordError(f"SynthPIE ({self.size}) has no picture of {given}")
        return chosen


def write(out: Path, chosen: Iterable[str], workers: int, advance: Callable[[int], None] = lambda _: None) -> None:
    """Write pictures as a tree that Multi-PIE's reader reads; what is there already stays.

    Every file is written whole or not at all, ``landmarks.csv`` last, so after an interruption the same call goes on.

    Args:
        out: a new folder, or one that was written from the same version.
        chosen: sorted names of pictures.
        workers: processes that render; 1 renders in this one.
        advance: is told how many more pictures are there.

    Raises:
        DataError: the folder was written by another version, or holds something else, or cannot be written.
    """
    try:
        _claim(out)
        moments = [(out, list(group)) for _, group in groupby(chosen, key=_moment)]
        paths: list[str] = []
        points: list[NDArray[np.float64]] = []
        with closing(_each(moments, workers)) as rendered:
            for (_, group), found in zip(moments, rendered, strict=True):
                paths += [path_of(name) for name in group]
                points.append(found)
                advance(len(group))
        _add_landmarks(out / FILE_NAME, paths, np.concatenate(points))
    except OSError as error:
        raise DataError(f"{out}: pictures cannot be written ({error.strerror}); name another folder") from None


def _claim(out: Path) -> None:
    mark = out / MARK
    if mark.is_file():
        written = read_toml(mark).get("version")
        if written != VERSION:
            raise DataError(f"{out}: written by SynthPIE {written}, but this is {VERSION}; name another folder")
        return
    if out.is_dir() and any(out.iterdir()):
        raise DataError(f"{out}: expected a new folder, or one that SynthPIE has written, found other files in it")
    write_text(mark, f'note = "{NOTE}"\nversion = "{VERSION}"\n')


def _moment(name: str) -> tuple[str, ...]:
    return fields_of(name)[:3]


def _each(moments: list[tuple[Path, list[str]]], workers: int) -> Generator[NDArray[np.float64]]:
    """Yield the landmarks of each moment's pictures once they are written."""
    yield from map(_render, moments) if workers == 1 else computed(_render, moments, workers)


def _render(moment: tuple[Path, list[str]]) -> NDArray[np.float64]:
    """Return the landmarks of the pictures of one moment, which are on disk now."""
    out, chosen = moment
    for name in chosen:
        path = out / path_of(name)
        if not path.is_file():
            _write_png(path, shot_of(name).read())
    return true_landmarks([shot_of(name) for name in chosen])


def _write_png(path: Path, image: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _, encoded = cv2.imencode(".png", image[:, :, ::-1])
    write_whole(path, encoded.tobytes())


def _add_landmarks(path: Path, images: list[str], points: NDArray[np.float64]) -> None:
    """Write the points of some images beside those that the file has of others."""
    earlier: list[str] = []
    if path.is_file():
        new = set(images)
        earlier = [row["path"] for row in csv.DictReader(io.StringIO(read_text(path))) if row["path"] not in new]
        points = np.concatenate([read_landmarks(path, earlier), points])
    order = np.argsort(earlier + images)
    write_landmarks(path, [(earlier + images)[row] for row in order], points[order])
