"""What ``rr-train`` does once its options are parsed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ..resources import cache_folder
from ..training.loop import fill_cache, new_fabric
from ..training.model import train_model
from ..training.place import Place
from ..training.reading import AnyRecipe, read_recipe
from ..training.recipe import Recipe
from ..training.restorer_recipe import RestorerRecipe
from .bars import Bars
from .terminal import say

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def run(
    file: Path,
    *,
    out: Path | None,
    resume: bool,
    device: str,
    changes: Sequence[str],
    trust_code: bool,
    workers: int | None,
    cache: Path | None,
    limit: int | None,
    render_only: bool,
) -> None:
    """Train by the recipe in a file, or only fill the cache of photos; say what runs on what, and where it is."""
    recipe = read_recipe(file, changes, trust_code)
    out = out or Path("runs") / f"train-{recipe.name}"
    fabric = new_fabric(device, recipe.precision)
    cores = min(16, os.cpu_count() or 1)
    place = Place(out, cache or cache_folder() / "photos", cores if workers is None else workers, limit, resume)
    say(_first_line(recipe, fabric))
    with Bars() as progress:
        if render_only:
            fill_cache(recipe, place, progress)
            return
        folders = train_model(recipe, file, place, fabric, progress)
    option = "--embedder" if isinstance(recipe, Recipe) else "--pre"
    for folder in folders:
        say(f"{recipe.kind}: {folder}\nuse it with {option} card:{folder}")


def _first_line(recipe: AnyRecipe, fabric: Fabric) -> str:
    device = f"{torch.get_num_threads()} CPU threads" if fabric.device.type == "cpu" else f"{fabric.world_size} GPU"
    what = _restorer_words(recipe) if isinstance(recipe, RestorerRecipe) else _embedder_words(recipe)
    return f"{recipe.name}: {recipe.network.name}, {what}; {recipe.steps:,} steps on {device}"


def _embedder_words(recipe: Recipe) -> str:
    data = recipe.data
    photos = (
        f"SynthPIE, {data.synthpie.people:,} people" if data.synthpie else f"{data.folder.root if data.folder else ''}"
    )
    return f"{recipe.head.name} head, {recipe.input.words()}; {photos}"


def _restorer_words(recipe: RestorerRecipe) -> str:
    taught = f"taught by {', '.join(recipe.embedders)}" if recipe.embedders else "without an identity loss"
    return f"{taught}, judged by {recipe.judge}; {recipe.data.words()}"
