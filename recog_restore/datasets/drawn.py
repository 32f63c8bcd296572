"""Cartoon faces drawn by code, in LFW's layout: for trying the toolkit and for its tests, never a measurement.

They are free of anybody's rights, small, and the same for the same seed. Nothing learned on them, and no number
measured on them, says anything about the faces of people.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from ..errors import ConventionError
from .base import Finding, missing_finding
from .cartoon import Moment, Person, draw_face
from .landmarks import FILE_NAME, write_landmarks
from .lfw import LFW
from .lfw_pairs import FOLDS, pairs_text
from .textfiles import write_text

_IMAGES = "lfw-deepfunneled"


class Drawn(LFW):
    """A folder that ``draw`` made."""

    counts: ClassVar[dict[str, int]] = {}
    faces = "drawn"

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
    if people < 2 * FOLDS or images < 2:
        raise ConventionError(
            f"expected at least {2 * FOLDS} people with 2 images each, got {people} people with {images}"
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
    text, _ = pairs_text([f"Person_{number:03d}" for number in range(1, people + 1)], images, seed)
    write_text(out / "pairs.txt", text)  # last: a folder with a list is complete
    return out
