"""SCRFD, run by insightface.

Source: Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", ICLR 2022.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import WeightsError
from .base import Detections, Detector, read_network


class Scrfd(Detector):
    """``scrfd:FILE``: insightface's SCRFD or RetinaFace detector (``det_10g.onnx`` of buffalo_l, …).

    Args:
        file: the ONNX file.
        score: least score of a face; insightface's default.
        side: the square the image is fitted into; insightface's default.
    """

    def __init__(self, file: Path, score: float = 0.5, side: int = 640) -> None:
        self._sha256 = hashlib.sha256(read_network(file, "scrfd")).hexdigest()
        from insightface.model_zoo import get_model

        self._net = get_model(str(file), providers=["CPUExecutionProvider"])
        if getattr(self._net, "taskname", "") != "detection":
            raise WeightsError(f"{file}: insightface does not take this file for a detector")
        self._net.prepare(ctx_id=-1, det_thresh=score, input_size=(side, side))
        try:
            self._net.detect(np.zeros((side, side, 3), np.uint8))
        except Exception as error:
            raise WeightsError(f"{file}: not a detector of SCRFD's form: {error}; YuNet's is yunet:FILE") from None
        self._settings = {"score": score, "side": side}

    def identity(self) -> dict[str, object]:
        """Return weights and settings."""
        return {"detector": "scrfd", "sha256": self._sha256, **self._settings}

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Return the faces that insightface finds."""
        boxes, points = self._net.detect(np.ascontiguousarray(image[:, :, ::-1]))
        boxes = np.asarray(boxes, np.float64)
        corners, scores = boxes[:, :4], boxes[:, 4]
        corners = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
        return Detections(corners, np.asarray(points, np.float64).reshape(-1, 5, 2), scores)
