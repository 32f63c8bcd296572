"""Everything a result says of how it was made, as lists of key and text."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from ..results import BASELINE, Result
from .wording import ABSENT

Entries = tuple[tuple[str, str], ...]


def configuration(result: Result) -> tuple[tuple[str, Entries], ...]:
    """Return the parts of the configuration, each with its name and its entries."""
    parts: list[tuple[str, Mapping[str, Any]]] = [
        ("Protocol", result.protocol),
        ("Data", result.data),
        ("Recognizer", result.embedder),
        *((_part(str(entry.get("name", ""))), entry) for entry in result.preprocessors),
        ("Settings", result.settings | {"command": _command(result)}),
        ("Provenance", result.provenance),
        ("Result", {"schema": result.schema}),
        ("Seconds", {key: f"{seconds:,.2f}" for key, seconds in result.seconds.items()}),
    ]
    return tuple((name, flat(entries)) for name, entries in parts if entries)


def flat(entry: Any, key: str = "") -> Entries:
    """Return nested mappings as pairs of a dotted key and a text; lists of scalars are one text."""
    if isinstance(entry, Mapping) and entry:
        return tuple(pair for k, v in entry.items() for pair in flat(v, f"{key}.{k}" if key else str(k)))
    if isinstance(entry, (list, tuple)) and any(isinstance(e, (Mapping, list, tuple)) for e in entry):
        return tuple(pair for i, e in enumerate(entry) for pair in flat(e, f"{key}[{i}]"))
    return ((key, _shown(entry)),)


def _command(result: Result) -> str:
    command = result.settings.get("command", "")
    return shlex.join(map(str, command)) if isinstance(command, (list, tuple)) else str(command)


def _part(preprocessor: str) -> str:
    return "Baseline" if preprocessor == BASELINE else f"Preprocessor {preprocessor}"


def _shown(entry: Any) -> str:
    if entry is None or entry == "" or entry in ({}, [], ()):
        return ABSENT
    if isinstance(entry, bool):
        return "yes" if entry else "no"
    if isinstance(entry, (list, tuple)):
        return ", ".join(map(str, entry))
    return str(entry)
