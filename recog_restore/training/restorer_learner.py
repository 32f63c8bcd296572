"""What learns to restore: FRN, FFN with its two judges, or all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import binary_cross_entropy

from ..networks.discriminators import ICD, PCD
from ..networks.heatmaps import heatmaps
from ..networks.mdfr import FFN, FRN, Decoded
from ..networks.weights import build_network
from .course import Learner
from .losses import IdentityLoss, adversarial_loss, alignment_loss, discriminator_loss, moved, pixel_loss
from .restorer_recipe import RestorerRecipe, RestorerStage

TOLD = ("pixel", "identity", "passing", "passed", "alignment", "adversarial", "discriminators")


class RestorerLearner(Learner):
    """The networks of a recipe, and what one stage does with them; what it does not train is frozen.

    Args:
        networks: ``frn``, ``ffn`` with ``pcd`` and ``icd``, or all of them.
        stage: says what learns, and by which losses.
        identity: the loss of the recipe's embedders, or None.
        pace: of the judges' learning rate.
    """

    def __init__(
        self, networks: dict[str, nn.Module], stage: RestorerStage, identity: IdentityLoss | None, pace: float
    ) -> None:
        super().__init__()
        for name, network in networks.items():
            self.add_module(name, network.to(memory_format=torch.channels_last))  # type: ignore[call-overload]
        self._stage, self._identity, self._pace = stage, identity, pace
        losses = stage.losses
        self._learning = {
            "frn": stage.trains in ("frn", "ti"),
            "ffn": stage.trains == "ffn",
            "pcd": bool(losses.pcd),
            "icd": bool(losses.icd),
        }
        for name, network in networks.items():
            network.requires_grad_(self._learning[name])

    def pace(self, name: str) -> float:
        """Return the judges' pace, and 1 for the others."""
        return self._pace if name.startswith(("pcd.", "icd.")) else 1.0

    @property
    def generator(self) -> nn.Module:
        """What the stage trains."""
        generator: nn.Module = getattr(self, "ffn" if self._stage.trains == "ffn" else "frn")
        return generator

    def paint(self, probes: Tensor, clean: Tensor, points: Tensor, target_points: Tensor) -> Decoded:
        """Return what the stage's generator makes of probes; FRN sees degraded ones, FFN the clean ones."""
        if self._stage.trains == "ffn":
            return self._teacher(clean, points, target_points)
        assert isinstance(self.frn, FRN)
        return self.frn.decode(probes.contiguous(memory_format=torch.channels_last))

    def forward(self, *inputs: Any) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted sum of the stage's losses, and each of them; NaN for those it has not.

        Args:
            inputs: probes, clean and targets (B, 3, S, S) in [0, 1]; near (B,) 1 for probes that may pass and else 0;
                points and target_points (B, K, 2) pixels of the canonical crop; (B, 2, 3) similarities in which the
                embedders see the output; then of each embedder the targets' (B, dim) unit vectors.
        """
        probes, clean, targets, near, points, target_points, seen, *vectors = inputs
        asked, told = self._stage.losses, {name: probes.new_tensor(torch.nan) for name in TOLD}
        painted = self.paint(probes, clean, points, target_points)
        taught = self._taught(clean, points, target_points)
        if self._stage.target != "frontal":
            targets = clean if taught is None else taught.output
            vectors = list(self._identity.targets(targets)) if asked.identity and self._identity is not None else []
        told["pixel"] = pixel_loss(painted.image, targets, asked.distance, reduction=asked.reduction)
        total = asked.pixel * told["pixel"]
        if asked.identity and self._identity is not None:
            told["identity"] = self._same_person(painted, near, seen, vectors)
            total = total + asked.identity * told["identity"]
        if painted.passed is not None:
            told["passed"] = painted.passed.detach().mean()
            if asked.passing:
                told["passing"] = _cross_entropy(painted.passed, near, asked.passing_care)
                total = total + asked.passing * told["passing"]
        if asked.alignment and taught is not None:
            told["alignment"] = alignment_loss(painted.last, taught.last, reduction=asked.reduction)
            total = total + asked.alignment * told["alignment"]
        if asked.pcd or asked.icd:
            generator, judges = self._judged(painted.output, targets, target_points, vectors)
            told["adversarial"], told["discriminators"] = generator, judges
            total = total + generator + judges
        return total, {name: value.detach() for name, value in told.items()}

    def _same_person(self, painted: Decoded, near: Tensor, seen: Tensor, vectors: Sequence[Tensor]) -> Tensor:
        """Return the identity loss of the output; where the share is taught, of the images that shall not pass.

        Taught and left to this loss at once, the share would go to the input for all faces as long as no image is good.
        """
        assert self._identity is not None
        asked = self._stage.losses
        taught = bool(asked.passing) and painted.passed is not None
        images = painted.image if taught else painted.output
        rows = torch.nonzero(near == 0).flatten() if taught else torch.arange(len(images), device=images.device)
        if not len(rows):
            return images.new_zeros(())
        images = images[rows]
        if asked.identity_jitter:
            images = moved(images, seen[rows])
        counts = [math.ceil(part * len(images)) for part in asked.identity_part]
        if len(counts) == 1:
            counts *= len(vectors)
        return self._identity(images, [vector[rows[:count]] for vector, count in zip(vectors, counts, strict=True)])

    @torch.no_grad()
    def _taught(self, clean: Tensor, points: Tensor, target_points: Tensor) -> Decoded | None:
        """Return what the frozen FFN makes of the clean probes; None where the stage does not look at it."""
        if self._stage.target != "teacher" and not self._stage.losses.alignment:
            return None
        return self._teacher(clean, points, target_points)

    def _teacher(self, clean: Tensor, points: Tensor, target_points: Tensor) -> Decoded:
        assert isinstance(self.ffn, FFN)
        told = (points, target_points) if self.ffn.guided else ()
        maps = (heatmaps(places, clean.shape[-1]) for places in told)
        return self.ffn.decode(*(x.contiguous(memory_format=torch.channels_last) for x in (clean, *maps)))

    def _judged(
        self, painted: Tensor, targets: Tensor, target_points: Tensor, vectors: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return the generator's weighted adversarial loss, and the judges' own; no gradient of one reaches the other.

        PCD is shown empty maps where the FFN is shown none; ICD the target's first embedding, as a feature map of one
        place.
        """
        assert isinstance(self.ffn, FFN)
        asked, generator, judges = self._stage.losses, painted.new_zeros(()), painted.new_zeros(())
        for name, weight in (("pcd", asked.pcd), ("icd", asked.icd)):
            if not weight:
                continue
            judge: nn.Module = getattr(self, name)
            if name == "icd":
                condition = vectors[0][:, :, None, None]
            else:
                condition = heatmaps(target_points, painted.shape[-1]) * float(self.ffn.guided)
            frozen = {key: parameter.detach() for key, parameter in judge.named_parameters()}
            generator = generator + weight * adversarial_loss(functional_call(judge, frozen, (painted, condition)))
            judges = judges + discriminator_loss(judge(targets, condition), judge(painted.detach(), condition))
        return generator, judges


def new_learner(
    recipe: RestorerRecipe, stage: RestorerStage, identity: IdentityLoss | None, dim: int
) -> RestorerLearner:
    """Return the recipe's networks with first weights that come from its seed.

    Args:
        recipe, stage: what learns.
        identity: the loss of the recipe's embedders.
        dim: length of the first embedder's vectors, 0 without one.

    Raises:
        UnknownName, RecordError: a network or its arguments are not right.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        networks = {
            name: build_network(network.name, network.arguments, recipe.name)
            for name, network in recipe.generators.items()
        }
        if "ffn" in networks:
            networks["pcd"] = PCD()
            if dim:
                networks["icd"] = ICD(dim)
    return RestorerLearner(networks, stage, identity, recipe.discriminator_pace).train()


def _cross_entropy(passed: Tensor, near: Tensor, care: float) -> Tensor:
    weights = torch.where(near > 0, care, 1.0)
    with torch.autocast(passed.device.type, enabled=False):
        return binary_cross_entropy(passed.float().clamp(1e-6, 1 - 1e-6), near, weights * (len(near) / weights.sum()))
