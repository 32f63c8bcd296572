"""LFW's layout made of other faces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np

from ..landmarks import FILE_NAME, write_landmarks
from ..lfw_pairs import FOLDS, pairs_text
from ..textfiles import write_text
from .base import Mimic, write_image


class LFWMimic(Mimic):
    """``lfw-deepfunneled/Subject_0001/Subject_0001_0001.jpg`` …, ``pairs.txt`` of ten folds, and ``landmarks.csv``."""

    layout: ClassVar[str] = "lfw"
    title: ClassVar[str] = "LFW"
    runs: ClassVar[tuple[str, ...]] = ("--protocol lfw",)
    fewest: ClassVar[tuple[int, int]] = (2 * FOLDS, 2)
    usual: ClassVar[tuple[int, int]] = (40, 4)

    def write(self, out: Path, advance: Callable[[int], None]) -> dict[str, int]:
        """Write images, ``landmarks.csv`` and ``pairs.txt``."""
        people = [f"Subject_{number:04d}" for number in range(1, len(self.cast.subjects) + 1)]
        names, points = [], []
        for person, rows in zip(people, self.cast.subjects.values(), strict=True):
            for place, row in enumerate(rows.tolist(), 1):
                face = self.face(row)
                names.append(f"{person}/{person}_{place:04d}.jpg")
                points.append(face.points)
                write_image(out / "lfw-deepfunneled" / names[-1], face.image)
                advance(1)
        write_landmarks(out / FILE_NAME, names, np.array(points))
        text, per_fold = pairs_text(people, len(names) // len(people), self.seed)
        write_text(out / "pairs.txt", text)
        return {"comparisons": 2 * FOLDS * per_fold, "images": len(names), "subjects": len(people)}
