"""Cartoon faces drawn by code, in LFW's layout: for trying the toolkit and for its tests, never a measurement.

They are free of anybody's rights, small, and the same for the same seed. Nothing learned on them, and no number
measured on them, says anything about the faces of people.
"""

from __future__ import annotations

from itertools import combinations, product
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from ..errors import ConventionError
from .base import Finding, missing_finding
from .cartoon import Moment, Person, draw_face
from .landmarks import FILE_NAME, write_landmarks
from .lfw import LFW
from .textfiles import write_text

_FOLDS = 10
_IMAGES = "lfw-deepfunneled"


class Drawn(LFW):
    """A folder that ``draw`` made."""

    counts: ClassVar[dict[str, int]] = {}

    def check(self) -> list[Finding]:
        """Say whether every image of the list is there; a drawn set has no published counts."""
        return [missing_finding(self.missing(), len(self.samples()))]


def draw(out: Path, people: int = 40, images: int = 4, size: int = 160, seed: int = 0) -> Path:
    """Return ``out``, now holding drawn faces: images, ``pairs.txt`` and the exact ``landmarks.csv``.

    The list has ten folds of different people; every fold has all mated comparisons of its people (as many as the fold
    with the fewest) and as many non-mated ones between its people. A person looks the same in a larger set.

    Args:
        out: a new or an empty folder; files of the same names are written over.
        people: at least 20, two for each fold.
        images: of each person, at least 2.
        size: side of an image in pixels.
        seed: of everything.

    Raises:
        ConventionError: too few people or images.
    """
    if people < 2 * _FOLDS or images < 2:
        raise ConventionError(
            f"expected at least {2 * _FOLDS} people with 2 images each, got {people} people with {images}"
        )
    names, points = [], []
    for number in range(1, people + 1):
        person = Person.draw_lots(np.random.default_rng([seed, number]))
        name = f"Person_{number:03d}"
        (out / _IMAGES / name).mkdir(parents=True, exist_ok=True)
        for index in range(1, images + 1):
            generator = np.random.default_rng([seed, number, index])
            face, landmarks = draw_face(person, Moment.draw_lots(generator), size, generator)
            names.append(f"{name}/{name}_{index:04d}.jpg")
            points.append(landmarks)
            _, encoded = cv2.imencode(".jpg", face[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
            (out / _IMAGES / names[-1]).write_bytes(encoded.tobytes())
    write_landmarks(out / FILE_NAME, names, np.array(points))
    write_text(out / "pairs.txt", _pairs(people, images, seed))  # last: a folder with a list is complete
    return out


def _pairs(people: int, images: int, seed: int) -> str:
    generator = np.random.default_rng([seed, 0])
    folds = np.array_split(np.arange(1, people + 1), _FOLDS)
    per_fold = min(len(fold) for fold in folds) * (images * (images - 1) // 2)
    of_two = min(len(fold) * (len(fold) - 1) // 2 for fold in folds) * images**2
    per_fold = min(per_fold, of_two)
    lines = [f"{_FOLDS}\t{per_fold}"]
    for fold in folds:
        own = [(a, i, j) for a in fold for i, j in combinations(range(1, images + 1), 2)]
        other = [(a, i, b, j) for a, b in combinations(fold, 2) for i, j in product(range(1, images + 1), repeat=2)]
        for k in np.sort(generator.choice(len(own), per_fold, replace=False)):
            a, i, j = own[k]
            lines.append(f"Person_{a:03d}\t{i}\t{j}")
        for k in np.sort(generator.choice(len(other), per_fold, replace=False)):
            a, i, b, j = other[k]
            lines.append(f"Person_{a:03d}\t{i}\tPerson_{b:03d}\t{j}")
    return "\n".join(lines) + "\n"
