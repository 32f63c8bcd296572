"""``rr-models``: embedders, restorers and their cards."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import as_file
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from .base import SETTINGS, Command, Group, Number
from .terminal import say


@click.group(cls=Group, context_settings=SETTINGS)
def models() -> None:
    """List embedders and restorers, show cards, convert checkpoints, check that a card is right."""


@models.command("list", cls=Command)
def list_() -> None:
    """List what stands after --embedder, --pre and --detector."""
    from ..detect import DETECTORS
    from ..embed.spec import KINDS, names
    from ..networks import NETWORKS, RESTORERS
    from ..networks.cards import shipped
    from ..preprocess import PREPROCESSORS
    from ..preprocess.spec import KINDS as PRE_KINDS

    for title, entries in (
        ("--embedder", [*_with_arguments(KINDS), *names()]),
        ("--pre", [*_with_arguments(PRE_KINDS), *map(_with_options, PREPROCESSORS), *sorted(shipped("restorer"))]),
        ("--detector", [f"{name}:FILE" for name in DETECTORS]),
        ("networks for rr-models convert", [name for name in NETWORKS if name not in RESTORERS]),
    ):
        say(f"{title}: {', '.join(entries)}")


def _with_arguments(kinds: Mapping[str, tuple[str, str]]) -> list[str]:
    return [*(f"{kind}:{parameter.upper()}" for kind, (_, parameter) in kinds.items()), "python:MODULE:CLASS"]


def _with_options(name: str) -> str:
    import inspect

    from ..preprocess import PREPROCESSORS

    factory, given = PREPROCESSORS.factory(name.replace("{n}", "2"))
    options = [p for p in inspect.signature(factory).parameters.values() if p.name not in given]
    return f"{name} ({', '.join(f'{p.name}={p.default}' for p in options)})"


@models.command(cls=Command)
@click.argument("spec")
def show(spec: str) -> None:
    """Show the card of an embedder or a restorer: what it wants, where it comes from, what was measured."""
    from ..embed.spec import create
    from ..networks.cards import read_restorer_card
    from ..networks.toml import card_text

    folder = _restorer(spec)
    card = read_restorer_card(folder.joinpath("card.toml")) if folder is not None else create(spec).card
    say(f"# {card.words()}\n{card_text(card)}", nl=False)


def _restorer(spec: str) -> Traversable | None:
    """Return the folder of a restorer, ``card:FOLDER`` or a name that the package brings; None of an embedder.

    Raises:
        UnknownName: a name that neither has.
    """
    from ..embed.spec import KINDS, names
    from ..errors import UnknownName
    from ..networks.cards import RestorerCard, kind_of, shipped
    from ..records import nearest
    from ..spec import parse_spec

    named = parse_spec(spec)
    known = [*shipped("restorer"), *names()]
    if not named.argument and named.name not in (*known, *KINDS):
        raise UnknownName(f"no embedder or restorer named {named.name!r}; {nearest(named.name, known)}")
    folder = Path(named.argument) if named.name == "card" else shipped("restorer").get(named.name)
    if folder is None or not (card := folder.joinpath("card.toml")).is_file():
        return None
    return folder if kind_of(card) == RestorerCard.kind else None


@models.command(cls=Command)
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("--network", metavar="NAME", help="Its architecture.  [default: found by the names of its tensors]")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A new folder.")
@click.option("--name", help="The embedder's name.  [default: the folder's]")
@click.option("--crop", metavar="CROP", help="arcface-112, sphereface-112x96 or canonical-128.")
@click.option("--colour", type=click.Choice(["rgb", "bgr", "grey"]))
@click.option("--mean", type=Number(), help="(x − mean) / std, x in 0..255.")
@click.option("--std", type=Number(min=0, min_open=True))
@click.option("--flip", type=click.Choice(["none", "sum", "mean", "concat"]), default="none", show_default=True)
def convert(
    checkpoint: Path,
    network: str | None,
    out: Path,
    name: str | None,
    crop: str | None,
    colour: str | None,
    mean: float | None,
    std: float | None,
    flip: str,
) -> None:
    """Turn a torch CHECKPOINT into card, safetensors and golden tensors; nothing in the checkpoint is run."""
    from typing import Any, cast

    from ..embed.convert import convert as convert_checkpoint
    from ..networks.cards import read_card

    folder = convert_checkpoint(
        checkpoint,
        network,
        out,
        name=name,
        crop=crop,
        colour=cast(Any, colour),
        mean=mean,
        std=std,
        flip=cast(Any, flip),
    )
    card = read_card(folder / "card.toml")
    say(f"{folder}: {card.network}, {card.weights.parameters:,} parameters; {card.words()}")
    say(f"use it with --embedder card:{folder}; check it on faces with rr-models check card:{folder}")


@models.command(cls=Command)
@click.argument("spec")
@click.option("--protocol", default="lfw", show_default=True, metavar="NAME", help="Whose data set the faces are from.")
@click.option("--data", metavar="PATH", help="Where it is, if it is not registered.")
@click.option("--detector", metavar="SPEC", help="yunet:FILE or scrfd:FILE, instead of the data set's landmarks.")
@click.option("--faces", default=300, show_default=True, type=click.IntRange(10, 100_000), help="How many faces.")
def check(spec: str, protocol: str, data: str | None, detector: str | None, faces: int) -> None:
    """Find out on real faces whether an embedder's card is right about colour order, range and crop.

    Exits with 1 if the card is probably wrong, or if nobody is told apart whatever it says. For card:FOLDER the golden
    tensors are checked first; of a restorer, they alone.
    """
    from ..preprocess.folder import verify as verify_restorer

    if (folder := _restorer(spec)) is not None:
        with as_file(folder) as place:
            say(f"golden faces hold, largest deviation {verify_restorer(place):.2g}")
        return
    from ..embed.convert import verify
    from ..embed.selfcheck import refuted, separates, verdict
    from ..embed.spec import create
    from ..engine.checking import check_card
    from .running import named, opened

    embedder = create(spec)
    if spec.startswith("card:"):
        say(f"golden tensors hold, largest deviation {verify(Path(spec.partition(':')[2].partition(',')[0])):.2g}")
    _, dataset = opened(named(protocol), data)
    variants = check_card(embedder, dataset, faces, detector)
    say("separation d'  better in  cosine with declared")
    for v in variants:
        say(f"{v.separation:13.2f}  {v.better:9.0%}  {v.cosine:20.3f}  {v.name}: {v.input}")
    say(verdict(variants))
    if refuted(variants) or not separates(variants):
        raise click.exceptions.Exit(1)
