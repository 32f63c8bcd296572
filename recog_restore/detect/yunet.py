"""YuNet, run by OpenCV. Source: Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", MIR 20, 2023."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import RecordError, WeightsError
from .base import Detections, Detector, distinct, read_network

# Longest sides that an image is scaled to. Faces that fill the image are found at the first, which is the size that
# YuNet was trained at less the margin; the second is tried where nothing is found.
_WHOLE, _RETRY = 256, 512
_MARGIN = 32  # black pixels about the scaled image: a face cut by the edge is found with them
_SMALL_FACES = 1.5  # times _WHOLE: images at least as large are looked at in their own size too


class YuNet(Detector):
    """``yunet:FILE``: any of the YuNet ONNX files.

    An image is looked at as a whole, with its longest side scaled to 256 pixels, and, where it is larger, in its own
    size up to ``longest``, for its small faces. Of a face that is found twice the surer finding counts. Where nothing
    is found, the image is looked at once more, with a longest side of 512 pixels.

    Args:
        file: the ONNX file.
        score: least score of a face; 0.6 is the file's authors' demo, OpenCV's own default is 0.9.
        nms: overlap above which the weaker of two boxes is dropped.
        longest: images with a longer side are reduced to it before detection; 0 never reduces.
    """

    def __init__(self, file: Path, score: float = 0.6, nms: float = 0.3, longest: int = 1024) -> None:
        data = read_network(file, "yunet")
        try:
            self._net = cv2.FaceDetectorYN.create(
                "onnx", np.frombuffer(data, np.uint8), np.empty(0, np.uint8), (320, 320), score, nms
            )
            self._net.detect(np.zeros((320, 320, 3), np.uint8))
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
        looks = {"whole": _WHOLE, "retry": _RETRY, "margin": _MARGIN, "small_faces": _SMALL_FACES}
        return {"detector": "yunet", "sha256": self._sha256, **self._settings, **looks}

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Return the faces; points are image-left eye, image-right eye, nose, left and right mouth corner."""
        most = self._settings["longest"] or math.inf
        sides = [int(min(_WHOLE, most))]
        if (own := int(min(max(image.shape[:2]), most))) >= _SMALL_FACES * _WHOLE:
            sides.append(own)
        found = distinct([self._look(image, side) for side in sides])
        if not len(found.scores) and _RETRY <= most:
            found = self._look(image, _RETRY)
        return found

    def _look(self, image: NDArray[np.uint8], side: int) -> Detections:
        """Return the faces that are found with the longest side scaled to that many pixels."""
        height, width = image.shape[:2]
        longest = max(height, width)
        size = np.array([max(1, round(width * side / longest)), max(1, round(height * side / longest))])
        method = cv2.INTER_AREA if side < longest else cv2.INTER_LINEAR
        scaled = cv2.resize(image, size.tolist(), interpolation=method) if side != longest else image
        bgr = cv2.cvtColor(scaled, cv2.COLOR_RGB2BGR)
        padded = cv2.copyMakeBorder(bgr, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_CONSTANT)
        self._net.setInputSize((padded.shape[1], padded.shape[0]))
        _, rows = self._net.detect(padded)
        found = np.zeros((0, 15)) if rows is None else np.asarray(rows, np.float64)
        scale = size / (width, height)

        def back(points: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray((points - _MARGIN + 0.5) / scale - 0.5, np.float64)

        boxes = np.hstack([back(found[:, :2]), found[:, 2:4] / scale])
        return Detections(boxes, back(found[:, 4:14].reshape(-1, 5, 2)), found[:, 14])
