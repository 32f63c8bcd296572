"""The drift meter: how far a preprocessor moves a face, and whether towards what the face looked like undamaged.

The cosine between the embeddings of a face before and after says how much of the identity the preprocessor kept, in the
eyes of one judge; where a clean original exists, the cosines to it before and after say whether it came nearer. A judge
that a loss of the preprocessor's training used is no independent one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..embed import Embedder
from ..errors import DataError
from ..faces import to_float
from ..files import write_whole
from ..preprocess import Preprocessor
from ..results import DRIFT_BINS, Drift, Drifted

COLUMNS = ("preprocessor", "judge", "independent", "sample", "touched", "cosine", "clean_before", "clean_after")
FILE = "drift.csv"
_YES = {True: "yes", False: "no"}
LOW = 0.05  # the quantile of the cosine below which the most drifted faces lie

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Crops = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class OwnScores:
    """What a judge gives two untouched faces of one person (``mated``), and of two people (``non_mated``), (N,) each.

    Cosines of two judges cannot be compared; where they lie among each judge's own scores can.
    """

    mated: Floats
    non_mated: Floats

    def among(self, cosine: float) -> tuple[float, float]:
        """Return the shares of the mated and of the non-mated scores that are not above a cosine."""
        return float(np.mean(self.mated <= cosine)), float(np.mean(self.non_mated <= cosine))


@dataclass(frozen=True, eq=False)
class Moved:
    """F faces before and after one preprocessor, in the eyes of one judge.

    Attributes:
        preprocessor, judge: their names.
        independent: whether no loss of the preprocessor's training used the judge.
        samples: (F,) names.
        touched: (F,) false where a gate spared the face, or the preprocessor left it as it was.
        cosine: (F,) between before and after; NaN where one of them failed.
        clean_before, clean_after: (F,) with the clean original; None where there is none.
        scores: the judge's own, where the people are known.
    """

    preprocessor: str
    judge: str
    independent: bool
    samples: tuple[str, ...]
    touched: Bools
    cosine: Floats
    clean_before: Floats | None = None
    clean_after: Floats | None = None
    scores: OwnScores | None = None


def independent(preprocessor: Preprocessor, judge: Embedder) -> bool:
    """Return whether no loss of the preprocessor's training used this embedder, known by name or by weights."""
    name, identity = judge.card.name, judge.identity()
    return not any(teacher.name == name or teacher.sha256 == identity for teacher in preprocessor.card.teachers)


def no_witness(moved: Iterable[Moved]) -> list[str]:
    """Return a warning for each preprocessor whose only judges are its teachers."""
    judges: dict[str, list[Moved]] = {}
    for entry in moved:
        judges.setdefault(entry.preprocessor, []).append(entry)
    return [
        f"the drift of {name} has no independent judge: a loss of its training used "
        f"{' and '.join(entry.judge for entry in mine)}; name another embedder with --judge"
        for name, mine in judges.items()
        if not any(entry.independent for entry in mine)
    ]


class DriftMeter:
    """Measures crops as they come, for whoever restores photos.

    Args:
        preprocessor: what made ``after`` of ``before``.
        judges: the embedders that look at both.
        device: where they compute.
        most: how many of the most drifted faces to keep for ``sheet``, in the eyes of the first independent judge.
    """

    def __init__(
        self, preprocessor: Preprocessor, judges: Sequence[Embedder], device: str = "cpu", most: int = 0
    ) -> None:
        self._preprocessor, self._judges, self._device, self._most = preprocessor, judges, device, most
        self._independent = [independent(preprocessor, judge) for judge in judges]
        self._samples: list[str] = []
        self._touched: list[Bools] = []
        self._cosines: list[list[tuple[Floats, Floats, Floats]]] = [[] for _ in judges]
        self._worst: list[tuple[float, int, Crops]] = []

    def add(self, samples: Sequence[str], before: Crops, after: Crops, clean: Crops | None = None) -> None:
        """Measure some faces: (B, 128, 128, 3) uint8 canonical crops, and what to call them."""
        touched = (before != after).any(axis=(1, 2, 3))
        for judge, found in zip(self._judges, self._cosines, strict=True):
            x, y = (self._embedded(judge, crops) for crops in (before, after))
            z = np.full_like(x, np.nan) if clean is None else self._embedded(judge, clean)
            found.append((row_cosines(x, y), row_cosines(x, z), row_cosines(y, z)))
        if self._most and self._judges:
            cosine = self._cosines[self._independent.index(True) if any(self._independent) else 0][-1][0]
            pairs = np.concatenate([before, after], axis=2)
            shown = [
                (float(cosine[i]), len(self._samples) + i, pairs[i])
                for i in np.flatnonzero(np.isfinite(cosine) & touched).tolist()
            ]
            self._worst = sorted([*self._worst, *shown], key=lambda entry: entry[:2])[: self._most]
        self._samples += samples
        self._touched.append(touched)

    def moved(self) -> list[Moved]:
        """Return what was measured so far, one entry per judge."""
        entries = []
        for judge, of_its_own, found in zip(self._judges, self._independent, self._cosines, strict=True):
            columns = zip(*found, strict=True) if found else ((), (), ())
            cosine, before, after = (np.concatenate([np.empty(0), *parts]) for parts in columns)
            clean = (before, after) if np.isfinite(before).any() else (None, None)
            name = self._preprocessor.card.name
            touched = np.concatenate([np.empty(0, bool), *self._touched])
            entries.append(Moved(name, judge.card.name, of_its_own, tuple(self._samples), touched, cosine, *clean))
        return entries

    def sheet(self) -> Crops | None:
        """Return (128·N, 256, 3) uint8, the faces that moved most, before and after, the most on top; None: no face."""
        return np.concatenate([pair for _, _, pair in self._worst]) if self._worst else None

    def _embedded(self, judge: Embedder, crops: Crops) -> Floats:
        with torch.inference_mode():
            return judge(to_float(crops, self._device)).cpu().numpy().astype(np.float64)


def row_cosines(a: NDArray[np.floating[Any]], b: NDArray[np.floating[Any]]) -> Floats:
    """Return (J,) cosines between the rows of (J, D) vectors, in float64; NaN where one is zero or not finite."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    usable = np.isfinite(lengths) & (lengths > 0)
    found = np.full(len(a), np.nan)
    np.divide(np.einsum("bd,bd->b", a, b), lengths, out=found, where=usable)
    return found.clip(-1.0, 1.0)


def summary(moved: Moved, most: int = 10) -> Drift:
    """Return what a result says of the drift; the ``most`` most drifted faces come without their pictures.

    Faces that were not touched are counted, and are in no other number.
    """
    there = np.isfinite(moved.cosine)
    cosine = moved.cosine[there & moved.touched]
    before, after = (
        None if c is None else np.where(moved.touched, c, np.nan) for c in (moved.clean_before, moved.clean_after)
    )
    towards = away = None
    if before is not None and after is not None:
        towards, away = int((after > before).sum()), int((after < before).sum())
    counts, _ = np.histogram(cosine, DRIFT_BINS)
    mean, low = _mean(cosine), float(np.quantile(cosine, LOW)) if len(cosine) else None
    return Drift(
        preprocessor=moved.preprocessor,
        judge=moved.judge,
        independent=moved.independent,
        n=len(cosine),
        left=int((there & ~moved.touched).sum()),
        mean=mean,
        low=low,
        mean_among=_among(moved.scores, mean),
        low_among=_among(moved.scores, low),
        counts=tuple(counts.tolist()),
        clean_before=_mean(before),
        clean_after=_mean(after),
        towards=towards,
        away=away,
        worst=tuple(
            Drifted(
                moved.samples[i],
                float(moved.cosine[i]),
                None if before is None else _number(before[i]),
                None if after is None else _number(after[i]),
            )
            for i in most_drifted(moved, most)
        ),
    )


def most_drifted(moved: Moved, most: int) -> list[int]:
    """Return the numbers of the faces of the lowest cosines, the lowest first, ties in order.

    Faces that failed or were not touched are none of them.
    """
    cosine = np.where(moved.touched, moved.cosine, np.nan)
    order = np.argsort(cosine, kind="stable")[:most]  # NaN comes last
    rows: list[int] = order[np.isfinite(cosine[order])].tolist()
    return rows


def write_csv(moved: Iterable[Moved], path: Path) -> None:
    """Write one line per face and judge under ``COLUMNS``, whole or not at all; what is unknown is empty.

    Raises:
        DataError: the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in moved:
        unknown = np.full(len(entry.samples), np.nan)
        columns = (
            entry.cosine,
            unknown if entry.clean_before is None else entry.clean_before,
            unknown if entry.clean_after is None else entry.clean_after,
        )
        rows = zip(entry.samples, entry.touched.tolist(), *(c.tolist() for c in columns), strict=True)
        for sample, touched, *numbers in rows:
            shown = ["" if np.isnan(x) else f"{x:.6f}" for x in numbers]
            writer.writerow([entry.preprocessor, entry.judge, _YES[entry.independent], sample, _YES[touched], *shown])
    try:
        write_whole(path, text.getvalue().encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise DataError(f"{path}: the drift cannot be written ({error.strerror})") from None


def _mean(values: Floats | None) -> float | None:
    known = None if values is None else values[np.isfinite(values)]
    return float(known.mean()) if known is not None and len(known) else None


def _among(scores: OwnScores | None, cosine: float | None) -> tuple[float, float] | None:
    return None if scores is None or cosine is None else scores.among(cosine)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
