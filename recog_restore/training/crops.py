"""Canonical crops of a data set's photos, read when they are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..datasets.base import Samples
from ..engine.acquire import Acquisition, Crops, Jobs, digests, has_landmarks, load
from ..engine.progress import Progress
from ..engine.suspects import of_landmarks
from ..errors import DataError

_BATCH = 256  # photos that a process reads at once


def face_crops(samples: Samples) -> Acquisition:
    """Return what gives, for rows of the samples, their ``Crops``."""
    rows = np.arange(len(samples), dtype=np.int64)
    return Acquisition(samples, Jobs(rows, np.zeros(len(rows), np.bool_)), None, 0)


def require(crops: Crops, names: Iterable[str]) -> Crops:
    """Return the crops of photos that ``checked`` has found good.

    Raises:
        DataError: one cannot be had any more.
    """
    for name, reason in zip(names, crops.status, strict=True):
        if reason:
            raise DataError(f"{name}: {reason}; the photo was good when the training began")
    return crops


class Checked(NamedTuple):
    """Samples that can be had, and in words how many cannot, with one of them and its reason; "" where all can."""

    samples: Samples
    left_out: str


def checked(samples: Samples, root: Path, workers: int) -> Checked:
    """Return the samples whose photos can be decoded and aligned; every photo is read once.

    Raises:
        DataError: there are no landmarks, or no photo can be had.
    """
    has_landmarks(samples, root, "set alignment in the recipe, if the photos are crops, or ")
    of_landmarks(samples, root)
    crops, names = face_crops(samples), samples.table["sample"].tolist()
    batches = [list(range(first, min(first + _BATCH, len(names)))) for first in range(0, len(names), _BATCH)]
    status = [reason for found in load(crops, batches, workers) for reason in found.status]
    there = np.flatnonzero([not reason for reason in status])
    lost = [(name, reason) for name, reason in zip(names, status, strict=True) if reason]
    told = f"{len(lost):,} of {len(names):,} photos left out, {lost[0][0]!r} for one: {lost[0][1]}" if lost else ""
    if lost and not len(there):
        raise DataError(f"{root}: no photo can be had: {told}")
    return Checked(samples.take(there), told)


def at_least_two(samples: Samples, root: Path) -> None:
    """Raise DataError where there is nobody to be told apart from."""
    if (people := samples.table["subject"].nunique()) < 2:
        raise DataError(f"{root}: expected at least two people with photos, found {people}")


def digest_of(samples: Samples) -> str:
    """Return a SHA-256 of the names, the contents and the landmarks of photos."""
    whole = hashlib.sha256()
    for name, content in zip(samples.table["sample"], digests(samples.files, Progress()), strict=True):
        whole.update(f"{name}\0{content}\n".encode())
    if samples.landmarks is not None:
        whole.update(np.ascontiguousarray(samples.landmarks).tobytes())
    return whole.hexdigest()
