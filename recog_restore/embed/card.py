"""Torch networks from a folder that holds a card and weights."""

from __future__ import annotations

import dataclasses
from importlib.resources.abc import Traversable
from pathlib import Path

import torch
from torch import Tensor

from ..networks.cards import Flip, read_card
from ..networks.weights import load_network
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
        self._device = device
        self._network = load_network(place, card, device)
        self.card = dataclasses.replace(card, flip=flip or card.flip)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (B, dim) raw embeddings, computed in float32 without TF32."""
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            return self._network(inputs.to(self._device)).to(inputs.device)  # type: ignore[no-any-return]
