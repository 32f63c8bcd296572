"""``train_model``: a recipe becomes models' folders with card, weights, golden tensors, recipe and logs."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.progress import Progress
from ..errors import RecordError
from . import checkpoint as checkpoints
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

    Those that an earlier run of the same training wrote are replaced.

    Args:
        recipe: what to train.
        source: its file, whose text goes along where it says all that is trained.
        place, fabric, progress: see ``train``.

    Raises:
        RecordError: one of the folders is there, and not by this training; see also ``train``.
        DataError, StoreError, WeightsError: see ``train``, ``export`` and ``export_restorer``.
    """
    text = recipe_text(recipe, source)
    names = (recipe.name,) if isinstance(recipe, Recipe) else tuple(recipe.ships.values())
    folders = tuple(place.out / name for name in names)
    _check_own(folders, place.out)
    trained = train(recipe, place, fabric, progress)
    if not fabric.is_global_zero:
        return ()
    _check_own(folders, place.out)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    if place.limit is not None and place.limit < recipe.steps:
        title = f"{recipe.title or recipe.name}: a trial of {place.limit:,} of {recipe.steps:,} steps"
        recipe = dataclasses.replace(recipe, title=title)
    if isinstance(recipe, Recipe):
        export(recipe, trained, folders[0])
    else:
        for generator, folder in zip(recipe.ships, folders, strict=True):
            export_restorer(recipe, generator, trained.part(generator), folder)
    for folder in folders:
        (folder / "recipe.toml").write_text(text, "utf-8")
        for name in (LOG, VALIDATION):
            if (place.out / name).exists():
                shutil.copyfile(place.out / name, folder / name)
    return folders


def _check_own(folders: Iterable[Path], out: Path) -> None:
    """Raise RecordError where a folder is there, unless its log is the beginning of that of the training in ``out``."""
    log = (out / LOG).read_bytes() if (out / LOG).exists() and (out / checkpoints.FILE).exists() else b""
    for folder in folders:
        theirs = (folder / LOG).read_bytes() if (folder / LOG).is_file() else b""
        if folder.exists() and not (theirs and log.startswith(theirs)):
            raise RecordError(
                f"{folder}: expected nothing there, or what an earlier run of this training wrote, because the trained "
                "model takes its place; move it away, or name another --out"
            )
