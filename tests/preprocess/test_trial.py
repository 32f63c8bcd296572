from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from recog_restore.preprocess import Card, Preprocessor
from recog_restore.preprocess.trial import trial
from recog_restore.testing import sample_faces

FACES = sample_faces()


class Tried(Preprocessor):
    """Computes in the way it is told to."""

    def __init__(self, how: str, *, deterministic: bool = True) -> None:
        super().__init__()
        self.card, self._how = Card("tried", "restore", "tried", deterministic), how
        self._norm = nn.BatchNorm2d(3)

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        if self._how == "signed":
            return images * 2 - 1
        if self._how == "overshooting":
            return images * 1.04 - 0.02
        if self._how == "same":
            return images * 0 + torch.linspace(0, 1, 128)
        if self._how == "random":
            return (images + 0.2 * torch.rand_like(images)).clamp(0, 1)
        if self._how == "training":
            return torch.sigmoid(self._norm(images))
        return images


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("signed", "outside of 0..1 and are clamped (they span -0.9"),
        ("same", "tried: its output is the same for different faces"),
        ("random", "tried: it gives another output each time for the same faces, up to 0.2"),
        ("training", "tried: its output depends on the other faces of the batch, up to"),
    ],
)
def test_what_is_wrong_with_an_output_is_said_once(how: str, message: str) -> None:
    (found,) = trial(Tried(how), FACES)
    assert message in found


@pytest.mark.parametrize("how", ["overshooting", "untouched"])
def test_nothing_is_said_of_a_sound_output(how: str) -> None:
    assert trial(Tried(how), FACES) == []
    assert trial(Tried(how), FACES.take([0])) == []


def test_chance_that_the_card_declares_is_not_a_warning() -> None:
    assert trial(Tried("random", deterministic=False), FACES) == []
