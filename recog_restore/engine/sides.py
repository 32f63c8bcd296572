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
from .differences import all_differences
from .embeddings import Embeddings
from .identification import CMC_RANKS, search
from .kept import MOST, Kept
from .plan import Plan, firsts
from .pooling import gallery_of, own_pooling, probes_of
from .score import compare_templates, cosines, unit

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
    pipeline that takes the larger of two scores, for several galleries, and for more comparisons than are kept beside a
    result or a search of more than ``MOST_SCORES`` scores.

    Args:
        embeddings: by preprocessor, the baseline first.
        kept: the run in which both sides are preprocessed.
        draws: ``bootstrap(kept)``.
        index: what searches; what is in it is replaced.
        device: where the scores are counted.
    """
    searches = plan.protocol.kind == "identification"
    size = len(firsts(plan.probe_template)) * len(firsts(plan.gallery_template)) if searches else 0
    several = len(plan.galleries) > 1
    if plan.protocol.preprocess != "both" or size > MOST_SCORES or len(plan.first) > MOST or several:
        return {}
    primary = (plan.protocol.primary,) if searches else tuple(dict.fromkeys((plan.protocol.primary, _AT_BASELINE)))
    found: dict[str, tuple[Difference, ...]] = {}
    for side in (PROBE, GALLERY):
        pairs = []
        for name, after in embeddings.items():
            if name == BASELINE or after.also is not None:
                continue
            pair = embeddings[BASELINE], after
            probe, gallery = pair if side == GALLERY else pair[::-1]
            mixed = _searched(plan, gallery, probe, index, device) if searches else _compared(plan, gallery, probe)
            one = _with(kept, name, primary, mixed)
            pairs.append(((one, BASELINE), (one, name)))
        found[side] = tuple(d for d in all_differences(pairs, draws) if not d.where)
    return {side: changes for side, changes in found.items() if changes}


def _compared(plan: Plan, gallery: Embeddings, probe: Embeddings) -> dict[str, NDArray[Any]]:
    if plan.templates:
        pooling = own_pooling(plan)
        mixed = compare_templates(plan, gallery_of(plan, gallery, pooling), probes_of(plan, probe, pooling))
        return {"scores": mixed.astype(np.float64), "counted": np.isfinite(mixed)}
    scores = cosines(unit(gallery.vectors), plan.first, plan.second, unit(probe.vectors))
    scores[~(gallery.valid[plan.first] & probe.valid[plan.second])] = -np.inf
    return {"scores": scores, "counted": np.isfinite(scores)}


def _searched(
    plan: Plan, gallery: Embeddings, probe: Embeddings, index: Gallery, device: str
) -> dict[str, NDArray[Any]]:
    subject = plan.column("subject", plan.probes)[firsts(plan.probe_template)]
    enrolled = plan.column("subject", plan.gallery)[firsts(plan.gallery_template)]
    known, asked = gallery_of(plan, gallery, own_pooling(plan)), probes_of(plan, probe, own_pooling(plan))
    mated = np.isin(subject.astype(str), enrolled.astype(str))
    index.enroll(known.vectors[known.enrolled])
    ranked = search(index, known, asked, enrolled, subject, min(CMC_RANKS, len(enrolled)), device)
    return {
        "scores": ranked.best_mate_score.astype(np.float64),
        "impostor_scores": ranked.best_impostor_score.astype(np.float64),
        "ranks": ranked.ranks,
        "counted": asked.enrolled & (~mated | np.isin(subject.astype(str), enrolled[known.enrolled].astype(str))),
    }


def _with(kept: Kept, name: str, metrics: tuple[str, ...], mixed: Mapping[str, NDArray[Any]]) -> Kept:
    """Return the run with other comparisons under a preprocessor's name, and without parts."""

    def pair(kind: str) -> dict[str, NDArray[Any]]:
        return {BASELINE: getattr(kept, kind)[BASELINE], name: mixed[kind]} if kind in mixed else {}

    counted = mixed["counted"] if kept.failure == "exclude" else np.ones(len(kept.first), bool)
    return dataclasses.replace(
        kept,
        metrics=metrics,
        preprocessors=(BASELINE, name),
        labels={},
        counted={BASELINE: kept.counted[BASELINE], name: counted},
        scores=pair("scores"),
        impostor_scores=pair("impostor_scores"),
        ranks=pair("ranks"),
    )
