"""Canonical crops of a data set's photos, read when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..datasets.base import Samples
from ..engine.acquire import Acquisition, Crops, Jobs, has_landmarks
from ..errors import DataError


def face_crops(samples: Samples) -> Acquisition:
    """Return what gives, for rows of the samples, their ``Crops``."""
    rows = np.arange(len(samples), dtype=np.int64)
    return Acquisition(samples, Jobs(rows, np.zeros(len(rows), np.bool_)), None, 0)


def usable(crops: Crops, names: Sequence[str], photos: int = 1) -> NDArray[np.bool_]:
    """Return which (B,) pairs of a batch have all of their photos.

    Args:
        crops: of all first photos, then of all second ones.
        names: of the same photos.
        photos: of a pair.

    Raises:
        DataError: none has.
    """
    there = np.array([not reason for reason in crops.status]).reshape(photos, -1).all(axis=0)
    if not there.any():
        name, reason = max(zip(names, crops.status, strict=True), key=lambda photo: bool(photo[1]))
        raise DataError(f"no pair of a batch could be had; one of its images: {name}: {reason}")
    return np.asarray(there, np.bool_)


def known(samples: Samples, root: Path) -> Samples:
    """Return the samples of which is known where the face is.

    Raises:
        DataError: nobody knows it of any.
    """
    has_landmarks(samples, root)
    if samples.alignment != "landmarks" or samples.landmarks is None:
        return samples
    found = np.flatnonzero(np.isfinite(samples.landmarks).all(axis=(1, 2)))
    if not len(found):
        raise DataError(f"{root}: its landmarks.csv has no points of any of the {len(samples):,} images")
    return samples.take(found)
