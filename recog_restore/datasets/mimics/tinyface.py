"""TinyFace made of other faces: probes, mates and distractors of few pixels, and the two lists as MATLAB files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import scipy.io
from numpy.typing import NDArray

from ..landmarks import FILE_NAME, write_landmarks
from ..tinyface import DISTRACTOR, LISTS, MATCH, PROBE
from .base import Mimic, write_image

_HEIGHTS = (16, 40)  # pixels; TinyFace's mean is about 20


class TinyFaceMimic(Mimic):
    """Half of a person's images are probes, the other half their mates; the images of everybody else are distractors.

    At least one image of a person is a probe and one a mate, so probes have one mate or several. Each image is reduced
    to a height drawn from 16 to 40 pixels. There are three times as many distractors as mates, or as many as the source
    has images of others. ``landmarks.csv`` has the points of the reduced images.
    """

    layout: ClassVar[str] = "tinyface"
    title: ClassVar[str] = "TinyFace"
    runs: ClassVar[tuple[str, ...]] = ("--protocol tinyface",)
    fewest: ClassVar[tuple[int, int]] = (2, 2)
    usual: ClassVar[tuple[int, int]] = (24, 5)

    @property
    def total(self) -> int:
        """How many images are written."""
        return super().total + len(self._distractors)

    @property
    def _distractors(self) -> NDArray[np.int64]:
        mates = sum(len(rows) - len(rows) // 2 for rows in self.cast.subjects.values())
        return self.cast.others[: 3 * mates]

    def write(self, out: Path, advance: Callable[[int], None]) -> dict[str, int]:
        """Write ``Testing_Set``."""
        generator = np.random.default_rng([self.seed, 1])
        folder = out / "Testing_Set"
        listed: dict[str, list[tuple[int, str]]] = {PROBE: [], MATCH: []}
        names: list[str] = []
        points: list[NDArray[np.float64]] = []

        def put(name: str, row: int) -> None:
            names.append(name)
            points.append(self._tiny(folder / name, row, generator))
            advance(1)

        for number, rows in enumerate(self.cast.subjects.values(), 1):
            for place, row in enumerate(rows.tolist()):
                part = PROBE if place < len(rows) // 2 else MATCH
                listed[part].append((number, f"{number}_{place + 1}.jpg"))
                put(f"{part}/{listed[part][-1][1]}", row)
        for place, row in enumerate(self._distractors.tolist(), 1):
            put(f"{DISTRACTOR}/{place:06d}.jpg", row)
        for part, (file, of_names, of_ids) in LISTS.items():
            ids = np.array([[number] for number, _ in listed[part]], np.uint16)
            cells = np.array([[name] for _, name in listed[part]], object)
            scipy.io.savemat(folder / file, {of_ids: ids, of_names: cells})
        write_landmarks(folder / FILE_NAME, names, np.array(points))
        return {
            "probes": len(listed[PROBE]),
            "gallery matches": len(listed[MATCH]),
            "distractors": len(self._distractors),
        }

    def _tiny(self, path: Path, row: int, generator: np.random.Generator) -> NDArray[np.float64]:
        """Write a reduced image; return its points."""
        face = self.face(row)
        height, width = face.image.shape[:2]
        scale = int(generator.integers(*_HEIGHTS, endpoint=True)) / height
        size = (max(8, round(width * scale)), round(height * scale))
        write_image(path, cv2.resize(face.image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False))
        points: NDArray[np.float64] = (face.points + 0.5) * (size[0] / width, size[1] / height) - 0.5
        return points
