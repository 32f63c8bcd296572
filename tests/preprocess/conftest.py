from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from recog_restore.networks import NETWORKS
from recog_restore.networks.cards import RestorerCard
from recog_restore.preprocess.folder import write_restorer

BuildRestorer = Callable[..., Path]


class Tint(nn.Module):
    """One 3×3 convolution and a sigmoid, for faces of any size."""

    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        self.mix, self.gain = nn.Conv2d(3, 3, 3, padding=1), gain

    def forward(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.gain * self.mix(images))


@pytest.fixture
def restorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuildRestorer:
    """Write the folder of a restorer with a network of one layer."""
    monkeypatch.setitem(NETWORKS._entries, "tint", Tint)

    def build(name: str = "tiny-tint", *, place: Path = tmp_path / "models", half: bool = False, **card: Any) -> Path:
        torch.manual_seed(0)
        arguments = card.pop("arguments", {"gain": 2.0})
        described = RestorerCard(name, "tint", arguments=arguments, **card)
        return write_restorer(place / name, described, Tint(**arguments), half=half)

    return build
