"""What ``rr-export`` does once its options are parsed."""

from __future__ import annotations

import dataclasses
from importlib.resources.abc import Traversable
from pathlib import Path

import click
from torch.nn.functional import interpolate

from ..embed.card import CardEmbedder
from ..errors import RecordError, UnknownName
from ..faces import to_float
from ..files import write_whole
from ..geometry import CANONICAL_SIZE
from ..networks.cards import EmbedderCard, RestorerCard, kind_of, read_card, read_restorer_card, shipped
from ..networks.export import Exported
from ..networks.export import export as write
from ..networks.folder import drawn_faces
from ..networks.toml import card_text
from ..networks.weights import load_network
from ..records import nearest


def run(name: str, out: Path) -> None:
    """Write the named network as ONNX, an embedder's card beside it, and say how far it is from torch."""
    if out.suffix != ".onnx":
        raise RecordError(f"{out}: expected a file named *.onnx")
    place = _folder(name)
    card: EmbedderCard | RestorerCard
    if kind_of(place.joinpath("card.toml")) == RestorerCard.kind:
        card = read_restorer_card(place.joinpath("card.toml"))
        written = _export_restorer(place, card, out)
        how = f"--pre onnx:{out}" if card.size == CANONICAL_SIZE else ""
    else:
        card = read_card(place.joinpath("card.toml"))
        written = _export_embedder(place, card, out)
        how = f"--embedder onnx:{out}"
    click.echo(
        f"{out}: {card.network}, {card.weights.parameters:,} parameters; {card.words()}; output "
        f"{'×'.join(map(str, written.shape))}; batches of any size; largest difference from torch "
        f"{written.difference:.1e}, below 1e-4"
    )
    if how:
        click.echo(f"use it with {how}")


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


def _export_embedder(place: Traversable, card: EmbedderCard, out: Path) -> Exported:
    beside = out.with_suffix(".toml")
    if beside.exists():
        raise RecordError(f"{beside}: exists already, and the card of {out.name} belongs there; give another name")
    inputs = CardEmbedder(place).prepare(to_float(drawn_faces()))
    written = write(load_network(place, card), inputs, out, card_text(card))
    weights = dataclasses.replace(card.weights, file=out.name, sha256=written.sha256)
    write_whole(beside, card_text(dataclasses.replace(card, weights=weights)).encode())
    return written


def _export_restorer(place: Traversable, card: RestorerCard, out: Path) -> Exported:
    faces = interpolate(to_float(drawn_faces()), card.size, mode="bilinear", antialias=True)
    return write(load_network(place, card), faces, out, card_text(card))
