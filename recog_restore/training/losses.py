"""MDFR's losses: pixels, identity, the two judges, and the alignment of features.

Paper: MDFR (arXiv:2105.09907), equations 6 to 13.
Convention: images are (B, 3, S, S) in [0, 1]; every loss is one number, the mean over the batch of one for each face.
``reduction`` says how a face's differences become its number. ``mean`` is the mean over channels and pixels. With
``paper-sum`` it is the sum over them, a squared norm as printed, and only with it do the printed weights make sense:
λ1 = 10⁴ beside a sum over 3·128·128 values is 10⁴ / 49,152 ≈ 0.2 beside a mean. Identity is the same in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate, normalize, softplus

from ..embed.base import Embedder
from ..errors import ConventionError
from ..geometry import CANONICAL_SIZE

Reduction = Literal["mean", "paper-sum"]
Distance = Literal["l1", "l2"]
Form = Literal["non-saturating", "paper"]


def pixel_loss(
    output: Tensor,
    target: Tensor,
    distance: Distance = "l2",
    *,
    weights: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Return the distance of images from their targets, equations 7 and 9.

    Args:
        output, target: (B, 3, S, S).
        distance: ``l2`` is the square of the differences, the paper's; ``l1`` their absolute values.
        weights: what each difference is multiplied with, of any shape that broadcasts to the images' (a mask, or a
            number for each face); the mean goes on dividing by the number of values.
        reduction: see above.

    Raises:
        ConventionError: output and target differ in shape.
    """
    if output.shape != target.shape:
        raise ConventionError(
            f"expected output and target of one shape, got {tuple(output.shape)} and {tuple(target.shape)}"
        )
    difference = output - target
    values = difference.abs() if distance == "l1" else difference.square()
    if weights is not None:
        values = values * weights
    return values.mean() if reduction == "mean" else values.sum() / len(values)


def similarities(count: int, jitter: float, generator: torch.Generator) -> Tensor:
    """Return (count, 2, 3) small similarities of the square from −1 to 1, those of ``Losses.identity_jitter``."""
    device = generator.device
    if not jitter:
        return torch.eye(2, 3, device=device).expand(count, 2, 3)
    normal = jitter * torch.randn(4, count, generator=generator, device=device)
    x, y = normal[:2] * 2 / CANONICAL_SIZE
    angle, scale = torch.deg2rad(normal[2]), torch.exp(normal[3] / 100)
    cos, sin = scale * torch.cos(angle), scale * torch.sin(angle)
    return torch.stack([cos, -sin, x, sin, cos, y], dim=1).view(count, 2, 3)


def moved(images: Tensor, by: Tensor) -> Tensor:
    """Return (B, 3, S, S) images sampled bilinearly at places that (B, 2, 3) matrices give, their border continued."""
    grid = affine_grid(by, list(images.shape), align_corners=False)
    return grid_sample(images.float(), grid, padding_mode="border", align_corners=False)


class IdentityLoss:
    """‖e(X)/‖e(X)‖ − e(Y)/‖e(Y)‖‖², equation 6, the mean over embedders: 0 for one direction, 4 for opposite ones.

    Each embedder looks at its own crop, in float32, without flip fusion. Images of another size than the canonical
    crop's are brought to it, bilinearly.

    Args:
        embedders: differentiable ones, whose weights are frozen, as those of a card are.

    Raises:
        ConventionError: there is none.
    """

    def __init__(self, embedders: Sequence[Embedder]) -> None:
        if not embedders:
            raise ConventionError("the identity loss needs at least one embedder")
        self._embedders = tuple(embedders)

    @torch.no_grad()
    def targets(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the (B, dim) unit vectors of Y of each embedder, for one call or for all of a training."""
        return tuple(self._unit(embedder, images) for embedder in self._embedders)

    def __call__(self, output: Tensor, targets: Sequence[Tensor]) -> Tensor:
        """Return the loss of images X, whose gradient reaches the images only.

        Args:
            output: (B, 3, S, S).
            targets: as ``targets`` gives them, or of each embedder the first rows: it then looks at as many images.

        Raises:
            ConventionError: an embedder has no gradient.
        """
        losses = []
        for embedder, target in zip(self._embedders, targets, strict=True):
            vectors = self._unit(embedder, output[: len(target)])
            if output.requires_grad and not vectors.requires_grad:
                raise ConventionError(
                    f"embedder {embedder.card.name!r} gives no gradient to its images, which the identity loss needs; "
                    "take one whose card names a torch network"
                )
            losses.append((vectors - target).square().sum(1).mean())
        return torch.stack(losses).mean()

    @staticmethod
    def _unit(embedder: Embedder, images: Tensor) -> Tensor:
        with torch.autocast(images.device.type, enabled=False):
            images = images.float()
            if images.shape[2:] != (CANONICAL_SIZE, CANONICAL_SIZE):
                images = interpolate(images, (CANONICAL_SIZE, CANONICAL_SIZE), mode="bilinear", align_corners=False)
            return normalize(embedder.forward(embedder.prepare(images)))


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Return what PCD or ICD minimizes, the negative of equation 10, from (B,) logits of real and painted faces."""
    return softplus(-real).mean() + softplus(fake).mean()


def adversarial_loss(fake: Tensor, form: Form = "non-saturating") -> Tensor:
    """Return what the generator minimizes, from (B,) logits of the faces it painted.

    Args:
        fake: logits.
        form: ``paper`` is log(1 − D), equation 10, which has hardly a slope where the judge is sure;
            ``non-saturating`` is −log D, with the same optimum (Goodfellow et al., NIPS 2014, section 3).
    """
    return -softplus(fake).mean() if form == "paper" else softplus(-fake).mean()


def alignment_loss(student: Tensor, teacher: Tensor, *, reduction: Reduction = "mean") -> Tensor:
    """Return the distance of FRN's features from the frozen FFN's, equation 12; no gradient reaches the teacher.

    As printed the sum over maps stands inside the norm, where opposite errors would cancel; the text calls it the mean
    squared error between feature maps, which this is. ``paper-sum`` sums over pixels, and is the mean over maps.

    Args:
        student, teacher: (B, N, h, w) features of the last decoder block.
        reduction: see above.

    Raises:
        ConventionError: they differ in shape.
    """
    if student.shape != teacher.shape:
        raise ConventionError(
            f"expected features of one shape, got the student's {tuple(student.shape)} and the teacher's "
            f"{tuple(teacher.shape)}; do width and unshuffle agree?"
        )
    squares = (student - teacher.detach()).square()
    return squares.mean() if reduction == "mean" else squares.sum((2, 3)).mean()
