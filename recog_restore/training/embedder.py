"""A trained embedder into a folder of card, weights and golden tensors."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import safetensors.torch

from ..embed.convert import convert, verify
from ..geometry import crop_size
from ..networks.cards import EmbedderCard, OriginCard, RightsCard, read_card
from ..networks.toml import card_text
from ..networks.weights import build_network
from ..synthpie import VERSION
from .growth import grown
from .loop import Trained
from .recipe import Recipe


def export(recipe: Recipe, trained: Trained, folder: Path) -> None:
    """Write card, weights and golden tensors, and check that the goldens hold."""
    size = crop_size(recipe.input.crop)
    arguments = {**recipe.network.arguments, "size": list(size)}
    like = build_network(recipe.network.name, arguments, recipe.name).state_dict()
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "weights.safetensors"
        state = grown(trained.part("network"), like, trained.size, size)
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
    origin = OriginCard(card.origin.paper, "", (training,) if training else (), "rendered" if people else "")
    return dataclasses.replace(card, title=recipe.title, rights=rights, origin=origin)
