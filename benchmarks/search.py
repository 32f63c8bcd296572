"""Seconds of a search of P × D probes in a gallery of G × D, by each backend, against plain faiss in the same run.

    python benchmarks/search.py --out search.json
    python benchmarks/search.py --gallery 100000 --probes 1000 --backend exact

Plain faiss is ``IndexFlatIP.search`` on the same arrays with as many threads. All take turns with slices of the
probes, and the median of the turns' ratios is what counts: a shared machine's speed drifts. Building is timed too, and
the recall stands beside the seconds.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import time
from pathlib import Path

import click
import faiss
import numpy as np
import torch

from recog_restore.search import GALLERIES, Gallery, create, recall

PLAIN = "plain faiss"


@click.command()
@click.option("--gallery", "rows", default=1_000_000, show_default=True)
@click.option("--probes", default=10_000, show_default=True)
@click.option("--width", default=512, show_default=True)
@click.option("-k", "--candidates", default=50, show_default=True)
@click.option(
    "--backend", "backends", multiple=True, type=click.Choice(list(GALLERIES)), default=["exact", "faiss-flat"]
)
@click.option("--device", default="cpu", show_default=True)
@click.option("--threads", default=os.cpu_count(), show_default=True)
@click.option("--turns", default=10, show_default=True)
@click.option("--out", type=click.Path(path_type=Path))
def main(
    rows: int,
    probes: int,
    width: int,
    candidates: int,
    backends: tuple[str, ...],
    device: str,
    threads: int,
    turns: int,
    out: Path | None,
) -> None:
    faiss.omp_set_num_threads(threads)
    torch.set_num_threads(threads)
    enrolled, searched = faces(rows, width, 0), faces(probes, width, 1)
    plain = faiss.IndexFlatIP(width)
    plain.add(enrolled)
    galleries, building = {}, {}
    for name in backends:
        galleries[name] = create(name, device)
        began = time.perf_counter()
        galleries[name].enroll(enrolled)
        building[name] = time.perf_counter() - began
    truth = create("exact")
    truth.enroll(enrolled)
    listed = truth.search(searched[:1000], candidates)
    recalls = {name: recall(g.search(searched[:1000], candidates), listed) for name, g in galleries.items()}
    parties = {PLAIN: plain, **galleries}
    records: list[dict[str, float]] = []
    for number, piece in enumerate(np.array_split(searched, turns)):
        order = list(parties)[number % len(parties) :] + list(parties)[: number % len(parties)]
        seconds = {
            name: timed(lambda name=name, piece=piece: parties[name].search(piece, candidates)) for name in order
        }
        records.append({name: seconds[name] for name in parties})
        click.echo(f"turn {number + 1}: " + ", ".join(f"{name} {s:.2f} s" for name, s in records[-1].items()))
    median = {name: statistics.median(turn[name] / turn[PLAIN] for turn in records) for name in backends}
    total = {name: sum(turn[name] for turn in records) for name in parties}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    for name in backends:
        click.echo(
            f"{name}: {median[name]:.3f} of {PLAIN}'s time (median; {total[name]:.1f} s against {total[PLAIN]:.1f} s), "
            f"recall {recalls[name]:.4f}, built in {building[name]:.1f} s"
        )
    click.echo(f"peak memory {peak:.2f} GB; one copy of the gallery is {enrolled.nbytes / 2**30:.2f} GB")
    if out is not None:
        settings = {"gallery": rows, "probes": probes, "width": width, "k": candidates, "device": device}
        out.write_text(
            json.dumps(
                {
                    "settings": {**settings, "threads": threads},
                    "machine": machine(galleries),
                    "turns": records,
                    "seconds": total,
                    "median_ratio": median,
                    "recall": recalls,
                    "seconds_to_build": building,
                    "peak_gib": peak,
                },
                indent=1,
            )
        )


def faces(count: int, width: int, seed: int) -> np.ndarray:
    """Return random vectors of length 1, made piece by piece."""
    generator = np.random.default_rng(seed)
    vectors = np.empty((count, width), np.float32)
    for start in range(0, count, 65_536):
        piece = vectors[start : start + 65_536]
        generator.standard_normal(out=piece, dtype=np.float32)
        piece /= np.linalg.norm(piece, axis=1, keepdims=True)
    return vectors


def timed(work: object) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def machine(galleries: dict[str, Gallery]) -> dict[str, object]:
    return {
        "cpu_count": os.cpu_count(),
        "platform": platform.platform(),
        "faiss": faiss.__version__,
        "numpy": np.__version__,
        "torch": torch.__version__,
        "devices": {name: gallery.device for name, gallery in galleries.items()},
    }


if __name__ == "__main__":
    main()
