"""``rr-restore``: restore the faces of photos."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from ..errors import RecordError
from .base import BATCH, JUDGE, SETTINGS, Command, Number


@click.command(
    cls=Command,
    context_settings=SETTINGS,
    interrupted="what is written is kept; the same command begins again with the first photo",
)
@click.argument("source", metavar="IN")
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--pre",
    required=True,
    metavar="SPEC",
    help="What restores a face: a name (rr-models list), card:FOLDER, onnx:FILE, python:module:Class; a+b is a chain.",
)
@click.option("--strength", type=Number(0, 1), metavar="S", help="0 is the input, 1 the output (of a chain's last).")
@click.option("--detector", metavar="SPEC", help="yunet:FILE or scrfd:FILE: finds the faces of a photo.")
@click.option("--aligned", is_flag=True, help="Each file is an aligned crop: 128×128, 112×112 or 112×96 pixels.")
@click.option(
    "--gate",
    default="none",
    show_default=True,
    metavar="GATE",
    help="Restore only faces for which this holds: size<24, yaw>45, quality<80, onnx:FILE<0.4; joined by ' and '.",
)
@click.option(
    "--colours",
    type=click.Choice(["photo", "network"]),
    default="photo",
    show_default=True,
    help="Whose colours and light a face in a photo has after a restorer (task restore). Crops: the network's.",
)
@click.option("--compare", is_flag=True, help="Also write NAME.compare.png: every face before and after.")
@click.option("--drift", is_flag=True, help="Measure how far each face was moved: drift.csv and drift.png.")
@click.option(
    "--judge",
    "judges",
    multiple=True,
    metavar="SPEC",
    help=f"Measure the drift by this embedder: one that no loss used. May be repeated.  "
    f"[default with --aligned: {JUDGE}]",
)
@click.option("--device", default="auto", show_default=True, metavar="DEVICE", help="auto, cpu, cuda or cuda:1.")
@click.option("--batch", default=16, show_default=True, type=BATCH, help="Faces restored at once.")
def restore(
    source: str,
    out: Path,
    pre: str,
    strength: float | None,
    detector: str | None,
    aligned: bool,
    gate: str,
    colours: Literal["photo", "network"],
    compare: bool,
    drift: bool,
    judges: tuple[str, ...],
    device: str,
    batch: int,
) -> None:
    """Restore every face in IN, a photo, a folder or a quoted pattern, and write the photos into the folder OUT.

    NAME.png is the photo with its faces pasted back, marked as synthesized; NAME.json says what was done to which face.
    Faces are restored at 128×128 pixels, so larger ones lose detail. A photo of which no face is restored is copied,
    byte for byte; of one that failed, nothing is written. What an earlier run wrote of the same photos is replaced or
    removed; files of anybody else are not overwritten. Exits with 1 if one failed.

    \b
    rr-restore photos restored --pre onnx:restorer.onnx --detector yunet:face_detection_yunet_2023mar.onnx --compare
    rr-restore "crops/*.png" restored --pre onnx:restorer.onnx --aligned
    """  # noqa: D301  # click's mark for a paragraph that is not wrapped
    if drift and not judges and detector is not None:
        raise RecordError(
            f"--drift: photos need a judge that knows real faces, as --judge SPEC; {JUDGE} knows rendered people only"
        )
    from .restoring import run

    run(
        source,
        out,
        pre=pre,
        strength=strength,
        detector=detector,
        aligned=aligned,
        gate=gate,
        colours=colours,
        compare=compare,
        judges=judges or ((JUDGE,) if drift else ()),
        device=device,
        batch=batch,
    )
