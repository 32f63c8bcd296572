"""From a plan and its scores to what a run keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .kept import Kept
from .plan import Plan, firsts, labels
from .score import Scored, in_order


def keep(plan: Plan, scored: Scored, fingerprint: str) -> Kept:
    """Return the comparisons of a run, its subjects as numbers."""
    protocol = plan.protocol
    searches = protocol.kind == "identification"
    first, second, known = _searched(plan) if searches else compared_subjects(plan)
    mated = _mated(plan) if searches else {}
    metrics = protocol.metrics
    if sum(mated.values(), start=np.zeros(len(first), np.int64)).max(initial=0) > 1:
        metrics = ()  # a search in two galleries at once is not one trial
    everything: dict[str, Any] = {
        "kind": protocol.kind,
        "protocol": protocol.id,
        "fingerprint": fingerprint,
        "failure": protocol.faces.failure,
        "baseline_fmr": protocol.baseline_fmr,
        "metrics": metrics,
        "compat": protocol.compat,
        "preprocessors": tuple(scored.counted),
        "subjects_known": known,
        "labels": {column: _coded(labels(plan, column)) for column in protocol.breakdowns},
        "counted": dict(scored.counted),
    }
    if not searches:
        return Kept(
            first=first, second=second, fold=plan.fold.astype(np.int64), scores=_wide(scored.scores), **everything
        )
    return Kept(
        first=first,
        second=second,
        fold=np.zeros(len(first), np.int64),
        mates=np.any(list(mated.values()), axis=0) if protocol.open_set else None,
        galleries=(np.argmax(list(mated.values()), axis=0), tuple(mated)) if len(mated) > 1 else None,
        ranks={name: ranked.ranks for name, ranked in scored.ranked.items()},
        scores=_wide({name: ranked.best_mate_score for name, ranked in scored.ranked.items()}),
        impostor_scores=_wide({name: ranked.best_impostor_score for name, ranked in scored.ranked.items()}),
        **everything,
    )


def _searched(plan: Plan) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    subject = plan.column("subject", plan.probes)[firsts(plan.probe_template)]
    _, number = np.unique(subject.astype(str), return_inverse=True)
    return number.astype(np.int64), number.astype(np.int64), True


def _mated(plan: Plan) -> dict[str, NDArray[np.bool_]]:
    """Return by gallery which of all searches have their mate in it."""
    subject = plan.column("subject", plan.probes)[firsts(plan.probe_template)].astype(str)
    enrolled = plan.column("subject", plan.gallery)[firsts(plan.gallery_template)].astype(str)
    found = {}
    for place, split in plan.galleries.items():
        mated = np.zeros(len(subject), bool)
        mated[split.probes] = np.isin(subject[split.probes], enrolled[split.gallery])
        found[place] = mated
    return found


def compared_subjects(plan: Plan) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """Return the numbers of the two subjects of each comparison, equal where it is mated and nowhere else.

    Where the list contradicts the names, it is the list that counts. Where the data set names nobody, faces (or
    templates) that a mated comparison joins are one subject's, and every other one is somebody's own.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names, code = _compared(plan)
    known = bool((names != "").all())
    if known:
        _, code = np.unique(names, return_inverse=True)
    else:
        _, code = np.unique(code, return_inverse=True)
    first, second = (code, code) if not plan.templates else np.split(code, [int(plan.gallery_template.max()) + 1])
    a, b = first[plan.first], second[plan.second]
    if not known or (a[plan.mated] != b[plan.mated]).any():
        size = int(code.max()) + 1
        joined = coo_array((np.ones(int(plan.mated.sum())), (a[plan.mated], b[plan.mated])), (size, size))
        _, component = connected_components(joined, directed=False)
        a, b = component[a].astype(np.int64), component[b].astype(np.int64)
    contradicted = np.flatnonzero(~plan.mated & (a == b))
    b[contradicted] = max(a.max(), b.max()) + 1 + np.arange(len(contradicted))
    return a, b, known


def _compared(plan: Plan) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Return the subject's name of each face, or of each template of either side, and what is one for certain."""
    if not plan.templates:
        return plan.column("subject", np.arange(len(plan.jobs))).astype(str), plan.jobs.row
    sides = (plan.gallery, plan.gallery_template), (plan.probes, plan.probe_template)
    names = np.concatenate([plan.column("subject", jobs)[firsts(template)] for jobs, template in sides]).astype(str)
    return names, np.arange(len(names))


def _coded(label: NDArray[np.object_]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    names = in_order(label)
    number = {name: i for i, name in enumerate(names)}
    return np.array([number[name] for name in label.tolist()], np.int64), tuple(names)


def _wide(scores: Mapping[str, NDArray[np.floating[Any]]]) -> dict[str, NDArray[np.float64]]:
    return {name: array.astype(np.float64) for name, array in scores.items()}
