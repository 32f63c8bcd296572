"""``train_model``: a recipe becomes models' folders with card, weights, golden tensors, recipe and logs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.progress import Progress
from .embedder import export
from .log import LOG, VALIDATION
from .loop import train
from .place import Place
from .reading import AnyRecipe, recipe_text
from .recipe import Recipe
from .restorer import export_restorer

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def train_model(
    recipe: AnyRecipe, source: Path, place: Place, fabric: Fabric, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Return the models' folders, ``place.out / recipe.name`` and a trained teacher's; none where nothing is written.

    Args:
        recipe: what to train.
        source: its file, whose text goes along.
        place, fabric, progress: see ``train``.

    Raises:
        RecordError, DataError, StoreError, WeightsError: see ``train``, ``export`` and ``export_restorer``.
    """
    trained = train(recipe, place, fabric, progress)
    if not fabric.is_global_zero:
        return ()
    if isinstance(recipe, Recipe):
        export(recipe, trained, folder := _new(place.out / recipe.name))
        folders: tuple[Path, ...] = (folder,)
    else:
        folders = tuple(_new(place.out / name) for name in recipe.ships.values())
        for generator, folder in zip(recipe.ships, folders, strict=True):
            export_restorer(recipe, generator, trained.part(generator), folder)
    for folder in folders:
        (folder / "recipe.toml").write_text(recipe_text(source), "utf-8")
        for name in (LOG, VALIDATION):
            if (place.out / name).exists():
                shutil.copyfile(place.out / name, folder / name)
    return folders


def _new(folder: Path) -> Path:
    """Return the folder, which is no longer there."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder
