"""TOML into frozen dataclasses: unknown or missing keys and wrong types are refused with file, key and nearest name."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from .errors import RecordError, ResourceMissing
from .files import LARGEST_TEXT, read_regular

R = TypeVar("R")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the closest known name, else the list of known names."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"


def read_toml(path: Path | Traversable) -> dict[str, Any]:
    """Return the parsed TOML file.

    Raises:
        ResourceMissing: there is no such file.
        RecordError: the file is not TOML; the message has line and column.
    """
    try:
        return tomllib.loads(read_regular(path, LARGEST_TEXT).decode("utf-8-sig"))
    except FileNotFoundError:
        raise ResourceMissing(f"{path}: no such file") from None
    except IsADirectoryError:
        raise ResourceMissing(f"{path}: expected a TOML file, found a folder") from None
    except OSError as error:
        raise ResourceMissing(f"{path}: cannot be read: {error.strerror}") from None
    except RecursionError:
        raise RecordError(f"{path}: not valid TOML: nested too deeply") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecordError(f"{path}: not valid TOML: {error}") from None


def build(record: type[R], values: Mapping[str, Any], where: str, prefix: str = "") -> R:
    """Return ``record(**values)`` with every key and type checked, nested records included.

    Args:
        record: a dataclass; its annotations are the schema.
        values: what TOML (or the command line) gave.
        where: the file or option, for the message.
        prefix: the dotted key of ``values`` in that file.

    Raises:
        RecordError: an unknown key, a missing key, or a value of another type.
    """
    assert dataclasses.is_dataclass(record)
    hints = typing.get_type_hints(record)
    fields = {f.name: f for f in dataclasses.fields(record)}
    for key in values:
        if key not in fields:
            raise RecordError(f"{where}: unknown key {prefix + key!r}; {nearest(key, fields)}")
    given = {}
    for name, field in fields.items():
        if name in values:
            given[name] = _convert(hints[name], values[name], where, prefix + name)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise RecordError(f"{where}: missing key {prefix + name!r}")
    try:
        return typing.cast("type[R]", record)(**given)
    except RecordError as error:  # raised by __post_init__, which does not know the file
        raise RecordError(f"{where}: {error}") from None


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with the changes in their place; a table in both is merged in turn."""
    result = dict(base)
    for key, value in changes.items():
        both_tables = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both_tables else value
    return result


def changed(values: Mapping[str, Any], change: str) -> dict[str, Any]:
    """Return the values with ``key=value`` in its place: the key dotted, the value as in TOML, or a bare word.

    Raises:
        RecordError: there is no ``=``.
    """
    key, equals, text = change.partition("=")
    if not equals:
        raise RecordError(f"--set {change!r}: expected key=value, as in data.folds=[1, 2]")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    for part in reversed(key.strip().split(".")):
        value = {part: value}
    return merged(values, value)


def plain(record: Any) -> Any:
    """Return a record as plain dicts, lists and scalars, as JSON and TOML want them."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {f.name: plain(getattr(record, f.name)) for f in dataclasses.fields(record)}
    if isinstance(record, Mapping):
        return {key: plain(value) for key, value in record.items()}
    if isinstance(record, (list, tuple)):
        return [plain(value) for value in record]
    return record


def _convert(hint: Any, value: Any, where: str, key: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return build(typing.cast("type[Any]", hint), value, where, f"{key}.")
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in args:
            return None
        if len(inner := [a for a in args if a is not type(None)]) == 1:
            return _convert(inner[0], value, where, key)
        if any(isinstance(value, a) for a in inner if isinstance(a, type)):
            return value
    elif origin is typing.Literal:
        if value in args:
            return value
        raise RecordError(f"{where}: {key} is {value!r}; expected one of {', '.join(map(repr, args))}")
    elif origin is tuple and isinstance(value, (list, tuple)):
        if len(args) == 2 and args[1] is Ellipsis:
            return tuple(_convert(args[0], v, where, f"{key}[{i}]") for i, v in enumerate(value))
        if len(args) == len(value):
            return tuple(_convert(a, v, where, f"{key}[{i}]") for i, (a, v) in enumerate(zip(args, value, strict=True)))
    elif origin in (dict, Mapping) or getattr(origin, "__name__", "") == "Mapping":
        if isinstance(value, Mapping):
            return {k: _convert(args[1], v, where, f"{key}.{k}") for k, v in value.items()}
    elif hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    elif isinstance(hint, type) and isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise RecordError(f"{where}: {key} is {value!r}; expected {_words(hint)}")


def _words(hint: Any) -> str:
    name = getattr(hint, "__name__", None) if typing.get_origin(hint) is None else None
    return name or str(hint).replace("typing.", "")
