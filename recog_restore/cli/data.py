"""``rr-data``: data sets and protocols."""

from __future__ import annotations

from pathlib import Path

import click

from .base import SETTINGS, Command, Group


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
        click.echo(f"{click.style(name, bold=True)}{' ' * (24 - len(name))}{record.title}")
        click.echo(f"{' ' * 24}data set {record.data.dataset}: {places.get(record.data.dataset, 'not registered')}")


@data.command(cls=Command)
@click.argument("protocol")
@click.argument("path", required=False)
def check(protocol: str, path: str | None) -> None:
    """Compare what lies at PATH (or is registered) with the official counts of a PROTOCOL's data set.

    Exits with 1 if something is missing or differs.
    """
    from .. import protocol as protocols
    from .running import opened

    dataset = opened(protocols.load(protocol), path)
    findings = dataset.check()
    for finding in findings:
        mark = click.style("ok  ", fg="green") if finding.ok else click.style("NOT ", fg="red")
        click.echo(f"{mark} {finding.what}: expected {finding.expected}, found {finding.found}")
        if not finding.ok and finding.way_out:
            click.echo(f"     {finding.way_out}")
    if not all(finding.ok for finding in findings):
        raise click.exceptions.Exit(1)


@data.command(cls=Command)
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path))
def add(name: str, path: Path) -> None:
    """Register the data set NAME at PATH: a folder, or a .bin package."""
    from ..datasets.registered import register

    click.echo(f"{name}: {register(name, path)}")


@data.command(cls=Command)
@click.argument("name")
def remove(name: str) -> None:
    """Forget where the data set NAME is; its files stay."""
    from ..datasets.registered import unregister

    unregister(name)


@data.command(cls=Command)
@click.argument("name", type=click.Choice(["lfw"]))
@click.option(
    "--home", type=click.Path(path_type=Path), metavar="DIR", help="Where it is kept.  [default: scikit-learn's]"
)
def fetch(name: str, home: Path | None) -> None:
    """Download a data set that may be downloaded, with scikit-learn's downloader, and register it."""
    from ..datasets.fetch import fetch_lfw
    from ..datasets.registered import register

    click.echo(f"{name}: {register(name, fetch_lfw(home))}")


@data.command(cls=Command)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR")
@click.option("--people", default=40, show_default=True, type=click.IntRange(min=20))
@click.option("--images", default=4, show_default=True, type=click.IntRange(min=2), help="Images of each person.")
@click.option("--seed", default=0, show_default=True)
def draw(out: Path, people: int, images: int, seed: int) -> None:
    """Draw cartoon faces in LFW's layout, for trying out the toolkit: never a measurement."""
    from ..datasets.drawn import draw as draw_faces

    draw_faces(out, people=people, images=images, seed=seed)
    click.echo(
        f"{out}: {people * images} cartoon faces of {people} people; a number from them says nothing of real faces"
    )
