"""From embeddings to searches, and from the ranks of the mates to the values and curves of a result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..datasets import Split
from ..metrics import (
    CLOPPER_PEARSON,
    FAILED,
    MISS,
    Ranked,
    clopper_pearson,
    cmc,
    det,
    hit_scores,
    mate_places,
    mean_average_precision,
    rank_k,
    ranks_blocked,
    ranks_listed,
    thin,
    tpir_at_fpir,
)
from ..metrics.compat import HABITS, Table, apart, merged
from ..results import UNKNOWN_LABEL, Value
from ..search import Gallery, Recall, measure
from ..templates import Pooled
from .embeddings import Embeddings
from .plan import Plan, firsts, labels
from .pooling import both_of, foreign_poolings, gallery_of, own_pooling, probes_of, unenrolled
from .score import CURVE_POINTS, Scored, curve, in_order

CMC_RANKS = 50
EUCLIDEAN = "map_trapezoid_euclidean"
_SCORES = 2**24  # scores held at once where all of them are counted here


@dataclass(frozen=True)
class Searched:
    """All searches of one gallery under one preprocessor.

    Attributes:
        ranked: P searches; rows are those of all galleries.
        mated: (P,) whether the subject is enrolled in this gallery.
        kept: (P,) whether the search counts.
        places: by mAP metric, the place of every mate, and the number of its search among the kept mated ones; none
            where a score is the larger of two.
    """

    ranked: Ranked
    mated: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    places: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64]]]


def identify(plan: Plan, embeddings: Mapping[str, Embeddings], index: Gallery, device: str) -> Scored:
    """Return what an identification protocol measures, for every preprocessor; each gallery is searched on its own.

    With an exact search the ranks are exact: where its list of candidates does not tell the rank of the mate, the
    scores of the whole gallery are counted. With an approximate one, a mate that is not listed is a miss.

    Of several galleries every metric has a value for each, and the plain mean over them.

    Args:
        index: what searches; empty.
        device: where the scores are counted.
    """
    subject = plan.column("subject", plan.probes)[firsts(plan.probe_template)]
    enrolled = plan.column("subject", plan.gallery)[firsts(plan.gallery_template)]
    breakdowns = {column: labels(plan, column) for column in plan.protocol.breakdowns}
    smallest = min(len(split.gallery) for split in plan.galleries.values())
    out = Scored(candidates=min(max(CMC_RANKS, *map(_rank, plan.protocol.metrics)), smallest))
    out.pooling = own_pooling(plan).words() if plan.templates else ""
    recalls: list[Recall] = []
    gallery: Pooled | None = None
    for name, found in embeddings.items():
        probes = probes_of(plan, found, own_pooling(plan))
        if gallery is None or plan.protocol.preprocess == "both":
            gallery = gallery_of(plan, found, own_pooling(plan))
        second = None if found.second is None else both_of(plan, found.second, own_pooling(plan))
        if plan.templates:
            out.unenrolled[name] = unenrolled(gallery, probes)
        by_gallery = {}
        for place, split in plan.galleries.items():
            one, others = _rows(gallery, split.gallery), _rows(probes, split.probes)
            index.enroll(one.vectors if one.enrolled.all() else one.vectors[one.enrolled])
            whose, who = enrolled[split.gallery], subject[split.probes]
            if second is None:
                ranked = search(index, one, others, whose, who, out.candidates, device)
            else:
                other = _rows(second[0], split.gallery), _rows(second[1], split.probes)
                ranked = search_both((one, others), other, whose, who)
            if not index.exact and others.enrolled.any() and one.enrolled.any():
                recalls.append(measure(index, one.vectors[one.enrolled], others.vectors[others.enrolled]))
            by_gallery[place] = _searched(plan, found, ranked, split, one, others, enrolled, subject, device)
        out.ranked[name], out.counted[name] = _of_any(by_gallery, plan.galleries, len(subject))
        for place, searched in by_gallery.items():
            out.values += _values(plan, name, searched, {"gallery": place} if place else {})
        if len(by_gallery) > 1:
            out.values += _means([_values(plan, name, searched, {}) for searched in by_gallery.values()], {})
        _curves(out, name, by_gallery)
        for column, label in breakdowns.items():
            out.values += _parts(plan, name, by_gallery, column, label)
    for habit in foreign_poolings(plan):
        for name, found in embeddings.items():
            if found.also is not None:
                continue  # such a code knows one vector of each template
            baseline = next(iter(embeddings.values())) if plan.protocol.preprocess == "probes" else found
            out.values += _published(plan, name, found, baseline, habit, subject, enrolled)
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
    """Return the rank of every probe's mate, who need not be there; ``Ranked``'s rows are those of ``gallery``.

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
    rest = there
    if index.name != "exact" or not index.exact:  # whose lists cost as much as counting all scores
        found = index.search(probes.vectors[there], candidates)
        listed = np.where(found.rows < 0, -1, rows[found.rows])
        ranked, told = ranks_listed(found.scores, listed, probe_subject[there], gallery_subject)
        whole.put(there, ranked)
        rest = there[~(told | ~np.isin(probe_subject[there], gallery_subject[rows]))]
    if not index.exact:
        _score_unlisted(whole, there, gallery, probes, gallery_subject, probe_subject)
    elif len(rest):
        counted = ranks_blocked(
            probes.vectors if len(rest) == len(probes.vectors) else probes.vectors[rest],
            gallery.vectors,
            probe_subject[rest].astype(str),
            gallery_subject.astype(str),
            np.ones(len(rest), bool),
            gallery.enrolled,
            device=device,
            open_set=True,
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
        of_mate, of_others = (np.where(kind, scores, FAILED) for kind in (mate, ~mate))
        best = of_mate.argmax(axis=1), of_others.argmax(axis=1)
        mate_score, impostor_score = of_mate.max(axis=1), of_others.max(axis=1)
        before = np.count_nonzero(of_others >= mate_score[:, None], axis=1)
        mated, rivalled = mate_score > FAILED, impostor_score > FAILED
        found.put(
            part,
            Ranked(
                ranks=np.where(mated, before + 1, MISS),
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


def _rows(pooled: Pooled, rows: NDArray[np.int64]) -> Pooled:
    if len(rows) == len(pooled.vectors):  # numbers rise, so these are all of them
        return pooled
    return Pooled(pooled.vectors[rows], pooled.enrolled[rows])


def _searched(
    plan: Plan,
    found: Embeddings,
    ranked: Ranked,
    split: Split,
    gallery: Pooled,
    probes: Pooled,
    enrolled: NDArray[np.object_],
    subject: NDArray[np.object_],
    device: str,
) -> Searched:
    mated = np.isin(subject[split.probes].astype(str), enrolled[split.gallery].astype(str))
    kept = np.ones(len(mated), bool)
    if plan.protocol.faces.failure == "exclude":
        there = enrolled[split.gallery][gallery.enrolled].astype(str)
        kept = probes.enrolled & (~mated | np.isin(subject[split.probes].astype(str), there))
    places = {}
    for metric in plan.protocol.metrics:
        if not metric.startswith("map") or found.also is not None:
            continue
        one, others = gallery.vectors, probes.vectors
        if metric == EUCLIDEAN and not plan.templates:  # of features as they are given
            one = found.vectors[plan.gallery][split.gallery]
            others = found.vectors[plan.probes][split.probes]
        rows = np.flatnonzero(mated & kept)
        places[metric] = mate_places(
            others[rows],
            one,
            subject[split.probes][rows].astype(str),
            enrolled[split.gallery].astype(str),
            probes.enrolled[rows],
            gallery.enrolled,
            "euclidean" if metric == EUCLIDEAN else "cosine",
            device,
        )
    of_all = ranked._replace(
        best_mate_row=_global(ranked.best_mate_row, split), best_impostor_row=_global(ranked.best_impostor_row, split)
    )
    return Searched(of_all, mated, kept, places)


def _global(rows: NDArray[np.int64], split: Split) -> NDArray[np.int64]:
    return np.where(rows < 0, -1, split.gallery[rows])


def _of_any(
    by_gallery: Mapping[str, Searched], galleries: Mapping[str, Split], probes: int
) -> tuple[Ranked, NDArray[np.bool_]]:
    """Return each search, and whether it counts: in the first gallery where it has a mate, else in the first at all."""
    whole, counted = Ranked.misses(probes), np.ones(probes, bool)
    for kinds in ((False, True), (True,)):  # the mated ones last, over the others
        for name in reversed(list(by_gallery)):
            searched = by_gallery[name]
            rows = np.flatnonzero(np.isin(searched.mated, kinds))
            whole.put(galleries[name].probes[rows], searched.ranked.of(rows))
            counted[galleries[name].probes[rows]] = searched.kept[rows]
    return whole, counted


def _values(
    plan: Plan, name: str, searched: Searched, where: dict[str, str], part: NDArray[np.bool_] | None = None
) -> list[Value]:
    """Return every metric of one gallery, of all mated searches or of a part; thresholds are of all non-mated ones."""
    mine = searched.mated & searched.kept
    strangers = searched.ranked.best_impostor_score[~searched.mated & searched.kept]
    number = np.cumsum(mine) - 1
    if part is not None:
        mine = mine & part
    ranks, scores = searched.ranked.ranks[mine], searched.ranked.best_mate_score[mine]
    values = []
    for metric in plan.protocol.metrics:
        if k := _rank(metric):
            low, high = clopper_pearson(np.count_nonzero(ranks <= k), len(ranks)).tolist()
            rate = rank_k(ranks, k)
            values.append(Value(metric, name, rate, len(ranks), where, interval=(low, high), method=CLOPPER_PEARSON))
        elif "@fpir" in metric:
            values.append(_open(metric, name, hit_scores(ranks, scores), strangers, where))
        elif metric not in searched.places:
            values.append(Value(metric, name, None, len(ranks), where))
        else:
            place, probe = searched.places[metric]
            rows = np.isin(probe, number[mine])
            rule: Literal["standard", "trapezoid"] = "trapezoid" if metric == EUCLIDEAN else "standard"
            _, again = np.unique(probe[rows], return_inverse=True)
            mean = mean_average_precision(place[rows], again, len(ranks), rule)
            values.append(Value(metric, name, mean, len(ranks), where))
    return values


def _open(
    metric: str, name: str, hits: NDArray[np.float64], strangers: NDArray[np.float32], where: dict[str, str]
) -> Value:
    point = tpir_at_fpir(hits, strangers, float(metric.partition("=")[2]))
    count = point.hits if metric.startswith("tpir") else point.n_mated - point.hits
    rate = point.tpir if metric.startswith("tpir") else point.fnir
    low, high = clopper_pearson(count, point.n_mated).tolist()
    return Value(
        metric,
        name,
        rate,
        point.n_mated,
        where,
        false_accepts=point.alarms,
        threshold=point.threshold,
        interval=(low, high) if rate == rate else None,
        method=CLOPPER_PEARSON,
    )


def _rank(metric: str) -> int:
    """Return the k of ``rankK``, else 0."""
    return int(metric.removeprefix("rank")) if metric.startswith("rank") else 0


def _means(of_galleries: list[list[Value]], where: dict[str, str]) -> list[Value]:
    """Return the plain mean over the galleries of each metric, as the benchmarks' tables have it.

    Its ``false_accepts`` are the fewest of a gallery: the mean is no surer than that.
    """
    values = []
    for same in zip(*of_galleries, strict=True):
        rates = [value.value for value in same if value.value is not None]
        alarms = [value.false_accepts for value in same if value.false_accepts is not None]
        mean = float(np.mean(rates)) if len(rates) == len(same) else None
        count = sum(value.n for value in same)
        values.append(
            Value(same[0].metric, same[0].preprocessor, mean, count, where, false_accepts=min(alarms, default=None))
        )
    return values


def _curves(out: Scored, name: str, by_gallery: Mapping[str, Searched]) -> None:
    """Put the CMC (the mean of several galleries') and the DET of every gallery into the result."""
    drawn, dets = [], {}
    for place, searched in by_gallery.items():
        mated = searched.mated & searched.kept
        strangers = searched.ranked.best_impostor_score[~searched.mated & searched.kept]
        ranks = searched.ranked.ranks[mated]
        if mated.any():
            drawn.append(cmc(ranks, min(CMC_RANKS, out.candidates)))
        if mated.any() and len(strangers):
            hits = hit_scores(ranks, searched.ranked.best_mate_score[mated])
            dets[place] = curve(thin(det(hits, strangers), CURVE_POINTS))
    if drawn:
        out.cmc[name] = tuple(np.mean(drawn, axis=0).tolist())
    if dets:
        out.det[name] = dets


def _parts(
    plan: Plan, name: str, by_gallery: Mapping[str, Searched], column: str, label: NDArray[np.object_]
) -> list[Value]:
    """Return every metric of every part, the mean over the galleries, and the mean over the parts."""
    parts = []
    for part in in_order(label):
        of_galleries = [
            _values(plan, name, searched, {column: part}, label[plan.galleries[place].probes] == part)
            for place, searched in by_gallery.items()
        ]
        parts.append(of_galleries[0] if len(of_galleries) == 1 else _means(of_galleries, {column: part}))
    return [value for part in parts for value in part] + _macro(plan.protocol.metrics, name, column, parts)


def _macro(metrics: tuple[str, ...], name: str, column: str, parts: list[list[Value]]) -> list[Value]:
    """Return the mean over the known parts of each metric: each weighs the same, whatever its number of searches."""
    values = []
    known = [v for part in parts for v in part if v.where[column] != UNKNOWN_LABEL]
    for metric in metrics:
        rates = [v.value for v in known if v.metric == metric and v.value is not None]
        mean = float(np.mean(rates)) if rates else None
        values.append(Value(f"{metric}_macro", name, mean, len(rates), {"over": column}))
    return values


def _published(
    plan: Plan,
    name: str,
    found: Embeddings,
    of_gallery: Embeddings,
    habit: str,
    subject: NDArray[np.object_],
    enrolled: NDArray[np.object_],
) -> list[Value]:
    """Return a published code's tables, named as such in ``where``."""
    pooling = foreign_poolings(plan)[habit]
    gallery, probes = gallery_of(plan, of_gallery, pooling).vectors, probes_of(plan, found, pooling).vectors
    targets = list(dict.fromkeys(m.partition("=")[2] for m in plan.protocol.metrics if "@fpir" in m))
    fars = [float(target) for target in targets]
    who, whose = subject.astype(str), enrolled.astype(str)
    if HABITS[habit].galleries == "merged":
        return _table(merged(probes, gallery, who, whose, fars), name, targets, {"compat": habit})
    tables, values = [], []
    for place, split in plan.galleries.items():
        tables.append(
            apart(probes[split.probes], gallery[split.gallery], who[split.probes], whose[split.gallery], fars)
        )
        values += _table(tables[-1], name, targets, {"compat": habit, "gallery": place})
    searches = [table.searches for table in tables]
    mean = Table(
        searches=sum(searches),
        rank={k: float(np.average([t.rank[k] for t in tables], weights=searches)) for k in tables[0].rank},
        tpir={far: float(np.mean([t.tpir[far] for t in tables])) for far in fars},
        threshold={},
    )
    return values + _table(mean, name, targets, {"compat": habit})


def _table(table: Table, name: str, targets: list[str], where: dict[str, str]) -> list[Value]:
    ranks = [Value(f"rank{k}", name, rate, table.searches, where) for k, rate in table.rank.items()]
    rates = [
        Value(
            f"tpir@fpir={target}",
            name,
            table.tpir[float(target)],
            table.searches,
            where,
            threshold=table.threshold.get(float(target)),
        )
        for target in targets
    ]
    return ranks + rates


def _described(index: Gallery, recall: Recall | None) -> dict[str, Any]:
    described = {"backend": index.name, "exact": index.exact, "recall": None, "device": index.device}
    if recall is None:
        return described
    return described | {"recall": recall.recall, "recall_at": recall.at, "recall_probes": recall.probes}
