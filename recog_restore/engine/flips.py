"""Faces of the decisions that a preprocessor turned, their nearest impostors, and whose likeness it raised most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..metrics import MISS
from ..preprocess import Preprocessor
from ..results import BASELINE, ExampleFace, Flip
from .acquire import Acquisition
from .embeddings import Embeddings
from .examples import compared, pictures, shown
from .harm import turned
from .kept import Kept
from .plan import Plan, firsts
from .score import Scored, compare


def flips(
    plan: Plan,
    acquisition: Acquisition,
    preprocessors: Sequence[Preprocessor],
    embeddings: Mapping[str, Embeddings],
    scored: Scored,
    kept: Kept,
    count: int,
    device: str,
) -> list[Flip]:
    """Return ``count`` fixed and ``count`` broken decisions per preprocessor, one per subject (or pair of subjects)."""
    found = []
    for preprocessor in preprocessors:
        name = preprocessor.card.name
        if name == BASELINE or not count:
            continue
        for kind, rows in turned(kept, name)._asdict().items():
            people = np.stack([kept.first[rows], kept.second[rows]], axis=1)
            _, once = np.unique(people, axis=0, return_index=True)
            for row in rows[np.sort(once)][:count].tolist():
                turn = _search if kept.kind == "identification" else _comparison
                found.append(turn(plan, acquisition, preprocessor, embeddings, scored, row, kind, device))
    return found


def impostors(
    plan: Plan,
    acquisition: Acquisition,
    preprocessor: Preprocessor,
    embeddings: Embeddings,
    scored: Scored,
    rows: Sequence[int],
    count: int,
    device: str,
) -> list[tuple[ExampleFace, ExampleFace]]:
    """Return the faces of comparisons, or of searches and their best impostors after; pictures of the first ``count``.

    A template is shown by the first of its faces that could be had.
    """
    found = []
    for place, row in enumerate(rows):
        if plan.protocol.kind == "verification":
            jobs = compared(plan, row, embeddings.valid)
        else:
            other = int(scored.ranked[preprocessor.card.name].best_impostor_row[row])
            jobs = _probe(plan, row, embeddings), _enrolled(plan, other, embeddings)
        if place < count:
            first, second = pictures(plan, acquisition, jobs, preprocessor, device)
        else:
            first, second = (ExampleFace(name, "", "") for name in plan.column("sample", np.array(jobs)).tolist())
        found.append((first, second))
    return found


def nearest_impostor(plan: Plan, embeddings: Embeddings, job: int) -> tuple[int, float] | None:
    """Return the face of another subject that is most like a face, of all faces of a run, and the cosine; ties by job.

    None where the subject is not known, or there is no other.
    """
    subject = plan.column("subject", np.arange(len(plan.jobs)))
    others = np.flatnonzero(embeddings.valid & (subject != subject[job]) & (subject != ""))
    if subject[job] == "" or not len(others):
        return None
    scores = compare(embeddings, np.full(len(others), job), others)
    best = int(np.argmax(scores))
    return int(others[best]), float(scores[best])


def _comparison(
    plan: Plan,
    acquisition: Acquisition,
    preprocessor: Preprocessor,
    embeddings: Mapping[str, Embeddings],
    scored: Scored,
    row: int,
    kind: str,
    device: str,
) -> Flip:
    name, mated = preprocessor.card.name, bool(plan.mated[row])
    jobs: tuple[int, ...] = compared(plan, row, embeddings[name].valid)
    subjects: tuple[str, ...] = ()
    impostor_score = None
    if mated and not plan.templates:
        before, after = (nearest_impostor(plan, embeddings[p], jobs[0]) for p in (BASELINE, name))
        if before and after:
            impostor_score = before[1], after[1]
            jobs = (*jobs, before[0] if kind == "fixed" else after[0])
            subjects = tuple(map(str, plan.column("subject", np.array(jobs[::2]))))
    return Flip(
        preprocessor=name,
        kind=kind,
        mated=mated,
        score=(float(scored.scores[BASELINE][row]), float(scored.scores[name][row])),
        faces=pictures(plan, acquisition, jobs, preprocessor, device),
        impostor_score=impostor_score,
        subjects=subjects,
    )


def _search(
    plan: Plan,
    acquisition: Acquisition,
    preprocessor: Preprocessor,
    embeddings: Mapping[str, Embeddings],
    scored: Scored,
    row: int,
    kind: str,
    device: str,
) -> Flip:
    name = preprocessor.card.name
    before, after = scored.ranked[BASELINE], scored.ranked[name]
    failed = BASELINE if kind == "fixed" else name
    mate, impostor = int(after.best_mate_row[row]), int(scored.ranked[failed].best_impostor_row[row])
    subject = plan.column("subject", plan.probes)[firsts(plan.probe_template)]
    other = plan.column("subject", plan.gallery)[firsts(plan.gallery_template)]
    jobs = (
        _probe(plan, row, embeddings[name]),
        _enrolled(plan, mate, embeddings[name]),
        _enrolled(plan, impostor, embeddings[failed]),
    )
    return Flip(
        preprocessor=name,
        kind=kind,
        mated=True,
        score=(float(before.best_mate_score[row]), float(after.best_mate_score[row])),
        faces=pictures(plan, acquisition, jobs, preprocessor, device),
        impostor_score=(float(before.best_impostor_score[row]), float(after.best_impostor_score[row])),
        rank=(_rank(before.ranks, row, scored), _rank(after.ranks, row, scored)),
        subjects=(str(subject[row]), str(other[impostor])),
    )


def _rank(ranks: NDArray[np.int64], row: int, scored: Scored) -> int:
    return scored.candidates + 1 if ranks[row] == MISS else int(ranks[row])


def _probe(plan: Plan, number: int, embeddings: Embeddings) -> int:
    return shown(plan.probes, plan.probe_template, number, embeddings.valid)


def _enrolled(plan: Plan, number: int, embeddings: Embeddings) -> int:
    return shown(plan.gallery, plan.gallery_template, number, embeddings.valid)
