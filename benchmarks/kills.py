"""Kill runs at random moments, go on, and compare the final bytes with those of an undisturbed run.

    python benchmarks/kills.py --kills 20

Each trial starts ``rr-eval`` on drawn faces with an empty store, kills its whole process group (SIGKILL) at a random
moment of its life, and runs the same command again to the end.
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
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        draw(root / "faces", people=people, images=6)
        began = time.perf_counter()
        finish(root, "calm")
        seconds = time.perf_counter() - began
        click.echo(f"an undisturbed run takes {seconds:.1f} s")
        expected = numbers(root, "calm")
        for trial in range(kills):
            moment = rng.uniform(0.2, 1.0) * seconds
            kept = killed_after(root, f"trial{trial}", moment)
            finish(root, f"trial{trial}")
            if numbers(root, f"trial{trial}") != expected:
                sys.exit(f"killed after {moment:.1f} s with {kept} pieces kept: the result differs")
            click.echo(f"killed after {moment:.1f} s with {kept} pieces kept: same bytes")


def command(name: str) -> list[str]:
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
    places = ["--batch", "8", "--faces", "1", "--store", f"{name}/store", "--out", f"{name}/out"]
    return [sys.executable, "-m", "recog_restore.cli", "eval", *options, *places]


def finish(root: Path, name: str) -> None:
    subprocess.run(command(name), check=True, capture_output=True, cwd=root)


def killed_after(root: Path, name: str, seconds: float) -> int:
    """Return how many pieces the run had kept when it was killed."""
    run = subprocess.Popen(
        command(name), cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    time.sleep(seconds)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    return len(list((root / name).glob("store/*/*.safetensors")))


def numbers(root: Path, name: str) -> str:
    """Return what a repeated run must reproduce; the command line names the folders, so they are taken out."""
    return read(root / name / "out").numbers().replace(f"{name}/", "")


if __name__ == "__main__":
    main()
