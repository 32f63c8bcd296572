"""What the loop asks of the kind of thing that is trained: photos, a learner, what a batch means, a validation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..engine.progress import Progress
from .data import Photos
from .place import Place
from .plan import Plan
from .validation import check


class Learner(ABC, nn.Module):
    """All that learns, as one module, so that it is spread over devices as one."""

    @abstractmethod
    def forward(self, *inputs: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch, and the numbers to log, the same names in every stage."""

    def pace(self, name: str) -> float:
        """Return what the learning rate is multiplied by for the parameter of that name."""
        return 1.0


class Course(ABC):
    """A training whose photos are there; made anew when it is resumed.

    Attributes:
        photos: to train on.
        apart: modules of the learner that validation judges by themselves; the best weights of each are kept apart.
    """

    photos: Photos
    apart: tuple[str, ...] = ()

    @staticmethod
    def check(plan: Any) -> None:
        """Raise a RecogRestoreError where something is absent that only a later hour would ask for."""
        check(plan.validation)

    @staticmethod
    @abstractmethod
    def fill(plan: Any, place: Place, progress: Progress) -> None:
        """Put into the cache what the plan wants there, and is not there yet."""

    @abstractmethod
    def learner(self, stage: int, size: tuple[int, int]) -> Learner:
        """Return what learns in a stage, with first weights that come from the plan's seed."""

    @abstractmethod
    def grown(
        self, state: Mapping[str, Tensor], like: Mapping[str, Tensor], before: tuple[int, int], after: tuple[int, int]
    ) -> Mapping[str, Tensor]:
        """Return a learner's weights for inputs of one size as those for another."""

    @abstractmethod
    def inputs(self, batch: Any, stage: int, size: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Return the learner's inputs, the first with one row an image, on the generator's device.

        Args:
            batch: of ``photos``.
            stage, size: where the training stands.
            generator: of the augmentation.
        """

    @abstractmethod
    def validate(self, learner: Learner, stage: int, size: tuple[int, int]) -> Mapping[str, float]:
        """Return the validation's numbers, none where the stage trains nothing that could be validated.

        The learner comes back in the mode it was in.
        """

    def judged(self, stage: int) -> str:
        """Return which of ``apart`` a stage's validation judges; empty: the learner."""
        return ""

    def show(self, learner: Learner, stage: int, size: tuple[int, int], step: int) -> None:
        """Write what people would like to see of a learner at a checkpoint."""
        return


def learning(plan: Plan, learner: Learner) -> torch.optim.Optimizer:
    """Return the optimizer of what learns; what has one dimension (biases, slopes, normalization) is not decayed."""
    groups: dict[tuple[bool, float], list[nn.Parameter]] = {(True, 1.0): [], (False, 1.0): []}
    for name, parameter in learner.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((parameter.ndim > 1, learner.pace(name)), []).append(parameter)
    settings = plan.optimizer
    values = [
        {"params": parameters, "weight_decay": settings.weight_decay * decayed, "pace": pace}
        for (decayed, pace), parameters in groups.items()
    ]
    if settings.name == "adamw":
        return torch.optim.AdamW(values, betas=(settings.momentum, 0.999))
    return torch.optim.SGD(values, lr=0.1, momentum=settings.momentum, nesterov=settings.momentum > 0)
