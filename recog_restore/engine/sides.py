"""What changes where only one side of every comparison is preprocessed: only the probe, or only the gallery.

A system that cannot enrol its gallery again has the first; one that cannot touch its cameras has the second.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..metrics.bootstrap import SubjectBootstrap
from ..results import BASELINE, Difference
from ..search import Gallery
from .differences import differences
from .embeddings import Embeddings
from .identification import CMC_RANKS, pooled, search
from .kept import MOST, Kept
from .plan import Plan, firsts
from .score import cosines, unit

PROBE, GALLERY = "probe", "gallery"

# Scores of a search at most for which the sides are searched too: seconds.
MOST_SCORES = 1_000_000_000

_AT_BASELINE = "fnmr@baseline"


def sides(
    plan: Plan,
    embeddings: Mapping[str, Embeddings],
    kept: Kept,
    draws: SubjectBootstrap,
    index: Gallery,
    device: str,
) -> dict[str, tuple[Difference, ...]]:
    """Return the differences to the baseline over all of the data by side: ``probe`` and ``gallery``.

    The probe of a comparison is its second face. There are none where the protocol preprocesses probes alone, for a
    pipeline that takes the larger of two scores, and for more comparisons than are kept beside a result or a search of
    more than ``MOST_SCORES`` scores.

    Args:
        embeddings: by preprocessor, the baseline first.
        kept: the run in which both sides are preprocessed.
        draws: ``bootstrap(kept)``.
        index: what searches; what is in it is replaced.
        device: where the scores are counted.
    """
    searches = plan.protocol.kind == "identification"
    size = len(firsts(plan.probe_template)) * len(firsts(plan.gallery_template))
    if plan.protocol.preprocess != "both" or size > MOST_SCORES or len(plan.first) > MOST:
        return {}
    primary = (plan.protocol.primary,) if searches else tuple(dict.fromkeys((plan.protocol.primary, _AT_BASELINE)))
    found: dict[str, tuple[Difference, ...]] = {}
    for side in (PROBE, GALLERY):
        changes: list[Difference] = []
        for name, after in embeddings.items():
            if name == BASELINE or after.also is not None:
                continue
            pair = embeddings[BASELINE], after
            probe, gallery = pair if side == GALLERY else pair[::-1]
            mixed = _searched(plan, gallery, probe, index, device) if searches else _compared(plan, gallery, probe)
            one = _with(kept, name, primary, mixed)
            changes += differences((one, BASELINE), (one, name), draws)
        found[side] = tuple(d for d in changes if not d.where)
    return {side: changes for side, changes in found.items() if changes}


def _compared(plan: Plan, gallery: Embeddings, probe: Embeddings) -> dict[str, NDArray[Any]]:
    scores = cosines(unit(gallery.vectors), plan.first, plan.second, unit(probe.vectors))
    scores[~(gallery.valid[plan.first] & probe.valid[plan.second])] = -np.inf
    return {"scores": scores, "counted": np.isfinite(scores)}


def _searched(
    plan: Plan, gallery: Embeddings, probe: Embeddings, index: Gallery, device: str
) -> dict[str, NDArray[Any]]:
    subject = plan.column("subject", plan.probes)[firsts(plan.probe_template)]
    enrolled = plan.column("subject", plan.gallery)[firsts(plan.gallery_template)]
    known = pooled(plan, gallery, plan.gallery, plan.gallery_template)
    asked = pooled(plan, probe, plan.probes, plan.probe_template)
    index.enroll(known.vectors[known.enrolled])
    ranked = search(index, known, asked, enrolled, subject, min(CMC_RANKS, len(enrolled)), device)
    return {
        "scores": ranked.best_mate_score.astype(np.float64),
        "impostor_scores": ranked.best_impostor_score.astype(np.float64),
        "ranks": ranked.ranks,
        "counted": asked.enrolled & np.isin(subject.astype(str), enrolled[known.enrolled].astype(str)),
    }


def _with(kept: Kept, name: str, metrics: tuple[str, ...], mixed: Mapping[str, NDArray[Any]]) -> Kept:
    """Return the run with other comparisons under a preprocessor's name, and without parts."""
    counted = mixed["counted"] if kept.failure == "exclude" else np.ones(len(kept.first), bool)
    return dataclasses.replace(
        kept,
        metrics=metrics,
        preprocessors=(BASELINE, name),
        labels={},
        counted={BASELINE: kept.counted[BASELINE], name: counted},
        scores={BASELINE: kept.scores[BASELINE], name: mixed["scores"]},
        impostor_scores={name: mixed["impostor_scores"]} if "impostor_scores" in mixed else {},
        ranks={BASELINE: kept.ranks[BASELINE], name: mixed["ranks"]} if "ranks" in mixed else {},
    )
