"""From files to canonical crops, in worker processes: decode, align with one warp, degrade.

No exception leaves here for what is wrong with one face: it becomes the reason of that face's failure to acquire.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ..datasets import Samples
from ..datasets.plausible import faults
from ..decode import Source, read_image
from ..degrade import DEGRADATIONS, generator
from ..detect import Detector, main_face
from ..detect.spec import create as create_detector
from ..errors import DataError, RecogRestoreError
from ..files import read_regular
from ..geometry import CANONICAL_128, CANONICAL_SIZE, canonical_crop, place_crop, similarity
from ..processes import opencv_in_one_thread
from ..results import NOT_DETECTED
from .ahead import ahead
from .progress import Progress

# The digest of a file without content, and of one that cannot be read.
NO_FILE = hashlib.sha256().hexdigest()

_BEYOND = 0.5  # of an image's longer side; the farthest landmark of CFP lies 0.07 outside

# What a command with that option offers where there are no landmarks.
PASS_DETECTOR = "pass --detector yunet:FILE (or scrfd:FILE), or "


@dataclass(frozen=True)
class Crops:
    """A batch from the workers: (B, 128, 128, 3) uint8 crops, (B, 5, 2) points in them, a reason or "" for each."""

    pixels: Tensor
    points: Tensor
    status: tuple[str, ...]


@dataclass(frozen=True)
class Jobs:
    """J faces to embed: rows of the samples, and whether each is degraded; a row may occur once in either state."""

    row: NDArray[np.int64]
    degraded: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.row)


class Acquisition(Dataset[Crops]):
    """Batches of job numbers in, ``Crops`` out."""

    def __init__(self, samples: Samples, jobs: Jobs, degradation: str | None, seed: int) -> None:
        self.samples, self.jobs, self.seed = samples, jobs, seed
        self.degradation = DEGRADATIONS.create(degradation) if degradation else None
        self.names = samples.table["sample"].to_numpy(dtype=object)

    def __getitem__(self, batch: Sequence[int]) -> Crops:
        pixels = np.zeros((len(batch), CANONICAL_SIZE, CANONICAL_SIZE, 3), np.uint8)
        points = np.zeros((len(batch), 5, 2), np.float32)
        status = [""] * len(batch)
        for place, job in enumerate(batch):
            row = int(self.jobs.row[job])
            try:
                pixels[place], points[place] = self._face(row)
            except RecogRestoreError as error:
                status[place] = str(error)
            else:
                if self.jobs.degraded[job] and self.degradation is not None:
                    pixels[place] = self.degradation(pixels[place], generator(self.seed, self.names[row]))
        return Crops(torch.from_numpy(pixels), torch.from_numpy(points), tuple(status))

    def of(self, samples: Samples, jobs: Jobs) -> Acquisition:
        """Return the acquisition of other jobs, degraded alike."""
        other = Acquisition(samples, jobs, None, self.seed)
        other.degradation = self.degradation
        return other

    def _face(self, row: int) -> tuple[NDArray[np.uint8], NDArray[np.floating]]:
        image = read_image(self.samples.files[row])
        if self.samples.alignment != "landmarks":
            return place_crop(image, self.samples.alignment), CANONICAL_128
        if self.samples.landmarks is None or np.isnan(found := self.samples.landmarks[row]).any():
            raise DataError(NOT_DETECTED)
        height, width = image.shape[:2]
        inside = (found >= 0).all(axis=1) & (found[:, 0] < width) & (found[:, 1] < height)
        if not inside.any():
            raise DataError(f"all landmarks lie outside the image of {width}×{height} px")
        if (beyond := float(np.max([-found, found - (width, height)]))) > _BEYOND * max(width, height):
            raise DataError(f"a landmark lies {beyond:.4g} px outside the image of {width}×{height} px")
        if fault := faults(found[None])[0]:
            raise DataError(f"the landmarks cannot be a face's: {fault}")
        transform = similarity(found, CANONICAL_128)
        return canonical_crop(image, found), found @ transform[:, :2].T + transform[:, 2]


class Detection(Dataset[tuple[NDArray[np.float64], NDArray[np.float64]]]):
    """Batches of sample rows in, the five points (NaN where no face is found) and the detector's score out."""

    def __init__(self, files: tuple[Source, ...], detector: str) -> None:
        self.files, self.spec = files, detector
        self._detector: Detector | None = None  # made in the worker: sessions do not survive a fork

    def __getitem__(self, batch: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        self._detector = self._detector or create_detector(self.spec)
        points, scores = np.full((len(batch), 5, 2), np.nan), np.full(len(batch), np.nan)
        for place, row in enumerate(batch):
            try:
                image = read_image(self.files[row])
            except DataError:
                continue  # decoding again, the acquisition gives the reason
            found = self._detector.detect(image)
            best = main_face(found, *image.shape[:2])
            if best is not None:
                points[place], scores[place] = found.points[best], found.scores[best]
        return points, scores


def load(dataset: Dataset[Any], batches: list[list[int]], workers: int) -> Iterator[Any]:
    """Return an iterator over ``dataset[batch]`` for every batch, in order.

    Worker processes compute ahead, while the caller works: right where the network runs on a GPU. Without any, a few
    batches at a time are computed by threads while the caller waits: where the network runs on these cores too, a
    decoder that takes one of them for a moment would hold up all of its threads.

    Raises:
        DataError: while iterating, a worker process was killed.
    """
    if not workers:
        return _in_bursts(dataset, batches)
    return ahead(dataset, batches, min(workers, len(batches)))


def _in_bursts(dataset: Dataset[Any], batches: list[list[int]]) -> Iterator[Any]:
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        for start in range(0, len(batches), 2 * cores):
            with opencv_in_one_thread():
                burst = list(pool.map(dataset.__getitem__, batches[start : start + 2 * cores]))
            yield from burst


def has_landmarks(samples: Samples, root: Path, way_out: str = "") -> None:
    """Raise DataError where landmarks are needed and there are none.

    Args:
        samples: with their landmarks, if there are any.
        root: of the data set.
        way_out: ``PASS_DETECTOR``, where the command has that option.
    """
    if samples.alignment == "landmarks" and samples.landmarks is None:
        raise DataError(f"{root}: no landmarks found: {way_out}put a landmarks.csv there")


def digest(file: Source) -> str:
    """Return the SHA-256 of an encoded image, or of what a rendered one depends on; of nothing, if it is unreadable."""
    if not isinstance(file, (Path, bytes)):
        return file.digest()
    try:
        return hashlib.sha256(file if isinstance(file, bytes) else read_regular(file)).hexdigest()
    except OSError:
        return NO_FILE


def digests(files: Sequence[Source], progress: Progress) -> list[str]:
    """Return the digest of each file; several are read at a time."""
    found: list[str] = []
    progress.start("read", len(files))
    with ThreadPoolExecutor(4) as pool:
        for part in pool.map(_digests_of, (files[i : i + 128] for i in range(0, len(files), 128))):
            found += part
            progress.advance(len(part))
    return found


def _digests_of(files: Sequence[Source]) -> list[str]:
    return [digest(file) for file in files]
