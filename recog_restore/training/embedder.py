"""``train_embedder``: a recipe becomes a folder with card, weights, golden tensors, recipe and logs."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors.torch

from ..embed.convert import convert, verify
from ..engine.progress import Progress
from ..geometry import crop_size
from ..networks.cards import EmbedderCard, OriginCard, RightsCard, read_card
from ..networks.toml import card_text
from ..networks.weights import build_network
from ..synthpie import VERSION
from .growth import grown
from .log import LOG, VALIDATION
from .loop import Place, Trained, train
from .recipe import Recipe

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def train_embedder(
    recipe: Recipe, source: Path, place: Place, fabric: Fabric, progress: Progress | None = None
) -> Path | None:
    """Return ``place.out / recipe.name``, the embedder's folder; None on the ranks that write nothing.

    Args:
        recipe: what to train.
        source: its file, which is copied.
        place, fabric, progress: see ``train``.

    Raises:
        RecordError, DataError, StoreError, WeightsError: see ``train`` and ``convert``.
    """
    trained = train(recipe, place, fabric, progress)
    if not fabric.is_global_zero:
        return None
    folder = place.out / recipe.name
    shutil.rmtree(folder, ignore_errors=True)
    export(recipe, trained, folder)
    shutil.copyfile(source, folder / "recipe.toml")
    for name in (LOG, VALIDATION):
        if (place.out / name).exists():
            shutil.copyfile(place.out / name, folder / name)
    return folder


def export(recipe: Recipe, trained: Trained, folder: Path) -> None:
    """Write card, weights and golden tensors, and check that the goldens hold."""
    size = crop_size(recipe.input.crop)
    arguments = {**recipe.network.arguments, "size": list(size)}
    like = build_network(recipe.network.name, arguments, recipe.name).state_dict()
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "weights.safetensors"
        state = grown(trained.network, like, trained.size, size)
        safetensors.torch.save_file({name: tensor.contiguous() for name, tensor in state.items()}, file)
        asked = recipe.input
        convert(
            file,
            recipe.network.name,
            folder,
            name=recipe.name,
            crop=asked.crop,
            colour=asked.colour,
            mean=asked.mean,
            std=asked.std,
            flip=recipe.flip,
            arguments=arguments,
            half=recipe.half,
        )
    card = read_card(folder / "card.toml")
    (folder / "card.toml").write_text(card_text(_described(card, recipe)), "utf-8")
    verify(folder)


def _described(card: EmbedderCard, recipe: Recipe) -> EmbedderCard:
    people = recipe.data.synthpie
    made = f"SynthPIE {VERSION}: {people.people:,} rendered people from number {people.first:,}" if people else ""
    training = recipe.training_data or made
    rights = RightsCard(
        code="Apache-2.0",
        weights="Apache-2.0" if people else card.rights.weights,
        training_data="rendered by this program; nobody's face" if people else "unknown",
    )
    origin = OriginCard(card.origin.paper, "", (training,) if training else ())
    return dataclasses.replace(card, title=recipe.title, rights=rights, origin=origin)
