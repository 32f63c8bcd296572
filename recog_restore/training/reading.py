"""``recipe.toml``: everything that makes a training, as frozen records."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..errors import RecordError
from ..records import build, changed, nearest, read_toml
from .recipe import Recipe
from .restorer_recipe import RestorerRecipe

AnyRecipe = Recipe | RestorerRecipe
_KINDS: dict[str, type[Recipe] | type[RestorerRecipe]] = {"embedder": Recipe, "restorer": RestorerRecipe}


def read_recipe(path: Path, changes: Iterable[str] = ()) -> AnyRecipe:
    """Return the recipe in a TOML file; its ``kind`` is ``embedder``, also where it does not say, or ``restorer``.

    Args:
        path: the file.
        changes: ``key=value`` each, key dotted, value as in TOML: ``data.synthpie.people=100``.

    Raises:
        ResourceMissing, RecordError: there is no such file, or a key or a value is not right.
    """
    values = read_toml(path)
    for change in changes:
        values = changed(values, change)
    kind = str(values.get("kind", "embedder"))
    if kind not in _KINDS:
        raise RecordError(f"{path}: kind is {kind!r}; {nearest(kind, _KINDS)}")
    return build(_KINDS[kind], values, str(path))
