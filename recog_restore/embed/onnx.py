"""Any recognition network in an ONNX file as an embedder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from ..errors import ConventionError, RecordError, WeightsError
from ..faces import one_torch_thread
from ..geometry import CROPS, crop_size
from ..networks.cards import Colour, EmbedderCard, Flip, InputCard, PixelRange, read_card
from ..networks.onnx import OnnxNetwork
from ..records import Size, build, read_toml
from .base import Embedder

Guess = Literal["range", "colour", "crop"]

# Mean and standard deviation, on the 0..255 scale, that give each range.
RANGES: dict[PixelRange, tuple[float, float]] = {"0..255": (0.0, 1.0), "0..1": (0.0, 255.0), "-1..1": (127.5, 127.5)}


class OnnxEmbedder(Embedder):
    """An embedder that ONNX Runtime runs; it has no gradient.

    What the input must be is taken, in this order, from the arguments, from the card beside the file (``faces.onnx`` →
    ``faces.toml``), and from the file itself: the range that its own normalization shows, and one channel as grey. The
    rest is guessed, and the card says so: −1..1, RGB, and the crop that has the size of the file's input. A square crop
    of another size is resized to it.

    Args:
        file: the ONNX file; one input (B, C, H, W) or (B, H, W, C), an output (B, D) or (B, D, 1, 1).
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        threads: threads within one operator; None leaves it to ONNX Runtime.
        crop: a name of ``geometry.CROPS``.
        size: side in pixels to which the crop is resized, where the file leaves it open.
        colour: channel order.
        range: the input's range, short for a mean and a standard deviation.
        mean: with ``std``, the normalization ``(x − mean) / std`` of x in 0..255.
        std: see ``mean``.
        flip: flip fusion, see ``cards.FLIP_WORDS``.
        output: name of the embedding among several outputs.

    Raises:
        WeightsError: the file is absent, is no ONNX model, or its SHA-256 is not the card's.
        RecordError: the arguments contradict each other or the file.
        ConventionError: inputs or outputs are not as above.
        ExtraMissing: ONNX Runtime, or its CUDA provider, is not installed.
    """

    def __init__(
        self,
        file: Path | str,
        device: str = "cpu",
        threads: int | None = None,
        *,
        crop: str | None = None,
        size: Size | None = None,
        colour: Colour | None = None,
        range: PixelRange | None = None,
        mean: float | None = None,
        std: float | None = None,
        flip: Flip | None = None,
        output: str | None = None,
    ) -> None:
        file = Path(file)
        self._network = OnnxNetwork(file, device, threads, output)
        beside = _card_beside(file, self._network.sha256)
        card = beside or EmbedderCard(name=file.stem, network="onnx")
        asked = {"crop": crop, "size": size, "colour": colour, **_normalization(range, mean, std, str(file))}
        declared = _declared(file) | {key: value for key, value in asked.items() if value is not None}
        chosen = _inferred(self._network) | declared
        if "crop" not in chosen:
            wanted = f" of {'×'.join(map(str, self._network.size))}" if self._network.size else ""
            raise RecordError(
                f"{file}: no crop is known for its input{wanted}; say crop=NAME, one of {', '.join(CROPS)}, which "
                "is resized if need be"
            )
        width = _width(self._network)
        self.card = dataclasses.replace(
            card,
            input=_fitting(build(InputCard, chosen, str(file)), self._network),
            weights=dataclasses.replace(card.weights, file=file.name, sha256=self._network.sha256),
            flip=flip or card.flip,
            guessed=_guessed(declared, self._network),
            dim=card.dim or width or 0,
        )
        if not self.card.dim:  # the file leaves it open
            black = self.prepare(torch.zeros(1, 3, 128, 128))
            self.card = dataclasses.replace(self.card, dim=self._checked(self.forward(black), 1).shape[1])

    def prepare(self, images: Tensor) -> Tensor:
        """As ``Embedder.prepare``, leaving the cores to ONNX Runtime."""
        with one_torch_thread():
            return super().prepare(images)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (B, dim) raw embeddings."""
        return self._network(inputs)


def _card_beside(file: Path, sha256: str) -> EmbedderCard | None:
    path = file.with_suffix(".toml")
    if not path.is_file():
        return None
    card = read_card(path)
    if card.weights.sha256 not in ("", sha256):
        raise WeightsError(
            f"{file}: expected SHA-256 {card.weights.sha256}, as {path.name} says, got {sha256}; "
            "is it the card of another file?"
        )
    return card


def _width(network: OnnxNetwork) -> int | None:
    """Return the width of the embedding, or None where the file leaves it open.

    Raises:
        ConventionError: the output is an image.
    """
    shape = network.output_shape
    if len(shape) == 4 and shape[1] in (1, 3, None) and 1 not in shape[2:]:
        found = ", ".join(str(side or "?") for side in shape)
        raise ConventionError(
            f"{network.file}: its output ({found}) is an image: this is a restorer, which --pre onnx:FILE takes; "
            "expected embeddings (B, D)"
        )
    return shape[1] if len(shape) == 2 or (len(shape) == 4 and shape[2:] == (1, 1)) else None


def _inferred(network: OnnxNetwork) -> dict[str, Any]:
    mean, std = RANGES[network.range or "-1..1"]
    found = {"mean": mean, "std": std, "colour": "grey" if network.channels == 1 else "rgb"}
    crop = next((name for name in CROPS if crop_size(name) == network.size), None)
    return {**found, "crop": crop} if crop else found


def _declared(file: Path) -> dict[str, Any]:
    """Return what the card beside a file says of the input; what it leaves out is inferred as without a card."""
    path = file.with_suffix(".toml")
    stated = read_toml(path).get("input", {}) if path.is_file() else {}
    return dict(stated)


def _guessed(declared: Mapping[str, Any], network: OnnxNetwork) -> tuple[Guess, ...]:
    known: dict[Guess, bool] = {
        "range": network.range is not None or not {"mean", "std"}.isdisjoint(declared),
        "colour": network.channels == 1 or "colour" in declared,
        "crop": "crop" in declared,
    }
    return tuple(name for name, sure in known.items() if not sure)


def _normalization(
    range: PixelRange | None, mean: float | None, std: float | None, where: str
) -> dict[str, float | None]:
    if range is None:
        if (mean is None) != (std is None):
            raise RecordError(f"{where}: mean and std go together, on the 0..255 scale; only one is given")
        return {"mean": mean, "std": std}
    if mean is not None or std is not None:
        raise RecordError(f"{where}: give range, or mean and std, not both")
    if range not in RANGES:
        raise RecordError(f"{where}: range is {range!r}; expected one of {', '.join(RANGES)}")
    return dict(zip(("mean", "std"), RANGES[range], strict=True))


def _fitting(card: InputCard, network: OnnxNetwork) -> InputCard:
    height, width = card.shape
    if network.size is not None and network.size != (height, width):
        if card.size or height != width or network.size[0] != network.size[1]:
            wanted = "×".join(map(str, network.size))
            raise RecordError(f"{network.file}: crop {card.crop} is {height}×{width}, but the model wants {wanted}")
        card = dataclasses.replace(card, size=network.size[0])
    if network.channels is not None and (network.channels == 1) != (card.colour == "grey"):
        raise RecordError(
            f"{network.file}: colour {card.colour} does not fit the {network.channels}-channel input of the model"
        )
    return card
