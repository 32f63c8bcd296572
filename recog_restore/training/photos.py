"""Photos of rendered people: drawn by number, rendered on the fly, or rendered once into memory-mapped arrays.

Photo ``i`` of a person is the same whoever renders it, in whatever order: its shot is drawn from (seed, person, i).
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ..engine.ahead import ahead
from ..errors import DataError
from ..records import plain
from ..store import recipe_key
from ..synthpie import VERSION, Shot, Studio, random_shots
from .recipe import People

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Album:
    """Photos to render: one array for each of ``people`` persons, whose numbers begin at ``first``.

    Attributes:
        photos: of each person.
        shots: of the person of a number, ``photos`` of them; those of a moment stand together.
    """

    first: int
    people: int
    photos: int
    shots: Callable[[int], Sequence[Shot]]


def album(people: People) -> Album:
    """Return the photos of the first epoch."""
    return Album(people.first, people.people, people.images, partial(_first_epoch, people))


def _first_epoch(people: People, subject: int) -> list[Shot]:
    return [shot for first in range(0, people.images, people.views) for shot in shots(people, subject, first)]


def shots(people: People, subject: int, first: int) -> list[Shot]:
    """Return the shots of one moment of a person: photos ``first`` … ``first + people.views - 1``."""
    rng = np.random.default_rng([people.seed, subject, first])
    return random_shots(rng, subject, people.views, people.web)


class RenderedPhotos(Dataset[Batch]):
    """Batches of rows in; (B, 128, 128, 3) uint8 photos and (B,) labels, rendered at once, out.

    A row beyond ``people · images`` is a photo of a later epoch, which nobody has seen before.
    """

    def __init__(self, people: People) -> None:
        self.people = people
        self._studio: Studio | None = None  # made in the worker

    def __getitem__(self, rows: Sequence[int]) -> Batch:
        self._studio = self._studio or Studio()
        p, photos = self.people, {}
        for row in sorted(rows, key=lambda row: (row // p.images % p.people, row)):
            epoch, within = divmod(row, p.people * p.images)
            number = epoch * p.images + within % p.images
            moment, view = divmod(number, p.views)
            shot = shots(p, p.first + within // p.images, moment * p.views)[view]
            photos[row] = self._studio.photograph(shot).image
        labels = torch.tensor([row // p.images % p.people for row in rows])
        return torch.from_numpy(np.stack([photos[row] for row in rows])), labels


class CachedPhotos(Dataset[Batch]):
    """The same photos of the first epoch, read from the cache that ``render`` filled."""

    def __init__(self, people: People, folder: Path) -> None:
        self.people = people
        self._arrays = arrays(album(people), folder)

    def __getitem__(self, rows: Sequence[int]) -> Batch:
        images = self.people.images
        photos = np.stack([self._arrays[row // images % self.people.people][row % images] for row in rows])
        return torch.from_numpy(photos), torch.tensor([row // images % self.people.people for row in rows])


def cache_key(people: People) -> str:
    """Return the name of the folder of these photos: everything that a pixel depends on, and not how many people."""
    settings = {"images": people.images, "views": people.views, "seed": people.seed, "web": plain(people.web)}
    return recipe_key({"what": "training photos/1", "renderer": VERSION, **settings})[:24]


@dataclass(frozen=True)
class PhotoFile:
    """The uint8 photos of a person in a file, which is opened anew whenever some of them are asked for.

    A mapped array would keep its file open, and there are more people than files that a process may have open.

    Attributes:
        file: what ``render`` wrote.
        shape: (photos, 128, 128, 3).
        offset: bytes before the first photo.
    """

    file: Path
    shape: tuple[int, ...]
    offset: int

    def __getitem__(self, which: int | slice) -> NDArray[np.uint8]:
        """Return a copy of one photo, or of some.

        Raises:
            DataError: the file is not there any more.
        """
        try:
            return np.array(np.memmap(self.file, np.uint8, "r", self.offset, self.shape)[which])
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self.file}: rendered photos cannot be read: {error}; start again to render them"
            ) from None


def arrays(album: Album, folder: Path) -> list[PhotoFile]:
    """Return each person's photos, from the files that ``render`` wrote."""
    files = [_file(album, folder, number) for number in range(album.people)]
    return [PhotoFile(file, photos.shape, photos.offset) for file in files for photos in [np.load(file, mmap_mode="r")]]


def render(album: Album, folder: Path, workers: int) -> Iterator[int]:
    """Fill the folder with one array of each person that it lacks, and yield their numbers as they are done.

    A file is there whole or not at all: a killed rendering goes on where it stopped.

    Raises:
        DataError: the folder cannot be written, or a worker process was killed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lacking = [number for number in range(album.people) if not _is_whole(album, folder, number)]
    yield from ahead(_Rendering(album, folder), lacking, workers)


def missing(album: Album, folder: Path) -> int:
    """Return of how many people the cache lacks photos."""
    return sum(not _is_whole(album, folder, number) for number in range(album.people))


class _Rendering(Dataset[int]):
    """Numbers of people in; the same numbers out, when their files are written."""

    def __init__(self, album: Album, folder: Path) -> None:
        self._album, self._folder = album, folder
        self._studio: Studio | None = None

    def __getitem__(self, number: int) -> int:
        self._studio = self._studio or Studio()
        wanted = self._album.shots(self._album.first + number)
        photos = np.empty((len(wanted), wanted[0].size, wanted[0].size, 3), np.uint8)
        # One look after the other: the studio keeps what they share.
        for place in sorted(range(len(wanted)), key=lambda i: (wanted[i].session, wanted[i].jitter or 0)):
            photos[place] = self._studio.photograph(wanted[place]).image
        try:
            _write(photos, _file(self._album, self._folder, number))
        except OSError as error:
            raise DataError(f"{self._folder}: photos cannot be kept: {error}") from None
        return number


def _file(album: Album, folder: Path, number: int) -> Path:
    return folder / f"{album.first + number}.npy"


def _is_whole(album: Album, folder: Path, number: int) -> bool:
    try:
        return len(np.load(_file(album, folder, number), mmap_mode="r")) == album.photos
    except (OSError, ValueError):
        return False


def _write(photos: NDArray[np.uint8], file: Path) -> None:
    temporary = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("wb") as stream:
            np.save(stream, photos)
        os.replace(temporary, file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
