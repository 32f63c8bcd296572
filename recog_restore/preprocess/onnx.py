"""Any restoration network in an ONNX file as a preprocessor."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal

from torch import Tensor

from ..errors import ConventionError, RecordError, WeightsError
from ..networks.cards import RestorerCard, read_restorer_card
from ..networks.onnx import OnnxNetwork
from .base import Preprocessor
from .card import allow, described, resized

# Scale and offset that turn [0, 1] into each range.
RANGES: dict[str, tuple[float, float]] = {"0..1": (1.0, 0.0), "-1..1": (2.0, -1.0), "0..255": (255.0, 0.0)}


class OnnxPreprocessor(Preprocessor):
    """``onnx:FILE``: one input and one output (B, 3, size, size) in the same range and colour order.

    The size is that of the canonical crop, 128, unless the card beside the file (``x.onnx`` → ``x.toml``) says another;
    the crop is brought there and back. The card is a restorer's: what it says of task, teachers and rights holds here.

    Args:
        file: the ONNX file.
        device: ``cpu`` or ``cuda``.
        threads: threads within one operator; None leaves it to ONNX Runtime.
        range: of input and output.
        colour: channel order of input and output.
        strength: see ``Preprocessor``; only 0 or 1 where the card says that the output does not blend with the input.

    Raises:
        WeightsError, ConventionError: the file is absent, no ONNX model, not the card's, or wants another input.
        RecordError: the card is not valid, wants a guide, or does not allow the strength.
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
        self.model = _card_beside(file, self._network.sha256)
        allow(self.model, self.strength)
        side = self.model.size
        if self._network.size not in (None, (side, side)) or self._network.channels not in (None, 3):
            raise ConventionError(
                f"{file}: expected an input (B, 3, {side}, {side}); it wants {self._network.channels} channels of "
                f"{self._network.size}; export it for {side}×{side}, say its size on a card beside it "
                f"({file.with_suffix('.toml').name}), or wrap it in a Preprocessor of your own: "
                "--pre python:module:Class"
            )
        self.range, self.colour = range, colour
        self.card = described(self.model)

    def settings(self) -> dict[str, object]:
        """Return strength, range, colour order and the size at which it computes."""
        return {**super().settings(), "range": self.range, "colour": self.colour, "size": self.model.size}

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        """Return the network's output in [0, 1] RGB."""
        scale, offset = RANGES[self.range]
        inputs = resized(images, self.model.size)
        inputs = (inputs.flip(1) if self.colour == "bgr" else inputs) * scale + offset
        output = (self._network(inputs.contiguous()).float() - offset) / scale
        if output.shape != inputs.shape:
            return output  # which is refused
        return resized(output.flip(1) if self.colour == "bgr" else output, images.shape[-1])


def _card_beside(file: Path, sha256: str) -> RestorerCard:
    """Return the card beside an ONNX file, or one that says only what the file says, with the file's SHA-256."""
    path = file.with_suffix(".toml")
    if path.is_file():
        card = read_restorer_card(path)
    else:
        card = RestorerCard(file.stem, "onnx", title=f"ONNX network {file.name}")
    if card.weights.sha256 not in ("", sha256):
        raise WeightsError(
            f"{file}: expected SHA-256 {card.weights.sha256}, as {path.name} says, got {sha256}; "
            "is it the card of another file?"
        )
    if card.guide != "none":
        raise RecordError(
            f"{path}: guide is {card.guide!r}; expected 'none': an ONNX restorer sees nothing but the face"
        )
    return dataclasses.replace(card, weights=dataclasses.replace(card.weights, sha256=sha256))
