"""A trained restorer, and its trained teacher, into folders of card, weights and golden tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ..networks.cards import OriginCard, RestorerCard
from ..networks.mdfr import FFN
from ..networks.weights import build_network, fit
from ..preprocess.folder import verify, write_restorer
from .lineage import degradations, rights, seen, taught
from .restorer_course import teachers
from .restorer_recipe import RestorerRecipe

_PAPER = "Tu et al., Joint Face Image Restoration and Frontalization for Recognition, TCSVT 32(3), 2022"
_TEACHER = "FFN, which turns a face to frontal by its landmarks: the teacher"


def export_restorer(recipe: RestorerRecipe, generator: str, state: Mapping[str, Tensor], folder: Path) -> None:
    """Write card, weights and golden tensors of a generator, and check that the goldens hold.

    Args:
        recipe: says what it is.
        generator: a key of ``recipe.ships``.
        state: its weights.
        folder: absent, or empty.

    Raises:
        RecordError, WeightsError: see ``write_restorer`` and ``verify``.
    """
    made = recipe.generators[generator]
    network = build_network(made.name, made.arguments, recipe.name)
    fit(network, state, recipe.name)
    guided = isinstance(network, FFN) and network.guided
    write_restorer(folder, _card(recipe, generator, guided=guided), network, half=recipe.half)
    verify(folder)


def _card(recipe: RestorerRecipe, generator: str, *, guided: bool) -> RestorerCard:
    network, name = recipe.generators[generator], recipe.ships[generator]
    frontal = generator == "ffn" or recipe.task == "frontalize"
    return RestorerCard(
        name=name,
        network=network.name,
        title=recipe.title if name == recipe.name else f"{_TEACHER} of {recipe.name}",
        task="frontalize" if frontal else "restore",
        size=recipe.own_size()[0],
        guide="poses" if guided else "none",
        blends=not frontal,
        tested_range=recipe.tested_range,
        arguments=network.arguments,
        rights=rights(recipe),
        origin=OriginCard(_PAPER, "", seen(recipe), "rendered" if recipe.data.pairs else "photographed"),
        teachers=taught(recipe, teachers(recipe)),
        degradations=degradations(recipe),
    )
