"""``train_model``: a recipe becomes a model's folder with card, weights, golden tensors, recipe and logs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.progress import Progress
from .embedder import export
from .log import LOG, VALIDATION
from .loop import train
from .place import Place
from .reading import AnyRecipe
from .recipe import Recipe
from .restorer import export_restorer

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def train_model(
    recipe: AnyRecipe, source: Path, place: Place, fabric: Fabric, progress: Progress | None = None
) -> Path | None:
    """Return ``place.out / recipe.name``, the model's folder; None on the ranks that write nothing.

    Args:
        recipe: what to train.
        source: its file, which is copied.
        place, fabric, progress: see ``train``.

    Raises:
        RecordError, DataError, StoreError, WeightsError: see ``train``, ``export`` and ``export_restorer``.
    """
    trained = train(recipe, place, fabric, progress)
    if not fabric.is_global_zero:
        return None
    folder = place.out / recipe.name
    shutil.rmtree(folder, ignore_errors=True)
    if isinstance(recipe, Recipe):
        export(recipe, trained, folder)
    else:
        export_restorer(recipe, trained.part("frn"), folder)
    shutil.copyfile(source, folder / "recipe.toml")
    for name in (LOG, VALIDATION):
        if (place.out / name).exists():
            shutil.copyfile(place.out / name, folder / name)
    return folder
