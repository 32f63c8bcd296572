"""Images per second of a whole ``evaluate`` (files to scores, empty store) against the bare ONNX session.

    python benchmarks/pipeline.py --data LFW --onnx mobilefacenet.onnx --out pipeline.json

Both run in turn, same batch, same threads, the bare session on an array that is already cropped, converted and in
memory. The ratio of each round is what counts: the whole against the mean of the bare runs before and after it, because
a shared machine's speed drifts.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

import click
import numpy as np
import onnxruntime

from recog_restore.datasets.opening import open_dataset
from recog_restore.embed.onnx import OnnxEmbedder
from recog_restore.engine import evaluate
from recog_restore.engine.acquire import Acquisition, load
from recog_restore.engine.embeddings import Settings
from recog_restore.engine.plan import make
from recog_restore.faces import to_float
from recog_restore.protocol import load as load_protocol
from recog_restore.store import Store


@click.command()
@click.option("--data", required=True, type=click.Path(path_type=Path), help="The LFW folder.")
@click.option("--onnx", required=True, type=click.Path(path_type=Path))
@click.option("--batch", default=32, show_default=True)
@click.option("--threads", default=os.cpu_count(), show_default=True)
@click.option("--workers", default=0, show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option("--limit", type=int, help="Comparisons; all by default.")
@click.option("--out", type=click.Path(path_type=Path))
def main(
    data: Path, onnx: Path, batch: int, threads: int, workers: int, rounds: int, limit: int | None, out: Path | None
) -> None:
    protocol, dataset = load_protocol("lfw"), open_dataset("lfw", data)
    plan = make(protocol, dataset, limit=limit, allow_missing=False)
    embedder = OnnxEmbedder(onnx, "cpu", threads)
    array = prepared(plan, embedder, batch)
    session = bare_session(onnx, threads)
    run_bare(session, array[: 4 * batch], batch)
    records, before = [], run_bare(session, array, batch)
    for number in range(rounds):
        whole = len(array) / run_whole(protocol, dataset, embedder, Settings(batch, workers, "cpu"), limit)
        after = run_bare(session, array, batch)
        bare, before = 2 * len(array) / (before + after), after
        records.append({"bare": bare, "whole": whole, "ratio": whole / bare})
        click.echo(f"round {number + 1}: bare {bare:.1f}, whole {whole:.1f} images/s, ratio {whole / bare:.3f}")
    median = {key: statistics.median(r[key] for r in records) for key in records[0]}
    click.echo(f"median: bare {median['bare']:.1f}, whole {median['whole']:.1f} images/s, ratio {median['ratio']:.3f}")
    if out is not None:
        settings = {"images": len(array), "batch": batch, "threads": threads, "workers": workers, "model": onnx.name}
        machine = {"cpu_count": os.cpu_count(), "platform": platform.platform(), "onnxruntime": onnxruntime.__version__}
        out.write_text(
            json.dumps({"settings": settings, "machine": machine, "rounds": records, "median": median}, indent=1)
        )


def prepared(plan: object, embedder: OnnxEmbedder, batch: int) -> np.ndarray:
    acquisition = Acquisition(plan.samples, plan.jobs, None, 0)
    batches = [list(range(i, min(i + batch, len(plan.jobs)))) for i in range(0, len(plan.jobs), batch)]
    return np.concatenate([embedder.prepare(to_float(c.pixels)).numpy() for c in load(acquisition, batches, 1)])


def bare_session(onnx: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])


def run_bare(session: onnxruntime.InferenceSession, array: np.ndarray, batch: int) -> float:
    name = session.get_inputs()[0].name
    began = time.perf_counter()
    for start in range(0, len(array), batch):
        session.run(None, {name: array[start : start + batch]})
    return time.perf_counter() - began


def run_whole(
    protocol: object, dataset: object, embedder: OnnxEmbedder, settings: Settings, limit: int | None
) -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        evaluate(protocol, dataset, embedder, store=Store(Path(folder)), settings=settings, limit=limit, faces=0)
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
