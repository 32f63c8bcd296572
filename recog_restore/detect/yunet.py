"""YuNet, run by OpenCV. Source: Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", MIR 20, 2023."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import RecordError, WeightsError
from .base import Detections, Detector


class YuNet(Detector):
    """``yunet:FILE``: any of the YuNet ONNX files.

    Args:
        file: the ONNX file.
        score: least score of a face; 0.6 is the file's authors' demo, OpenCV's own default is 0.9.
        nms: overlap above which the weaker of two boxes is dropped.
        longest: images with a longer side are reduced to it before detection; 0 never reduces.
    """

    def __init__(self, file: Path, score: float = 0.6, nms: float = 0.3, longest: int = 1024) -> None:
        try:
            data = file.read_bytes()
            self._net = cv2.FaceDetectorYN.create(
                "onnx", np.frombuffer(data, np.uint8), np.empty(0, np.uint8), (320, 320), score, nms
            )
            self._net.detect(np.zeros((320, 320, 3), np.uint8))
        except FileNotFoundError:
            raise WeightsError(f"{file}: no such file; yunet:FILE names the detector's ONNX file") from None
        except cv2.error:
            raise WeightsError(f"{file}: OpenCV cannot read this as a YuNet ONNX file") from None
        if not 0 < score < 1 or not 0 < nms <= 1 or longest < 0:
            raise RecordError(
                f"yunet: expected 0 < score < 1, 0 < nms <= 1, longest >= 0; got {score}, {nms}, {longest}"
            )
        self._settings = {"score": score, "nms": nms, "longest": longest}
        self._sha256 = hashlib.sha256(data).hexdigest()

    def identity(self) -> dict[str, object]:
        """Return weights and settings."""
        return {"detector": "yunet", "sha256": self._sha256, **self._settings}

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Return the faces; points are image-left eye, image-right eye, nose, left and right mouth corner."""
        longest = int(self._settings["longest"])
        scale = min(1.0, longest / max(image.shape[:2])) if longest else 1.0
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        if scale < 1.0:
            bgr = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        self._net.setInputSize((bgr.shape[1], bgr.shape[0]))
        _, rows = self._net.detect(bgr)
        found = np.zeros((0, 15)) if rows is None else np.asarray(rows, np.float64)
        return Detections(found[:, :4] / scale, found[:, 4:14].reshape(-1, 5, 2) / scale, found[:, 14])
