"""The course of an embedder: photos of people, a head that tells them apart, augmentation of whole batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..engine.progress import Progress
from .augment import network_input
from .course import Course, Learner
from .data import open_photos
from .growth import grown
from .learner import EmbeddingLearner, new_learner
from .photos import album, cache_key, missing, render
from .place import Place
from .recipe import Recipe
from .validation import Candidate, numbers, validate


class EmbedderCourse(Course):
    """See ``Course``."""

    def __init__(self, recipe: Recipe, place: Place, device: torch.device) -> None:
        self._recipe = recipe
        self.photos = open_photos(recipe.data, place.cache, place.workers)

    @staticmethod
    def fill(plan: Any, place: Place, progress: Progress) -> None:
        """Render the photos that the recipe wants cached, and that are not there yet."""
        people = plan.data.synthpie
        if people is None or not people.cached:
            return
        folder = place.cache / cache_key(people)
        if lacking := missing(album(people), folder):
            progress.start("render", lacking)
            for _ in render(album(people), folder, place.workers):
                progress.advance()

    def learner(self, stage: int, size: tuple[int, int]) -> Learner:
        """Return network and head."""
        return new_learner(self._recipe, size, self.photos.classes)

    def grown(
        self, state: Mapping[str, Tensor], like: Mapping[str, Tensor], before: tuple[int, int], after: tuple[int, int]
    ) -> Mapping[str, Tensor]:
        """Return the weights, the last layer's interpolated."""
        return grown(state, like, before, after)

    def inputs(self, batch: Any, stage: int, size: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, ...]:
        """Return augmented images as the network wants them, and labels."""
        canvases, labels = (tensor.to(generator.device) for tensor in batch)
        images = self._recipe.augment(canvases, self._recipe.input.crop, size, generator)
        return network_input(images, self._recipe.input), labels

    def validate(self, learner: Learner, stage: int, size: tuple[int, int]) -> Mapping[str, float]:
        """Return the protocol's primary metric of the network as it stands."""
        assert isinstance(learner, EmbeddingLearner)
        network, training = learner.network, learner.network.training
        try:
            candidate = Candidate(network.eval(), self._recipe, size)
            return numbers(validate(self._recipe.validation, candidate))
        finally:
            network.train(training)
