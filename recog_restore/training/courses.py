"""Which course a recipe is for."""

from __future__ import annotations

import torch

from .course import Course
from .embedder_course import EmbedderCourse
from .place import Place
from .reading import AnyRecipe
from .recipe import Recipe
from .restorer_course import RestorerCourse


def course_of(recipe: AnyRecipe) -> type[EmbedderCourse] | type[RestorerCourse]:
    """Return the class of a recipe's course."""
    return EmbedderCourse if isinstance(recipe, Recipe) else RestorerCourse


def open_course(recipe: AnyRecipe, place: Place, device: torch.device) -> Course:
    """Return a recipe's course, whose photos the cache holds.

    Raises:
        DataError, RecordError: photos or embedders are not as the recipe says.
    """
    if isinstance(recipe, Recipe):
        return EmbedderCourse(recipe, place, device)
    return RestorerCourse(recipe, place, device)
