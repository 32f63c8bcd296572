"""From embeddings to searches, and from the ranks of the mates to the values and curves of a result."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..metrics import (
    CLOPPER_PEARSON,
    FAILED,
    Ranked,
    clopper_pearson,
    cmc,
    rank_k,
    ranks,
    ranks_blocked,
    ranks_listed,
)
from ..results import Value
from ..search import Gallery, Recall, measure
from ..templates import Pooled, pool
from .embeddings import Embeddings
from .plan import MEDIA, Plan, firsts, labels
from .score import Scored, in_order, unit

CMC_RANKS = 50
_SCORES = 2**24  # scores held at once where all of them are counted here


def identify(plan: Plan, embeddings: Mapping[str, Embeddings], index: Gallery, device: str) -> Scored:
    """Return what an identification protocol measures, for every preprocessor.

    With an exact search the ranks are exact: where its list of candidates does not tell the rank of the mate, the
    scores of the whole gallery are counted. With an approximate one, a mate that is not listed is a miss.

    Args:
        index: what searches; empty.
        device: where the scores are counted.
    """
    subject = plan.column("subject", plan.probes)[firsts(plan.probe_template)]
    enrolled = plan.column("subject", plan.gallery)[firsts(plan.gallery_template)]
    metrics = {metric: int(metric.removeprefix("rank")) for metric in plan.protocol.metrics}
    breakdowns = {column: labels(plan, column) for column in plan.protocol.breakdowns}
    out = Scored(candidates=min(max(CMC_RANKS, *metrics.values()), len(enrolled)))
    recalls, gallery = [], None
    for name, found in embeddings.items():
        probes = pooled(plan, found, plan.probes, plan.probe_template)
        if gallery is None or plan.protocol.preprocess == "both":
            gallery = pooled(plan, found, plan.gallery, plan.gallery_template)
            index.enroll(gallery.vectors[gallery.enrolled])
        if found.also is None:
            ranked = search(index, gallery, probes, enrolled, subject, out.candidates, device)
        else:
            second = dataclasses.replace(found, vectors=found.also)
            other = [pooled(plan, second, *of) for of in _sides(plan)]
            ranked = search_both((gallery, probes), (other[0], other[1]), enrolled, subject)
        out.ranked[name] = ranked
        if not index.exact and probes.enrolled.any() and gallery.enrolled.any():
            recalls.append(measure(index, gallery.vectors[gallery.enrolled], probes.vectors[probes.enrolled]))
        kept = np.ones(len(subject), bool)
        if plan.protocol.faces.failure == "exclude":
            kept = probes.enrolled & np.isin(subject, enrolled[gallery.enrolled])
        out.counted[name] = kept
        out.values += _rates(metrics, name, ranked.ranks[kept], {})
        if kept.any():
            out.cmc[name] = tuple(cmc(ranked.ranks[kept], min(CMC_RANKS, len(enrolled))).tolist())
        for column, label in breakdowns.items():
            parts = [
                _rates(metrics, name, ranked.ranks[kept & (label == part)], {column: part}) for part in in_order(label)
            ]
            out.values += [value for part in parts for value in part]
            out.values += _macro(metrics, name, column, parts)
    out.search = _described(index, min(recalls, default=None))
    return out


def search(
    index: Gallery,
    gallery: Pooled,
    probes: Pooled,
    gallery_subject: NDArray[np.object_],
    probe_subject: NDArray[np.object_],
    candidates: int,
    device: str,
) -> Ranked:
    """Return the rank of every probe's mate; ``Ranked``'s rows are those of ``gallery``.

    Args:
        index: with the enrolled ones of ``gallery`` in it.
        gallery, probes: templates; those that failed are never found, and are misses.
        gallery_subject, probe_subject: of each template.
        candidates: how many to list.
        device: where the scores are counted that no list tells.
    """
    whole = Ranked.misses(len(probe_subject))
    there, rows = np.flatnonzero(probes.enrolled), np.flatnonzero(gallery.enrolled)
    if not len(there) or not len(rows):
        return whole
    found = index.search(probes.vectors[there], candidates)
    listed = np.where(found.rows < 0, -1, rows[found.rows])
    ranked, told = ranks_listed(found.scores, listed, probe_subject[there], gallery_subject)
    whole.put(there, ranked)
    if not index.exact:
        _score_unlisted(whole, there, gallery, probes, gallery_subject, probe_subject)
    elif not told.all():
        rest = there[~told]
        counted = ranks_blocked(
            probes.vectors[rest],
            gallery.vectors,
            probe_subject[rest],
            gallery_subject,
            np.ones(len(rest), bool),
            gallery.enrolled,
            device=device,
        )
        whole.put(rest, counted)
    return whole


def search_both(
    first: tuple[Pooled, Pooled],
    second: tuple[Pooled, Pooled],
    gallery_subject: NDArray[np.object_],
    probe_subject: NDArray[np.object_],
) -> Ranked:
    """Return the rank of every probe's mate where a score is the larger of two; every score is counted.

    Args:
        first, second: gallery and probes each, the same templates twice.
        gallery_subject, probe_subject: of each template.
    """
    _, code = np.unique(np.concatenate([gallery_subject, probe_subject]).astype(str), return_inverse=True)
    enrolled, searched = np.split(code, [len(gallery_subject)])
    found = Ranked.misses(len(searched))
    step = max(1, _SCORES // max(1, len(enrolled)))
    for start in range(0, len(searched), step):
        part = slice(start, start + step)
        scores = np.maximum(*(probes.vectors[part] @ gallery.vectors.T for gallery, probes in (first, second)))
        scores[:, ~first[0].enrolled] = FAILED
        scores[~first[1].enrolled[part]] = FAILED
        mate = searched[part, None] == enrolled
        best = [np.where(kind, scores, FAILED).argmax(axis=1) for kind in (mate, ~mate)]
        mate_score, impostor_score = (
            np.where(kind, scores, FAILED).max(axis=1).astype(np.float32) for kind in (mate, ~mate)
        )
        mated, rivalled = mate_score > FAILED, impostor_score > FAILED
        found.put(
            part,
            Ranked(
                ranks=ranks(scores, mate),
                best_mate_score=mate_score,
                best_mate_row=np.where(mated, best[0], -1),
                best_impostor_score=impostor_score,
                best_impostor_row=np.where(rivalled, best[1], -1),
            ),
        )
    return found


def _score_unlisted(
    found: Ranked,
    there: NDArray[np.int64],
    gallery: Pooled,
    probes: Pooled,
    gallery_subject: NDArray[np.object_],
    probe_subject: NDArray[np.object_],
) -> None:
    """Give the searches that did not list the mate its score; the rank stays a miss."""
    rows: dict[str, list[int]] = {}
    for row in np.flatnonzero(gallery.enrolled).tolist():
        rows.setdefault(gallery_subject[row], []).append(row)
    for probe in there[found.best_mate_row[there] < 0].tolist():
        mates = rows.get(probe_subject[probe], [])
        if mates:
            scores = gallery.vectors[mates] @ probes.vectors[probe]
            found.best_mate_row[probe], found.best_mate_score[probe] = mates[int(scores.argmax())], scores.max()


def _sides(plan: Plan) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]:
    return (plan.gallery, plan.gallery_template), (plan.probes, plan.probe_template)


def pooled(plan: Plan, found: Embeddings, jobs: NDArray[np.int64], template: NDArray[np.int64]) -> Pooled:
    """Return the templates of those jobs; all samples weigh the same, whatever the length of their embeddings."""
    vectors, valid = unit(found.vectors[jobs]), found.valid[jobs]
    if not plan.templates:
        return Pooled(vectors.astype(np.float32), valid)
    media = plan.column(MEDIA, jobs).astype(str) if MEDIA in plan.samples.table else jobs
    return pool(vectors, template, media, valid)


def _rates(metrics: Mapping[str, int], name: str, ranks: NDArray[np.int64], where: dict[str, str]) -> list[Value]:
    values = []
    for metric, k in metrics.items():
        low, high = clopper_pearson(np.count_nonzero(ranks <= k), len(ranks)).tolist()
        rate = rank_k(ranks, k)
        values.append(Value(metric, name, rate, len(ranks), where, interval=(low, high), method=CLOPPER_PEARSON))
    return values


def _macro(metrics: Mapping[str, int], name: str, column: str, parts: list[list[Value]]) -> list[Value]:
    """Return the mean over the parts of each metric: every part weighs the same, whatever its number of searches."""
    values = []
    for metric in metrics:
        rates = [v.value for part in parts for v in part if v.metric == metric and v.value is not None]
        mean = float(np.mean(rates)) if rates else None
        values.append(Value(f"{metric}_macro", name, mean, len(rates), {"over": column}))
    return values


def _described(index: Gallery, recall: Recall | None) -> dict[str, Any]:
    described = {"backend": index.name, "exact": index.exact, "recall": None, "device": index.device}
    if recall is None:
        return described
    return described | {"recall": recall.recall, "recall_at": recall.at, "recall_probes": recall.probes}
