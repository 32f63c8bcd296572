"""Margin losses: from embeddings and labels to the logits that softmax cross entropy takes.

A head is the last, linear layer of a classifier of the training people. Its weights are normalised, so that a logit is
a cosine times a scale; the logit of the true class is made worse by a margin, which the network must make up for. The
head is thrown away after the training.

Convention: θ_y is the angle between an embedding and the weights of its true class y, s the scale, m the margin.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, normalize, one_hot

from ..registry import Registry

# The square root of 1 − cos² has no slope at 1: nearer to it than this, it is constant.
_LEAST_SIN2 = 1e-6


class Head(nn.Module):
    """The layer of classes; a subclass says what the true class's logit is.

    Args:
        dim: length of the embeddings.
        classes: number of training people.
    """

    step: Tensor

    def __init__(self, dim: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes, dim))
        nn.init.normal_(self.weight, std=0.05)
        self.register_buffer("step", torch.zeros((), dtype=torch.long))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return (B, classes) float32 logits of (B, dim) embeddings of any length; each call is a step of training."""
        with torch.autocast(embeddings.device.type, enabled=False):
            embeddings = embeddings.float()
            norms = embeddings.norm(dim=1, keepdim=True)
            cosines = linear(normalize(embeddings), normalize(self.weight.float())).clamp(-1, 1)
            logits = self.logits(cosines, norms, labels)
        if self.training:
            self.step += 1
        return logits

    @abstractmethod
    def logits(self, cosines: Tensor, norms: Tensor, labels: Tensor) -> Tensor:
        """Return (B, classes) logits of (B, classes) cosines in [−1, 1] and (B, 1) lengths of the embeddings."""


class ArcFace(Head):
    """s·cos(θ_y + m) for the true class, s·cos θ_j for the others.

    Where θ_y + m exceeds π, so that the logit would rise again, it is s·(cos θ_y − m·sin m), as the authors' code has.

    Args:
        dim, classes: see ``Head``.
        scale: s.
        margin: m in radians.
        warmup: steps over which the margin grows from 0.

    Source: Deng, Guo, Xue, Zafeiriou, "ArcFace", CVPR 2019, equation 3.
    """

    def __init__(self, dim: int, classes: int, scale: float = 64.0, margin: float = 0.5, warmup: int = 0) -> None:
        super().__init__(dim, classes)
        self.scale, self.margin, self.warmup = scale, margin, warmup

    def logits(self, cosines: Tensor, norms: Tensor, labels: Tensor) -> Tensor:
        """Return the logits."""
        margin = _grown(self.margin, self.step, self.warmup)
        true = _of_labels(cosines, labels)
        sine = (1 - true.square()).clamp_min(_LEAST_SIN2).sqrt()
        shifted = true * math.cos(margin) - sine * math.sin(margin)
        beyond = true - margin * math.sin(margin)
        shifted = torch.where(true > math.cos(math.pi - margin), shifted, beyond)
        return self.scale * _with_labels(cosines, labels, shifted)


class CosFace(Head):
    """s·(cos θ_y − m) for the true class, s·cos θ_j for the others.

    Args:
        dim, classes: see ``Head``.
        scale: s.
        margin: m.
        warmup: steps over which the margin grows from 0.

    Source: Wang, Wang, Zhou, Ji, Gong, Zhou, Li, Liu, "CosFace", CVPR 2018, equation 4.
    """

    def __init__(self, dim: int, classes: int, scale: float = 64.0, margin: float = 0.35, warmup: int = 0) -> None:
        super().__init__(dim, classes)
        self.scale, self.margin, self.warmup = scale, margin, warmup

    def logits(self, cosines: Tensor, norms: Tensor, labels: Tensor) -> Tensor:
        """Return the logits."""
        margin = _grown(self.margin, self.step, self.warmup)
        return self.scale * _with_labels(cosines, labels, _of_labels(cosines, labels) - margin)


class SphereFace(Head):
    """A-Softmax: ‖x‖·ψ(θ_y) for the true class, ‖x‖·cos θ_j for the others; x is the embedding.

    ψ(θ) = (−1)^k·cos(mθ) − 2k for θ in [kπ/m, (k + 1)π/m] falls over the whole of [0, π]. Since it is hard from the
    start, the true logit is annealed to it: ‖x‖·(λ·cos θ_y + ψ(θ_y)) / (1 + λ), with
    λ = max(floor, base / (1 + decay·step)).

    Args:
        dim, classes: see ``Head``.
        margin: m, a whole number.
        base, decay, floor: of λ; those of the authors' ``sphereface_model.prototxt``.
        scale: 0 is the paper's loss; else this stands in the place of ‖x‖, as in the authors' later SphereFace-R, which
            does not wait for the embeddings to grow.

    Source: Liu, Wen, Yu, Li, Raj, Song, "SphereFace", CVPR 2017, equation 7; its supplement, "Annealing optimization
    strategy for A-Softmax loss". Scale: Liu, Wen, Raj, Singh, Weller, "SphereFace Revived", TPAMI 2022.
    """

    def __init__(
        self,
        dim: int,
        classes: int,
        margin: int = 4,
        base: float = 1000.0,
        decay: float = 0.12,
        floor: float = 5.0,
        scale: float = 0.0,
    ) -> None:
        super().__init__(dim, classes)
        self.margin, self.base, self.decay, self.floor, self.scale = margin, base, decay, floor, scale

    def logits(self, cosines: Tensor, norms: Tensor, labels: Tensor) -> Tensor:
        """Return the logits."""
        true = _of_labels(cosines, labels)
        blend = max(self.floor, self.base / (1 + self.decay * int(self.step)))
        lengths = self.scale or norms
        return lengths * _with_labels(cosines, labels, (blend * true + psi(true, self.margin)) / (1 + blend))


class AdaFace(Head):
    """s·(cos(θ_y + g_angle) − g_add): an angular margin for poor images, an additive one for good ones.

    The length of an embedding stands for the quality of its image: ẑ = (‖z‖ − μ) / (σ / h), clipped to [−1, 1], with
    running mean μ and deviation σ of the lengths; g_angle = −m·ẑ and g_add = m·ẑ + m.

    Args:
        dim, classes: see ``Head``.
        scale: s.
        margin: m.
        concentration: h.
        momentum: weight of the running values against those of the batch.

    Source: Kim, Jain, Liu, "AdaFace", CVPR 2022, section 3.3; limits of the angle and of the length, and the first
    values of μ and σ, as in the authors' code (mk-minchul/AdaFace, head.py).
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        dim: int,
        classes: int,
        scale: float = 64.0,
        margin: float = 0.4,
        concentration: float = 0.333,
        momentum: float = 0.99,
    ) -> None:
        super().__init__(dim, classes)
        self.scale, self.margin, self.concentration, self.momentum = scale, margin, concentration, momentum
        self.register_buffer("mean", torch.tensor(20.0))
        self.register_buffer("deviation", torch.tensor(100.0))

    def logits(self, cosines: Tensor, norms: Tensor, labels: Tensor) -> Tensor:
        """Return the logits."""
        lengths = norms.detach().clamp(0.001, 100)
        if self.training:
            self.mean.lerp_(lengths.mean(), 1 - self.momentum)
            self.deviation.lerp_(lengths.std(), 1 - self.momentum)
        quality = ((lengths - self.mean) / (self.deviation + 1e-3) * self.concentration).clamp(-1, 1)
        angle = _of_labels(cosines, labels).clamp(-1 + 1e-3, 1 - 1e-3).acos() - self.margin * quality
        shifted = angle.clamp(1e-3, math.pi - 1e-3).cos() - self.margin * (quality + 1)
        return self.scale * _with_labels(cosines, labels, shifted)


def psi(cosine: Tensor, margin: int) -> Tensor:
    """Return SphereFace's (−1)^k·cos(mθ) − 2k from cos θ; its slope is finite everywhere.

    cos(mθ) is Chebyshev's polynomial of cos θ, and k the number of jπ/m below θ: no angle is computed.
    """
    before, multiple = torch.ones_like(cosine), cosine
    for _ in range(margin - 1):
        before, multiple = multiple, 2 * cosine * multiple - before
    borders = [math.cos(j * math.pi / margin) for j in range(1, margin)]
    k = torch.stack([cosine.detach() < border for border in borders]).sum(0) if borders else torch.zeros_like(cosine)
    return (1 - 2 * (k % 2)) * multiple - 2 * k


HEADS: Registry[Head] = Registry("head", "recog_restore.heads")
for _head in (AdaFace, ArcFace, CosFace, SphereFace):
    HEADS.add(_head.__name__.lower(), _head)


def _grown(margin: float, step: Tensor, warmup: int) -> float:
    return margin * min(1.0, int(step) / warmup) if warmup else margin


def _of_labels(cosines: Tensor, labels: Tensor) -> Tensor:
    """Return (B, 1) cosines of the true classes."""
    return cosines.gather(1, labels[:, None])


def _with_labels(cosines: Tensor, labels: Tensor, true: Tensor) -> Tensor:
    """Return the cosines with those of the true classes replaced by (B, 1) other values."""
    return torch.where(one_hot(labels, cosines.shape[1]).bool(), true, cosines)
