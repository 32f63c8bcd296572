"""``recipe.toml``: everything that makes a training, as frozen records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ..errors import RecordError, ResourceMissing, UnknownName
from ..networks.toml import toml_text
from ..protocol import load
from ..records import build, changed, merged, nearest, plain, read_toml
from ..spec import refuse_code
from .recipe import Recipe
from .restorer_recipe import RestorerRecipe

AnyRecipe = Recipe | RestorerRecipe
_KINDS: dict[str, type[Recipe] | type[RestorerRecipe]] = {"embedder": Recipe, "restorer": RestorerRecipe}


def read_recipe(path: Path, changes: Iterable[str] = (), trust_code: bool = False) -> AnyRecipe:
    """Return the recipe in a TOML file; its ``kind`` is ``embedder``, also where it does not say, or ``restorer``.

    ``extends = "other.toml"``, a path from the file's own folder, begins with all that the other recipe says; tables
    are merged key by key, and the stages one by one: the first with the first, and so on.

    Args:
        path: the file.
        changes: ``key=value`` each, key dotted, value as in TOML: ``data.synthpie.people=100``.
        trust_code: the file, and a protocol in a file that it validates by, may name ``python:`` code, which runs in
            the training; the changes always may.

    Raises:
        ResourceMissing, RecordError: there is no such file, or a key or a value is not right, or names code.
    """
    values = _resolved(path, ())
    if not trust_code:
        refuse_code(values, str(path))
    for change in changes:
        values = changed(values, change)
    kind = str(values.get("kind", "embedder"))
    if kind not in _KINDS:
        raise RecordError(f"{path}: kind is {kind!r}; {nearest(kind, _KINDS)}")
    recipe = build(_KINDS[kind], values, str(path))
    if recipe.validation.protocol.endswith(".toml"):
        load(recipe.validation.protocol, trust_code=trust_code)
    return recipe


def recipe_text(recipe: AnyRecipe, path: Path) -> str:
    """Return TOML that is read as the recipe: its file's own text where that says it all.

    Args:
        recipe: as ``read_recipe`` returned it, perhaps with changes.
        path: its file; one that extends another does not say all.

    Raises:
        ResourceMissing, RecordError: there is no such file, or it is not TOML.
    """
    if not _is_read_as(recipe, path):
        return toml_text(plain(recipe))
    return toml_text(_resolved(path, ())) if "extends" in read_toml(path) else path.read_text("utf-8")


def _is_read_as(recipe: AnyRecipe, path: Path) -> bool:
    try:
        return read_recipe(path) == recipe
    except (RecordError, ResourceMissing, UnknownName):  # without the changes it is no recipe
        return False


def _resolved(path: Path, chain: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in [file.resolve() for file in chain]:
        raise RecordError(f"{chain[0]}: 'extends' goes in a circle: {' → '.join(map(str, (*chain, path)))}")
    values = read_toml(path)
    parent = values.pop("extends", None)
    if parent is None:
        return values
    if not isinstance(parent, str):
        raise RecordError(
            f"{path}: extends is {parent!r}; expected the file of a recipe, as seen from this one's folder"
        )
    return _joined(_resolved(path.parent / parent, (*chain, path)), values)


def _joined(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    joined = merged(base, changes)
    if all(_are_tables(values.get("stages")) for values in (base, changes)):
        stages = zip_longest(base["stages"], changes["stages"], fillvalue=dict[str, Any]())
        joined["stages"] = [merged(before, after) for before, after in stages]
    return joined


def _are_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, Mapping) for entry in value)
