"""From a recipe's ``[data]`` to batches of canonical crops and labels, in an order that a seed and a step determine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from ..datasets.base import Samples
from ..datasets.folder import Folder as FolderOfSubjects
from ..engine.ahead import ahead
from ..errors import DataError
from .crops import at_least_two, checked, digest_of, face_crops, require
from .photos import Batch, CachedPhotos, RenderedPhotos, cache_key
from .recipe import Data, Folder


@dataclass(frozen=True)
class Photos:
    """The photos to train on.

    Attributes:
        dataset: lists of rows in, batches of tensors out.
        rows: photos of an epoch.
        classes: people.
        endless: rows may be greater than ``rows``: every epoch has its own photos.
        words: what they are.
        digest: what identifies photos that lie on disk; "" of rendered ones.
        warnings: what was left out.
    """

    dataset: Dataset[Any]
    rows: int
    classes: int
    endless: bool
    words: str
    digest: str = ""
    warnings: tuple[str, ...] = ()


def open_photos(data: Data, cache: Path, workers: int = 0) -> Photos:
    """Return the photos of a recipe.

    Args:
        data: the recipe's.
        cache: holds the rendered photos, which ``photos.render`` has put there, in the folder ``cache_key`` names.
        workers: processes that look at photos on disk.

    Raises:
        DataError: the folder of images is not as expected.
    """
    if data.synthpie is not None:
        people = data.synthpie
        words = f"{people.people:,} rendered people, {people.images} web photos each"
        dataset: Dataset[Batch] = (
            CachedPhotos(people, cache / cache_key(people)) if people.cached else RenderedPhotos(people)
        )
        words += "" if people.cached else " and epoch"
        return Photos(dataset, people.people * people.images, people.people, not people.cached, words)
    assert data.folder is not None
    return _of_folder(data.folder, workers)


class FolderPhotos(Dataset[Batch]):
    """Batches of rows in; the canonical crops of a folder's images and their labels out."""

    def __init__(self, samples: Samples, labels: Sequence[int]) -> None:
        self._crops, self._labels = face_crops(samples), torch.as_tensor(labels)

    def __getitem__(self, rows: Sequence[int]) -> Batch:
        crops = require(self._crops[rows], self._crops.names[rows])
        return crops.pixels, self._labels[torch.as_tensor(rows)]


def _of_folder(folder: Folder, workers: int) -> Photos:
    root = Path(folder.root).expanduser()
    if not root.exists():
        raise DataError(f"{root}: no such folder; expected people's photos as {root}/person/image.jpg")
    dataset = FolderOfSubjects(root)
    samples, left_out = checked(replace(dataset.samples(), alignment=folder.alignment), root, workers)
    at_least_two(samples, root)
    people, labels = np.unique(samples.table["subject"].to_numpy(str), return_inverse=True)
    words = f"{len(samples):,} photos of {len(people):,} people in {root}"
    warnings = tuple([*dataset.warnings, *([left_out] if left_out else [])])
    photos = FolderPhotos(samples, labels.tolist())
    return Photos(photos, len(samples), len(people), False, words, digest_of(samples), warnings)


class Batches(Sampler[list[int]]):
    """Rows of the batches ``first`` … ``steps - 1``; each epoch is a new order, the rest of an epoch is left out.

    Args:
        photos: what there is.
        batch: rows of a batch, over all ranks together; a rank gets its share.
        steps: batches in all.
        first: where to go on.
        seed: with the number of the epoch, what the order comes from.
        rank, ranks: whose share.
    """

    def __init__(
        self, photos: Photos, batch: int, steps: int, first: int, seed: Sequence[int], rank: int = 0, ranks: int = 1
    ) -> None:
        if batch > photos.rows:
            raise DataError(f"a batch is {batch} photos, and there are only {photos.rows}: {photos.words}")
        self._photos, self._batch, self._steps, self._first = photos, batch, steps, first
        self._seed, self._rank, self._ranks = list(seed), rank, ranks

    def __len__(self) -> int:
        return self._steps - self._first

    def __iter__(self) -> Iterator[list[int]]:
        per_epoch = self._photos.rows // self._batch
        epoch, order = -1, np.empty(0, np.int64)
        for step in range(self._first, self._steps):
            if step // per_epoch != epoch:
                epoch = step // per_epoch
                order = np.random.default_rng([*self._seed, epoch]).permutation(self._photos.rows)
            start = step % per_epoch * self._batch
            rows = order[start : start + self._batch][self._rank :: self._ranks]
            yield (rows + epoch * self._photos.rows * self._photos.endless).tolist()


def stream(photos: Photos, batches: Batches, workers: int) -> Iterator[Any]:
    """Return those batches, in order; workers are processes that read or render ahead.

    Raises:
        RecogRestoreError: while iterating, a worker process was killed, or what the photos raise.
    """
    return ahead(photos.dataset, batches, workers)
