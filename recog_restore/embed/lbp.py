"""Local binary patterns: a classical embedder without weights, for demonstrations and tests."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..networks.cards import EmbedderCard, InputCard, OriginCard, RightsCard
from .base import Embedder

CELLS = 7  # per side, of 16×16 pixels each
BINS = 59
# Raised whenever an embedding could change; embeddings on disk are kept under it.
VERSION = "lbp 1: uniform patterns of the 3×3 neighbourhood, 7×7 cells of a 112×112 crop, square roots"

# The eight neighbours, in the order in which one walks around the pixel: rows and columns of the padded image.
_NEIGHBOURS = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))


class LocalBinaryPatterns(Embedder):
    """Histograms of uniform local binary patterns, square-rooted: their cosine is the mean Bhattacharyya coefficient.

    A pattern has a bit for each of the eight neighbours that is at least as bright as the pixel; grey values are whole
    numbers, and the border is repeated. The 58 patterns with at most two changes around the circle have a bin each, all
    others share one.

    Source: Ahonen, Hadid, Pietikäinen, "Face Description with Local Binary Patterns", TPAMI 28(12), 2006, sections 2
    and 3; they compare histograms by χ², for which the square roots stand here.
    """

    def __init__(self) -> None:
        self.card = EmbedderCard(
            name="lbp",
            network="none",
            title="Uniform local binary patterns, a classical descriptor",
            dim=CELLS * CELLS * BINS,
            input=InputCard(crop="arcface-112", colour="grey", mean=0.0, std=1.0),
            rights=RightsCard(code="Apache-2.0", weights="none", training_data="none"),
            origin=OriginCard(paper="Ahonen, Hadid, Pietikäinen, TPAMI 28(12), 2006"),
        )

    def identity(self) -> str:
        """Return the SHA-256 of the version's description."""
        return hashlib.sha256(VERSION.encode()).hexdigest()

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (B, 49·59) from (B, 1, 112, 112) in 0..255; the norm of each is 7, as each cell's is 1."""
        batch, _, height, width = inputs.shape
        grey = inputs.round()
        padded = pad(grey, (1, 1, 1, 1), mode="replicate")
        patterns = torch.zeros_like(grey, dtype=torch.int64)
        for bit, (row, column) in enumerate(_NEIGHBOURS):
            brighter = padded[:, :, row : row + height, column : column + width] >= grey
            patterns += brighter.to(torch.int64) << bit
        rows = torch.arange(height, device=inputs.device) * CELLS // height
        columns = torch.arange(width, device=inputs.device) * CELLS // width
        cells = rows[:, None] * CELLS + columns + torch.arange(batch, device=inputs.device)[:, None, None] * CELLS**2
        bins = _BIN_OF_PATTERN.to(inputs.device)[patterns[:, 0]] + cells * BINS
        counts = torch.bincount(bins.flatten(), minlength=batch * self.card.dim)
        return (counts.reshape(batch, self.card.dim) / (height * width / CELLS**2)).sqrt()


def _bin_of_pattern() -> Tensor:
    bins = torch.full((256,), BINS - 1)
    uniform = [p for p in range(256) if (p ^ (p >> 1 | (p & 1) << 7)).bit_count() <= 2]
    bins[uniform] = torch.arange(len(uniform))
    return bins


_BIN_OF_PATTERN = _bin_of_pattern()
