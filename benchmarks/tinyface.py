"""TinyFace at its true size, exact ranks and mAP over all distractors, against whole argsorts in the same run.

    python benchmarks/tinyface.py --out tinyface.json
    python benchmarks/tinyface.py --scale 0.05

The reference shape is what the public codes do: one matrix of all scores, an argsort of every row, matrices of labels
(11 GiB at true size). Both run in processes of their own, whose peaks of resident memory are taken.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
from resident import peak

PROBES, MATES, DISTRACTORS, PEOPLE, WIDTH = 3_728, 4_443, 153_428, 2_569, 512
RANKS = (1, 5, 20, 50)


def drawn(scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return probes (P, D) and gallery (G, D) of length 1, and their subjects; distractors are -100."""
    rng = np.random.default_rng(0)
    people = max(5, round(PEOPLE * scale))
    mates = np.concatenate([np.arange(people), rng.integers(0, people, max(0, round(MATES * scale) - people))])
    who, strangers = rng.integers(0, people, round(PROBES * scale)), round(DISTRACTORS * scale)
    centre = rng.standard_normal((people, WIDTH), np.float32)
    probes = centre[who] + 3 * rng.standard_normal((len(who), WIDTH), np.float32)
    gallery = rng.standard_normal((len(mates) + strangers, WIDTH), np.float32)
    gallery[: len(mates)] = centre[mates] + 3 * gallery[: len(mates)]
    for vectors in (probes, gallery):
        for start in range(0, len(vectors), 16_384):
            vectors[start : start + 16_384] /= np.linalg.norm(vectors[start : start + 16_384], axis=1, keepdims=True)
    return probes, gallery, who, np.append(mates, np.full(strangers, -100))


def ours(scale: float, sender: Any) -> None:
    import torch  # noqa: F401  # whose import is not what is measured

    from recog_restore.metrics import mate_places, mean_average_precision, ranks_blocked

    probes, gallery, who, whose = drawn(scale)
    there, enrolled = np.ones(len(probes), bool), np.ones(len(gallery), bool)
    before, began = peak(), time.perf_counter()
    found = ranks_blocked(probes, gallery, who, whose, there, enrolled)
    rates = [float(np.mean(found.ranks <= k)) for k in RANKS]
    ranked = time.perf_counter() - began
    places, search = mate_places(probes, gallery, who, whose, there, enrolled)
    rates.append(mean_average_precision(places, search, len(probes)))
    sender.send((rates, ranked, time.perf_counter() - began, peak() - before))


def reference(scale: float, sender: Any) -> None:
    probes, gallery, who, whose = drawn(scale)
    before, began = peak(), time.perf_counter()
    scores = np.dot(probes, gallery.T)
    labels = who[:, None] == whose[None, :]
    order = np.argsort(scores, axis=1)
    listed = np.ndarray(labels.shape, dtype=bool)
    for row in range(len(listed)):
        listed[row] = labels[row, order[row][::-1]]
    rates = [float(listed[:, :k].any(axis=1).mean()) for k in RANKS]
    ranked = time.perf_counter() - began
    precision = []
    for row in listed:
        places = np.flatnonzero(row) + 1
        precision.append(np.mean(np.arange(1, len(places) + 1) / places))
    rates.append(float(np.mean(precision)))
    sender.send((rates, ranked, time.perf_counter() - began, peak() - before))


@click.command()
@click.option("--scale", default=1.0, show_default=True, help="Share of the images.")
@click.option("--out", type=click.Path(path_type=Path))
def main(scale: float, out: Path | None) -> None:
    context, found = multiprocessing.get_context("spawn"), {}
    for party in (ours, reference):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=party, args=(scale, sender))
        process.start()
        rates, ranked, seconds, memory = receiver.recv()
        process.join()
        found[party.__name__] = {"rates": rates, "seconds_ranks": ranked, "seconds": seconds, "gib_above": memory}
        click.echo(
            f"{party.__name__}: ranks {ranked:.1f} s, with mAP {seconds:.1f} s, {memory:.2f} GiB above the features"
        )
    np.testing.assert_allclose(found["ours"]["rates"], found["reference"]["rates"], atol=1e-3)
    ratio = {key: found["ours"][key] / found["reference"][key] for key in ("seconds_ranks", "seconds")}
    click.echo(f"ranks in {ratio['seconds_ranks']:.2f} of the reference's time, with mAP in {ratio['seconds']:.2f}")
    if out is not None:
        machine = {"cpu_count": os.cpu_count(), "platform": platform.platform(), "numpy": np.__version__}
        out.write_text(
            json.dumps({"settings": {"scale": scale}, "machine": machine, **found, "ratio": ratio}, indent=1)
        )


if __name__ == "__main__":
    main()
