"""Faces of the decisions that a preprocessor turned, and of the impostors whose scores it raised most."""

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
from .score import Scored


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
                if kept.kind == "identification":
                    flip = _search(plan, acquisition, preprocessor, embeddings, scored, row, kind, device)
                else:
                    pair = compared(plan, row, embeddings[name].valid)
                    flip = Flip(
                        preprocessor=name,
                        kind=kind,
                        mated=bool(plan.mated[row]),
                        score=(float(scored.scores[BASELINE][row]), float(scored.scores[name][row])),
                        faces=pictures(plan, acquisition, pair, preprocessor, device),
                    )
                found.append(flip)
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
