from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from recog_restore.embed import Embedder
from recog_restore.faces import to_float
from recog_restore.geometry import CROPS, crop_size
from recog_restore.networks.cards import EmbedderCard, InputCard
from recog_restore.training.augment import Augment, network_input

NONE = Augment(**dict.fromkeys((field.name for field in dataclasses.fields(Augment)), 0.0))


def canvases(batch: int = 5) -> Tensor:
    small = torch.randint(0, 256, (batch, 3, 9, 9), generator=torch.Generator().manual_seed(0)).float()
    smooth = torch.nn.functional.interpolate(small, (128, 128), mode="bilinear")
    return smooth.round().byte().permute(0, 2, 3, 1).contiguous()


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("crop", list(CROPS))
def test_without_any_strength_the_crop_is_the_window(crop: str) -> None:
    rows, columns = CROPS[crop]
    got = NONE(canvases(), crop, crop_size(crop), generator())
    torch.testing.assert_close(got, to_float(canvases())[:, :, rows, columns], rtol=0, atol=1e-4)


def test_mirrored_window_is_the_flipped_one() -> None:
    got = dataclasses.replace(NONE, flip=1.0)(canvases(), "arcface-112", (112, 112), generator())
    torch.testing.assert_close(got, to_float(canvases())[:, :, :112, 8:120].flip(3), rtol=0, atol=1e-4)


def test_scaled_window_shows_the_same() -> None:
    got = NONE(canvases(), "arcface-112", (56, 56), generator())
    expected = torch.nn.functional.interpolate(to_float(canvases())[:, :, :112, 8:120], (56, 56), mode="bilinear")
    assert float((got - expected).abs().max()) < 0.02


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Augment) if f.name != "lowest"])
def test_every_strength_changes_images_and_the_same_seed_gives_the_same(field: str) -> None:
    strength = {"shift": 3.0, "turn": 5.0}.get(field, 0.9)
    augment = dataclasses.replace(NONE, lowest=0.3, **{field: strength})
    a, b, other = (augment(canvases(), "arcface-112", (64, 64), generator(seed)) for seed in (1, 1, 4))
    plain = NONE(canvases(), "arcface-112", (64, 64), generator())
    assert torch.equal(a, b)
    assert not torch.equal(a, other)
    assert not torch.allclose(a, plain, atol=0.01)
    assert a.shape == plain.shape
    assert a.dtype == torch.float32
    assert 0 <= float(a.min()) <= float(a.max()) <= 1


def test_canvases_are_not_written_to() -> None:
    before = canvases()
    given = before.clone()
    Augment()(given, "arcface-112", (112, 112), generator())
    assert torch.equal(given, before)


def test_grey_images_have_equal_channels() -> None:
    got = dataclasses.replace(NONE, grey=1.0)(canvases(), "arcface-112", (64, 64), generator())
    torch.testing.assert_close(got[:, 0], got[:, 1])
    torch.testing.assert_close(got[:, 0], got[:, 2])


class Seen(Embedder):
    def __init__(self, card: InputCard) -> None:
        self.card = EmbedderCard("seen", "none", input=card)

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.flatten(1)


@pytest.mark.parametrize("colour", ["rgb", "bgr", "grey"])
def test_network_sees_in_training_what_the_embedder_gives_it(colour: str) -> None:
    card = InputCard("arcface-112", colour, 127.5, 128.0)  # type: ignore[arg-type]
    images = to_float(canvases())
    expected = Seen(card).prepare(images)
    got = network_input(images[:, :, :112, 8:120], card)
    torch.testing.assert_close(got, expected)
