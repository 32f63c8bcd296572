"""The course of a restorer: pairs of photos, the embedders of its identity loss, and a judge that is none of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..embed import Embedder
from ..embed.spec import create
from ..engine.progress import Progress
from ..errors import RecordError
from ..faces import to_float
from ..networks.cards import read_restorer_card
from ..networks.pose import MIRROR
from ..networks.weights import fit, load_network
from ..records import plain
from ..store import Store, recipe_key
from ..synthpie import VERSION
from .average import mean
from .course import Course, Learner
from .data import Photos
from .judging import Candidate, Judge, sized
from .lineage import check_judge_apart, marks_of_judge, rights
from .losses import IdentityLoss, similarities
from .pair_batch import PairBatch
from .pair_sources import open_pairs, people_of
from .pairs import Points, album, cache_key
from .photos import missing, render
from .place import Place
from .restorer_learner import RestorerLearner, new_learner
from .restorer_recipe import JUDGE, RestorerRecipe, RestorerStage, Start, Tone
from .samples import sample_batch, sheet, some_of, write_sheet
from .validation import opened

_MIRRORED = MIRROR["synthpie"]
_TARGETS_AT_ONCE = 64


class RestorerCourse(Course):
    """See ``Course``.

    Raises:
        RecordError: an embedder of the loss is the judge.
    """

    def __init__(self, recipe: RestorerRecipe, place: Place, device: torch.device) -> None:
        self._recipe, self._place, self._device = recipe, place, device
        self._points: Points = recipe.landmarks if "ffn" in recipe.generators else "none"
        self._pairs = open_pairs(recipe.data, place.cache, place.workers, points=self._points)
        count, people, endless = len(self._pairs), self._pairs.people, bool(recipe.data.degradation)
        digest, warnings = self._pairs.digest, self._pairs.warnings
        self.photos = Photos(self._pairs, count, people, endless, self._pairs.words, digest, warnings)
        self._embedders = teachers(recipe, str(device))
        self._identity = IdentityLoss(self._embedders) if self._embedders else None
        self._vectors = self._embedded(Store(place.cache))
        self.apart = ("ffn",) if {"frn", "ffn"} <= set(recipe.ships) else ()

    @staticmethod
    def check(plan: Any) -> None:
        """Raise where validation, embedders, judge or the weights to begin with are not as the recipe says."""
        Course.check(plan)
        taught_by, validates = teachers(plan), bool(plan.validation.protocol)
        check_judge_apart(plan, judge(plan, taught_by) if validates else None)
        rights(plan)
        _begin(new_learner(plan, plan.stages[0], None, 0), plan.start)
        if validates:
            _check_people(plan)

    @staticmethod
    def fill(plan: Any, place: Place, progress: Progress) -> None:
        """Render the pairs that are not there yet."""
        if plan.data.pairs is None:
            return
        pages, folder = album(plan.data.pairs), place.cache / cache_key(plan.data.pairs)
        if lacking := missing(pages, folder):
            progress.start("render", lacking)
            for _ in render(pages, folder, place.workers):
                progress.advance()

    def learner(self, stage: int, size: tuple[int, int]) -> Learner:
        """Return the recipe's networks; what the stage does not train is frozen."""
        side = self._recipe.own_size()
        none = torch.zeros(1, 3, *side, device=self._device)
        dim = self._identity.targets(none)[0].shape[-1] if self._identity else 0
        learner = new_learner(self._recipe, self._stage(stage), self._identity, dim)
        if not stage:
            _begin(learner, self._recipe.start)
        return learner

    def grown(
        self, state: Mapping[str, Tensor], like: Mapping[str, Tensor], before: tuple[int, int], after: tuple[int, int]
    ) -> Mapping[str, Tensor]:
        """Return the weights: all networks are fully convolutional."""
        return state

    def inputs(self, batch: Any, stage: int, size: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Return what ``RestorerLearner.forward`` takes; half of the pairs are mirrored."""
        pairs = PairBatch(*(tensor.to(self._device) for tensor in batch))
        mirrored = torch.rand(len(pairs.probes), generator=generator, device=self._device) < self._recipe.augment.flip
        images = [_mirrored(to_float(pixels), mirrored) for pixels in (pairs.probes, pairs.clean, pairs.targets)]
        probes, clean, targets = (sized(x, size[0]) for x in images)
        points, target_points = (_mirrored_points(p, mirrored) for p in (pairs.points, pairs.target_points))
        asked = self._stage(stage)
        losses, near = asked.losses, pairs.yaws.abs() <= asked.losses.passing_yaw
        if asked.trains != "ffn":  # an FFN sees the clean probes
            near &= ~pairs.degraded
        vectors = self._targets(asked, pairs.numbers, mirrored, images[2])
        toned = _toned(probes, self._recipe.augment, generator)
        seen = similarities(len(toned), losses.identity_jitter, generator)
        return toned, clean, targets, near.float(), points, target_points, seen, *vectors

    def validate(self, learner: Learner, stage: int, size: tuple[int, int]) -> Mapping[str, float]:
        """Return the judge's rates with what the stage trains before it, and as ``none …`` without.

        It computes at the recipe's own size, as the finished restorer does, whatever the stage's is.
        """
        assert isinstance(learner, RestorerLearner)
        return self._judge(Candidate(learner.generator, self._recipe.own_size()[0]))

    def judged(self, stage: int) -> str:
        """Return ``ffn`` where a teacher is trained."""
        return "ffn" if self.apart and self._stage(stage).trains == "ffn" else ""

    def show(self, learner: Learner, stage: int, size: tuple[int, int], step: int) -> None:
        """Write ``samples/step-….png``."""
        assert isinstance(learner, RestorerLearner)
        batch = self._samples
        probes, clean, targets = (to_float(pixels) for pixels in (batch.probes, batch.clean, batch.targets))
        small = [sized(images.to(self._device), size[0]) for images in (probes, clean)]
        points = [places.to(self._device) for places in (batch.points, batch.target_points)]
        with torch.no_grad():
            painted = learner.paint(small[0], small[1], points[0], points[1])
        write_sheet(sheet(probes, painted, targets), self._place.out / "samples" / f"step-{step:06d}.png")

    @cached_property
    def _samples(self) -> PairBatch:
        data = self._recipe.data
        return some_of(self._pairs) if data.pairs is None else sample_batch(data, self._points)

    @cached_property
    def _judge(self) -> Judge:
        device = str(self._device)
        embedder = judge(self._recipe, self._embedders, device)
        return Judge(self._recipe.validation, embedder, self._place.out / "validation", device)

    def _targets(self, stage: RestorerStage, numbers: Tensor, mirrored: Tensor, images: Tensor) -> Sequence[Tensor]:
        """Return of each embedder the (B, dim) unit vectors of targets, those that are kept or else computed.

        There are none where the stage's losses do not ask for them, or not for those of the frontal targets.
        """
        asked = stage.losses.identity or stage.losses.icd
        if self._identity is None or not asked or stage.target != "frontal":
            return ()
        if not self._vectors:
            return self._identity.targets(images)
        return [vectors[numbers, mirrored.long()] for vectors in self._vectors]

    def _embedded(self, store: Store) -> tuple[Tensor, ...]:
        """Return the vectors of all targets, where each is met so often that it pays to keep them."""
        targets = self._pairs.targets() if self._embedders else None
        if targets is None:
            return ()
        return _vectors(self._embedders, targets, plain(self._recipe.data.pairs), store, self._device)

    def _stage(self, number: int) -> RestorerStage:
        return self._recipe.stages[number]


def teachers(recipe: RestorerRecipe, device: str = "cpu") -> tuple[Embedder, ...]:
    """Return the embedders of the identity loss.

    Raises:
        UnknownName, RecordError, WeightsError: there is no such embedder, or it is the judge under another name.
    """
    found = tuple(create(text, device) for text in recipe.embedders)
    for text, embedder in zip(recipe.embedders, found, strict=True):
        if {embedder.card.name, embedder.identity()} & marks_of_judge():
            raise RecordError(f"embedders: {text} is {JUDGE}, the judge, which no loss may use")
    return found


def judge(recipe: RestorerRecipe, taught_by: Sequence[Embedder], device: str = "cpu") -> Embedder:
    """Return the embedder of the validation.

    Raises:
        UnknownName, RecordError, WeightsError: there is no such embedder, or it is one of the losses'.
    """
    found = create(recipe.judge, device)
    if found.identity() in {teacher.identity() for teacher in taught_by}:
        raise RecordError(f"judge: {recipe.judge} is one of the embedders of the loss; take {JUDGE}")
    return found


def _check_people(recipe: RestorerRecipe) -> None:
    """Raise RecordError where the validation has people of the same data set whom the training sees."""
    protocol, dataset = opened(recipe.validation)
    trained = people_of(recipe.data, protocol.data.dataset)
    if shared := sorted(trained & set(dataset.samples().table["subject"])):
        raise RecordError(
            f"validation: {len(shared)} of its people are training people of data, {shared[0]} for one; name others by "
            "validation.options"
        )


def _vectors(
    embedders: tuple[Embedder, ...],
    targets: NDArray[np.uint8],
    pairs: Mapping[str, Any],
    store: Store,
    device: torch.device,
) -> tuple[Tensor, ...]:
    """Return of each embedder the (targets, 2, dim) unit vectors of all targets, as they are and mirrored; kept."""
    found = []
    for embedder in embedders:
        recipe = {
            "embedder": embedder.identity(),
            "input": plain(embedder.card.input),
            "pairs": pairs,
        }
        key = recipe_key({"what": "embeddings of targets/1", "renderer": VERSION, "device": device.type, **recipe})
        if key not in store:
            identity, parts = IdentityLoss([embedder]), []
            for start in range(0, len(targets), _TARGETS_AT_ONCE):
                images = to_float(targets[start : start + _TARGETS_AT_ONCE], device)
                parts.append(torch.stack([identity.targets(x)[0] for x in (images, images.flip(3))], dim=1))
            store.put(key, {"vectors": torch.cat(parts).cpu().numpy()}, {})
        found.append(torch.from_numpy(store.get(key)[0]["vectors"]).to(device))
    return tuple(found)


def _begin(learner: RestorerLearner, start: Start) -> None:
    """Give the networks the weights that a recipe begins with.

    Raises:
        ResourceMissing, RecordError, WeightsError: there is no restorer in a folder, or it is not the recipe's network.
    """
    found: dict[str, list[dict[str, Tensor]]] = {"frn": [], "ffn": []}
    for key, place in start.folders().items():
        folder, name = Path(place).expanduser(), "ffn" if key == "ffn" else "frn"
        card, network = read_restorer_card(folder / "card.toml"), getattr(learner, name)
        state = load_network(folder, card).state_dict()
        if card.network == "frn":
            state = network.begun_as(state)
        fit(network, state, f"start.{key}: {folder}")
        found[name].append(state)
    if start.soup:
        fit(learner.get_submodule("frn"), mean(found["frn"]), "start")


def _mirrored(images: Tensor, chosen: Tensor) -> Tensor:
    return torch.where(chosen[:, None, None, None], images.flip(3), images)


def _mirrored_points(points: Tensor, chosen: Tensor) -> Tensor:
    if not points.shape[1]:
        return points
    turned = points[:, list(_MIRRORED)] * points.new_tensor([-1, 1]) + points.new_tensor([127, 0])
    return torch.where(chosen[:, None, None], turned, points)


def _toned(images: Tensor, tone: Tone, generator: torch.Generator) -> Tensor:
    """Return images under another exposure and with noise."""
    shape = (len(images), 3, 1, 1)
    normal = torch.randn(2, *shape, generator=generator, device=generator.device)
    amount = tone.noise * torch.rand(shape, generator=generator, device=generator.device)[:, :1]
    noise = torch.randn(images.shape, generator=generator, device=generator.device)
    gain = torch.exp(tone.gain * normal[0, :, :1] + tone.colour * normal[1])
    return (images * gain + amount * noise).clamp(0, 1)
