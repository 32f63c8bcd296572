"""A trained restorer into a folder of card, weights and golden tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ..networks.cards import OriginCard, RestorerCard, RightsCard, Teacher
from ..networks.weights import build_network, fit
from ..preprocess.folder import verify, write_restorer
from ..synthpie import VERSION
from .restorer_course import teachers
from .restorer_recipe import RestorerRecipe

_PAPER = "Tu et al., Joint Face Image Restoration and Frontalization for Recognition, TCSVT 32(3), 2022"


def export_restorer(recipe: RestorerRecipe, state: Mapping[str, Tensor], folder: Path) -> None:
    """Write card, weights and golden tensors of an FRN, and check that the goldens hold.

    Args:
        recipe: says what it is.
        state: the FRN's weights.
        folder: absent, or empty.

    Raises:
        RecordError, WeightsError: see ``write_restorer`` and ``verify``.
    """
    network = build_network(recipe.network.name, recipe.network.arguments, recipe.name)
    fit(network, state, recipe.name)
    write_restorer(folder, _card(recipe), network, half=recipe.half)
    verify(folder)


def _card(recipe: RestorerRecipe) -> RestorerCard:
    pairs = recipe.data.pairs
    degraded = f", degraded by {recipe.data.degradation}" if recipe.data.degradation else ""
    made = f"SynthPIE {VERSION}: {pairs.people:,} rendered people from number {pairs.first:,}{degraded}"
    return RestorerCard(
        name=recipe.name,
        network=recipe.network.name,
        title=recipe.title,
        task=recipe.task,
        size=recipe.own_size()[0],
        blends=recipe.task != "frontalize",
        tested_range=recipe.tested_range,
        arguments=recipe.network.arguments,
        rights=RightsCard("Apache-2.0", "Apache-2.0", "rendered by this program; nobody's face"),
        origin=OriginCard(_PAPER, "", (recipe.training_data or made,)),
        teachers=tuple(Teacher(embedder.card.name, embedder.identity()) for embedder in teachers(recipe)),
    )
