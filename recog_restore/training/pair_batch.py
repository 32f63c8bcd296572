"""What every source of pairs gives: a batch of probes and targets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ..degrade import DEGRADATIONS, generator
from .restorer_recipe import PairData


class PairBatch(NamedTuple):
    """Pairs of a batch.

    Attributes:
        probes: (B, 128, 128, 3) uint8, some of them degraded.
        clean: the same, none degraded.
        targets: (B, 128, 128, 3) uint8.
        numbers: (B,) which of all targets.
        yaws: (B,) degrees by which the probe is turned away from its target.
        degraded: (B,) bool.
        points, target_points: (B, 18, 2) pixels of probe and target; (B, 0, 2) where nobody asked for them.
    """

    probes: Tensor
    clean: Tensor
    targets: Tensor
    numbers: Tensor
    yaws: Tensor
    degraded: Tensor
    points: Tensor
    target_points: Tensor


class PairSource(Dataset[PairBatch]):
    """Batches of rows in, ``PairBatch`` out; a row beyond the last is the same pair in a later epoch of a stage.

    Attributes:
        people: how many.
        words: what the pairs are.
        digest: what identifies photos that lie on disk; "" of rendered ones.
        warnings: what was left out.
    """

    people: int
    words: str
    digest: str = ""
    warnings: tuple[str, ...] = ()

    @abstractmethod
    def __len__(self) -> int:
        """Return how many pairs an epoch has."""

    @abstractmethod
    def __getitem__(self, rows: Sequence[int]) -> PairBatch:
        """Return the pairs of some rows, in their order."""

    def targets(self) -> NDArray[np.uint8] | None:
        """Return (T, 128, 128, 3) uint8, all targets, where they are so few that each is the target of many probes."""
        return None


def worsened(
    clean: NDArray[np.uint8], rows: Sequence[int], data: PairData, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return photos as the recipe's degradation leaves them, and which of them count as degraded.

    Args:
        clean: (B, 128, 128, 3).
        rows: of each photo; the draw depends on it and on the seed alone, so every epoch of a stage has its own. Each
            stage begins with the first epoch's again.
        data: says which degradation, and how many photos it meets.
        seed: of the draw.
    """
    worse, degraded = clean.copy(), np.zeros(len(clean), np.bool_)
    for place, row in enumerate(rows):
        chance, other = np.random.default_rng([seed, row]).random(2)
        if data.degradation and chance < data.degraded:
            only_smaller = other < data.reduced
            model = DEGRADATIONS.create("bicubic" if only_smaller else data.degradation)
            rng = generator(seed, f"row {row}")
            drawn = model.draw(rng)
            worse[place] = model.apply(clean[place], drawn, rng)
            degraded[place] = not only_smaller or drawn["factor"] > data.mild
    return worse, degraded
