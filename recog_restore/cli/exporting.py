"""What ``rr-export`` does once its options are parsed."""

from __future__ import annotations

import dataclasses
from importlib.resources.abc import Traversable
from pathlib import Path

from torch import Tensor
from torch.nn.functional import interpolate

from ..embed.card import CardEmbedder
from ..errors import RecordError, UnknownName
from ..faces import to_float
from ..files import write_whole
from ..networks.cards import EmbedderCard, RestorerCard, kind_of, read_card, read_restorer_card, shipped
from ..networks.export import Exported
from ..networks.export import export as write
from ..networks.folder import drawn_faces
from ..networks.toml import card_text
from ..networks.weights import load_network
from ..records import nearest
from .terminal import say


def run(name: str, out: Path) -> None:
    """Write the named network as ONNX, its card beside it, and say how far it is from torch."""
    if out.suffix != ".onnx":
        raise RecordError(f"{out}: expected a file named *.onnx")
    place = _folder(name)
    card: EmbedderCard | RestorerCard
    if kind_of(place.joinpath("card.toml")) == RestorerCard.kind:
        card, option = read_restorer_card(place.joinpath("card.toml")), "--pre"
        if card.guide != "none":
            raise RecordError(
                f"{name}: {card.name} is told {card.guide} besides the face, which --pre onnx:FILE cannot give it; "
                f"use it as it is: --pre {name}"
            )
        inputs = interpolate(to_float(drawn_faces()), card.size, mode="bilinear", antialias=True)
    else:
        card, option = read_card(place.joinpath("card.toml")), "--embedder"
        inputs = CardEmbedder(place).prepare(to_float(drawn_faces()))
    written = _export(place, card, inputs, out)
    say(
        f"{out}: {card.network}, {card.weights.parameters:,} parameters; {card.words()}; output "
        f"{'×'.join(map(str, written.shape))}; batches of any size; largest difference from torch "
        f"{written.difference:.1e}, below 1e-4"
    )
    say(f"use it with {option} onnx:{out}; {out.with_suffix('.toml').name} is its card: keep it beside the file")


def _folder(name: str) -> Traversable:
    kind, colon, argument = name.partition(":")
    if colon and kind == "card" and argument:
        return Path(argument)
    known = {**shipped("embedder"), **shipped("restorer")}
    if name not in known:
        raise UnknownName(
            f"no embedder or restorer with a card named {name!r}; {nearest(name, [*known, 'card:FOLDER'])}"
        )
    return known[name]


def _export(place: Traversable, card: EmbedderCard | RestorerCard, inputs: Tensor, out: Path) -> Exported:
    beside = out.with_suffix(".toml")
    if beside.exists():
        raise RecordError(f"{beside}: exists already, and the card of {out.name} belongs there; give another name")
    written = write(load_network(place, card), inputs, out, card_text(card))
    weights = dataclasses.replace(card.weights, file=out.name, sha256=written.sha256)
    write_whole(beside, card_text(dataclasses.replace(card, weights=weights)).encode())
    return written
