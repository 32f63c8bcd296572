"""From the scores of comparisons to the values, curves and histograms of a result."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..metrics import Ranked, verification
from ..protocol import Protocol
from ..results import BASELINE, Curve, Histogram, Value
from .embeddings import Embeddings
from .plan import Plan, labels

# ``fnmr@baseline``: the threshold at which the untouched baseline's FMR does not exceed this.
BASELINE_FMR = 1e-3
CURVE_POINTS, HISTOGRAM_BINS = 400, 80
_BLOCK = 65_536  # comparisons scored at once


@dataclass
class Scored:
    """The part of a result that is made of scores.

    Attributes:
        values, curves, edges, histograms, cmc: as in a result.
        scores: (N,) of the comparisons, by preprocessor; empty for identification.
        counted: (N,) bool by preprocessor, false where the failure rule leaves a comparison (or search) out.
        ranked: the searches, by preprocessor; empty for verification.
        candidates: how many a search lists.
        search: what searched, as it stands in a result's settings.
    """

    values: list[Value] = field(default_factory=list)
    curves: dict[str, Curve] = field(default_factory=dict)
    edges: tuple[float, ...] = ()
    histograms: dict[str, Histogram] = field(default_factory=dict)
    cmc: dict[str, tuple[float, ...]] = field(default_factory=dict)
    scores: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    counted: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    ranked: dict[str, Ranked] = field(default_factory=dict)
    candidates: int = 0
    search: dict[str, Any] = field(default_factory=dict)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return (J, D) float64 vectors of length 1; zero stays zero."""
    wide = vectors.astype(np.float64)
    norm = np.linalg.norm(wide, axis=1, keepdims=True)
    np.divide(wide, norm, out=wide, where=norm > 0)
    return wide


def compare(found: Embeddings, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return (N,) cosines of the comparisons in float64; -inf where a face failed."""
    scores = cosines(unit(found.vectors), first, second)
    if found.also is not None:
        np.maximum(scores, cosines(unit(found.also), first, second), out=scores)
    scores[~(found.valid[first] & found.valid[second])] = -np.inf
    return scores


def cosines(
    vectors: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
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
    out = Scored(scores={name: compare(found, plan.first, plan.second) for name, found in embeddings.items()})
    mated, fold = plan.mated, plan.fold
    breakdowns = {column: labels(plan, column) for column in plan.protocol.breakdowns}
    baseline = _threshold(out.scores[BASELINE], mated)
    edges, _, _ = verification.histogram(np.concatenate(list(out.scores.values())), [], HISTOGRAM_BINS)
    out.edges = tuple(edges.tolist())
    for name, scores in out.scores.items():
        kept = np.isfinite(scores) if plan.protocol.faces.failure == "exclude" else np.ones(len(scores), bool)
        out.counted[name] = kept
        genuine, impostor = scores[kept & mated], scores[kept & ~mated]
        out.values += _verification_values(plan.protocol, name, scores[kept], mated[kept], fold[kept], baseline)
        if len(genuine) and len(impostor):
            roc = verification.thin(verification.roc(genuine, impostor), CURVE_POINTS)
            thresholds = tuple(t if math.isfinite(t) else None for t in roc.threshold.tolist())
            out.curves[name] = Curve(thresholds, tuple(roc.fmr.tolist()), tuple(roc.fnmr.tolist()))
        _, of_mated, of_non_mated = verification.histogram(genuine, impostor, edges)
        out.histograms[name] = Histogram(tuple(of_mated.tolist()), tuple(of_non_mated.tolist()))
        for column, label in breakdowns.items():
            for part in in_order(label):
                rows = kept & (label == part)
                out.values += _at_baseline(name, scores[rows], mated[rows], baseline, {column: part})
    return out


def _verification_values(
    protocol: Protocol,
    name: str,
    scores: NDArray[np.float64],
    mated: NDArray[np.bool_],
    fold: NDArray[np.int64],
    baseline: float,
) -> list[Value]:
    genuine, impostor = scores[mated], scores[~mated]
    values: list[Value] = []
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
            values.append(_tar(protocol, name, metric, genuine, impostor))
    return values


def _accuracy(
    protocol: Protocol, name: str, scores: NDArray[np.float64], mated: NDArray[np.bool_], fold: NDArray[np.int64]
) -> list[Value]:
    compat: Literal["", "insightface"] = "insightface" if "insightface" in protocol.compat else ""
    found = verification.accuracy_kfold(scores, mated, fold, compat)
    numbers, counts = np.unique(fold, return_counts=True)
    metric = f"accuracy_{len(numbers)}fold"
    values = [Value(metric, name, found.mean, len(scores), std=found.std)]
    for number, count, accuracy, threshold in zip(numbers, counts, found.per_fold, found.thresholds, strict=False):
        where = {"fold": str(number + 1)}
        values.append(Value("accuracy", name, accuracy, int(count), where, threshold=threshold))
    return values


def _tar(
    protocol: Protocol, name: str, metric: str, genuine: NDArray[np.float64], impostor: NDArray[np.float64]
) -> Value:
    far = float(metric.partition("=")[2])
    found = verification.tar_at_far(genuine, impostor, far, "nearest" if "nearest" in protocol.compat else "")
    return Value(metric, name, found.tar, len(genuine), false_accepts=found.false_accepts, threshold=found.threshold)


def _threshold(scores: NDArray[np.float64], mated: NDArray[np.bool_]) -> float:
    return verification.tar_at_far(scores[mated], scores[~mated], BASELINE_FMR).threshold


def _at_baseline(
    name: str, scores: NDArray[np.float64], mated: NDArray[np.bool_], threshold: float, where: dict[str, str]
) -> list[Value]:
    n_mated, n_non_mated = int(mated.sum()), int((~mated).sum())
    accepted = scores >= threshold
    misses, false_accepts = int((mated & ~accepted).sum()), int((~mated & accepted).sum())
    fnmr = misses / n_mated if n_mated and not math.isnan(threshold) else None
    fmr = false_accepts / n_non_mated if n_non_mated and not math.isnan(threshold) else None
    return [
        Value("fnmr@baseline", name, fnmr, n_mated, where, threshold=threshold),
        Value("fmr@baseline", name, fmr, n_non_mated, where, false_accepts=false_accepts, threshold=threshold),
    ]


def in_order(label: NDArray[np.object_]) -> list[str]:
    """Return the labels once each; those that hold numbers by their first number, then by the alphabet.

    A minus counts where nothing but a space stands before it: ``-45`` is a number, ``2004-05`` begins with 2004.
    """
    number = re.compile(r"(?:(?<!\S)-)?\d+\.?\d*")
    return sorted(
        set(label.tolist()), key=lambda text: (float(m[0]) if (m := number.search(text)) else -math.inf, text)
    )
