"""Any restoration network in an ONNX file as a preprocessor."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from torch import Tensor

from ..errors import ConventionError
from ..geometry import CANONICAL_SIZE
from ..networks.onnx import OnnxNetwork
from .base import Card, Preprocessor

# Scale and offset that turn [0, 1] into each range.
RANGES: dict[str, tuple[float, float]] = {"0..1": (1.0, 0.0), "-1..1": (2.0, -1.0), "0..255": (255.0, 0.0)}


class OnnxPreprocessor(Preprocessor):
    """``onnx:FILE``: one input and one output (B, 3, 128, 128), the canonical crop, in the same range and colour order.

    Args:
        file: the ONNX file.
        device: ``cpu`` or ``cuda``.
        threads: threads within one operator; None leaves it to ONNX Runtime.
        range: of input and output.
        colour: channel order of input and output.
        strength: see ``Preprocessor``.

    Raises:
        WeightsError, ConventionError: the file is absent, no ONNX model, or wants another input.
    """

    def __init__(
        self,
        file: Path,
        device: str = "cpu",
        threads: int | None = None,
        *,
        range: Literal["0..1", "-1..1", "0..255"] = "0..1",
        colour: Literal["rgb", "bgr"] = "rgb",
        strength: float = 1.0,
    ) -> None:
        super().__init__(strength)
        self._network = OnnxNetwork(file, device, threads)
        if self._network.size not in (None, (CANONICAL_SIZE, CANONICAL_SIZE)) or self._network.channels not in (
            None,
            3,
        ):
            raise ConventionError(
                f"{file}: expected an input (B, 3, 128, 128), the canonical crop; it wants "
                f"{self._network.channels} channels of {self._network.size}; export it for 128×128, or wrap it in a "
                "Preprocessor of your own: --pre python:module:Class"
            )
        self.range, self.colour = range, colour
        self.card = Card(
            file.stem, "restore", f"ONNX network {file.name}", rights="unknown", sha256=self._network.sha256
        )

    def settings(self) -> dict[str, object]:
        """Return strength, range and colour order."""
        return {**super().settings(), "range": self.range, "colour": self.colour}

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        """Return the network's output in [0, 1] RGB."""
        scale, offset = RANGES[self.range]
        inputs = (images.flip(1) if self.colour == "bgr" else images) * scale + offset
        output = (self._network(inputs.contiguous()) - offset) / scale
        return output.flip(1) if self.colour == "bgr" else output
