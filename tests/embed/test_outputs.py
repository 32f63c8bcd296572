from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from recog_restore.embed import Embedder
from recog_restore.embed.outputs import check_outputs
from recog_restore.errors import ConventionError
from recog_restore.networks.cards import EmbedderCard
from recog_restore.testing import sample_faces

FACES = sample_faces().images


class Given(Embedder):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        self.card, self._function = EmbedderCard("given", "none", dim=3), function

    def forward(self, inputs: Tensor) -> Tensor:
        return self._function(inputs.mean((2, 3)))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (torch.ones_like, "gives the same embedding for all of 4 different faces"),
        (torch.randn_like, "gives other embeddings when it sees the same faces again"),
        (
            lambda x: x - x.mean(0) + 0.01,
            "a face's embedding depends on the other faces of the batch; is it in training mode",
        ),
        (lambda x: x > 0, r"expected an output of floats, got torch\.bool"),
        (lambda x: x.to(torch.int64), r"expected an output of floats, got torch\.int64"),
        (lambda x: x.numpy(), "expected an output of floats, got ndarray"),
    ],
)
def test_output_that_cannot_be_meant_is_refused(function: Callable[[Tensor], Tensor], message: str) -> None:
    with pytest.raises(ConventionError, match=f"embedder 'given': {message}"):
        check_outputs(Given(function), FACES)


@pytest.mark.parametrize(
    ("function", "faces"),
    [
        (torch.sin, FACES),
        (torch.ones_like, FACES[:1]),
        (torch.ones_like, FACES[:1].expand(4, -1, -1, -1)),
        (torch.zeros_like, FACES),  # which is a failed face each
        (torch.sin, FACES[:0]),
    ],
)
def test_other_outputs_pass(function: Callable[[Tensor], Tensor], faces: Tensor) -> None:
    check_outputs(Given(function), faces)
