"""The self-check of an embedder's card on the faces of a data set."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..datasets import Dataset, Samples
from ..embed import Embedder
from ..embed.selfcheck import PROPERTIES, Variant, refuted, self_check, verdict
from ..errors import DataError
from .acquire import PASS_DETECTOR, Acquisition, Detection, Jobs, has_landmarks

# As many tell a wrong range from a right one.
GUESS_FACES = 60


def check_card(embedder: Embedder, dataset: Dataset, faces: int, detector: str | None = None) -> list[Variant]:
    """Return how well the embedder separates people as its card says, and with each plausible mistake in the card.

    Args:
        faces: at most so many, of the subjects with two images or more, in the order of their names; the further images
            of a subject come last where it has more than a tenth of them.
        detector: ``yunet:FILE`` …, instead of the data set's landmarks.

    Raises:
        DataError: too few of them could be had, or the data set has no landmarks or names no subjects.
    """
    return _checked(embedder, dataset.samples(), dataset.root, faces, detector)


def guesses(embedder: Embedder, samples: Samples, root: Path) -> list[str]:
    """Return a warning where range, colour or crop of an embedder were guessed, with what faces of the run say of it.

    Colour and range are tried, the crop is not. Trying takes a few seconds, and is left out where too few people have
    two images.
    """
    card = embedder.card
    if not card.guessed:
        return []
    told = f"{card.name}: {' and '.join(card.guessed)} guessed, not declared: {card.input.words()}, {card.input.crop}"
    doubted = set(card.guessed) - {"crop"}
    if not doubted:
        return [told]
    try:
        variants = _checked(embedder, samples, root, GUESS_FACES, None, doubted)
    except DataError:
        return [f"{told}; the faces at hand do not tell whether that is right"]
    if refuted(variants):
        return [f"{told}; {verdict(variants)}"]
    return [f"{told}; no other colour order or range separates the faces that were tried better"]


def _checked(
    embedder: Embedder,
    samples: Samples,
    root: Path,
    faces: int,
    detector: str | None,
    properties: Collection[str] = PROPERTIES,
) -> list[Variant]:
    if not samples.table["subject"].any():
        raise DataError(f"{root}: it is not known who is on which image; the self-check needs subjects")
    samples = samples.take(_several_of_each(samples.table["subject"].to_numpy(dtype=object), faces))
    subject, rows = samples.table["subject"].to_numpy(dtype=object), np.arange(len(samples))
    if detector is not None and samples.alignment == "landmarks":
        samples = replace(samples, landmarks=Detection(samples.files, detector)[rows.tolist()][0])
    has_landmarks(samples, root, PASS_DETECTOR)
    jobs = Jobs(rows, np.zeros(len(rows), bool))
    crops = Acquisition(samples, jobs, None, 0)[range(len(rows))]
    usable = np.array([not reason for reason in crops.status], bool)
    return self_check(embedder, crops.pixels.numpy()[usable], subject[usable], properties=properties)


def _several_of_each(subject: NDArray[np.object_], count: int) -> NDArray[np.int64]:
    """Return rows of the subjects with two images or more: a tenth of the count of each, then the rest."""
    _, code, images = np.unique(subject.astype(str), return_inverse=True, return_counts=True)
    several = np.flatnonzero(images[code] > 1)
    rows = several[np.argsort(code[several], kind="stable")]
    place = np.arange(len(rows)) - np.searchsorted(code[rows], code[rows])
    return rows[np.argsort(place // max(2, count // 10), kind="stable")][:count]
