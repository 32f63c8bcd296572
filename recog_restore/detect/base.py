"""The detector contract, and the rule that picks one face among several."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import WeightsError
from ..files import read_regular

_SAME = 0.5  # of the smaller box: two findings that overlap by more are one face


@dataclass(frozen=True)
class Detections:
    """K faces found in one image.

    Attributes:
        boxes: (K, 4) float64 left, top, width, height in pixels.
        points: (K, 5, 2) float64 pixels, in the order of ``geometry``.
        scores: (K,) float64, higher is surer.
    """

    boxes: NDArray[np.float64]
    points: NDArray[np.float64]
    scores: NDArray[np.float64]


class Detector(ABC):
    """Finds faces. It is made in each worker process, so it must be cheap to make and keep no state between images."""

    @abstractmethod
    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Return the faces in an (H, W, 3) uint8 RGB image."""

    @abstractmethod
    def identity(self) -> dict[str, object]:
        """Return weights (SHA-256) and settings: everything that changes a landmark."""


def main_face(found: Detections, height: int, width: int) -> int | None:
    """Return the row of the face the image is of, or None where there is none.

    It is the one with the greatest box area minus twice the squared distance of its centre from the image's, as in
    facenet's ``align_dataset_mtcnn.py`` and the insightface scripts after it; ties go to the lower row.
    """
    if not len(found.scores):
        return None
    centres = found.boxes[:, :2] + found.boxes[:, 2:] / 2
    offset = centres - (width / 2, height / 2)
    return int(np.argmax(found.boxes[:, 2] * found.boxes[:, 3] - 2.0 * (offset**2).sum(axis=1)))


def distinct(looks: Sequence[Detections]) -> Detections:
    """Return the faces of several looks at one image; of those that overlap, the surest is kept, the earlier in ties.

    Args:
        looks: in the pixels of the same image.
    """
    boxes, points, scores = (
        np.concatenate([getattr(look, name) for look in looks]) for name in ("boxes", "points", "scores")
    )
    kept: list[int] = []
    for row in np.argsort(-scores, kind="stable"):
        others = boxes[kept]
        corner = np.maximum(boxes[row, :2], others[:, :2])
        opposite = np.minimum(boxes[row, :2] + boxes[row, 2:], others[:, :2] + others[:, 2:])
        shared = (opposite - corner).clip(0).prod(axis=1)
        smaller = np.minimum(boxes[row, 2:].prod(), others[:, 2:].prod(axis=1))
        if (shared <= _SAME * smaller).all():
            kept.append(int(row))
    kept.sort()
    return Detections(boxes[kept], points[kept], scores[kept])


def read_network(file: Path, name: str) -> bytes:
    """Return the content of a detector's file.

    Args:
        file: after ``name:``.
        name: the detector's.

    Raises:
        WeightsError: there is no such file, or it cannot be read.
    """
    try:
        return read_regular(file)
    except FileNotFoundError:
        raise WeightsError(f"{file}: no such file; {name}:FILE names the detector's ONNX file") from None
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read: {error.strerror}") from None
