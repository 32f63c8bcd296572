from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from recog_restore.embed import Embedder
from recog_restore.errors import ConventionError
from recog_restore.networks.cards import EmbedderCard, Flip, InputCard


class Linear(Embedder):
    """A linear map of the pixels."""

    def __init__(self, flip: Flip = "none", dim: int = 5, **values: object) -> None:
        card = InputCard(**values)  # type: ignore[arg-type]
        self.card = EmbedderCard("linear", "none", dim=dim, flip=flip, input=card)
        self.seen = torch.empty(0)

    def forward(self, inputs: Tensor) -> Tensor:
        self.seen = inputs
        pixels = inputs.flatten(1)
        return pixels @ torch.randn(pixels.shape[1], 5, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def faces() -> Tensor:
    return torch.rand(6, 3, 128, 128, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("crop", "rows", "columns"),
    [
        ("arcface-112", slice(0, 112), slice(8, 120)),
        ("sphereface-112x96", slice(0, 112), slice(16, 112)),
        ("canonical-128", slice(0, 128), slice(0, 128)),
    ],
)
def test_input_is_the_window_of_the_card(crop: str, rows: slice, columns: slice, faces: Tensor) -> None:
    prepared = Linear(crop=crop, mean=0.0, std=255.0).prepare(faces)
    torch.testing.assert_close(prepared, faces[:, :, rows, columns])


def test_input_is_normalized_as_the_card_says(faces: Tensor) -> None:
    prepared = Linear(mean=127.5, std=128.0).prepare(faces)
    torch.testing.assert_close(prepared, (faces[:, :, :112, 8:120] * 255 - 127.5) / 128)


def test_colour_order_is_the_cards(faces: Tensor) -> None:
    rgb, bgr = Linear().prepare(faces), Linear(colour="bgr").prepare(faces)
    assert torch.equal(bgr, rgb[:, [2, 1, 0]])
    grey = Linear(colour="grey", mean=0.0, std=255.0).prepare(faces)
    red, green, blue = faces[:, :, :112, 8:120].unbind(1)
    torch.testing.assert_close(grey[:, 0], 0.299 * red + 0.587 * green + 0.114 * blue)


def test_faces_are_not_written_to(faces: Tensor) -> None:
    before = faces.clone()
    Linear(crop="canonical-128", mean=0.0, std=255.0, flip="sum")(faces)
    assert torch.equal(faces, before)


@pytest.mark.parametrize("shape", [(2, 3, 112, 112), (2, 1, 128, 128), (3, 128, 128)])
def test_faces_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConventionError, match=r"expected canonical crops \(B, 3, 128, 128\), got"):
        Linear()(torch.zeros(shape))


def test_output_of_another_shape_is_refused(faces: Tensor) -> None:
    with pytest.raises(ConventionError, match=r"'linear': expected an output of shape \(6, 7\), got \(6, 5\)"):
        Linear(dim=7)(faces)


def test_sum_and_mean_and_concat_relate_as_norms_do(faces: Tensor) -> None:
    straight, both = Linear()(faces), {flip: Linear(flip)(faces) for flip in ("sum", "mean", "concat")}
    flipped = Linear()(
        faces[:, :, :, :].flip(3)
    )  # the window is in the middle, so the flip of the crop is the flip of it
    torch.testing.assert_close(both["sum"], straight + flipped)
    torch.testing.assert_close(both["concat"], torch.cat([straight, flipped], 1))
    units = straight / straight.norm(dim=1, keepdim=True) + flipped / flipped.norm(dim=1, keepdim=True)
    torch.testing.assert_close(both["mean"], units)


def test_cosine_of_concat_is_the_norm_weighted_mean_of_both_cosines(faces: Tensor) -> None:
    straight, flipped = Linear()(faces), Linear()(faces.flip(3))
    concat = Linear("concat")(faces)
    a, b = slice(0, 3), slice(3, 6)
    weights = [f[a].norm(dim=1) * f[b].norm(dim=1) for f in (straight, flipped)]
    total = concat[a].norm(dim=1) * concat[b].norm(dim=1)
    cosines = [cosine_similarity(f[a], f[b]) for f in (straight, flipped)]
    expected = (weights[0] * cosines[0] + weights[1] * cosines[1]) / total
    torch.testing.assert_close(cosine_similarity(concat[a], concat[b]), expected)


@pytest.mark.parametrize("flip", ["sum", "mean"])
def test_fused_embedding_of_a_mirrored_face_is_the_same(flip: Flip, faces: Tensor) -> None:
    torch.testing.assert_close(Linear(flip)(faces), Linear(flip)(faces.flip(3)))


def test_batch_may_be_split(faces: Tensor) -> None:
    embedder = Linear("concat")
    split = torch.cat([embedder(faces[:1]), embedder(faces[1:])])
    torch.testing.assert_close(embedder(faces), split, rtol=1e-5, atol=1e-3)  # sums of 37,632 terms in another order


def test_nan_stays_with_its_face(faces: Tensor) -> None:
    faces[2, 0, 50, 50] = float("nan")
    finite = torch.isfinite(Linear("sum")(faces)).all(1)
    assert finite.tolist() == [True, True, False, True, True, True]


@pytest.mark.parametrize("flip", ["none", "sum", "mean", "concat"])
def test_gradient_reaches_the_faces(flip: Flip, faces: Tensor) -> None:
    faces.requires_grad_()
    Linear(flip)(faces).square().sum().backward()
    assert faces.grad is not None
    window = faces.grad[:, :, :112, 8:120]
    assert (window != 0).any(dim=(1, 2, 3)).all()
    assert faces.grad.abs().sum() == window.abs().sum()


def test_embedder_without_identity_says_so() -> None:
    with pytest.raises(
        ConventionError, match=r"'linear': its card has no SHA-256; write identity\(\), which must change"
    ):
        Linear().identity()


def test_words_say_what_the_numbers_depend_on() -> None:
    card = dataclasses.replace(Linear(crop="sphereface-112x96", std=128.0).card, flip="concat")
    assert card.words() == (
        "112×96 RGB, (x − 127.5) / 128; flip fused by concatenation: [f(x), f(flip x)]; cosine (feature norm dropped)"
    )
