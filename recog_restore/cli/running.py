"""What ``rr-eval`` does once its options are parsed: open, say what runs on what, evaluate, write, print."""

from __future__ import annotations

import dataclasses
import os
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
import torch
from rich.console import Console

from ..datasets import Dataset
from ..datasets.opening import open_dataset
from ..datasets.registered import registered
from ..embed import Embedder
from ..embed.spec import create as create_embedder
from ..engine import evaluate
from ..engine.embeddings import Settings
from ..errors import DataError, RecordError
from ..preprocess.spec import create as create_preprocessor
from ..protocol import Protocol, load
from ..report import html, tables
from ..resources import cache_folder
from ..results import Result
from ..store import Store
from .bars import Bars


def run(
    *,
    protocol: str,
    data: str | None,
    embedder: str,
    pre: Sequence[str],
    detector: str | None,
    by: Sequence[str],
    folds: Sequence[int],
    limit: int | None,
    compat: Sequence[str],
    changes: Sequence[str],
    seed: int | None,
    allow_missing: bool,
    device: str,
    batch: int,
    workers: int | None,
    threads: int | None,
    faces: int,
    store: Path | None,
    out: Path | None,
    as_json: bool,
    command: Sequence[str],
) -> None:
    """Run a protocol as the options of ``rr-eval`` say, write ``result.json`` and ``report.html``, print the table."""
    named = {"data.folds": folds, "compat": compat, "breakdowns": by}
    question = load(protocol, [*changes, *(f"{key}={list(value)}" for key, value in named.items() if value)])
    if seed is not None:
        question = _seeded(question, seed)
    device = _device(device)
    settings = Settings(batch, _workers(device) if workers is None else workers, device)
    recognizer = create_embedder(embedder, settings.device, threads)
    preprocessors = [create_preprocessor(text, settings.device, threads) for text in pre]
    dataset = opened(question, data)
    out = out or Path("runs") / _slug(f"{question.name}-{recognizer.card.name}")
    _writable(out)
    click.echo(_first_line(question, str(dataset.root), recognizer, pre, settings), err=as_json)
    with Bars() as progress:
        result = evaluate(
            question,
            dataset,
            recognizer,
            preprocessors,
            store=Store(store or cache_folder() / "store"),
            settings=settings,
            detector=detector,
            limit=limit,
            allow_missing=allow_missing,
            faces=faces,
            command=command,
            progress=progress,
        )
    _write(result, out)
    if as_json:
        click.echo(tables.json([result]), nl=False)
    else:
        Console().print(tables.summary(result))
        for line in _remarks(result):
            click.echo(line)
        click.echo(f"result: {out / 'result.json'}\nreport: {out / 'report.html'}")


def _remarks(result: Result) -> list[str]:
    """Return the warnings of a run, the reasons of failures by count, and what stands only in the report."""
    reasons = Counter(f"{f.stage}: {f.reason}" for f in result.failures)
    parts = sorted({key for value in result.values for key in value.where if key != "fold"})
    return [
        *(f"warning: {text}" for text in result.warnings),
        *(f"failed {count:,} × {reason}" for reason, count in reasons.most_common(5)),
        *(f"by {part}: see the report" for part in parts),
    ]


def _writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise DataError(
            f"{out}: the result cannot be written ({error.strerror}); name another folder with --out"
        ) from None


def _write(result: Result, out: Path) -> None:
    try:
        result.write(out / "result.json")
    except OSError as error:
        raise DataError(f"{out}: the result cannot be written ({error.strerror})") from None
    html.write([result], out / "report.html")


def opened(protocol: Protocol, path: str | None) -> Dataset:
    """Return the protocol's data set at a path, or where it is registered.

    Raises:
        RecordError: no path is given and none is registered.
    """
    name = protocol.data.dataset
    root = Path(path) if path is not None else registered().get(name)
    if root is None:
        raise RecordError(
            f"{protocol.id} needs the data set {name!r}: say where it is with --data PATH, or once for all with "
            f"rr-data add {name} PATH"
        )
    return open_dataset(name, root, **protocol.data.options)


def _first_line(protocol: Protocol, root: str, embedder: Embedder, pre: Sequence[str], settings: Settings) -> str:
    against = f"none against {', '.join(pre)}" if pre else "none (the baseline)"
    degraded = f", faces degraded by {protocol.degradation.name}" if protocol.degradation else ""
    if settings.device == "cpu":
        place = f"cpu, {os.cpu_count()} cores"
    else:
        place = f"{settings.device} ({torch.cuda.get_device_name(settings.device)})"
    return (
        f"{protocol.id} on {root}{degraded} · {embedder.card.name}: {embedder.card.words()} · {against} · "
        f"{place}, batch {settings.batch}, {settings.workers or 'no'} decoding processes"
    )


def _device(name: str) -> str:
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name != "cpu" and not re.fullmatch(r"cuda(:\d+)?", name):
        raise RecordError(f"--device {name}: expected auto, cpu, cuda or cuda:1")
    if name != "cpu" and not torch.cuda.is_available():
        raise RecordError(f"--device {name}: this torch sees no CUDA device; use --device cpu")
    return name


def _workers(device: str) -> int:
    """Return how many processes decode ahead: none where the network itself runs on the cores."""
    return 0 if device == "cpu" else min(8, max(1, (os.cpu_count() or 2) // 2))


def _slug(text: str) -> str:
    return re.sub(r"[^\w.+-]+", "-", text)


def _seeded(protocol: Protocol, seed: int) -> Protocol:
    """Return the protocol with the seed of its degradation, or of what its data set draws, changed."""
    if protocol.degradation is not None:
        return dataclasses.replace(protocol, degradation=dataclasses.replace(protocol.degradation, seed=seed))
    if protocol.data.dataset == "folder":
        options = {**protocol.data.options, "seed": seed}
        return dataclasses.replace(protocol, data=dataclasses.replace(protocol.data, options=options))
    raise RecordError(f"--seed {seed}: nothing in {protocol.id} is drawn at random")
