"""The embedder contract: cropping, colour, range and flip fusion happen here, as the card says, and nowhere else."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torch.nn.functional import interpolate, normalize

from ..errors import ConventionError
from ..faces import flushed_denormals, luma
from ..geometry import CANONICAL_SIZE, CROPS
from ..networks.cards import EmbedderCard


class Embedder(ABC):
    """Maps faces to vectors whose cosine is the score.

    A subclass sets ``card`` and writes ``forward``, and ``identity`` where its card has no SHA-256; it is called with
    canonical crops.
    """

    card: EmbedderCard
    content: str | None = ""  # as ``Preprocessor.content``

    @abstractmethod
    def forward(self, inputs: Tensor) -> Tensor:
        """Return (B, dim) raw embeddings of (B, C, h, w) inputs as the card's ``input`` describes them."""

    def identity(self) -> str:
        """Return what names these weights uniquely (a SHA-256); embeddings on disk are kept under it.

        Raises:
            ConventionError: the card has no SHA-256, so that other weights could be taken for these.
        """
        if not self.card.weights.sha256:
            raise ConventionError(
                f"embedder {self.card.name!r}: its card has no SHA-256; write identity(), which must change with "
                "the weights and the code, because embeddings are kept under it"
            )
        return self.card.weights.sha256

    def prepare(self, images: Tensor) -> Tensor:
        """Return the network's input (B, C, h, w) from canonical crops (B, 3, 128, 128) float32 RGB in [0, 1]."""
        if images.ndim != 4 or tuple(images.shape[1:]) != (3, CANONICAL_SIZE, CANONICAL_SIZE):
            raise ConventionError(f"expected canonical crops (B, 3, 128, 128), got {tuple(images.shape)}")
        rows, columns = CROPS[self.card.input.crop]
        window = images[:, :, rows, columns]
        if self.card.input.shape != tuple(window.shape[2:]):
            window = interpolate(window, self.card.input.shape, mode="bilinear", antialias=True)
        if self.card.input.colour == "bgr":
            window = window.flip(1)
        elif self.card.input.colour == "grey":
            window = luma(window)
        return (window * (255.0 / self.card.input.std)).sub_(self.card.input.mean / self.card.input.std)

    def __call__(self, images: Tensor) -> Tensor:
        """Return (B, D) float32 fused embeddings, not normalised, of canonical crops; D is 2·dim for ``flip = concat``.

        Differentiable with respect to ``images`` where the network is a torch network.

        Raises:
            ConventionError: the network's output is not (B, dim) or (B, dim, 1, 1) of floats.
        """
        inputs = self.prepare(images)
        straight = self._embedded(inputs)
        if self.card.flip == "none":
            return straight
        flipped = self._embedded(inputs.flip(3))
        if self.card.flip == "sum":
            return straight + flipped
        if self.card.flip == "mean":
            return normalize(straight) + normalize(flipped)
        return torch.cat([straight, flipped], dim=1)

    def _embedded(self, inputs: Tensor) -> Tensor:
        with flushed_denormals():
            return self._checked(self.forward(inputs.contiguous()), len(inputs))

    def _checked(self, output: Tensor, batch: int) -> Tensor:
        expected = (batch, self.card.dim or "D")
        if not isinstance(output, Tensor) or not output.is_floating_point():
            found = output.dtype if isinstance(output, Tensor) else type(output).__name__
            raise ConventionError(f"embedder {self.card.name!r}: expected an output of floats, got {found}")
        if output.ndim > 2 and output[0].numel() == output.shape[1]:
            output = output.flatten(1)
        if output.ndim != 2 or len(output) != batch or (self.card.dim and output.shape[1] != self.card.dim):
            raise ConventionError(
                f"embedder {self.card.name!r}: expected an output of shape {expected}, got {tuple(output.shape)}"
            )
        return output.to(torch.float32)
