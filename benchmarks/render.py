"""Pictures per second of SynthPIE's renderer on one core, for the protocols' mix and for web photos.

    OMP_NUM_THREADS=1 python benchmarks/render.py --out render.json

Processor time is counted, so that a busy machine does not matter. The first person of each mix is a warm-up.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np

from recog_restore.synthpie import VERSION, Shot, Studio, Web, random_shots

YAWS = range(-90, 91, 15)


@click.command()
@click.option("--people", default=6, show_default=True, help="Of each mix and round.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--size", default=128, show_default=True)
@click.option("--out", type=click.Path(path_type=Path))
def main(people: int, rounds: int, size: int, out: Path | None) -> None:
    cv2.setNumThreads(1)
    mixes = {
        "13 poses x 20 lights": protocol(people, 20, size),
        "13 poses x 4 lights": protocol(people, 4, size),
        "13 poses x 1 light": protocol(people, 1, size),
        "web: 12 moments x 3 views": web(people, size),
    }
    records = {}
    for name, shots in mixes.items():
        groups = list(shots)
        rates = [rate(groups) for _ in range(rounds)]
        records[name] = {"rounds": rates, "median": statistics.median(rates)}
        click.echo(f"{name}: {records[name]['median']:.0f} images/s")
    if out is not None:
        settings = {"people": people, "rounds": rounds, "size": size, "threads": 1, "version": VERSION}
        machine = {
            "cpu": processor(),
            "cpu_count": os.cpu_count(),
            "platform": platform.platform(),
            "omp_num_threads": os.environ.get("OMP_NUM_THREADS"),
            "numpy": np.__version__,
            "opencv": cv2.__version__,
        }
        text = json.dumps({"settings": settings, "machine": machine, "images_per_second": records}, indent=1)
        out.write_text(text + "\n")


def protocol(people: int, lights: int, size: int) -> Iterator[list[Shot]]:
    """One recording of each person, sorted as the data set sorts it."""
    for subject in range(people + 1):
        yield [
            Shot(subject, yaw=yaw, light=(subject + light) % 20, size=size) for yaw in YAWS for light in range(lights)
        ]


def web(people: int, size: int) -> Iterator[list[Shot]]:
    for subject in range(1_000_000, 1_000_001 + people):
        rng = np.random.default_rng(subject)
        moments = [random_shots(rng, subject, 3, Web(size=size)) for _ in range(12)]
        yield [shot for moment in sorted(moments, key=lambda shots: shots[0].session) for shot in moment]


def rate(groups: list[list[Shot]]) -> float:
    """Return images per second of processor time over all groups but the first."""
    studio = Studio()
    for shot in groups[0]:
        studio.photograph(shot)
    began = time.process_time()
    for group in groups[1:]:
        for shot in group:
            studio.photograph(shot)
    return sum(map(len, groups[1:])) / (time.process_time() - began)


def processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    main()
