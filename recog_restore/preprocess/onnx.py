"""Any restoration network in an ONNX file as a preprocessor."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from torch import Tensor

from ..errors import ConventionError, RecordError, WeightsError
from ..faces import luma
from ..geometry import CANONICAL_SIZE
from ..networks.cards import Colour, OnnxRestorerCard, PixelRange, RestorerTask, read_onnx_restorer_card
from ..networks.onnx import OnnxNetwork
from ..records import Size
from .base import Preprocessor
from .card import allow, described, resized

# Scale and offset that turn [0, 1] into each range.
RANGES: dict[PixelRange, tuple[float, float]] = {"0..1": (1.0, 0.0), "-1..1": (2.0, -1.0), "0..255": (255.0, 0.0)}

# A whole card beside a file.
_TEMPLATE = """
name = "{name}"
kind = "restorer"
task = "restore"  # or super-resolve, frontalize, enhance, denoise
input = {{ range = "0..1", colour = "{colour}" }}
output = {{ range = "0..1", colour = "{colour}" }}"""


class OnnxPreprocessor(Preprocessor):
    """``onnx:FILE``: an image (B, C, s, s) in, an image of any size out, which is brought to that of the crop.

    The network computes at the size that its file fixes, else at ``size``. Range and colour order are taken, in this
    order, from the arguments, from the card beside the file (``x.onnx`` → ``x.toml``), and, for the output, from the
    input; where nobody says, 0..1 RGB is a guess, which the card of this preprocessor lists. One channel is luma: what
    comes back takes the place of the face's own luma, and the colour differences stay; a frontalized face is grey.

    Args:
        file: the ONNX file.
        device: ``cpu`` or ``cuda``.
        threads: threads within one operator; None leaves it to ONNX Runtime.
        size: side in pixels at which it computes, where the file leaves it open; None: the card's, or the crop's.
        range: of input and output.
        input_range: of the input alone.
        output_range: of the output alone.
        colour: channel order of input and output.
        output: name of the image among several outputs.
        task: what it is meant to do, in place of the card's.
        strength: see ``Preprocessor``; only 0 or 1 where the card says that the output does not blend with the input.

    Raises:
        WeightsError, ConventionError: the file is absent, no ONNX model, not the card's, or takes no image.
        RecordError: the card is not valid, wants a guide, or does not allow the strength; or an option contradicts the
            file.
    """

    def __init__(
        self,
        file: Path,
        device: str = "cpu",
        threads: int | None = None,
        *,
        size: Size | None = None,
        range: PixelRange | None = None,
        input_range: PixelRange | None = None,
        output_range: PixelRange | None = None,
        colour: Colour | None = None,
        output: str | None = None,
        task: RestorerTask | None = None,
        strength: float = 1.0,
    ) -> None:
        super().__init__(strength)
        self._network, self._output_name = OnnxNetwork(file, device, threads, output), output
        card = _card_beside(file, self._network)
        self.model = dataclasses.replace(card, task=task or card.task, size=_side(self._network, card, size))
        allow(self.model, self.strength)
        takes, gives = card.input, card.output
        known_range = input_range or range or takes.range
        known_colour = _colour(self._network, colour or takes.colour)
        self.range: PixelRange = known_range or "0..1"
        self.colour: Colour = known_colour or "rgb"
        self.output_range: PixelRange = output_range or range or gives.range or self.range
        self.output_colour: Colour = colour or gives.colour or self.colour
        self.card = described(self.model)
        if card.network == "onnx" and not (known_range and known_colour):
            guessed = tuple(k for k, known in {"range": known_range, "colour": known_colour}.items() if not known)
            self.card = dataclasses.replace(self.card, guessed=guessed)
            self.notes = (
                f"guessed that input and output are {self.range} {self.colour.upper()}; say "
                f"{' and '.join(f'{what}=' for what in guessed)}, or write a card beside it "
                f"({file.with_suffix('.toml').name})",
            )

    def settings(self) -> dict[str, object]:
        """Return strength, ranges and colour orders, the size at which it computes, and which output it takes."""
        return {
            **super().settings(),
            "range": [self.range, self.output_range],
            "colour": [self.colour, self.output_colour],
            "size": self.model.size,
            "output": self._output_name,
            "task": self.model.task,
        }

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        """Return the network's output in [0, 1] RGB.

        Raises:
            ConventionError: the output is no square image of one or three channels for each face.
        """
        inputs = resized(images, self.model.size)
        if self.colour == "grey":
            inputs = luma(inputs)
        elif self.colour == "bgr":
            inputs = inputs.flip(1)
        scale, offset = RANGES[self.range]
        output = self._network((inputs * scale + offset).contiguous()).float()
        if (
            output.ndim != 4
            or len(output) != len(images)
            or output.shape[1] not in (1, 3)
            or output.shape[2] != output.shape[3]
        ):
            raise ConventionError(
                f"{self._network.file}: expected an output image ({len(images)}, 1 or 3, side, side), got "
                f"{tuple(output.shape)}; of several outputs, name the image with output=NAME"
            )
        scale, offset = RANGES[self.output_range]
        output = resized((output - offset) / scale, images.shape[-1])
        if output.shape[1] == 1 and self.model.task == "frontalize":
            return output.expand_as(images)
        if output.shape[1] == 1:
            return images + (output - luma(images))
        return output.flip(1) if self.output_colour == "bgr" else output


def _side(network: OnnxNetwork, card: OnnxRestorerCard, asked: int | None) -> int:
    """Return the side at which a network computes: its file's, the one asked for, or its card's."""
    declared = card.size if asked is None else asked
    if network.size is None:
        return declared
    height, width = network.size
    if height != width:
        raise ConventionError(
            f"{network.file}: expected a square input, the model wants {height}×{width}; export it for a square, or "
            "wrap it in a Preprocessor of your own: --pre python:module:Class"
        )
    if declared not in (height, CANONICAL_SIZE) or asked not in (height, None):
        raise RecordError(f"{network.file}: size {declared} does not fit the {height}×{height} input of the model")
    return height


def _colour(network: OnnxNetwork, declared: Colour | None) -> Colour | None:
    if network.channels == 1 and declared is None:
        return "grey"
    if declared is not None and network.channels is not None and (network.channels == 1) != (declared == "grey"):
        raise RecordError(
            f"{network.file}: colour {declared} does not fit the {network.channels}-channel input of the model"
        )
    return declared


def _card_beside(file: Path, network: OnnxNetwork) -> OnnxRestorerCard:
    """Return the card beside an ONNX file, or one that says only what the file says, with the file's SHA-256."""
    path = file.with_suffix(".toml")
    if not path.is_file():
        card = OnnxRestorerCard(file.stem, title=f"ONNX network {file.name}")
    else:
        try:
            card = read_onnx_restorer_card(path)
        except RecordError as error:
            colour = "grey" if network.channels == 1 else "rgb"
            raise RecordError(f"{error}; a whole card is:{_TEMPLATE.format(name=file.stem, colour=colour)}") from None
    if card.weights.sha256 not in ("", network.sha256):
        raise WeightsError(
            f"{file}: expected SHA-256 {card.weights.sha256}, as {path.name} says, got {network.sha256}; "
            "is it the card of another file?"
        )
    if card.guide != "none":
        raise RecordError(
            f"{path}: guide is {card.guide!r}; expected 'none': an ONNX restorer sees nothing but the face"
        )
    return dataclasses.replace(card, weights=dataclasses.replace(card.weights, sha256=network.sha256))
