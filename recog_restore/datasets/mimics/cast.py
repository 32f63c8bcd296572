"""Faces of any data set, cast for the parts of another: who plays, with which images, cut out around the face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...decode import read_image
from ...errors import DataError
from ...geometry import CANONICAL_128, CROPS, face_size
from ..base import Samples

_SURROUNDINGS = 2.0  # eye distances from the centre of the points to each edge of the cut


@dataclass(frozen=True)
class Cast:
    """Who plays, and who fills the background.

    Attributes:
        subjects: rows of the samples of each person, as many of each, in a drawn order.
        others: rows of the samples of everybody else, in a drawn order.
    """

    subjects: dict[str, NDArray[np.int64]]
    others: NDArray[np.int64]


@dataclass(frozen=True)
class Face:
    """(H, W, 3) uint8 RGB, and (5, 2) pixels in it, NaN where no face was found."""

    image: NDArray[np.uint8]
    points: NDArray[np.float64]


def cast(samples: Samples, people: int, images: int, seed: int) -> Cast:
    """Return so many people with so many images each, drawn from those who have them.

    Args:
        samples: of the source; its subjects must be known.

    Raises:
        DataError: too few people have so many images.
    """
    subject = samples.table["subject"].to_numpy(object)
    rows_of: dict[str, list[int]] = {}
    for row, name in enumerate(subject):
        if name:
            rows_of.setdefault(str(name), []).append(row)
    able = sorted(name for name, rows in rows_of.items() if len(rows) >= images)
    if len(able) < people:
        raise DataError(
            f"expected {people} people with {images} images each, found {len(able)} of {len(rows_of)}; "
            "ask for fewer with --people or --images"
        )
    generator = np.random.default_rng(seed)
    chosen = sorted(able[place] for place in generator.choice(len(able), people, replace=False))
    others = np.flatnonzero(~np.isin(subject.astype(str), [*chosen, ""]))
    return Cast(
        {name: generator.choice(np.array(rows_of[name], np.int64), images, replace=False) for name in chosen},
        generator.permutation(others).astype(np.int64),
    )


def points_of(samples: Samples) -> NDArray[np.float64]:
    """Return the (M, 5, 2) points of the samples: their own, or where a named crop has them.

    Raises:
        DataError: nobody knows where the faces are.
    """
    if samples.alignment != "landmarks":
        rows, columns = CROPS[samples.alignment]
        return np.tile(CANONICAL_128 - (columns.start, rows.start), (len(samples), 1, 1))
    if samples.landmarks is None:
        raise DataError("no landmarks found: put a landmarks.csv beside the images")
    return samples.landmarks


def face(samples: Samples, points: NDArray[np.float64], row: int) -> Face:
    """Return a sample's image, cut to the surroundings of its face; the whole image where no face was found.

    Args:
        points: (M, 5, 2) of all samples.

    Raises:
        DataError: the image cannot be read.
    """
    image, own = read_image(samples.files[row]), points[row]
    if not np.isfinite(own).all():
        return Face(image, own)
    reach = _SURROUNDINGS * float(face_size(own[None])[0])
    x, y = own.mean(axis=0)
    left, top = max(0, round(x - reach)), max(0, round(y - reach))
    right, bottom = min(image.shape[1], round(x + reach) + 1), min(image.shape[0], round(y + reach) + 1)
    if right - left < 1 or bottom - top < 1:
        return Face(image, own)
    return Face(np.ascontiguousarray(image[top:bottom, left:right]), own - (left, top))
