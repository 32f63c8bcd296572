"""Seconds and memory of 1,000 draws of subjects of TAR at FAR 1e-4 over as many comparisons as IJB-C has.

    python benchmarks/bootstrap.py --out bootstrap.json

The scores are drawn; subjects, comparisons and their kinds are as many as in IJB-C 1:1.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import time
from pathlib import Path

import click
import numpy as np

from recog_restore.metrics.bootstrap import SubjectBootstrap
from recog_restore.metrics.bootstrap_curves import tar_at_far_draws
from recog_restore.metrics.statistics import percentile_interval


@click.command()
@click.option("--mated", default=19_557, show_default=True)
@click.option("--non-mated", default=15_638_932, show_default=True)
@click.option("--subjects", default=3_531, show_default=True)
@click.option("--draws", default=1000, show_default=True)
@click.option("--far", default=1e-4, show_default=True)
@click.option("--out", type=click.Path(path_type=Path))
def main(mated: int, non_mated: int, subjects: int, draws: int, far: float, out: Path | None) -> None:
    generator = np.random.default_rng(0)
    first = generator.integers(subjects, size=mated + non_mated, dtype=np.int32)
    apart = generator.integers(1, subjects, size=mated + non_mated, dtype=np.int32)
    apart[:mated] = 0
    second = (first + apart) % subjects
    scores = generator.standard_normal(mated + non_mated, dtype=np.float32) * np.float32(0.1)
    scores[:mated] += np.float32(0.6)
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    bootstrap = SubjectBootstrap(first, second, draws)
    drawn = tar_at_far_draws(bootstrap, scores, far)
    seconds = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    record = {
        "settings": {"mated": mated, "non_mated": non_mated, "subjects": subjects, "draws": draws, "far": far},
        "machine": {"cpu_count": os.cpu_count(), "platform": platform.platform(), "numpy": np.__version__},
        "load": os.getloadavg(),
        "seconds": seconds,
        "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_gib": after.ru_maxrss / 2**20,
        "interval": percentile_interval(drawn, bootstrap.subjects),
    }
    click.echo(json.dumps(record, indent=1))
    if out is not None:
        out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
