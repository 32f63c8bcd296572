"""Heads against a slow, plain computation of the papers' formulas, in Python's own floats."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from recog_restore.training.heads import HEADS, AdaFace, ArcFace, CosFace, Head, SphereFace, psi

DIM, CLASSES, BATCH = 6, 5, 7


def data() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    embeddings = torch.randn(BATCH, DIM, generator=generator) * torch.linspace(0.5, 9, BATCH)[:, None]
    return embeddings, torch.arange(BATCH) % CLASSES


def head(kind: type[Head], **arguments: object) -> Head:
    torch.manual_seed(4)
    return kind(DIM, CLASSES, **arguments).eval()  # type: ignore[arg-type]


def slowly(
    h: Head,
    embeddings: Tensor,
    labels: Tensor,
    true: Callable[[float, float], float],
    other: Callable[[float, float], float],
) -> Tensor:
    """Return logits where ``true(θ, ‖x‖)`` stands for the true class and ``other(θ, ‖x‖)`` for the others."""
    rows = []
    for x, label in zip(embeddings.double().tolist(), labels.tolist(), strict=True):
        length = math.sqrt(sum(v * v for v in x))
        row = []
        for j, w in enumerate(h.weight.double().tolist()):
            cosine = sum(a * b for a, b in zip(x, w, strict=True)) / length / math.sqrt(sum(v * v for v in w))
            angle = math.acos(max(-1.0, min(1.0, cosine)))
            row.append(true(angle, length) if j == label else other(angle, length))
        rows.append(row)
    return torch.tensor(rows)


def test_arcface_is_equation_3_of_the_paper() -> None:
    # Deng et al., CVPR 2019, equation 3: s·cos(θ_y + m).
    embeddings, labels = data()
    h = head(ArcFace, scale=30.0, margin=0.5)
    expected = slowly(h, embeddings, labels, lambda a, _: 30 * math.cos(a + 0.5), lambda a, _: 30 * math.cos(a))
    torch.testing.assert_close(h(embeddings, labels), expected, rtol=1e-5, atol=2e-5)


def test_arcface_goes_on_falling_where_the_angle_and_the_margin_exceed_pi() -> None:
    h = head(ArcFace, scale=1.0, margin=0.5)
    cosines = torch.linspace(1, -1, 401)[:, None]
    logits = h.logits(cosines, torch.ones(401, 1), torch.zeros(401, dtype=torch.long)).flatten()
    assert (logits.diff() < 0).all()
    assert logits[-1] == pytest.approx(-1 - 0.5 * math.sin(0.5), abs=1e-5)


def test_cosface_is_equation_4_of_the_paper() -> None:
    # Wang et al., CVPR 2018, equation 4: s·(cos θ_y − m).
    embeddings, labels = data()
    h = head(CosFace, scale=30.0, margin=0.35)
    expected = slowly(h, embeddings, labels, lambda a, _: 30 * (math.cos(a) - 0.35), lambda a, _: 30 * math.cos(a))
    torch.testing.assert_close(h(embeddings, labels), expected, rtol=1e-5, atol=2e-5)


def slow_psi(angle: float, m: int) -> float:
    # Liu et al., CVPR 2017, equation 7.
    k = min(m - 1, int(angle * m / math.pi))
    return float((-1) ** k * math.cos(m * angle) - 2 * k)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_psi_is_equation_7_of_the_paper(m: int) -> None:
    angles = torch.linspace(0.001, math.pi - 0.001, 500, dtype=torch.float64)
    expected = torch.tensor([slow_psi(a, m) for a in angles.tolist()], dtype=torch.float64)
    torch.testing.assert_close(psi(angles.cos(), m), expected, rtol=1e-9, atol=1e-9)
    assert (psi(angles.cos(), m).diff() < 0).all()


def test_sphereface_is_annealed_as_in_the_papers_supplement() -> None:
    embeddings, labels = data()
    h = head(SphereFace, base=100.0, decay=0.5, floor=5.0)
    for step, blend in ((0, 100.0), (4, 100 / 3), (1000, 5.0)):
        h.step.fill_(step)
        expected = slowly(
            h,
            embeddings,
            labels,
            lambda a, length, b=blend: length * (b * math.cos(a) + slow_psi(a, 4)) / (1 + b),  # type: ignore[misc]
            lambda a, length: length * math.cos(a),
        )
        torch.testing.assert_close(h(embeddings, labels), expected, rtol=1e-4, atol=1e-4)


def test_adaface_is_the_papers_margin_by_norm() -> None:
    # Kim et al., CVPR 2022, section 3.3: g_angle = −m·ẑ, g_add = m·ẑ + m.
    embeddings, labels = data()
    h = head(AdaFace, scale=30.0, margin=0.4)
    assert isinstance(h, AdaFace)
    h.mean.fill_(10.0)
    h.deviation.fill_(4.0)

    def true(angle: float, length: float) -> float:
        z = max(-1.0, min(1.0, (length - 10) / (4.001 / 0.333)))
        return 30 * (math.cos(angle - 0.4 * z) - (0.4 * z + 0.4))

    expected = slowly(h, embeddings, labels, true, lambda a, _: 30 * math.cos(a))
    torch.testing.assert_close(h(embeddings, labels), expected, rtol=1e-4, atol=1e-4)


def test_adaface_follows_mean_and_deviation_of_the_lengths() -> None:
    embeddings, labels = data()
    h = head(AdaFace, momentum=0.9).train()
    h(embeddings, labels)
    lengths = embeddings.norm(dim=1)
    assert float(h.mean) == pytest.approx(0.9 * 20 + 0.1 * float(lengths.mean()), rel=1e-5)  # type: ignore[arg-type]
    assert float(h.deviation) == pytest.approx(0.9 * 100 + 0.1 * float(lengths.std()), rel=1e-5)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", list(HEADS))
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_gradients_are_finite_at_both_ends_of_the_cosine(name: str, sign: float) -> None:
    torch.manual_seed(0)
    h = HEADS.create(name, dim=DIM, classes=CLASSES)
    labels = torch.arange(CLASSES)
    embeddings = (sign * h.weight.detach()).clone().requires_grad_()
    loss = torch.nn.functional.cross_entropy(h(embeddings, labels), labels)
    loss.backward()
    assert torch.isfinite(loss)
    assert embeddings.grad is not None
    assert torch.isfinite(embeddings.grad).all()
    assert h.weight.grad is not None
    assert torch.isfinite(h.weight.grad).all()


@pytest.mark.parametrize("name", list(HEADS))
def test_margin_makes_the_true_class_worse_and_leaves_the_others(name: str) -> None:
    embeddings, labels = data()
    h = HEADS.create(name, dim=DIM, classes=CLASSES).eval()
    h.step.fill_(10**6)
    logits = h(embeddings, labels)
    scale = getattr(h, "scale", 0) or embeddings.norm(dim=1, keepdim=True)
    plain = scale * torch.nn.functional.normalize(embeddings) @ torch.nn.functional.normalize(h.weight).T
    mask = torch.nn.functional.one_hot(labels, CLASSES).bool()
    torch.testing.assert_close(logits[~mask], plain[~mask], rtol=1e-4, atol=1e-4)
    assert (logits[mask] < plain[mask]).all()


@pytest.mark.parametrize("name", ["arcface", "cosface"])
def test_margin_grows_over_the_warmup(name: str) -> None:
    embeddings, labels = data()
    warm, full = (HEADS.create(name, dim=DIM, classes=CLASSES, warmup=w) for w in (10, 0))
    full.load_state_dict(warm.state_dict())
    assert not torch.allclose(warm(embeddings, labels), full(embeddings, labels))
    for _ in range(9):
        warm(embeddings, labels)
    assert int(warm.step) == 10
    torch.testing.assert_close(warm(embeddings, labels), full(embeddings, labels))


def test_head_computes_in_float32_under_autocast() -> None:
    embeddings, labels = data()
    h = head(ArcFace)
    with torch.autocast("cpu", torch.bfloat16):
        got = h(embeddings.bfloat16(), labels)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, h(embeddings.bfloat16().float(), labels))


def test_steps_are_counted_in_training_only() -> None:
    embeddings, labels = data()
    h = head(CosFace)
    h(embeddings, labels)
    assert int(h.step) == 0
    h.train()(embeddings, labels)
    assert int(h.step) == 1
