"""What stands after ``--embedder``, made into an embedder.

``onnx:FILE``, ``insightface:NAME``, ``card:FOLDER``, ``python:module:Class``, or a name: of a registered embedder, or
of weights that the package brings. Options follow, ``,key=value`` each; ``flip`` is an option of all of them.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, cast, get_args

from ..errors import RecordError, UnknownName
from ..networks.cards import Flip, shipped
from ..records import nearest
from ..spec import Spec, imported, parse_spec, typed
from . import EMBEDDERS
from .base import Embedder

# Embedders made from what stands after the colon: where they are, and which parameter takes it.
KINDS = {
    "onnx": ("recog_restore.embed.onnx:OnnxEmbedder", "file"),
    "insightface": ("recog_restore.embed.insightface:InsightFaceEmbedder", "name"),
    "card": ("recog_restore.embed.card:CardEmbedder", "folder"),
}


def create(text: str, device: str = "cpu", threads: int | None = None) -> Embedder:
    """Return the embedder that the text describes.

    Args:
        text: see the module.
        device: where it computes: ``cpu``, ``cuda`` or ``cuda:1``.
        threads: CPU threads of an ONNX network; None leaves the choice to it.

    Raises:
        UnknownName: no such kind, no such name.
        RecordError: the text or an option is not valid, or ``python:`` names no embedder.
    """
    spec = parse_spec(text)
    factory, given = _factory(spec, text)
    parameters = inspect.signature(factory).parameters
    given |= {key: value for key, value in {"device": device, "threads": threads}.items() if key in parameters}
    options = dict(spec.options)
    flip = None if "flip" in parameters else options.pop("flip", None)
    given |= typed(factory, options, text, given)
    try:
        inspect.signature(factory).bind(**given)
    except TypeError as error:
        raise RecordError(f"{text!r}: {error}; options follow as ,key=value") from None
    embedder = factory(**given)
    if not isinstance(embedder, Embedder):
        raise RecordError(f"{text!r}: expected a recog_restore.embed.Embedder, got {type(embedder).__name__}")
    if flip is not None:
        if flip not in get_args(Flip):
            raise RecordError(f"{text!r}: flip is {flip!r}; expected one of {', '.join(get_args(Flip))}")
        embedder.card = dataclasses.replace(embedder.card, flip=cast(Flip, flip))
    return embedder


def names() -> list[str]:
    """Return the embedders that need no argument: those registered, and the weights that the package brings."""
    return sorted({*EMBEDDERS, *shipped("embedder")})


def _factory(spec: Spec, text: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    if spec.name == "python":
        return imported(spec.argument, repr(text), Embedder), {}
    if spec.name in KINDS:
        if not spec.argument:
            raise RecordError(f"{text!r}: expected {spec.name}:{KINDS[spec.name][1].upper()}")
        where, parameter = KINDS[spec.name]
        return imported(where, text, Embedder), {parameter: spec.argument}
    if spec.argument:
        raise UnknownName(
            f"{text!r}: no kind of embedder named {spec.name!r}; {nearest(spec.name, [*KINDS, 'python'])}"
        )
    if spec.name in (brought := shipped("embedder")):
        where, parameter = KINDS["card"]
        return imported(where, text, Embedder), {parameter: brought[spec.name]}
    if spec.name in EMBEDDERS:
        return EMBEDDERS.factory(spec.name)
    kinds = [f"{kind}:{parameter.upper()}" for kind, (_, parameter) in KINDS.items()]
    raise UnknownName(
        f"no embedder named {spec.name!r}; {nearest(spec.name, [*names(), *kinds, 'python:MODULE:CLASS'])}"
    )
