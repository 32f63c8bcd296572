"""Kill a run at random moments, go on each time, and compare the final bytes with those of an undisturbed run.

    python benchmarks/kills.py --kills 20

Runs ``rr-eval`` on drawn faces as a subprocess; every kill is SIGKILL to the whole process group.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from recog_restore.datasets.drawn import draw
from recog_restore.results import read


@click.command()
@click.option("--kills", default=20, show_default=True)
@click.option("--people", default=60, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(kills: int, people: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        draw(root / "faces", people=people, images=6)
        began = time.perf_counter()
        subprocess.run(command(root, "calm"), check=True, capture_output=True, cwd=root)
        seconds = time.perf_counter() - began
        done, finished = interrupted(root, kills, seconds, random.Random(seed))
        subprocess.run(command(root, "killed"), check=True, capture_output=True, cwd=root)
        calm, killed = (read(root / name).numbers().replace(name, "") for name in ("calm", "killed"))
        click.echo(f"an undisturbed run takes {seconds:.1f} s; {done} kills, {finished} runs ended before theirs")
        if calm != killed:
            sys.exit("the results differ")
        click.echo("same bytes")


def command(root: Path, name: str) -> list[str]:
    options = [
        "--protocol",
        "drawn",
        "--data",
        "faces",
        "--embedder",
        "lbp",
        "--pre",
        "bicubic-down8",
        "--pre",
        "clahe",
    ]
    places = ["--batch", "8", "--faces", "1", "--store", f"store-{name}", "--out", name]
    return [sys.executable, "-m", "recog_restore.cli", "eval", *options, *places]


def interrupted(root: Path, kills: int, seconds: float, rng: random.Random) -> tuple[int, int]:
    """Return how many runs were killed and how many ended before; a run that ends has its store emptied of nothing."""
    done = finished = 0
    while done < kills:
        run = subprocess.Popen(command(root, "killed"), cwd=root, stdout=-3, stderr=-3, start_new_session=True)
        try:
            run.wait(rng.uniform(0.3, 0.9) * seconds)
            finished += 1
            break
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
            done += 1
    return done, finished


if __name__ == "__main__":
    main()
