"""Losses against a slow, plain computation of the paper's formulas, in Python's own floats."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from recog_restore.embed.base import Embedder
from recog_restore.errors import ConventionError
from recog_restore.networks.cards import EmbedderCard
from recog_restore.networks.mdfr import FFN, FRN
from recog_restore.training.losses import (
    IdentityLoss,
    adversarial_loss,
    alignment_loss,
    discriminator_loss,
    moved,
    pixel_loss,
    similarities,
)


def pair(*shape: int) -> tuple[Tensor, Tensor]:
    first, second = torch.rand(2, *shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    return first, second


class Linear(Embedder):
    """A differentiable embedder of three numbers; its weights are frozen as a card's are."""

    def __init__(self, seed: int, *, differentiable: bool = True) -> None:
        self.card = EmbedderCard(f"linear-{seed}", "none", 3)
        self.weight = 0.01 * torch.randn(3, 3 * 112 * 112, generator=torch.Generator().manual_seed(seed))
        self._differentiable = differentiable

    def forward(self, inputs: Tensor) -> Tensor:
        return (inputs if self._differentiable else inputs.detach()).flatten(1) @ self.weight.T


@pytest.mark.parametrize(("distance", "reduction"), [(d, r) for d in ("l1", "l2") for r in ("mean", "paper-sum")])
@pytest.mark.parametrize("weighted", [False, True])
def test_pixel_loss_is_equation_7(distance: Any, reduction: Any, weighted: bool) -> None:
    output, target = pair(2, 3, 2, 4)
    weights = torch.rand(2, 1, 2, 4, dtype=torch.float64) if weighted else None
    total = 0.0
    for b in range(2):
        for c in range(3):
            for y in range(2):
                for x in range(4):
                    d = float(output[b, c, y, x]) - float(target[b, c, y, x])
                    total += (float(weights[b, 0, y, x]) if weights is not None else 1) * (
                        abs(d) if distance == "l1" else d * d
                    )
    expected = total / 2 / (3 * 2 * 4 if reduction == "mean" else 1)
    got = pixel_loss(output, target, distance, weights=weights, reduction=reduction)
    assert float(got) == pytest.approx(expected, rel=1e-12)


def test_printed_weight_of_the_identity_is_a_fifth_beside_a_mean() -> None:
    output, target = pair(2, 3, 128, 128)
    ratio = float(pixel_loss(output, target, reduction="paper-sum") / pixel_loss(output, target))
    assert ratio == pytest.approx(49_152)
    assert 1e4 / ratio == pytest.approx(0.2, abs=0.01)


def test_pixel_loss_does_not_broadcast_images() -> None:
    with pytest.raises(ConventionError, match=r"output and target of one shape, got \(2, 3, 4, 4\) and \(1, 3, 4, 4\)"):
        pixel_loss(torch.zeros(2, 3, 4, 4), torch.zeros(1, 3, 4, 4))


@pytest.mark.parametrize("size", [128, 64])
def test_identity_loss_is_equation_6_averaged_over_embedders(size: int) -> None:
    output, target = (x.float() for x in pair(2, 3, size, size))
    embedders = [Linear(1), Linear(2)]
    loss = IdentityLoss(embedders)

    def vectors(embedder: Linear, images: Tensor) -> list[list[float]]:
        if size != 128:
            images = interpolate(images, (128, 128), mode="bilinear", align_corners=False)
        pixels = (images[:, :, :112, 8:120].double() * 255 - 127.5) / 127.5
        return (pixels.flatten(1) @ embedder.weight.double().T).tolist()  # type: ignore[no-any-return]

    total = 0.0
    for embedder in embedders:
        for a, b in zip(vectors(embedder, output), vectors(embedder, target), strict=True):
            lengths = [math.sqrt(sum(v * v for v in row)) for row in (a, b)]
            total += sum((p / lengths[0] - q / lengths[1]) ** 2 for p, q in zip(a, b, strict=True)) / 4
    assert float(loss(output, loss.targets(target))) == pytest.approx(total, rel=1e-3)


def test_an_embedder_looks_at_as_many_images_as_it_is_given_targets_for() -> None:
    output, target = torch.rand(3, 3, 128, 128), torch.rand(3, 3, 128, 128)
    embedders = [Linear(1), Linear(2)]
    loss = IdentityLoss(embedders)
    first, second = loss.targets(target)
    alone = [IdentityLoss([embedder]) for embedder in embedders]
    expected = float(alone[0](output, [first]) + alone[1](output[:1], [second[:1]])) / 2
    assert float(loss(output, [first, second[:1]])) == pytest.approx(expected, rel=1e-6)


def test_identity_loss_is_zero_for_the_same_face() -> None:
    images = torch.rand(2, 3, 128, 128)
    loss = IdentityLoss([Linear(1)])
    assert float(loss(images, loss.targets(images))) == pytest.approx(0, abs=1e-10)


def test_identity_gradient_reaches_the_image_and_stops_at_the_embedders_weights() -> None:
    torch.manual_seed(0)
    network = FRN(4, output="residual")
    embedder = Linear(1)
    loss = IdentityLoss([embedder])
    targets = loss.targets(torch.rand(2, 3, 128, 128))
    assert not targets[0].requires_grad
    restored = network(torch.rand(2, 3, 128, 128))
    restored.retain_grad()
    before = embedder.weight.clone()
    loss(restored, targets).backward()
    assert restored.grad is not None
    assert (restored.grad.flatten(1).abs().amax(1) > 0).all()
    assert network.head.paint.weight.grad is not None
    assert network.head.paint.weight.grad.abs().max() > 0
    assert embedder.weight.grad is None
    assert torch.equal(embedder.weight, before)


def test_identity_loss_computes_in_float32_under_autocast() -> None:
    images, target = (x.float() for x in pair(2, 3, 128, 128))
    loss = IdentityLoss([Linear(1)])
    targets = loss.targets(target)
    with torch.autocast("cpu", torch.bfloat16):
        got = loss(images, targets)
    assert got.dtype == torch.float32
    assert torch.equal(got, loss(images, targets))


def test_embedder_without_gradient_is_refused() -> None:
    loss = IdentityLoss([Linear(1, differentiable=False)])
    images = torch.rand(1, 3, 128, 128)
    targets = loss.targets(images)
    assert torch.isfinite(loss(images, targets))
    with pytest.raises(ConventionError, match="embedder 'linear-1' gives no gradient to its images"):
        loss(images.requires_grad_(), targets)


def test_identity_loss_needs_an_embedder() -> None:
    with pytest.raises(ConventionError, match="the identity loss needs at least one embedder"):
        IdentityLoss([])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_judges_and_generator_play_equation_10() -> None:
    real, fake = torch.tensor([2.0, -0.5, 0.1]).double(), torch.tensor([-1.0, 0.7, 3.0]).double()
    log_real = sum(math.log(sigmoid(x)) for x in real.tolist()) / 3
    log_not_fake = sum(math.log(1 - sigmoid(x)) for x in fake.tolist()) / 3
    log_fake = sum(math.log(sigmoid(x)) for x in fake.tolist()) / 3
    assert float(discriminator_loss(real, fake)) == pytest.approx(-(log_real + log_not_fake))
    assert float(adversarial_loss(fake, "paper")) == pytest.approx(log_not_fake)
    assert float(adversarial_loss(fake)) == pytest.approx(-log_fake)


def test_a_sure_judge_leaves_a_slope_only_to_the_form_that_does_not_saturate() -> None:
    slopes = {}
    for form in ("paper", "non-saturating"):
        logits = torch.tensor([-30.0], requires_grad=True)
        adversarial_loss(logits, form).backward()  # type: ignore[arg-type]
        assert logits.grad is not None
        slopes[form] = float(logits.grad)
    assert slopes["paper"] == pytest.approx(0, abs=1e-12)
    assert slopes["non-saturating"] == pytest.approx(-1)


def test_losses_are_finite_for_large_logits() -> None:
    large = torch.tensor([-500.0, 500.0])
    assert torch.isfinite(discriminator_loss(large, large))
    assert torch.isfinite(adversarial_loss(large))


@pytest.mark.parametrize("reduction", ["mean", "paper-sum"])
def test_alignment_is_the_squared_error_of_each_map(reduction: Any) -> None:
    student, teacher = pair(2, 3, 2, 4)
    total = 0.0
    for b in range(2):
        for n in range(3):
            norm = sum(
                (float(student[b, n, y, x]) - float(teacher[b, n, y, x])) ** 2 for y in range(2) for x in range(4)
            )
            total += norm / 3 / 2 / (8 if reduction == "mean" else 1)
    assert float(alignment_loss(student, teacher, reduction=reduction)) == pytest.approx(total, rel=1e-12)


def test_alignment_trains_the_student_and_not_the_teacher() -> None:
    torch.manual_seed(0)
    student, teacher = FRN(4), FFN(4)
    images, maps = torch.rand(1, 3, 16, 16), torch.rand(2, 1, 18, 16, 16)
    alignment_loss(student.decode(images).last, teacher.decode(images, maps[0], maps[1]).last).backward()
    assert all(p.grad is None for p in teacher.parameters())
    assert student.encoder.stem[0].weight.grad is not None  # type: ignore[union-attr]


def test_features_of_other_shapes_are_refused() -> None:
    with pytest.raises(
        ConventionError, match=r"got the student's \(1, 4, 8, 8\) and the teacher's \(1, 8, 8, 8\); do width"
    ):
        alignment_loss(torch.zeros(1, 4, 8, 8), torch.zeros(1, 8, 8, 8))


def test_a_move_by_whole_pixels_moves_whole_pixels() -> None:
    images = torch.rand(1, 3, 128, 128)
    by = torch.tensor([[[1.0, 0, 2 * 3 / 128], [0, 1, -2 * 2 / 128]]])
    assert torch.allclose(moved(images, by)[..., 2:, :-3], images[..., :-2, 3:], atol=1e-5)
    still = similarities(1, 0.0, torch.Generator())
    assert torch.allclose(moved(images, still), images, atol=1e-5)


def test_jitter_is_a_similarity_of_the_deviation_it_says() -> None:
    found = similarities(4000, 2.0, torch.Generator().manual_seed(0)).double()
    linear, shift = found[:, :, :2], found[:, :, 2] * 64
    scale = torch.linalg.det(linear).sqrt()
    angle = torch.rad2deg(torch.atan2(linear[:, 1, 0], linear[:, 0, 0]))
    assert torch.allclose(linear @ linear.transpose(1, 2), scale.square()[:, None, None] * torch.eye(2).double())
    for values in (shift[:, 0], shift[:, 1], angle, 100 * scale.log()):
        assert float(values.std()) == pytest.approx(2.0, rel=0.05)
        assert float(values.mean()) == pytest.approx(0.0, abs=0.15)
