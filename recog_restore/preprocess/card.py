"""Restorers: torch networks from a folder that holds a card and weights."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from pathlib import Path

import torch
from torch import Tensor

from ..degrade import bicubic_matrix
from ..errors import RecordError
from ..networks.cards import RestorerCard, RightsCard, read_restorer_card
from ..networks.weights import load_network
from .base import Card, Preprocessor
from .poses import poses


class CardRestorer(Preprocessor):
    """The network that ``card.toml`` names, with the safetensors beside it; differentiable, its weights frozen.

    Args:
        folder: holds ``card.toml`` and the weights file that it names.
        device: where the network computes; faces come back to where they were.
        strength: see ``Preprocessor``; only 0 or 1 where the card says that the output does not blend with the input.

    Raises:
        ResourceMissing, RecordError: there is no card, it is not valid, or the strength is not one that it allows.
        WeightsError: the weights are absent, do not fit, or are not those of the card.
    """

    def __init__(self, folder: Path | Traversable, device: str = "cpu", *, strength: float = 1.0) -> None:
        super().__init__(strength)
        self.model = read_restorer_card(folder.joinpath("card.toml"))
        allow(self.model, self.strength)
        self._device = device
        self._network = load_network(folder, self.model, device)
        self.card = described(self.model)

    def settings(self) -> dict[str, object]:
        """Return strength, and what the card says of the computation that the weights do not."""
        model = self.model
        computed = {"network": model.network, "arguments": model.arguments, "size": model.size, "guide": model.guide}
        return {**super().settings(), **computed}

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        """Return what the network makes of the images, computed in float32 without TF32 at the card's size."""
        side = images.shape[-1]
        inputs = resized(images.to(self._device), self.model.size)
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            output = self._network(
                inputs.contiguous(memory_format=torch.channels_last), *self._guides(images, landmarks)
            )
        return resized(output, side).to(images.device).contiguous()

    def _guides(self, images: Tensor, landmarks: Tensor | None) -> tuple[Tensor, ...]:
        if self.model.guide == "none":
            return ()
        return tuple(guide.to(self._device) for guide in poses(len(images), landmarks, self.model.size))


def resized(images: Tensor, side: int) -> Tensor:
    """Return the images at another side, antialiased bicubic; at the same side, the images themselves."""
    if images.shape[-1] == side:
        return images
    matrix = torch.from_numpy(bicubic_matrix(images.shape[-1], side).copy()).to(images)
    return matrix @ images @ matrix.T


def allow(model: RestorerCard, strength: float) -> None:
    """Raise RecordError where the card does not allow the strength."""
    if not model.blends and strength not in (0.0, 1.0):
        raise RecordError(
            f"strength is {strength}; {model.name} takes only 0 (the input) or 1 (the output), because a blend of the "
            "two would be a double exposure"
        )


def described(model: RestorerCard) -> Card:
    """Return what a restorer's card says, as it is printed with every result."""
    return Card(
        name=model.name,
        task=model.task,
        title=model.title or model.words(),
        rights=_rights(model.rights),
        tested_range=model.tested_range,
        sha256=model.weights.sha256,
        teachers=model.teachers,
        origin=model.origin,
        degradations=model.degradations,
    )


def _rights(rights: RightsCard) -> str:
    if rights == RightsCard():
        return "unknown"
    return f"code: {rights.code}; weights: {rights.weights}; training data: {rights.training_data}"
