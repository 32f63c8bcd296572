"""The drift of every preprocessor of a run, in the eyes of the run's embedder and of further judges."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..embed import Embedder
from ..errors import RecordError
from ..preprocess import Preprocessor
from ..results import Drift
from ..store import Store
from .acquire import Acquisition, Jobs
from .drift import Moved, independent, most_drifted, no_witness, summary, write_csv
from .embeddings import Embeddings, Settings, embed
from .examples import pictures
from .facts import Floats, cosines
from .piping import Run
from .progress import Progress

Embedding = Callable[[Acquisition, Embedder, Sequence[Preprocessor]], list[Embeddings]]


@dataclass(frozen=True)
class Meter:
    """What to measure of the drift.

    Attributes:
        judges: embedders besides the run's own.
        table: the CSV file of all faces; None writes none.
    """

    judges: tuple[Embedder, ...] = ()
    table: Path | None = None

    def __post_init__(self) -> None:
        names = [judge.card.name for judge in self.judges]
        if len(set(names)) != len(names):
            raise RecordError(f"--judge: {', '.join(names)}: two judges have one name")

    def beside(self, embedder: Embedder) -> tuple[Embedder, ...]:
        """Return the judges that are not the run's embedder, which judges anyway.

        Raises:
            RecordError: one has its name and is another.
        """
        name = embedder.card.name
        if any(judge.identity() != embedder.identity() for judge in self.judges if judge.card.name == name):
            raise RecordError(f"--judge: {name} is the name of the run's embedder too, which is another one")
        return tuple(judge for judge in self.judges if judge.card.name != name)


def drifts(
    run: Run,
    preprocessors: Sequence[Preprocessor],
    embedder: Embedder,
    meter: Meter,
    count: int,
    store: Store,
    settings: Settings,
    progress: Progress,
) -> tuple[list[Drift], list[str]]:
    """Return the drift of a run's preprocessors, with ``count`` faces each, and warnings; write the meter's table."""

    def embedding(of: Acquisition, judge: Embedder, seen: Sequence[Preprocessor]) -> list[Embeddings]:
        return embed(of, run.digests, judge, seen, store, settings, progress)

    moved = _moved(run, preprocessors, embedder, meter.beside(embedder), embedding)
    if meter.table is not None and moved:
        write_csv(moved, meter.table)
    named = {p.card.name: p for p in preprocessors}
    entries = []
    for entry in moved:
        drift, rows = summary(entry, count), most_drifted(entry, count)
        faces = pictures(run.plan, run.acquisition, rows, named[entry.preprocessor], settings.device) if rows else ()
        worst = tuple(dataclasses.replace(d, face=face) for d, face in zip(drift.worst, faces, strict=True))
        entries.append(dataclasses.replace(drift, worst=worst))
    return entries, no_witness(moved)


def _moved(
    run: Run,
    preprocessors: Sequence[Preprocessor],
    embedder: Embedder,
    judges: Sequence[Embedder],
    embedding: Embedding,
) -> list[Moved]:
    """Return the drift of the faces that preprocessors see, by preprocessor and judge; the run's embedder comes first.

    Args:
        run: with the embeddings by the run's embedder.
        preprocessors: the baseline is the first.
        embedder: the run's.
        judges: further ones.
        embedding: the embeddings of an acquisition's faces, by an embedder, for each preprocessor.
    """
    baseline, *others = preprocessors
    if not others:
        return []
    plan, acquisition = run.plan, run.acquisition
    jobs = Jobs(acquisition.jobs.row[: plan.touched], acquisition.jobs.degraded[: plan.touched])
    seen = acquisition.of(plan.samples, jobs)
    names = tuple(map(str, acquisition.names[jobs.row]))
    undamaged = Jobs(jobs.row, np.zeros(len(jobs), bool))
    clean = acquisition.of(plan.samples, undamaged) if jobs.degraded.any() else None
    known = np.arange(plan.touched)
    moved = []
    for judge in (embedder, *judges):
        if judge is embedder:
            views = [run.found[p.card.name].take(known) for p in preprocessors]
        else:
            views = embedding(seen, judge, preprocessors)
        original = embedding(clean, judge, [baseline])[0] if clean is not None else None
        before = _of(jobs.degraded, cosines(views[0], original)) if original is not None else None
        for preprocessor, after in zip(others, views[1:], strict=True):
            moved.append(
                Moved(
                    preprocessor=preprocessor.card.name,
                    judge=judge.card.name,
                    independent=independent(preprocessor, judge),
                    samples=names,
                    cosine=cosines(views[0], after),
                    clean_before=before,
                    clean_after=_of(jobs.degraded, cosines(after, original)) if original is not None else None,
                )
            )
    return moved


def _of(degraded: NDArray[np.bool_], cosine: Floats) -> Floats:
    """Return the cosines to a clean original, NaN for a face that is its own."""
    return np.where(degraded, cosine, np.nan)
