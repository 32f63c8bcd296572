"""What stands after ``--pre``, made into a preprocessor.

``onnx:FILE``, ``card:FOLDER``, ``python:module:Class``, or a name: a registered one, or that of weights which the
package brings. Options follow, ``,key=value`` each; ``a+b`` is a chain; ``NAME=`` before it is its name in tables.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any, cast

from torch import Tensor

from ..errors import RecordError, UnknownName
from ..faces import FaceBatch
from ..networks.cards import RestorerCard, shipped
from ..networks.content import content
from ..records import nearest
from ..results import BASELINE
from ..spec import Spec, imported, parse_spec, typed
from . import PREPROCESSORS
from .base import Card, Preprocessor, Task

# Preprocessors made from what stands after the colon: where they are, and which parameter takes it.
KINDS = {
    "onnx": ("recog_restore.preprocess.onnx:OnnxPreprocessor", "file"),
    "card": ("recog_restore.preprocess.card:CardRestorer", "folder"),
}

# A name of the user's own, which a specification follows.
_NAMED = re.compile(r"\s*([^,:=+]*?)\s*=(.*)", re.DOTALL)
_LONGEST_NAME = 60

_LONGEST_CHAIN = 32
_SHOWN = 12  # digits of a SHA-256 that stand for it where people read


class Chain(Preprocessor):
    """One preprocessor after the other."""

    def __init__(self, links: tuple[Preprocessor, ...]) -> None:
        super().__init__()
        self.links = links
        self.card = Card(
            name="+".join(link.card.name for link in links),
            task=cast(Task, _joined(link.card.task for link in links)),  # of several, where they differ
            title=", then ".join(link.card.title for link in links),
            deterministic=all(link.card.deterministic for link in links),
            rights=_joined(link.card.rights for link in links),
            tested_range=_joined(link.card.tested_range for link in links),
            sha256="+".join(link.card.sha256 for link in links),
            teachers=tuple(dict.fromkeys(teacher for link in links for teacher in link.card.teachers)),
            guessed=tuple(dict.fromkeys(what for link in links for what in link.card.guessed)),
            spec="+".join(link.card.spec for link in links),
        )
        contents = [link.content for link in links]
        self.content = None if None in contents else "+".join(filter(None, contents))

    def settings(self) -> dict[str, object]:
        """Return the settings of every link."""
        return {"links": [link.settings() for link in self.links]}

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        """Return what the last link makes of what the others made."""
        return self(FaceBatch(images, landmarks)).images

    def __call__(self, faces: FaceBatch) -> FaceBatch:
        """Return the faces after every link; a face that fails in one stays failed."""
        for link in self.links:
            faces = link(faces)
        return faces


def links(preprocessor: Preprocessor) -> tuple[Preprocessor, ...]:
    """Return the links of a chain; of anything else, itself."""
    return preprocessor.links if isinstance(preprocessor, Chain) else (preprocessor,)


def noted(preprocessor: Preprocessor) -> list[str]:
    """Return the warnings that stand beside a preprocessor's numbers, with its name, or that of the link."""
    return [f"{link.card.name}: {note}" for link in links(preprocessor) for note in link.notes]


def _joined(texts: Iterable[str]) -> str:
    """Return the texts once each, in order, without empty ones: ``restore; enhance``."""
    return "; ".join(dict.fromkeys(filter(None, texts)))


def public_name(preprocessor: Preprocessor) -> str:
    """Return what others may read: names of cards and files instead of paths, and the start of a SHA-256."""
    if isinstance(preprocessor, Chain) and preprocessor.card.name == "+".join(p.card.name for p in preprocessor.links):
        return "+".join(public_name(link) for link in preprocessor.links)
    card = preprocessor.card
    known_by = f" {card.sha256[:_SHOWN]}" if card.sha256.strip("+") else ""
    if card.name != card.spec:  # of its class, or of the user's own
        return card.name + known_by
    head, *options = card.name.split(",")
    argument = head.partition(":")[2]
    model = getattr(preprocessor, "model", None)
    if isinstance(model, RestorerCard):
        head = model.name
    elif argument:
        head = PurePath(argument).name
    return ",".join([head, *options]) + known_by


def create(text: str, device: str = "cpu", threads: int | None = None) -> Preprocessor:
    """Return the preprocessor that the text describes; the name in its card is the text, or the one given in it.

    ``python:module:Class`` has the name in its class's card, followed by the options.

    Args:
        text: ``clahe,clip=3``, ``bicubic-down8,strength=0.5``, ``onnx:FILE,range=-1..1``, ``card:FOLDER``,
            ``python:module:Class``, or several of them joined by ``+``, applied from left to right; ``NAME=`` may
            stand before it.
        device: ``cpu`` or ``cuda``, for those that have a network.
        threads: CPU threads of an ONNX network; None leaves the choice to it.

    Raises:
        UnknownName: nothing of that name.
        RecordError: the text or an option is not valid, or ``python:`` names no preprocessor.
    """
    named = _NAMED.fullmatch(text)
    if named is None:
        return _chain(text, device, threads)
    name, spec = named.groups()
    if not name or name == BASELINE or len(name) > _LONGEST_NAME or not name.isprintable():
        raise RecordError(
            f"{text!r}: expected NAME=SPEC with a printable name of at most {_LONGEST_NAME} characters other than "
            f"{BASELINE!r}, got {name!r}"
        )
    made = _chain(spec, device, threads)
    made.card = dataclasses.replace(made.card, name=name)
    return made


def _chain(text: str, device: str, threads: int | None) -> Preprocessor:
    known = "|".join(re.escape(name).replace(re.escape("{n}"), r"\d+") for name in names())
    kinds = "|".join([*KINDS, "python"])
    texts = re.split(rf"\+(?=(?:{kinds}):|(?:{known})(?:[,+]|$))", text)
    if len(texts) > _LONGEST_CHAIN:
        raise RecordError(f"a chain of {len(texts):,} preprocessors; expected at most {_LONGEST_CHAIN}")
    links = tuple(_create(link, device, threads) for link in texts)
    return links[0] if len(links) == 1 else Chain(links)


def names() -> list[str]:
    """Return the preprocessors that need no argument: those registered, and the weights that the package brings."""
    return sorted({*PREPROCESSORS, *shipped("restorer")})


def _create(text: str, device: str, threads: int | None) -> Preprocessor:
    spec = parse_spec(text)
    factory, given = _factory(spec, text)
    parameters = inspect.signature(factory).parameters
    given |= {key: value for key, value in {"device": device, "threads": threads}.items() if key in parameters}
    try:
        made = factory(**given, **typed(factory, spec.options, text, given))
    except TypeError as error:  # a method is missing, or a parameter has no default
        raise RecordError(f"{text!r}: cannot be made: {error}") from None
    if not isinstance(made, Preprocessor) or not isinstance(getattr(made, "card", None), Card):
        raise RecordError(
            f"{text!r}: expected a recog_restore.preprocess.Preprocessor with a card, got {type(made).__name__}"
        )
    name = ",".join([made.card.name, *text.split(",")[1:]]) if spec.name == "python" else text
    made.card = dataclasses.replace(made.card, name=name, spec=text)
    if type(made).__module__.partition(".")[0] != __name__.partition(".")[0]:
        _identify(made, spec.options)
    return made


def _factory(spec: Spec, text: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    if spec.name == "python":
        return imported(spec.argument, repr(text), Preprocessor), {}
    if spec.name in KINDS and spec.argument:
        where, parameter = KINDS[spec.name]
        return imported(where, text, Preprocessor), {parameter: Path(spec.argument)}
    brought = shipped("restorer")
    if spec.name not in brought and spec.name not in PREPROCESSORS:
        kinds = [f"{kind}:{parameter.upper()}" for kind, (_, parameter) in KINDS.items()]
        known = [*names(), *kinds, "python:MODULE:CLASS"]
        raise UnknownName(f"no preprocessor named {spec.name!r}; {nearest(spec.name, known)}")
    if spec.argument:
        raise RecordError(f"{text!r}: {spec.name} takes options after a comma, nothing after a colon")
    if spec.name in brought:
        where, parameter = KINDS["card"]
        return imported(where, text, Preprocessor), {parameter: brought[spec.name]}
    return PREPROCESSORS.factory(spec.name)


def _identify(made: Preprocessor, options: Mapping[str, str]) -> None:
    """Set the content of a class that is not the toolkit's; what cannot be read counts where its card has a SHA-256."""
    found = content(made, options)
    if made.card.sha256:
        made.content = found.sha256
    elif found.opaque:
        made.content = None
        made.notes += (
            f"nothing identifies the weights in {', '.join(found.opaque)}, so the embeddings of its "
            "faces are not kept in the store; give its card a sha256 that changes with the weights",
        )
    else:
        made.content = found.sha256
        made.card = dataclasses.replace(made.card, sha256=found.sha256)
