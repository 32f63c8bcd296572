"""What the weights that a restorer begins with bring along: who taught them, whom they have seen, and their rights."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..degrade import without_size
from ..embed import Embedder
from ..errors import RecordError
from ..networks.cards import RestorerCard, RightsCard, Teacher, read_card, read_restorer_card, shipped
from .restorer_recipe import JUDGE, RestorerRecipe

_RENDERED = RightsCard("Apache-2.0", "Apache-2.0", "rendered by this program; nobody's face")
_PHOTOS = RightsCard("Apache-2.0")


def begun(recipe: RestorerRecipe) -> dict[str, RestorerCard]:
    """Return the cards of the restorers that a recipe begins with, by the keys of its ``[start]``.

    Raises:
        ResourceMissing, RecordError: there is no card, or it is no restorer's.
    """
    folders = recipe.start.folders()
    return {key: read_restorer_card(Path(at).expanduser() / "card.toml") for key, at in folders.items()}


def taught(recipe: RestorerRecipe, embedders: Iterable[Embedder]) -> tuple[Teacher, ...]:
    """Return the embedders of the losses, this training's first, then those of the weights that it begins with.

    Raises:
        ResourceMissing, RecordError: see ``begun``.
    """
    own = [Teacher(embedder.card.name, embedder.identity()) for embedder in embedders]
    return tuple(dict.fromkeys([*own, *(teacher for card in begun(recipe).values() for teacher in card.teachers)]))


def seen(recipe: RestorerRecipe) -> tuple[str, ...]:
    """Return the training sets, this training's first, then those of the weights that it begins with.

    Raises:
        ResourceMissing, RecordError: see ``begun``.
    """
    own = recipe.training_data or recipe.data.origin()
    return tuple(dict.fromkeys([own, *(name for card in begun(recipe).values() for name in card.origin.training_sets)]))


def degradations(recipe: RestorerRecipe) -> tuple[str, ...]:
    """Return the degradations of this training and of those that the weights begin with, without a size.

    Raises:
        ResourceMissing, RecordError: see ``begun``.
    """
    data = recipe.data
    own = [without_size(data.degradation)] if data.degradation and data.degraded else []
    own += ["bicubic"] if own and data.reduced else []
    return tuple(dict.fromkeys([*own, *(name for card in begun(recipe).values() for name in card.degradations)]))


def rights(recipe: RestorerRecipe) -> RightsCard:
    """Return the recipe's ``[rights]``, or else those of its photos and first weights; rendered faces restrict none.

    Raises:
        RecordError: these differ.
        ResourceMissing: see ``begun``.
    """
    if recipe.rights is not None:
        return recipe.rights
    own = _RENDERED if recipe.data.pairs is not None else _PHOTOS
    found = {own, *(card.rights for card in begun(recipe).values())} - {_RENDERED}
    if len(found) > 1:
        raise RecordError(
            "rights: those of the photos and of the weights in [start] differ; expected [rights] in the recipe: "
            "code, weights, training_data"
        )
    return found.pop() if found else _RENDERED


def check_judge_apart(recipe: RestorerRecipe, judge: Embedder | None) -> None:
    """Raise RecordError where the judge taught the weights that a recipe begins with.

    Args:
        recipe: says which weights.
        judge: of the validation, if there is one, besides the package's.
    """
    marks = marks_of_judge() | (set() if judge is None else {judge.card.name, judge.identity()})
    for key, card in begun(recipe).items():
        for teacher in card.teachers:
            if {teacher.name, teacher.sha256} & marks:
                raise RecordError(
                    f"start.{key}: {card.name} was taught by {teacher.name}, a judge, who would not be independent; "
                    "begin with other weights, or draw them"
                )


def marks_of_judge() -> set[str]:
    """Return what the package's judge is known by: its name and the SHA-256 of its weights."""
    return {JUDGE, read_card(shipped("embedder")[JUDGE].joinpath("card.toml")).weights.sha256}
