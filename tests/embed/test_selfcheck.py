from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from recog_restore.embed import Embedder
from recog_restore.embed.card import CardEmbedder
from recog_restore.embed.convert import convert
from recog_restore.embed.onnx import OnnxEmbedder
from recog_restore.embed.selfcheck import Variant, _separation, self_check, separates, verdict
from recog_restore.errors import ConventionError, DataError
from recog_restore.networks.cards import EmbedderCard, InputCard

Faces = tuple[NDArray[np.uint8], list[str]]


class Particular(Embedder):
    """Knows people by the red channel of a part of the picture, and only if the values are in −1..1."""

    def __init__(self, **values: object) -> None:
        card = InputCard(**values)  # type: ignore[arg-type]
        self.card = EmbedderCard("particular", "none", dim=64, flip="sum", input=card)

    def forward(self, inputs: Tensor) -> Tensor:
        if inputs.shape[2:] != (112, 112):
            raise RuntimeError("another size")
        red = inputs[:, 0].unfold(1, 14, 14).unfold(2, 14, 14).mean((3, 4)).flatten(1)
        return torch.tanh(4 * red)


@pytest.fixture(scope="module")
def drawn() -> Faces:
    """30 people of two pictures each: a red pattern of their own, other colours and a little noise by chance."""
    rng = np.random.default_rng(0)
    patterns = rng.integers(64, 192, (30, 8, 8))
    pixels = rng.integers(64, 192, (60, 128, 128, 3))
    red = patterns.repeat(2, axis=0).repeat(14, axis=1).repeat(14, axis=2)
    pixels[:, :112, 8:120, 0] = np.clip(red + rng.normal(0, 20, red.shape), 0, 255)
    return pixels.astype(np.uint8), [f"subject {i // 2}" for i in range(60)]


def test_right_card_is_believed(drawn: Faces) -> None:
    variants = self_check(Particular(), *drawn)
    assert verdict(variants).startswith("as declared is best: 112×112 RGB, (x − 127.5) / 127.5 (d' ")
    assert variants[0] == Variant("as declared", Particular().card.input.words(), variants[0].separation, 0.0, 1.0)
    assert [v.name for v in variants if v.cosine > 0.999] == ["as declared", "(x - 127.5) / 128"]
    assert not [v for v in variants if v.name.startswith("crop canonical") or v.name.startswith("crop sphereface")]
    ordered = [v.separation for v in variants[1:]]
    assert ordered == sorted(ordered, reverse=True)


@pytest.mark.parametrize(
    ("declared", "right"),
    [
        ({"colour": "bgr"}, "colour rgb separates better"),
        ({"mean": 0.0, "std": 1.0}, "(x - 127.5) / 128 separates better|range -1..1 separates better"),
    ],
)
def test_wrong_card_is_found_out(declared: dict[str, object], right: str, drawn: Faces) -> None:
    words = verdict(self_check(Particular(**declared), *drawn))
    assert words.startswith(tuple(right.split("|")))
    assert words.endswith("the card is probably wrong")


def test_undecided_is_said() -> None:
    declared, rival = Variant("as declared", "x", 2.0, 0.0, 1.0), Variant("colour bgr", "y", 2.1, 0.7, 0.9)
    assert verdict([declared, rival]).endswith("in 70% of the resamples: undecided, give more faces")


def test_other_way_to_the_same_embeddings_is_no_rival() -> None:
    declared, rival = Variant("as declared", "x", 2.0, 0.0, 1.0), Variant("range", "y", 2.001, 1.0, 0.99999)
    assert verdict([declared, rival]) == "as declared is best: x (d' 2.00)"


def test_check_is_repeatable_and_independent_of_the_batch(drawn: Faces) -> None:
    first, again, split = (self_check(Particular(), *drawn, batch=batch) for batch in (64, 64, 7))
    assert first == again
    for a, b in zip(first, split, strict=True):
        assert (a.name, a.better) == (b.name, b.better)
        assert a.separation == pytest.approx(b.separation, rel=1e-5)


def test_embedder_is_left_as_it_was(drawn: Faces) -> None:
    embedder = Particular()
    before = embedder.card
    self_check(embedder, *drawn)
    assert embedder.card is before


def test_separation_is_that_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    who = np.array([0, 0, 0, 1, 1, 2, 2, 3])
    weights = np.vstack([np.ones(8), np.array([2, 0, 1, 1])[who]]).astype(float)
    embeddings = torch.from_numpy(rng.normal(size=(8, 5)))
    unit = (embeddings / embeddings.norm(dim=1, keepdim=True)).numpy()
    for row, found in zip(weights, _separation(embeddings, who, weights), strict=True):
        mated, non_mated = [], []
        for i in range(8):
            for j in range(i + 1, 8):
                score = float(unit[i] @ unit[j])
                if who[i] == who[j]:
                    mated += [score] * int(row[i])
                else:
                    non_mated += [score] * int(row[i] * row[j])
        expected = (np.mean(mated) - np.mean(non_mated)) / np.sqrt((np.var(mated) + np.var(non_mated)) / 2)
        assert found == pytest.approx(expected, rel=1e-9)


def test_embeddings_that_are_not_finite_separate_nothing() -> None:
    embeddings = torch.eye(4).fill_diagonal_(float("nan"))
    assert _separation(embeddings, np.array([0, 0, 1, 1]), np.ones((3, 4))).tolist() == [0, 0, 0]


def test_too_few_mated_pairs_are_refused(drawn: Faces) -> None:
    crops, subject = drawn
    with pytest.raises(
        DataError, match="needs 20 mated pairs and two subjects, got 5 pairs and 5 subjects; give it more"
    ):
        self_check(Particular(), crops[:10], subject[:10])


def test_crops_of_another_kind_are_refused(drawn: Faces) -> None:
    crops, subject = drawn
    with pytest.raises(ConventionError, match=r"expected canonical crops .* uint8, got \(60, 112, 112, 3\) uint8"):
        self_check(Particular(), crops[:, :112, :112], subject)
    with pytest.raises(ConventionError, match="expected one subject for each of 60 crops, got 3"):
        self_check(Particular(), crops, subject[:3])


@pytest.mark.parametrize(
    ("options", "right"),
    [({}, "as declared is best"), ({"colour": "bgr"}, "colour rgb")],
)
def test_published_onnx_model_on_lfw(options: dict[str, str], right: str, shared: Path, lfw_faces: Faces) -> None:
    file = shared / "weights" / "mobilefacenet-arcface-ms1m-112.onnx"
    words = verdict(self_check(OnnxEmbedder(file, **options), *lfw_faces))  # type: ignore[arg-type]
    assert words.startswith(right)
    assert words.endswith("probably wrong") == bool(options)


def test_published_checkpoint_on_lfw_cropped_elsewhere(shared: Path, lfw_faces: Faces, tmp_path: Path) -> None:
    file = shared / "weights" / "mobilefacenet-arcface-casia-112x96.ckpt"
    embedder = CardEmbedder(convert(file, None, tmp_path / "casia"))
    crops, subject = lfw_faces
    words = verdict(self_check(embedder, np.roll(crops, 8, 2), subject))
    assert words.startswith("crop 8 px to the right separates better")
    assert words.endswith("the card is probably wrong")


def test_embedder_that_separates_nobody_is_found_out(drawn: Faces) -> None:
    pixels, subject = drawn
    variants = self_check(Particular(), pixels[np.random.default_rng(1).permutation(60)], subject)
    assert not separates(variants)
    assert verdict(variants).startswith("it separates nobody: d' ")
    assert separates(self_check(Particular(), *drawn))


def test_only_what_is_in_doubt_is_varied(drawn: Faces) -> None:
    names = {v.name for v in self_check(Particular(), *drawn, properties={"colour"})}
    assert names == {"as declared", "colour bgr"}
