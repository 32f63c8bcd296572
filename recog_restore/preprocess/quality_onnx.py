"""Any face image quality network in an ONNX file as a quality score."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from torch import Tensor

from ..errors import ConventionError
from ..geometry import CANONICAL_SIZE, CROPS, crop_size
from ..networks.onnx import OnnxNetwork
from .onnx import RANGES
from .quality import Quality


class OnnxQuality(Quality):
    """``onnx:FILE``: a network with one number per face as its output.

    Args:
        file: one input (B, 3, H, W) of the size of a named crop (112×112, 112×96, 128×128).
        device: ``cpu`` or ``cuda``.
        range: of the input.
        colour: channel order of the input.

    Raises:
        WeightsError, ConventionError: the file is absent, no ONNX model, or wants another input.
    """

    def __init__(
        self,
        file: Path,
        device: str = "cpu",
        *,
        range: Literal["0..1", "-1..1", "0..255"] = "0..1",
        colour: Literal["rgb", "bgr"] = "rgb",
    ) -> None:
        self._network = OnnxNetwork(file, device)
        size = self._network.size or (CANONICAL_SIZE, CANONICAL_SIZE)
        crops = [crop for crop in CROPS if crop_size(crop) == size]
        if not crops or self._network.channels == 1:
            sizes = ", ".join("×".join(map(str, crop_size(crop))) for crop in CROPS)
            raise ConventionError(
                f"{file}: expected a quality network on colour crops of {sizes}; it wants "
                f"{self._network.channels or 3} channels of {size[0]}×{size[1]}; wrap it in a Quality of your own: "
                "python:module:Class"
            )
        self._file, self._window, self._range, self._colour = file, CROPS[crops[0]], range, colour

    def __call__(self, images: Tensor) -> Tensor:
        """Return (B,) the network's numbers."""
        rows, columns = self._window
        scale, offset = RANGES[self._range]
        inputs = images[:, :, rows, columns].flip(1) if self._colour == "bgr" else images[:, :, rows, columns]
        output = self._network((inputs * scale + offset).contiguous())
        if output.numel() != len(images):
            raise ConventionError(
                f"{self._file}: expected one quality score per face, got an output of shape {tuple(output.shape)}"
            )
        return output.reshape(-1).float()

    def identity(self) -> str:
        """Return the SHA-256 of the file, with range and colour order."""
        return f"{self._network.sha256} {self._range} {self._colour}"
