"""What a training that was killed goes on with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import RecordError
from ..records import build, plain
from .checkpoint import Checkpoint, load
from .place import Place
from .plan import Plan

# Keys of a recipe whose difference from the checkpoint's is told in full.
_TOLD = 3


def kept(recipe: Plan, place: Place) -> Checkpoint | None:
    """Return the checkpoint in ``place.out``, or None where a training begins there.

    Raises:
        RecordError: there is one, and nobody asked to go on with it, or it is of another recipe.
        StoreError: it is damaged.
    """
    found = load(place.out)
    if found is None:
        return None
    if not place.resume:
        raise RecordError(
            f"{place.out} stands at step {found.step} of a training; --resume goes on with it, or name another --out"
        )
    ours, theirs = _flat(plain(recipe)), _flat(_filled(type(recipe), found.recipe))
    keys = sorted(key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key))
    if keys:
        words = "; ".join(f"{key} was {theirs.get(key)!r} and is {ours.get(key)!r}" for key in keys[:_TOLD])
        more = f", and {len(keys) - _TOLD} more" if len(keys) > _TOLD else ""
        raise RecordError(f"{place.out} holds a training by another recipe: {words}{more}; name another --out")
    return found


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Return what stands in tables and lists by its path, such as ``stages.0.lr``."""
    if isinstance(value, Mapping):
        entries = value.items()
    elif isinstance(value, (list, tuple)) and any(isinstance(entry, Mapping) for entry in value):
        entries = enumerate(value)  # type: ignore[assignment]
    else:
        return {name: value}
    return {path: leaf for key, entry in entries for path, leaf in _flat(entry, f"{name}.{key}".strip(".")).items()}


def _filled(kind: type[Plan], recipe: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a kept recipe with the default of every key that recipes did not have when it was kept."""
    try:
        filled: Mapping[str, Any] = plain(build(kind, recipe, ""))
    except RecordError:  # of another kind
        return recipe
    return filled
