"""Torch networks from a folder that holds a card and weights."""

from __future__ import annotations

import dataclasses
import hashlib
from importlib.resources.abc import Traversable
from pathlib import Path

import torch
from torch import Tensor

from ..errors import RecordError, WeightsError
from ..networks.cards import Flip, read_card
from ..networks.weights import build_network, fit, parameters, parse_safetensors, read_bytes
from .base import Embedder


class CardEmbedder(Embedder):
    """The network that ``card.toml`` names, with the safetensors beside it; differentiable, its weights frozen.

    Args:
        folder: holds ``card.toml`` and the weights file that it names.
        device: where the network computes; embeddings come back to where the images are.
        flip: flip fusion, in place of the card's.

    Raises:
        ResourceMissing, RecordError: there is no card, or it is not valid.
        WeightsError: the weights are absent, do not fit, or are not those of the card.
    """

    def __init__(self, folder: Path | Traversable | str, device: str = "cpu", *, flip: Flip | None = None) -> None:
        place = Path(folder) if isinstance(folder, str) else folder
        card = read_card(place.joinpath("card.toml"))
        file = place.joinpath(card.weights.file)
        data = read_bytes(file)
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 != card.weights.sha256:
            raise WeightsError(
                f"{file}: expected SHA-256 {card.weights.sha256 or '(none)'}, as its card says, got {sha256}"
            )
        network = build_network(card.network, card.arguments, f"{place}/card.toml")
        fit(network, parse_safetensors(data, str(file)), str(file))
        if parameters(network) != card.weights.parameters:
            raise WeightsError(f"{file}: expected {card.weights.parameters} parameters, got {parameters(network)}")
        try:
            self._device = torch.device(device)
            # Channels last is half as fast again on a CPU.
            network = network.to(self._device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self._network = network.requires_grad_(False)
        except (RuntimeError, AssertionError) as error:
            raise RecordError(f"{place}: no device {device!r} here: {str(error).splitlines()[0]}") from None
        self.card = dataclasses.replace(card, flip=flip or card.flip)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (B, dim) raw embeddings, computed in float32 without TF32."""
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            return self._network(inputs.to(self._device)).to(inputs.device)  # type: ignore[no-any-return]
