"""Low-quality comparisons of a data set: those of images whose quality score is under a threshold (IJBC-Lq).

MDFR takes IJB-C's images with a NIMA score under 4.9 and gets 13,729 pairs of images; it does not say how the pairs are
made. This program's choice: the comparisons are the data set's own. Where they are of templates, the image with the
lowest score stands for a template. A comparison is kept if both images are under the threshold: all mated ones, and so
many non-mated ones for each, drawn. The list is written out as the ``csv`` data set, so that everybody can run the
same.

Source: MDFR, arXiv:2105.09907, section on face restoration (IJBC-Lq, τ = 4.9).
"""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..decode import read_image
from ..errors import DataError
from .base import TEMPLATE, Dataset, Pairs, Samples, TemplatePairs
from .landmarks import COLUMNS
from .mimics.base import check_empty, write_image
from .mimics.cast import points_of
from .textfiles import write_text


@dataclass(frozen=True)
class LowQuality:
    """N comparisons: rows of the samples, and whether they are mated; ``candidates`` is how many the threshold left."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    mated: NDArray[np.bool_]
    candidates: int


def choose(
    dataset: Dataset,
    samples: Samples,
    score: NDArray[np.float64],
    below: float,
    nonmated_per_mated: int = 1,
    seed: int = 0,
) -> LowQuality:
    """Return the comparisons between images under the threshold.

    Args:
        dataset: defines comparisons, of images or of templates.
        samples: its own, M of them.
        score: (M,) quality, higher is better; NaN, where an image cannot be read, is under no threshold.
        below: the threshold; an image at it is not under it.
        nonmated_per_mated: at least 1; all that there are if they are fewer.
        seed: of the drawing of non-mated comparisons.

    Raises:
        DataError: no mated comparison is left.
    """
    if TEMPLATE in samples.table:
        comparisons: Pairs | TemplatePairs = dataset.template_pairs()
        representative, value = _lowest(samples, score)
    else:
        comparisons = dataset.pairs()
        representative, value = np.arange(len(samples)), score
    first, second = comparisons.first, comparisons.second
    under = value < below
    kept = np.flatnonzero(under[first] & under[second])
    mated = comparisons.mated[kept]
    own, others = kept[mated], kept[~mated]
    if not len(own):
        raise DataError(
            f"{dataset.root}: no mated comparison has both images under {below:g}; scores go from "
            f"{np.nanmin(score):g} to {np.nanmax(score):g}"
        )
    wanted = min(len(others), nonmated_per_mated * len(own))
    drawn = np.sort(np.random.default_rng(seed).choice(others, wanted, replace=False))
    rows = np.concatenate([own, drawn])
    return LowQuality(
        first=representative[first[rows]].astype(np.int64),
        second=representative[second[rows]].astype(np.int64),
        mated=np.repeat([True, False], [len(own), len(drawn)]),
        candidates=len(kept),
    )


def write_chosen(
    out: Path,
    samples: Samples,
    score: NDArray[np.float64],
    chosen: LowQuality,
    provenance: dict[str, str | float],
) -> None:
    """Write ``samples.csv``, ``pairs.csv`` and ``chosen.toml``: a folder for the ``csv`` reader.

    Images that are files are named where they lie; others are written into ``images``.

    Args:
        out: a new or an empty folder.
        samples, score: as given to ``choose``; the label ``quality`` holds the scores.
        chosen: the comparisons.
        provenance: what ``chosen.toml`` says beside the counts: data set, score, threshold, seed.

    Raises:
        DataError: the folder holds something, subjects are not known, or an image cannot be read.
    """
    check_empty(out)
    rows = np.unique(np.concatenate([chosen.first, chosen.second]))
    subject = samples.table["subject"].astype(str).to_numpy(object)
    if (subject[rows] == "").any():
        raise DataError("it is not known who is on which image; the list needs subjects (for IJB, the 1N csv files)")
    points, paths = points_of(samples), {}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["path", "subject", "quality", *COLUMNS])
    for row in rows.tolist():
        paths[row] = _path(out, samples, row)
        known = np.isfinite(points[row]).all()
        fields = [f"{value:.3f}" for value in points[row].ravel()] if known else [""] * len(COLUMNS)
        writer.writerow([paths[row], subject[row], f"{score[row]:.6g}", *fields])
    write_text(out / "samples.csv", text.getvalue())
    lines = ["first,second,mated"]
    for one, other, same in zip(chosen.first.tolist(), chosen.second.tolist(), chosen.mated.tolist(), strict=True):
        lines.append(f"{paths[one]},{paths[other]},{int(same)}")
    write_text(out / "pairs.csv", "\n".join(lines) + "\n")
    counts = {"comparisons": len(chosen.mated), "mated": int(chosen.mated.sum()), "candidates": chosen.candidates}
    write_text(
        out / "chosen.toml", "".join(f"{key} = {_toml(value)}\n" for key, value in {**provenance, **counts}.items())
    )


def _lowest(samples: Samples, score: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the row and the score of each template's image with the lowest score; the first of equal ones."""
    names, template = samples.templates()
    order = np.lexsort((np.where(np.isnan(score), np.inf, score), template))
    first = order[np.searchsorted(template[order], np.arange(len(names)))]
    return first, score[first]


def _path(out: Path, samples: Samples, row: int) -> str:
    file = samples.files[row]
    if isinstance(file, Path):
        return Path(os.path.relpath(file.resolve(), out.resolve())).as_posix()
    name = f"images/{row:06d}.png"
    write_image(out / name, read_image(file))
    return name


def _toml(value: str | float) -> str:
    return json.dumps(value, ensure_ascii=False)
