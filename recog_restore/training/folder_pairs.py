"""Pairs of a folder's photos: a photo as a named degradation leaves it, and the same photo as it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..datasets.base import Samples
from ..datasets.opening import open_dataset
from ..degrade import degrade
from .crops import checked, digest_of, face_crops, require
from .pair_batch import PairBatch, PairSource, worsened
from .restorer_recipe import Faces, PairData


class FolderPairs(PairSource):
    """See ``PairSource``; every photo is a pair.

    Args:
        data: says which folder and which degradation.
        workers: processes that look at the photos.

    Raises:
        DataError: the folder is not as expected.
    """

    def __init__(self, data: PairData, workers: int = 0) -> None:
        assert data.folder is not None
        self._data, self._seed = data, data.folder.seed
        root = Path(data.folder.root).expanduser()
        samples, left_out = checked(training_photos(data.folder), root, workers)
        self.digest, self.warnings = digest_of(samples), (left_out,) if left_out else ()
        self._crops = face_crops(samples)
        self._length = len(samples)
        self.people = int(samples.table["subject"].nunique())
        self.words = f"{len(samples):,} photos of {self.people:,} people in {root}"

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, rows: Sequence[int]) -> PairBatch:
        found = np.asarray(rows) % len(self)
        crops = require(self._crops[found.tolist()], self._crops.names[found])
        clean = self._retaken(crops.pixels.numpy(), rows)
        probes, degraded = worsened(clean, rows, self._data, self._seed)
        none = np.zeros((len(rows), 0, 2), np.float32)
        yaws = np.zeros(len(rows), np.float32)
        arrays = (probes, clean, clean, found, yaws, degraded, none, none)
        return PairBatch(*map(torch.from_numpy, arrays))

    def _retaken(self, photos: NDArray[np.uint8], rows: Sequence[int]) -> NDArray[np.uint8]:
        """Return the photos as another collection would have them, if the recipe says so."""
        assert self._data.folder is not None
        if not (retaken := self._data.folder.retaken):
            return photos
        pairs = zip(photos, rows, strict=True)
        return np.stack([degrade(photo, retaken, self._seed, f"retaken {row}") for photo, row in pairs])


def training_photos(asked: Faces) -> Samples:
    """Return the photos of the people who are asked for.

    Raises:
        DataError: the folder is not as expected.
    """
    root, people = Path(asked.root).expanduser(), asked.people
    if asked.layout == "cfp":
        samples = open_dataset("cfp", root, split="identification", people=people).samples()
    else:
        samples = open_dataset("folder", root, people=people).samples()
    return Samples(samples.table, samples.files, samples.landmarks, asked.alignment)
