"""``rr-export``: a network with a card as an ONNX file."""

from __future__ import annotations

from pathlib import Path

import click

from .base import SETTINGS, Command


@click.command(cls=Command, context_settings=SETTINGS)
@click.argument("name")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE.onnx", help="A new file.")
def export(name: str, out: Path) -> None:
    """Write embedder or restorer NAME, or card:FOLDER, as ONNX for batches of any size.

    The output is compared with torch's, and the file is written only if they differ by less than 1e-4. Its card is
    written beside it (FILE.toml), so that onnx:FILE.onnx gives the same embeddings or faces and says what made them.
    """
    from .exporting import run

    run(name, out)
