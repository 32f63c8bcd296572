"""The drift of every preprocessor of a run, in the eyes of the run's embedder and of further judges."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
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
from .drift import Moved, OwnScores, independent, most_drifted, no_witness, row_cosines, summary, write_csv
from .embeddings import Embeddings, Settings, embed
from .examples import pictures
from .facts import Floats, cosines
from .pipelines import Applied, chosen
from .piping import Run
from .progress import Progress

# Pairs drawn for a judge's own scores, and the fewest of each kind that say where a cosine lies among them.
_DRAWN, _FEWEST = 20_000, 10

Embedding = Callable[[Acquisition, Sequence[Embedder], Sequence[Preprocessor]], list[list[Embeddings]]]


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
    columns: Sequence[Applied],
    embedder: Embedder,
    meter: Meter,
    count: int,
    store: Store,
    settings: Settings,
    progress: Progress,
) -> tuple[list[Drift], list[str]]:
    """Return the drift of a run's preprocessors, with ``count`` faces each, and warnings; write the meter's table.

    Every gate counts as a preprocessor of its own; a fusion moves no face.
    """

    def embedding(of: Acquisition, by: Sequence[Embedder], seen: Sequence[Preprocessor]) -> list[list[Embeddings]]:
        return embed(of, run.digests, by, seen, store, settings, progress)

    gated: dict[str, Applied] = {}
    for column in columns[1:]:
        gated.setdefault(dataclasses.replace(column.pipeline, fusion="replace").name, column)
    moved = _moved(run, columns[0], gated, embedder, meter.beside(embedder), embedding)
    if meter.table is not None and moved:
        write_csv(moved, meter.table)
    entries = []
    for entry in moved:
        drift, rows = summary(entry, count), most_drifted(entry, count)
        preprocessor = gated[entry.preprocessor].pipeline.preprocessor
        faces = pictures(run.plan, run.acquisition, rows, preprocessor, settings.device) if rows else ()
        worst = tuple(dataclasses.replace(d, face=face) for d, face in zip(drift.worst, faces, strict=True))
        entries.append(dataclasses.replace(drift, worst=worst))
    return entries, no_witness(moved)


def own_scores(subject: NDArray[np.object_], row: NDArray[np.int64], found: Embeddings) -> OwnScores | None:
    """Return a judge's scores of some untouched faces, drawn; None where there are too few, or nobody is known.

    Args:
        subject: (J,) of each face.
        row: (J,) of its sample: a sample is no mate of itself.
        found: (J,) embeddings of the untouched faces.
    """
    there = np.flatnonzero(found.valid & (subject != ""))
    if len(there) < 2:
        return None
    _, code = np.unique(subject[there].astype(str), return_inverse=True)
    order, size = np.argsort(code, kind="stable"), np.bincount(code)
    start, generator = np.cumsum(size) - size, np.random.default_rng(0)
    first = generator.integers(len(there), size=_DRAWN)
    mate = order[start[code[first]] + generator.integers(size[code[first]])]
    other = generator.integers(len(there), size=_DRAWN)
    scores = []
    for second, mated in ((mate, True), (other, False)):
        kept = (row[there[first]] != row[there[second]]) & ((code[first] == code[second]) == mated)
        pairs = np.unique(np.sort(np.stack([first[kept], second[kept]]), axis=0), axis=1)
        scores.append(row_cosines(found.vectors[there[pairs[0]]], found.vectors[there[pairs[1]]]))
    return OwnScores(*scores) if min(map(len, scores)) >= _FEWEST else None


def _moved(
    run: Run,
    baseline: Preprocessor,
    gated: Mapping[str, Applied],
    embedder: Embedder,
    judges: Sequence[Embedder],
    embedding: Embedding,
) -> list[Moved]:
    """Return the drift of the faces that preprocessors see, by preprocessor and judge; the run's embedder comes first.

    Args:
        run: with the embeddings by the run's embedder.
        baseline: leaves faces as they are.
        gated: the preprocessors with their gates, by name.
        embedder: the run's.
        judges: further ones.
        embedding: the embeddings of an acquisition's faces, by embedder and preprocessor.
    """
    if not gated:
        return []
    plan, acquisition = run.plan, run.acquisition
    jobs = Jobs(acquisition.jobs.row[: plan.touched], acquisition.jobs.degraded[: plan.touched])
    seen = acquisition.of(plan.samples, jobs)
    names = tuple(map(str, acquisition.names[jobs.row]))
    undamaged = Jobs(jobs.row, np.zeros(len(jobs), bool))
    clean = acquisition.of(plan.samples, undamaged) if jobs.degraded.any() else None
    known = np.arange(plan.touched)
    subject = plan.column("subject", known)
    preprocessors = list({c.pipeline.preprocessor.card.name: c.pipeline.preprocessor for c in gated.values()}.values())
    columns, everybody = [baseline, *preprocessors], [embedder, *judges]
    found = [[run.found[p.card.name].take(known) for p in columns], *embedding(seen, judges, columns)]
    originals: list[Embeddings | None] = [None] * len(everybody)
    if clean is not None:
        originals = [views[0] for views in embedding(clean, everybody, [baseline])]
    moved = []
    for judge, (raw, *done), original in zip(everybody, found, originals, strict=True):
        views = {p.card.name: view for p, view in zip(preprocessors, done, strict=True)}
        before = _of(jobs.degraded, cosines(raw, original)) if original is not None else None
        scores = own_scores(subject, jobs.row, raw)
        for name, column in gated.items():
            preprocessor, admitted = column.pipeline.preprocessor, column.touched[known]
            after = chosen(admitted, views[preprocessor.card.name], raw)
            moved.append(
                Moved(
                    preprocessor=name,
                    judge=judge.card.name,
                    independent=independent(preprocessor, judge),
                    samples=names,
                    touched=(after.vectors != raw.vectors).any(axis=1),
                    cosine=cosines(raw, after),
                    clean_before=before,
                    clean_after=_of(jobs.degraded, cosines(after, original)) if original is not None else None,
                    scores=scores,
                )
            )
    return moved


def _of(degraded: NDArray[np.bool_], cosine: Floats) -> Floats:
    """Return the cosines to a clean original, NaN for a face that is its own."""
    return np.where(degraded, cosine, np.nan)
