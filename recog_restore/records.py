"""TOML into frozen dataclasses: unknown or missing keys and wrong types are refused with file, key and nearest name."""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
import reprlib
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from .errors import RecordError, ResourceMissing
from .files import LARGEST_TEXT, read_regular

R = TypeVar("R")

# How deep tables and lists may be nested, in a file or after --set.
_DEEPEST = 50
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 200


@dataclasses.dataclass(frozen=True)
class Range:
    """The values that a number may have, both ends included: ``Annotated[int, Range(0, 8)]``.

    Every number is finite, and a whole one has 64 bits, whether or not it has a range.

    Attributes:
        low, high: the ends.
        nan: NaN may stand for what is not known.
    """

    low: float = -math.inf
    high: float = math.inf
    nan: bool = False

    def holds(self, value: float) -> bool:
        """Return whether the value is in the range."""
        return self.low <= value <= self.high

    def words(self) -> str:
        """Return what was expected: ``a number from 0 to 8``."""
        if math.isinf(self.high):
            return f"a number of at least {self.low:,}"
        return f"a number from {self.low:,} to {self.high:,}"


@dataclasses.dataclass(frozen=True)
class Length:
    """How many characters a text may have: ``Annotated[str, Length(1, 200)]``."""

    least: int
    most: int

    def holds(self, value: str) -> bool:
        """Return whether the text is neither shorter nor longer."""
        return self.least <= len(value) <= self.most

    def words(self) -> str:
        """Return what was expected: ``a text of 1 to 200 characters``."""
        return f"a text of {self.least} to {self.most} characters"


Seed = Annotated[int, Range(0, 2**32 - 1)]
Size = Annotated[int, Range(1, 1 << 14)]  # of an image, of a vector, of a layer
Name = Annotated[str, Length(1, 200)]


def shortened(value: Any) -> str:
    """Return the value as Python writes it, cut where it is long."""
    return _SHORT.repr(value)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the closest known name, else the list of known names."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"


def read_toml(path: Path | Traversable) -> dict[str, Any]:
    """Return the parsed TOML file.

    Raises:
        ResourceMissing: there is no such file.
        RecordError: the file is not TOML, or nested too deeply; the message has line and column.
    """
    try:
        values = tomllib.loads(read_regular(path, LARGEST_TEXT).decode("utf-8-sig"))
    except FileNotFoundError:
        raise ResourceMissing(f"{path}: no such file") from None
    except IsADirectoryError:
        raise ResourceMissing(f"{path}: expected a TOML file, found a folder") from None
    except OSError as error:
        raise ResourceMissing(f"{path}: cannot be read: {error.strerror}") from None
    except RecursionError:
        raise RecordError(f"{path}: not valid TOML: nested too deeply") from None
    except ValueError as error:  # of TOML, of UTF-8, or of a number of thousands of digits
        raise RecordError(f"{path}: not valid TOML: {error}") from None
    _require_shallow(values, str(path))
    return values


def build(record: type[R], values: Mapping[str, Any], where: str, prefix: str = "") -> R:
    """Return ``record(**values)`` with every key and type checked, nested records included.

    Args:
        record: a dataclass; its annotations are the schema.
        values: what TOML (or the command line) gave.
        where: the file or option, for the message.
        prefix: the dotted key of ``values`` in that file.

    Raises:
        RecordError: an unknown key, a missing key, or a value of another type or out of its range.
    """
    assert dataclasses.is_dataclass(record)
    if not prefix:
        _require_shallow(values, where)
    hints = typing.get_type_hints(record, include_extras=True)
    fields = {f.name: f for f in dataclasses.fields(record)}
    for key in values:
        if key not in fields:
            raise RecordError(f"{where}: unknown key {prefix + key!r}; {nearest(key, fields)}")
    given = {}
    for name, field in fields.items():
        if name in values:
            given[name] = converted(hints[name], values[name], where, prefix + name)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise RecordError(f"{where}: missing key {prefix + name!r}")
    try:
        return typing.cast("type[R]", record)(**given)
    except RecordError as error:  # raised by __post_init__, which does not know the file
        raise RecordError(f"{where}: {error}") from None


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with the changes in their place; a table in both is merged in turn.

    A table in the place of a list changes the entries that its keys number, from 0.

    Raises:
        RecordError: the list has no entry of that number.
    """
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        if not isinstance(value, Mapping) or not isinstance(old, (Mapping, list)):
            result[key] = value
        elif isinstance(old, Mapping):
            result[key] = merged(old, value)
        else:
            entries = {str(number): entry for number, entry in enumerate(old)}
            for number in value:
                if number not in entries:
                    raise RecordError(f"{key}.{number}: {key} is a list; {nearest(number, entries)}")
            result[key] = list(merged(entries, value).values())
    return result


def changed(values: Mapping[str, Any], change: str) -> dict[str, Any]:
    """Return the values with ``key=value`` in its place: the key dotted, the value as in TOML, or a bare word.

    In ``stages.0.steps`` the number is that of a list's entry.

    Raises:
        RecordError: there is no ``=``, or a list has no entry of that number.
    """
    key, equals, text = change.partition("=")
    if not equals:
        raise RecordError(f"--set {change!r}: expected key=value, as in data.folds=[1, 2]")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
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


def converted(hint: Any, value: Any, where: str, key: str) -> Any:
    """Return a value as its annotation wants it: lists become tuples, tables records.

    Args:
        hint: a type; of ``Annotated`` ones, ``Range`` and ``Length`` are checked.
        value: what a file, or the command line once its text was read, gives.
        where, key: for the message.

    Raises:
        RecordError: the value is of another type, not finite, or out of its range.
    """
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return _bounded(value, where, key)
    if origin is Annotated:
        if isinstance(value, float) and math.isnan(value) and any(isinstance(a, Range) and a.nan for a in args):
            return value
        return within(args[1:], converted(args[0], value, where, key), where, key)
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return build(typing.cast("type[Any]", hint), value, where, f"{key}.")
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in args:
            return None
        if len(inner := [a for a in args if a is not type(None)]) == 1:
            return converted(inner[0], value, where, key)
        if any(isinstance(value, a) for a in inner if isinstance(a, type)):
            return _bounded(value, where, key)
    elif origin is typing.Literal:
        if any(value == a and type(value) is type(a) for a in args):
            return value
        raise RecordError(f"{where}: {key} is {shortened(value)}; expected one of {', '.join(map(repr, args))}")
    elif origin in (tuple, Sequence) and isinstance(value, (list, tuple)):
        if origin is Sequence or (len(args) == 2 and args[1] is Ellipsis):
            return tuple(converted(args[0], v, where, f"{key}[{i}]") for i, v in enumerate(value))
        if len(args) == len(value):
            pairs = enumerate(zip(args, value, strict=True))
            return tuple(converted(a, v, where, f"{key}[{i}]") for i, (a, v) in pairs)
    elif origin in (dict, Mapping):
        if isinstance(value, Mapping):
            return {k: converted(args[1], v, where, f"{key}.{k}") for k, v in value.items()}
    elif hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(_bounded(value, where, key))
    elif isinstance(hint, type) and isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return _bounded(value, where, key)
    raise RecordError(f"{where}: {key} is {shortened(value)}; expected {_words(hint)}")


def within(limits: Iterable[Any], value: Any, where: str, key: str) -> Any:
    """Return the value; see ``converted``.

    Raises:
        RecordError: a ``Range`` or ``Length`` among the limits does not hold.
    """
    for limit in limits:
        if isinstance(limit, (Range, Length)) and not limit.holds(value):
            raise RecordError(f"{where}: {key} is {shortened(value)}; expected {limit.words()}")
    return value


def _bounded(value: Any, where: str, key: str) -> Any:
    """Return the value; every number in it is finite, and a whole one has 64 bits."""
    if isinstance(value, Mapping):
        for name, entry in value.items():
            _bounded(entry, where, f"{key}.{name}")
    elif isinstance(value, (list, tuple)):
        for i, entry in enumerate(value):
            _bounded(entry, where, f"{key}[{i}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise RecordError(f"{where}: {key} is {value}; expected a finite number")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise RecordError(f"{where}: {key} is {shortened(value)}; expected a whole number of 64 bits")
    return value


def _require_shallow(values: Any, where: str) -> None:
    level = [values]
    for _ in range(_DEEPEST):
        level = [entry for value in level for entry in _entries(value)]
        if not level:
            return
    raise RecordError(f"{where}: nested too deeply; expected at most {_DEEPEST} tables and lists within one another")


def _entries(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()


def _words(hint: Any) -> str:
    name = getattr(hint, "__name__", None) if typing.get_origin(hint) is None else None
    return name or re.sub(r"Annotated\[([\w.]+), \w+\([^()]*\)\]", r"\1", str(hint).replace("typing.", ""))
