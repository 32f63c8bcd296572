"""Cards and other records written as TOML, which the standard library only reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..records import plain
from .cards import ModelCard


def card_text(card: ModelCard) -> str:
    """Return the TOML that is read back as the same card; empty texts, lists and tables are left out."""
    return toml_text(_said(plain(card)))


def toml_text(values: Mapping[str, Any]) -> str:
    """Return plain values as TOML; what is None is left out, since TOML has no word for it."""
    return "\n".join(_table(values, "")) + "\n"


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values without empty texts, lists and tables, at any depth."""
    said = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            value = _said(value)
        elif isinstance(value, list):
            value = [_said(entry) if isinstance(entry, Mapping) else entry for entry in value]
        if value not in ("", [], {}):
            said[key] = value
    return said


def _table(values: Mapping[str, Any], path: str) -> list[str]:
    lines, tables = [], []
    for key, value in values.items():
        if value is None:
            continue
        name = key if re.fullmatch(r"[\w-]+", key, re.ASCII) else json.dumps(key, ensure_ascii=False)
        if isinstance(value, Mapping):
            tables += ["", f"[{path}{name}]", *_table(value, f"{path}{name}.")]
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for entry in value:
                tables += ["", f"[[{path}{name}]]", *_table(entry, f"{path}{name}.")]
        else:
            lines.append(f"{name} = {_value(value)}")
    return lines + tables


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # JSON escapes the other controls
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    return repr(value)
