"""The self-check of an embedder's card on the faces of a data set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..datasets import Dataset
from ..embed import Embedder
from ..embed.selfcheck import Variant, self_check
from ..errors import DataError
from .acquire import PASS_DETECTOR, Acquisition, Detection, Jobs, has_landmarks


def check_card(embedder: Embedder, dataset: Dataset, faces: int, detector: str | None = None) -> list[Variant]:
    """Return how well the embedder separates people as its card says, and with each plausible mistake in the card.

    Args:
        faces: at most so many, of the subjects with two images or more, in the order of the data set.
        detector: ``yunet:FILE`` …, instead of the data set's landmarks.

    Raises:
        DataError: too few of them could be had, or the data set has no landmarks or names no subjects.
    """
    samples = dataset.samples()
    if not samples.table["subject"].any():
        raise DataError(f"{dataset.root}: it is not known who is on which image; the self-check needs subjects")
    samples = samples.take(_several_of_each(samples.table["subject"].to_numpy(dtype=object), faces))
    subject, rows = samples.table["subject"].to_numpy(dtype=object), np.arange(len(samples))
    if detector is not None and samples.alignment == "landmarks":
        samples = replace(samples, landmarks=Detection(samples.files, detector)[rows.tolist()][0])
    has_landmarks(samples, dataset.root, PASS_DETECTOR)
    jobs = Jobs(rows, np.zeros(len(rows), bool))
    crops = Acquisition(samples, jobs, None, 0)[range(len(rows))]
    usable = np.array([not reason for reason in crops.status], bool)
    return self_check(embedder, crops.pixels.numpy()[usable], subject[usable])


def _several_of_each(subject: NDArray[np.object_], count: int) -> NDArray[np.int64]:
    _, code, images = np.unique(subject.astype(str), return_inverse=True, return_counts=True)
    several = np.flatnonzero(images[code] > 1)
    return several[np.argsort(code[several], kind="stable")][:count]
