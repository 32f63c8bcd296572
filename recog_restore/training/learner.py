"""What learns to embed: network and head as one module, and its first weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..networks.weights import build_network
from .course import Learner
from .heads import HEADS, Head
from .recipe import Recipe


class EmbeddingLearner(Learner):
    """Network and head."""

    def __init__(self, network: nn.Module, head: Head) -> None:
        super().__init__()
        self._layout = _layout(network)
        self.network, self.head = network.to(memory_format=self._layout), head  # type: ignore[call-overload]

    def forward(self, *inputs: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the mean loss of a batch, and the part of it whose class has the greatest logit, margin included."""
        images, labels = inputs
        logits = self.head(self.network(images.contiguous(memory_format=self._layout)), labels)
        accuracy = (logits.detach().argmax(1) == labels).float().mean()
        return cross_entropy(logits, labels), {"accuracy": accuracy}


def new_learner(recipe: Recipe, size: Sequence[int], classes: int) -> EmbeddingLearner:
    """Return network and head with first weights that come from the recipe's seed.

    Raises:
        UnknownName, RecordError: the recipe's network or head is not right.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        arguments = {**recipe.network.arguments, "size": list(size)}
        network = build_network(recipe.network.name, arguments, recipe.name).train()
        with torch.no_grad():
            like = build_network(recipe.network.name, arguments, recipe.name)
            dim = int(like(torch.zeros(1, 3, *size)).shape[1])
        head = HEADS.create(recipe.head.name, dim=dim, classes=classes, **recipe.head.arguments)
    return EmbeddingLearner(network, head)


def _layout(network: nn.Module) -> torch.memory_format:
    """Return the layout that is fastest: channels last.

    Not where a layer has fewer than 16 channels: there torch 2.13 on a CPU writes beyond its memory in the backward
    pass of a 1×1 convolution with a stride.
    """
    inputs = [m.in_channels for m in network.modules() if isinstance(m, nn.Conv2d) and m.in_channels > 3]
    return torch.channels_last if min(inputs, default=16) >= 16 else torch.contiguous_format
