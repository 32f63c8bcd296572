"""From the scores of comparisons to the values, curves and histograms of a result."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..metrics import Ranked, pair_scores, tar_at_fars, verification
from ..metrics.compat import zero_for_failed
from ..protocol import Protocol
from ..results import BASELINE, UNKNOWN_LABEL, Curve, Histogram, Value
from ..templates import Pooled, Pooling
from .embeddings import Embeddings
from .plan import Plan, labels
from .pooling import both_of, foreign_poolings, gallery_of, own_pooling, probes_of, unenrolled

CURVE_POINTS, HISTOGRAM_BINS = 400, 80
_BLOCK = 65_536  # comparisons scored at once
_MANY = 1_000_000  # comparisons that are not all sorted for a curve

Scores = NDArray[np.floating[Any]]


@dataclass
class Scored:
    """The part of a result that is made of scores.

    Attributes:
        values, curves, edges, histograms, cmc, det: as in a result.
        scores: (N,) of the comparisons, by preprocessor; empty for identification.
        counted: (N,) bool by preprocessor, false where the failure rule leaves a comparison (or search) out.
        ranked: the searches, by preprocessor; empty for verification.
        candidates: how many a search lists.
        search: what searched, as it stands in a result's settings.
        pooling: how templates were pooled, in words; "" where there are none.
        unenrolled: as in a result.
    """

    values: list[Value] = field(default_factory=list)
    curves: dict[str, Curve] = field(default_factory=dict)
    edges: tuple[float, ...] = ()
    histograms: dict[str, Histogram] = field(default_factory=dict)
    cmc: dict[str, tuple[float, ...]] = field(default_factory=dict)
    det: dict[str, dict[str, Curve]] = field(default_factory=dict)
    scores: dict[str, Scores] = field(default_factory=dict)
    counted: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    ranked: dict[str, Ranked] = field(default_factory=dict)
    candidates: int = 0
    search: dict[str, Any] = field(default_factory=dict)
    pooling: str = ""
    unenrolled: dict[str, int] = field(default_factory=dict)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return (J, D) float64 vectors of length 1; zero stays zero."""
    wide = vectors.astype(np.float64)
    norm = np.linalg.norm(wide, axis=1, keepdims=True)
    np.divide(wide, norm, out=wide, where=norm > 0)
    return wide


def compare(found: Embeddings, first: NDArray[np.integer], second: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return (N,) cosines of the comparisons in float64; -inf where a face failed."""
    scores = cosines(unit(found.vectors), first, second)
    if found.also is not None:
        np.maximum(scores, cosines(unit(found.also), first, second), out=scores)
    scores[~(found.valid[first] & found.valid[second])] = -np.inf
    return scores


def cosines(
    vectors: NDArray[np.float64],
    first: NDArray[np.integer],
    second: NDArray[np.integer],
    other: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return (N,) products of vectors (J, D) of length 1; the second from ``other``, where given."""
    other = vectors if other is None else other
    scores = np.empty(len(first))
    for start in range(0, len(first), _BLOCK):
        rows = slice(start, start + _BLOCK)
        scores[rows] = np.einsum("nd,nd->n", vectors[first[rows]], other[second[rows]])
    return scores


def verify(plan: Plan, embeddings: Mapping[str, Embeddings]) -> Scored:
    """Return what a verification protocol measures, for every preprocessor; the first is the baseline."""
    out, foreign = Scored(), foreign_poolings(plan)
    if plan.templates:
        out.pooling = own_pooling(plan).words()
        out.scores, out.unenrolled = _of_templates(plan, embeddings, own_pooling(plan))
    else:
        out.scores = {name: compare(found, plan.first, plan.second) for name, found in embeddings.items()}
    mated, fold = plan.mated, plan.fold
    breakdowns = {column: labels(plan, column) for column in plan.protocol.breakdowns}
    out.counted = {name: _counted(plan.protocol, scores) for name, scores in out.scores.items()}
    rows = out.counted[BASELINE]
    baseline = threshold_at(plan.protocol.baseline_fmr, out.scores[BASELINE][rows], mated[rows])
    edges = _edges(list(out.scores.values()))
    out.edges = tuple(edges.tolist())
    for name, scores in out.scores.items():
        kept = out.counted[name]
        genuine, impostor = scores[kept & mated], scores[kept & ~mated]
        out.values += _verification_values(plan.protocol, name, scores[kept], mated[kept], fold[kept], baseline)
        if len(genuine) and len(impostor):
            out.curves[name] = curve(_drawn(genuine, impostor))
        _, of_mated, of_non_mated = verification.histogram(genuine, impostor, edges)
        out.histograms[name] = Histogram(tuple(of_mated.tolist()), tuple(of_non_mated.tolist()))
        for column, label in breakdowns.items():
            for part in in_order(label):
                rows = kept & (label == part)
                out.values += _at_baseline(name, scores[rows], mated[rows], baseline, {column: part})
    for habit, pooling in foreign.items():
        for name, scores in _of_templates(plan, embeddings, pooling)[0].items():
            out.values += _published(plan.protocol, name, zero_for_failed(scores), mated, habit)
    return out


def _counted(protocol: Protocol, scores: Scores) -> NDArray[np.bool_]:
    """Return (N,) whether each comparison counts, as the protocol's rule for failures has it."""
    return np.isfinite(scores) if protocol.faces.failure == "exclude" else np.ones(len(scores), bool)


def curve(points: verification.Roc) -> Curve:
    """Return a curve as a result holds it: the threshold +inf is None."""
    thresholds = tuple(t if math.isfinite(t) else None for t in points.threshold.tolist())
    return Curve(thresholds, tuple(points.fmr.tolist()), tuple(points.fnmr.tolist()))


def _drawn(genuine: Scores, impostor: Scores) -> verification.Roc:
    if len(genuine) + len(impostor) > _MANY:
        return verification.sketch(genuine, impostor, CURVE_POINTS)
    return verification.thin(verification.roc(genuine, impostor), CURVE_POINTS)


def _edges(scores: list[Scores]) -> NDArray[np.float64]:
    ends = [np.array([s.min(initial=np.inf, where=s > -np.inf), s.max(initial=-np.inf)]) for s in scores]
    both = np.concatenate(ends)
    edges, _, _ = verification.histogram(both[np.isfinite(both)], [], HISTOGRAM_BINS)
    return edges


def _of_templates(
    plan: Plan, embeddings: Mapping[str, Embeddings], pooling: Pooling
) -> tuple[dict[str, Scores], dict[str, int]]:
    """Return the scores of comparisons of templates, -inf for one that is not enrolled, and how many are not."""
    scores: dict[str, Scores] = {}
    failed: dict[str, int] = {}
    enrolled: Pooled | None = None
    for name, found in embeddings.items():
        if enrolled is None or plan.protocol.preprocess == "both":
            enrolled = gallery_of(plan, found, pooling)
        probes = probes_of(plan, found, pooling)
        scores[name] = compare_templates(plan, enrolled, probes)
        if (also := found.second) is not None:
            np.maximum(scores[name], compare_templates(plan, *both_of(plan, also, pooling)), out=scores[name])
        failed[name] = unenrolled(enrolled, probes)
    return scores, failed


def compare_templates(plan: Plan, first: Pooled, second: Pooled) -> Scores:
    """Return (N,) float32 cosines of the comparisons; -inf where a template is not enrolled."""
    return pair_scores(first.vectors, second.vectors, plan.first, plan.second, first.enrolled, second.enrolled)


def _published(protocol: Protocol, name: str, scores: Scores, mated: NDArray[np.bool_], habit: str) -> list[Value]:
    """Return a published code's rates at the protocol's targets, and its area under the curve."""
    genuine, impostor, where = scores[mated], scores[~mated], {"compat": habit}
    targets = list(dict.fromkeys(m.partition("=")[2] for m in protocol.metrics if m.startswith("tar")))
    points = tar_at_fars(genuine, impostor, [float(target) for target in targets], "nearest")
    found = [
        Value(f"tar_nearest@far={target}", name, p.tar, p.n_mated, where, None, p.false_accepts, p.threshold)
        for target, p in zip(targets, points, strict=True)
    ]
    if "auc" in protocol.metrics:
        found.append(Value("auc", name, verification.auc(genuine, impostor), len(scores), where))
    return found


def _verification_values(
    protocol: Protocol,
    name: str,
    scores: Scores,
    mated: NDArray[np.bool_],
    fold: NDArray[np.integer],
    baseline: float,
) -> list[Value]:
    genuine, impostor = scores[mated], scores[~mated]
    points, values = _operating_points(protocol, genuine, impostor), []
    for metric in protocol.metrics:
        if metric == "accuracy":
            values += _accuracy(protocol, name, scores, mated, fold)
        elif metric == "eer":
            found = verification.eer(genuine, impostor)
            values.append(Value("eer", name, found.value, len(scores), threshold=found.threshold))
        elif metric == "auc":
            values.append(Value("auc", name, verification.auc(genuine, impostor), len(scores)))
        elif metric == "fnmr@baseline":
            values += _at_baseline(name, scores, mated, baseline, {})
        else:
            p = points[metric]
            values.append(Value(metric, name, p.tar, p.n_mated, false_accepts=p.false_accepts, threshold=p.threshold))
    return values


def _accuracy(
    protocol: Protocol, name: str, scores: Scores, mated: NDArray[np.bool_], fold: NDArray[np.integer]
) -> list[Value]:
    compat: Literal["", "insightface"] = "insightface" if "insightface" in protocol.compat else ""
    found = verification.accuracy_kfold(scores, mated, fold, compat)
    numbers, counts = np.unique(fold, return_counts=True)
    called = f"accuracy_{compat}" if compat else "accuracy"
    values = [Value(f"{called}_{len(numbers)}fold", name, found.mean, len(scores), std=found.std)]
    for number, count, accuracy, threshold in zip(numbers, counts, found.per_fold, found.thresholds, strict=False):
        where = {"fold": str(number + 1)}
        values.append(Value(called, name, accuracy, int(count), where, threshold=threshold))
    return values


def _operating_points(protocol: Protocol, genuine: Scores, impostor: Scores) -> dict[str, verification.OperatingPoint]:
    found: dict[str, verification.OperatingPoint] = {}
    for prefix in ("tar", "tar_nearest"):
        metrics = [metric for metric in protocol.metrics if metric.startswith(f"{prefix}@")]
        compat: Literal["", "nearest"] = "nearest" if prefix == "tar_nearest" or "nearest" in protocol.compat else ""
        targets = [float(metric.partition("=")[2]) for metric in metrics]
        if metrics:
            found |= dict(zip(metrics, tar_at_fars(genuine, impostor, targets, compat), strict=True))
    return found


def threshold_at(fmr: float, scores: Scores, mated: NDArray[np.bool_]) -> float:
    """Return the threshold at which the FMR does not exceed ``fmr``, by the rule and with the errors of ``tar_at_far``.

    Args:
        fmr: 0…1.
        scores: (N,), higher is more alike.
        mated: (N,).
    """
    return verification.tar_at_far(scores[mated], scores[~mated], fmr).threshold


def _at_baseline(
    name: str, scores: Scores, mated: NDArray[np.bool_], threshold: float, where: dict[str, str]
) -> list[Value]:
    n_mated, n_non_mated = int(mated.sum()), int((~mated).sum())
    accepted = scores >= np.float64(threshold)
    misses, false_accepts = int((mated & ~accepted).sum()), int((~mated & accepted).sum())
    fnmr = misses / n_mated if n_mated and not math.isnan(threshold) else None
    fmr = false_accepts / n_non_mated if n_non_mated and not math.isnan(threshold) else None
    return [
        Value("fnmr@baseline", name, fnmr, n_mated, where, threshold=threshold),
        Value("fmr@baseline", name, fmr, n_non_mated, where, false_accepts=false_accepts, threshold=threshold),
    ]


def in_order(label: NDArray[np.object_]) -> list[str]:
    """Return the labels once each; those that hold numbers by their first number, then by the alphabet; unknown last.

    A minus counts where nothing but a space stands before it: ``-45`` is a number, ``2004-05`` begins with 2004.
    """
    number = re.compile(r"(?:(?<!\S)-)?\d+\.?\d*")

    def place(text: str) -> tuple[bool, float, bool, str]:
        first = float(m[0]) if (m := number.search(text)) else -math.inf
        return text == UNKNOWN_LABEL, first, not text.startswith("<"), text

    return sorted(set(label.tolist()), key=place)
