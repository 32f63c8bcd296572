"""``rr-data``: data sets and protocols."""

from __future__ import annotations

from pathlib import Path

import click

from .base import MOST_WORKERS, SEED, SETTINGS, Command, Group, Number, numbers, words
from .terminal import say


@click.group(cls=Group, context_settings=SETTINGS)
def data() -> None:
    """List protocols and data sets, check what lies on disk, register it, fetch it."""


@data.command("list")
def list_() -> None:
    """List the protocols, what they need, and where it is registered."""
    from .. import protocol as protocols
    from ..datasets.registered import registered

    places = registered()
    for name in protocols.known():
        record = protocols.load(name)
        otherwise = f"not registered: {record.data.stand_in} stands in" if record.data.stand_in else "not registered"
        say(f"{' ' * (24 - len(name))}{record.title}", lead=click.style(name, bold=True))
        say(f"{' ' * 24}data set {record.data.dataset}: {places.get(record.data.dataset, otherwise)}")


@data.command(cls=Command)
@click.argument("name")
@click.argument("path", required=False)
def check(name: str, path: str | None) -> None:
    """Compare what lies at PATH (or is registered) with the official counts of a data set, or of a protocol's.

    Of a protocol, it also says what rr-eval would warn of or refuse. Exits with 1 if something is missing or differs,
    or would be refused.
    """
    from ..datasets import DATASETS
    from ..engine.suspects import examine
    from ..errors import DataError
    from ..protocol import known
    from .bars import Bars
    from .running import named, opened

    protocol, dataset = opened(named(name), path)
    if dataset.note:
        say(dataset.note)
    findings = dataset.check()
    for finding in findings:
        mark = click.style("ok  ", fg="green") if finding.ok else click.style("NOT ", fg="red")
        say(f" {finding.what}: expected {finding.expected}, found {finding.found}", lead=mark)
        if not finding.ok and finding.way_out:
            say(f"     {finding.way_out}")
    refused = not all(finding.ok for finding in findings)
    if name not in DATASETS or name in known():
        try:
            with Bars() as progress:
                warnings = examine(protocol, dataset, progress)
            for text in warnings:
                say(f"warning: {text}")
        except DataError as error:
            say(f" rr-eval refuses it: {error}", lead=click.style("NOT ", fg="red"))
            refused = True
    if refused:
        raise click.exceptions.Exit(1)


@data.command(cls=Command)
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path))
def add(name: str, path: Path) -> None:
    """Register a data set (or that of a protocol) at PATH: a folder, or a .bin package.

    Refuses what its reader cannot read, and says what rr-data check would find.
    """
    from ..datasets.registered import place_of, register
    from .running import named, opened

    protocol = named(name)
    root = place_of(protocol.data.dataset, path)
    _, dataset = opened(protocol, str(root))
    wrong = [finding for finding in dataset.check() if not finding.ok]
    say(f"{protocol.data.dataset}: {register(protocol.data.dataset, root)}")
    for finding in wrong:
        say(f"warning: {finding.what}: expected {finding.expected}, found {finding.found}", err=True)


@data.command(cls=Command)
@click.argument("name")
def remove(name: str) -> None:
    """Forget where a data set (or that of a protocol) is; its files stay."""
    from ..datasets.registered import unregister
    from .running import named

    unregister(named(name).data.dataset)


@data.command(cls=Command)
@click.argument("name", type=click.Choice(["lfw"]))
@click.option(
    "--home", type=click.Path(path_type=Path), metavar="DIR", help="Where it is kept.  [default: scikit-learn's]"
)
def fetch(name: str, home: Path | None) -> None:
    """Download a data set that may be downloaded, with scikit-learn's downloader, and register it."""
    from ..datasets.fetch import fetch_lfw
    from ..datasets.registered import register

    say(f"{name}: {register(name, fetch_lfw(home))}")


@data.command(cls=Command)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR")
@click.option("--people", default=40, show_default=True, type=click.IntRange(20, 10_000))
@click.option("--images", default=4, show_default=True, type=click.IntRange(2, 1000), help="Images of each person.")
@click.option("--seed", default=0, show_default=True, type=SEED)
def draw(out: Path, people: int, images: int, seed: int) -> None:
    """Draw cartoon faces in LFW's layout, for trying out the toolkit: never a measurement."""
    from ..datasets.drawn import draw as draw_faces

    draw_faces(out, people=people, images=images, seed=seed)
    say(f"{out}: {people * images} cartoon faces of {people} people; a number from them says nothing of real faces")


def _numbers(_: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    """Parse ``1-8`` or ``1,3,5``."""
    return numbers(text, f"{parameter.name} from 1")


def _words(_: click.Context, __: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    return words(text)


@data.command(cls=Command)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A new folder, or to go on.")
@click.option("--size", default="small", show_default=True, type=click.Choice(["small", "full"]))
@click.option("--subjects", callback=_numbers, metavar="LIST", help="Only these people: 1-20 or 1,3,5.")
@click.option("--sessions", callback=_numbers, metavar="LIST", help="Only these sessions.")
@click.option("--recordings", callback=_numbers, metavar="LIST", help="Only these recordings.")
@click.option("--cameras", callback=_words, metavar="LIST", help="Only these cameras: 05_1,24_0.")
@click.option("--illuminations", callback=_words, metavar="LIST", help="Only these illuminations: 06,07.")
@click.option(
    "--workers", type=click.IntRange(1, MOST_WORKERS), metavar="N", help="Rendering processes.  [default: every core]"
)
def synthpie(
    out: Path,
    size: str,
    subjects: tuple[int, ...] | None,
    sessions: tuple[int, ...] | None,
    recordings: tuple[int, ...] | None,
    cameras: tuple[str, ...] | None,
    illuminations: tuple[str, ...] | None,
    workers: int | None,
) -> None:
    """Render SynthPIE, or a part of it, as PNG in Multi-PIE's names and layout, with landmarks.csv.

    Pictures that are there already are kept: after an interruption, the same command goes on.
    """
    import os
    from typing import Any, cast

    from ..datasets.synthpie_tree import Part, write
    from .bars import Bars

    part = Part(cast(Any, size), subjects, sessions, recordings, cameras, illuminations)
    chosen = part.names()
    with Bars() as progress:
        progress.start("render", len(chosen))
        write(out, chosen, workers or os.cpu_count() or 1, progress.advance)
    say(f"{out}: {len(chosen):,} pictures of rendered people; read them with --data {out}")


@data.command(cls=Command)
@click.argument("layout", type=click.Choice(["ijbc", "ijbb", "tinyface", "lfw", "multipie"]))
@click.option(
    "--from", "source", required=True, metavar="NAME", help="The data set whose faces are taken, or that of a protocol."
)
@click.option("--data", "path", metavar="PATH", help="Where that data set is, if it is not registered.")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A new folder.")
@click.option("--people", type=click.IntRange(min=1), metavar="N", help="So many people.  [default: the layout's]")
@click.option("--images", type=click.IntRange(min=1), metavar="N", help="Images of each.  [default: the layout's]")
@click.option("--seed", default=0, show_default=True, type=SEED)
def mimic(
    layout: str, source: str, path: str | None, out: Path, people: int | None, images: int | None, seed: int
) -> None:
    """Write a small, valid set in the exact file format of another, made of any faces at hand.

    For tests, for tutorials, and while waiting for a licence: a number from it is never one of the set it imitates.
    """
    from .bars import Bars
    from .mimicking import imitate

    with Bars() as progress:
        mark, runs = imitate(layout, source, path, out, people or 0, images or 0, seed, progress)
    say(f"{out}: {mark.note}")
    for run in runs:
        say(f"rr-eval {run} --data {out}")


@data.command("low-quality", cls=Command)
@click.option("--from", "source", required=True, metavar="NAME", help="A data set with comparisons, or its protocol.")
@click.option("--data", "path", metavar="PATH", help="Where that data set is, if it is not registered.")
@click.option(
    "--quality",
    required=True,
    metavar="SPEC",
    help="sharpness, scores:FILE.csv or python:module:Class; higher is better.",
)
@click.option("--below", required=True, type=Number(), metavar="X", help="Both images must score less.")
@click.option(
    "--nonmated", default=1, show_default=True, type=click.IntRange(1, 1000), help="For each mated comparison."
)
@click.option("--seed", default=0, show_default=True, type=SEED)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A new folder.")
def low_quality(source: str, path: str | None, quality: str, below: float, nonmated: int, seed: int, out: Path) -> None:
    """Choose the comparisons of low-quality images of a data set, and write them as a list (IJBC-Lq).

    The list is a csv data set: rr-eval --protocol ijbc-lq --data DIR runs it.
    """
    from .bars import Bars
    from .mimicking import choose_low_quality

    with Bars() as progress:
        chosen = choose_low_quality(source, path, quality, below, nonmated, seed, out, progress)
    say(
        f"{out}: {len(chosen.mated):,} comparisons, {int(chosen.mated.sum()):,} of them mated, of "
        f"{chosen.candidates:,} under {below:g}"
    )
