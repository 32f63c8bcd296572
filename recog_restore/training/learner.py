"""What learns: network and head as one module, its optimizer, and its first weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..networks.weights import build_network
from .heads import HEADS, Head
from .recipe import Optimizer, Recipe


class Learner(nn.Module):
    """Network and head; one module, so that it is spread over devices as one."""

    def __init__(self, network: nn.Module, head: Head) -> None:
        super().__init__()
        self._layout = _layout(network)
        self.network, self.head = network.to(memory_format=self._layout), head  # type: ignore[call-overload]

    def forward(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean loss of a batch, and the part of it whose class has the greatest logit, margin included."""
        logits = self.head(self.network(inputs.contiguous(memory_format=self._layout)), labels)
        return cross_entropy(logits, labels), (logits.detach().argmax(1) == labels).float().mean()


def new_learner(recipe: Recipe, size: Sequence[int], classes: int, where: str) -> Learner:
    """Return network and head with first weights that come from the recipe's seed.

    Raises:
        UnknownName, RecordError: the recipe's network or head is not right; ``where`` is named.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        arguments = {**recipe.network.arguments, "size": list(size)}
        network = build_network(recipe.network.name, arguments, where).train()
        with torch.no_grad():
            dim = int(build_network(recipe.network.name, arguments, where)(torch.zeros(1, 3, *size)).shape[1])
        head = HEADS.create(recipe.head.name, dim=dim, classes=classes, **recipe.head.arguments)
    return Learner(network, head)


def _layout(network: nn.Module) -> torch.memory_format:
    """Return the layout that is fastest: channels last.

    Not where a layer has fewer than 16 channels: there torch 2.13 on a CPU writes beyond its memory in the backward
    pass of a 1×1 convolution with a stride.
    """
    inputs = [m.in_channels for m in network.modules() if isinstance(m, nn.Conv2d) and m.in_channels > 3]
    return torch.channels_last if min(inputs, default=16) >= 16 else torch.contiguous_format


def new_optimizer(settings: Optimizer, learner: Learner) -> torch.optim.Optimizer:
    """Return the optimizer; what has one dimension (biases, slopes, normalization) is not decayed."""
    groups = [
        {"params": [p for p in learner.parameters() if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in learner.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if settings.name == "adamw":
        return torch.optim.AdamW(groups)
    return torch.optim.SGD(groups, lr=0.1, momentum=settings.momentum, nesterov=settings.momentum > 0)
