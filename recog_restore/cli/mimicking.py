"""What ``rr-data mimic`` and ``rr-data low-quality`` do once their options are parsed: open the source, write."""

from __future__ import annotations

from pathlib import Path

from ..datasets import Dataset
from ..datasets.low_quality import LowQuality, choose, write_chosen
from ..datasets.mark import Mark
from ..datasets.mimics import MIMICS, write_mimic
from ..datasets.opening import is_computed
from ..datasets.quality import quality_scores
from .bars import Bars
from .running import named, opened


def imitate(
    layout: str, source: str, path: str | None, out: Path, people: int, images: int, seed: int, progress: Bars
) -> tuple[Mark, tuple[str, ...]]:
    """Write a mimic of a layout; return its mark and the options that run it. See ``datasets.mimics.write_mimic``."""
    words, dataset = _source(source, path)
    mimic = MIMICS.create(layout, samples=dataset.samples(), people=people, images=images, seed=seed)
    progress.start("write", mimic.total)
    return write_mimic(mimic, out, words, progress.advance), mimic.runs


def choose_low_quality(
    source: str,
    path: str | None,
    quality: str,
    below: float,
    nonmated: int,
    seed: int,
    out: Path,
    progress: Bars,
) -> LowQuality:
    """Write the low-quality comparisons of a data set; return them. See ``datasets.low_quality``."""
    words, dataset = _source(source, path)
    samples = dataset.samples()
    progress.start("score", len(samples))
    score = quality_scores(quality, samples, progress.advance)
    chosen = choose(dataset, samples, score, below, nonmated, seed)
    provenance: dict[str, str | float] = {
        "data": words,
        "quality": quality,
        "below": below,
        "nonmated_per_mated": nonmated,
        "seed": seed,
    }
    write_chosen(out, samples, score, chosen, provenance)
    return chosen


def _source(name: str, path: str | None) -> tuple[str, Dataset]:
    """Return what the faces are, in words without the place on this machine, and the data set."""
    protocol, dataset = opened(named(name), path)
    words = (
        protocol.data.dataset
        if is_computed(protocol.data.dataset)
        else f"{protocol.data.dataset} ({dataset.root.name})"
    )
    return "; ".join(text for text in (words, dataset.note) if text), dataset
