"""``name[:argument][,key=value …]``: how a preprocessor or an embedder is written on the command line."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from .errors import RecordError
from .records import converted, nearest, shortened, within

T = TypeVar("T")

_OPTION = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_CODE = re.compile(r"\bpython\s*:")
_BOOL = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True)
class Spec:
    """A name, what stands after its first colon, and the options, all as typed."""

    name: str
    argument: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


def parse_spec(text: str) -> Spec:
    """Return the parts of ``name[:argument][,key=value …]``.

    Options are read from the end, so an argument may hold commas (``onnx:faces, new.onnx,flip=sum``); what may not
    stand in it is a comma followed by ``word=``.

    Raises:
        RecordError: there is no name, an option has no ``=``, or one is given twice.
    """
    pieces = text.split(",")
    options: dict[str, str] = {}
    while len(pieces) > 1 and (option := _OPTION.fullmatch(pieces[-1].strip())):
        if option[1] in options:
            raise RecordError(f"{text!r}: option {option[1]!r} is given twice")
        options[option[1]] = option[2]
        pieces.pop()
    name, colon, argument = ",".join(pieces).partition(":")
    if "," in name:
        raise RecordError(
            f"{text!r}: expected name[:argument][,key=value …], got {name.partition(',')[2]!r} without '='"
        )
    if not name.strip():
        raise RecordError(f"{text!r}: expected name[:argument][,key=value …], got no name")
    if colon and not argument.strip():
        raise RecordError(f"{text!r}: nothing stands after the colon")
    return Spec(name.strip(), argument.strip(), dict(reversed(options.items())))


def typed(
    factory: Callable[..., Any], options: Mapping[str, str], where: str, given: Collection[str] = ()
) -> dict[str, Any]:
    """Return the options with their texts turned into the types that the factory's parameters are annotated with.

    Text becomes ``int``, ``float``, ``bool`` (yes, no, true, false), ``Path`` or a ``Literal``; every other annotation
    leaves it a text. Numbers are finite, and within the ``Range`` of their annotation.

    Args:
        factory: a function, class or dataclass; its parameters are the schema.
        options: as ``parse_spec`` gives them.
        where: the text the user typed, for the message.
        given: parameters that the caller fills, which are therefore no options.

    Raises:
        RecordError: an unknown option, or a text that is not of its type, or out of its range.
    """
    hints = _options(factory, options, where, given)
    return {key: _parse(hints[key], text, where, key) for key, text in options.items()}


def checked(
    factory: Callable[..., Any], values: Mapping[str, Any], where: str, prefix: str = "", given: Collection[str] = ()
) -> dict[str, Any]:
    """Return the values of a table of a file, checked against the factory's parameters as ``records.build`` does.

    Args:
        factory: a function or class; its parameters are the schema.
        values: by the name of the parameter.
        where: the file, for the message.
        prefix: the dotted key of the table in that file.
        given: parameters that the caller fills, which no file may.

    Raises:
        RecordError: an unknown parameter, or a value of another type or out of its range.
    """
    hints = _options(factory, values, where, given)
    return {key: converted(hints[key], value, where, prefix + key) for key, value in values.items()}


def _options(
    factory: Callable[..., Any], names: Iterable[str], where: str, given: Collection[str]
) -> Mapping[str, Any]:
    """Return the annotations of the factory's parameters, once each of the names is known to be one."""
    keyword = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(factory, eval_str=True).parameters
    hints = {
        p.name: _of_default(p) if p.annotation is p.empty else p.annotation
        for p in parameters.values()
        if p.kind in keyword and p.name not in given
    }
    for name in names:
        if name not in hints:
            raise RecordError(f"{where}: unknown option {name!r}; {nearest(name, hints)}")
    return hints


def _of_default(parameter: inspect.Parameter) -> Any:
    """Return the type of a parameter that has no annotation; where its default does not tell, anything."""
    default = parameter.default
    return Any if default is parameter.empty or default is None else type(default)


def refuse_code(values: Any, where: str, key: str = "") -> None:
    """Raise RecordError where a value of a file names ``python:`` code, which would run on this machine.

    Args:
        values: what the file says: tables, lists and scalars.
        where: the file, for the message.
        key: the dotted key of ``values`` in that file.
    """
    if isinstance(values, Mapping):
        for name, value in values.items():
            refuse_code(value, where, f"{key}.{name}" if key else name)
    elif isinstance(values, (list, tuple)):
        for i, value in enumerate(values):
            refuse_code(value, where, f"{key}[{i}]")
    elif isinstance(values, str) and _CODE.search(values):
        raise RecordError(
            f"{where}: {key} is {shortened(values)}, which runs Python code; read that code, then allow it with "
            "--trust-code"
        )


def imported(text: str, where: str, base: type[T]) -> type[T]:
    """Return the class that ``module:attribute`` names; the current folder is looked into last.

    Raises:
        RecordError: there is no such module or attribute, the module cannot be imported, or the attribute is no class
            that is derived from ``base``.
    """
    module, _, attribute = text.partition(":")
    if not module or not attribute:
        raise RecordError(f"{where}: expected python:module:Class, got python:{text}")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise RecordError(f"{where}: {error}; is it in this folder, or installed?") from None
    except (Exception, SystemExit) as error:  # whatever the module raises
        raise RecordError(f"{where}: module {module} raises {type(error).__name__}: {error}") from error
    if not hasattr(found, attribute):
        raise RecordError(f"{where}: module {module} has no {attribute!r}; {nearest(attribute, vars(found))}")
    made = getattr(found, attribute)
    if not (inspect.isclass(made) and issubclass(made, base)):
        raise RecordError(
            f"{where}: expected a class derived from {base.__module__.removesuffix('.base')}.{base.__name__}, which "
            f"{module}.{attribute} is not"
        )
    return made


def _parse(hint: Any, text: str, where: str, key: str) -> Any:
    said = f"{where}: {key} is {shortened(text)}"
    if typing.get_origin(hint) is typing.Annotated:
        inner, *limits = typing.get_args(hint)
        return within(limits, _parse(inner, text, where, key), where, key)
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        inner = [a for a in typing.get_args(hint) if a is not type(None)]
        return _parse(inner[0], text, where, key) if len(inner) == 1 else text
    if typing.get_origin(hint) is typing.Literal:
        choices = {str(choice): choice for choice in typing.get_args(hint)}
        if text not in choices:
            raise RecordError(f"{said}; expected one of {', '.join(choices)}")
        return choices[text]
    if hint is bool:
        if text.lower() not in _BOOL:
            raise RecordError(f"{said}; expected yes or no")
        return _BOOL[text.lower()]
    if hint in (int, float):
        try:
            number = hint(text)
        except ValueError:
            raise RecordError(f"{said}; expected {'a whole number' if hint is int else 'a number'}") from None
        return converted(hint, number, where, key)
    return Path(text) if hint is Path else text
