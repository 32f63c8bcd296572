"""Gates before single photos: which faces may be restored, told from one face and its crop alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import RecordError
from ..faces import to_float
from ..geometry import face_size, head_yaw
from ..preprocess import Gate, quality
from ..preprocess.gate import MEASURES, Limits

_OF_POINTS = {"size": face_size, "yaw": head_yaw}


class FaceGate:
    """A gate that looks at the faces of photos.

    Args:
        gate: asks for size, yaw or quality scores.
        device: where quality scores are computed.
        aligned: the faces are aligned crops, whose size and landmarks in the photo are not known.

    Raises:
        UnknownName, RecordError: the gate asks for what such a face alone does not tell, or for no known score.
    """

    def __init__(self, gate: Gate, device: str = "cpu", *, aligned: bool = False) -> None:
        if not isinstance(gate, Limits):
            raise RecordError(
                f"--gate {gate.name!r}: it was learned for one recognizer; expected conditions such as size<24"
            )
        for measure in gate.measures:
            if measure in MEASURES and measure not in _OF_POINTS:
                raise RecordError(
                    f"--gate {gate.name!r}: {measure} needs a recognizer; photos are gated by size, yaw, sharpness, "
                    "quality, onnx:FILE or python:module:Class"
                )
            if measure in _OF_POINTS and aligned:
                raise RecordError(
                    f"--gate {gate.name!r}: an aligned crop does not tell its {measure}; take a quality score, or "
                    "photos with --detector"
                )
        self.gate, self._device = gate, device
        self._scores = {name: quality.create(name, device) for name in gate.measures if name not in _OF_POINTS}

    def open(self, points: Sequence[NDArray[np.floating]], crops: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return (B,) whether each face may be restored.

        Args:
            points: (5, 2) pixels in the photo, per face.
            crops: (B, 128, 128, 3) uint8 canonical crops.
        """
        facts: dict[str, NDArray[np.float64]] = {}
        for name in self.gate.measures:
            if name in _OF_POINTS:
                facts[name] = _OF_POINTS[name](np.stack(points))
            else:
                with torch.inference_mode():
                    found = quality.scores(self._scores[name], to_float(crops, self._device), name)
                facts[name] = found.cpu().numpy().astype(np.float64)
        return self.gate.open(facts)
