"""``rr-eval``: run a protocol."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from .base import (
    BATCH,
    MOST_DRAWS,
    MOST_FACES,
    MOST_THREADS,
    MOST_WORKERS,
    SEED,
    SETTINGS,
    SYNTHPIE_EMBEDDER,
    Command,
    numbers,
)

_SECTIONS = {
    "What is compared": ("protocol", "data", "embedder", "pre", "features", "detector"),
    "Only where it helps (docs/does-it-help.md)": ("gates", "fusions", "fit", "drift", "judges"),
    "How it is measured": (
        "by",
        "changes",
        "trust_code",
        "compat",
        "search",
        "folds",
        "limit",
        "seed",
        "allow_missing",
        "synthpie_size",
    ),
    "What the report shows": ("out", "as_json", "faces", "draws", "domains"),
    "How it is computed": ("device", "batch", "workers", "threads", "store"),
}


def _folds(_: click.Context, __: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    return numbers(text, "folds from 1")


@click.command(cls=Command, context_settings=SETTINGS, sections=_SECTIONS)
@click.option("--protocol", required=True, metavar="NAME", help="A protocol by name (rr-data list), or a .toml file.")
@click.option(
    "--data",
    metavar="PATH",
    help="Folder or .bin package; without it, what rr-data add has registered, or the protocol's stand-in.",
)
@click.option(
    "--embedder",
    metavar="SPEC",
    help="onnx:FILE, insightface:NAME, card:FOLDER, python:module:Class or a name (rr-models list); "
    "options follow as ,key=value: flip=sum, colour=bgr, range=-1..1, crop=arcface-112.  "
    f"[default on SynthPIE: {SYNTHPIE_EMBEDDER}]",
)
@click.option(
    "--pre",
    multiple=True,
    metavar="SPEC",
    help="A preprocessor: bicubic-down8, clahe, gamma, a restorer by name (rr-models list), card:FOLDER, onnx:FILE, "
    "python:module:Class; a+b is a chain; NAME=SPEC names it in the tables. "
    "May be repeated; the untouched baseline is always there.",
)
@click.option(
    "--features",
    multiple=True,
    metavar="FILE",
    help="Embeddings that another tool made (.npy, or .safetensors with names), in place of images and --embedder; "
    "NAME=FILE for those of a preprocessor. May be repeated.",
)
@click.option(
    "--gate",
    "gates",
    multiple=True,
    metavar="GATE",
    help="Faces that --pre may touch: none (all of them), size<24, yaw>45, quality<80 (the sharpness), norm<18, "
    "drift<0.3, onnx:FILE<0.4 (a quality network), joined by ' and '; or learned:FILE. All others keep their original. "
    "May be repeated: one pipeline each.",
)
@click.option(
    "--fuse",
    "fusions",
    multiple=True,
    type=click.Choice(["replace", "mean", "norm-weighted", "max-score"]),
    help="What becomes of the embeddings of the untouched and the preprocessed face. May be repeated.  "
    "[default: replace]",
)
@click.option(
    "--fit-gate",
    "fit",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Learn a gate on half of the subjects, write it, and evaluate on the other half, with it and without.",
)
@click.option("--drift", is_flag=True, help="Measure how far each face moves, and from its clean original if degraded.")
@click.option(
    "--judge",
    "judges",
    multiple=True,
    metavar="SPEC",
    help="Measure the drift by this embedder as well: one that no loss used. May be repeated.",
)
@click.option("--detector", metavar="SPEC", help="yunet:FILE or scrfd:FILE, instead of the data set's landmarks.")
@click.option(
    "--by",
    multiple=True,
    metavar="LABEL",
    help="Break the numbers down by a label of the data set, or by size, yaw, quality or another quality score. May be "
    "repeated.",
)
@click.option(
    "--search",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "exact", "faiss-flat", "faiss-hnsw", "faiss-ivf"]),
    help="What searches a gallery; hnsw and ivf are approximate.",
)
@click.option(
    "--synthpie-size", type=click.Choice(["small", "full"]), help="How much of SynthPIE is rendered.  [default: small]"
)
@click.option("--folds", callback=_folds, metavar="LIST", help="Only these folds, from 1: 1-8 or 1,3,5.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Only N comparisons (or searches), spread evenly."
)
@click.option(
    "--compat",
    multiple=True,
    type=click.Choice(
        ["insightface", "nearest", "insightface-merged", "insightface-ijb-evals", "keras-insightface", "adaface"]
    ),
    help="Other people's definitions; those of IJB-B and IJB-C tables stand beside ours.",
)
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a key of the protocol: faces.failure=exclude."
)
@click.option("--trust-code", is_flag=True, help="Let the protocol's file run the Python code that it names.")
@click.option(
    "--seed",
    type=SEED,
    metavar="N",
    help="Seed of what is drawn: a degradation, the pairs of a folder, the halves of --fit-gate.",
)
@click.option("--allow-missing", is_flag=True, help="Score listed images that are not there as failures to acquire.")
@click.option("--device", default="auto", show_default=True, metavar="DEVICE", help="auto, cpu, cuda or cuda:1.")
@click.option("--batch", default=32, show_default=True, type=BATCH, help="Faces embedded at once.")
@click.option(
    "--workers",
    type=click.IntRange(0, MOST_WORKERS),
    metavar="N",
    help="Decoding or rendering processes.  [default: 0 on cpu for files]",
)
@click.option(
    "--threads",
    type=click.IntRange(1, MOST_THREADS),
    metavar="N",
    help="CPU threads of a network.  [default: its own choice]",
)
@click.option(
    "--faces",
    default=6,
    show_default=True,
    type=click.IntRange(0, MOST_FACES),
    help="Fixed and broken decisions, confusions, gains and losses shown with their faces, each; 0 shows nobody.",
)
@click.option(
    "--draws",
    default=1000,
    show_default=True,
    metavar="N",
    type=click.IntRange(0, MOST_DRAWS),
    help="Draws of the subjects, behind intervals and differences, 100,000 at most; 0: none of them, which is faster.",
)
@click.option(
    "--domains",
    default=0,
    type=click.IntRange(0, MOST_FACES),
    metavar="N",
    help="Map the features of N people's probes with each --pre, by t-SNE, in the report.",
)
@click.option(
    "--store", type=click.Path(path_type=Path), metavar="DIR", help="Where embeddings are kept.  [default: the cache]"
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder of the result.  [default: runs/…]")
@click.option("--json", "as_json", is_flag=True, help="Print the values as JSON.")
def evaluate(**options: Any) -> None:
    """Run a protocol: the untouched baseline, and every --pre beside it.

    \b
    rr-eval --protocol multipie-setting2 --pre clahe
    rr-eval --protocol lfw --data LFW --embedder onnx:arcface.onnx,flip=sum --pre bicubic-down8
    """  # noqa: D301  # click's mark for a paragraph that is not wrapped
    from .running import run

    run(**options, command=[Path(sys.argv[0]).name, *sys.argv[1:]])
