"""A metric of one preprocessor as what statistics need: decisions about comparisons, and its value in every draw."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..metrics import verification
from ..metrics.bootstrap import Array, SubjectBootstrap
from ..metrics.bootstrap_curves import accuracy_kfold_draws, auc_draws, eer_draws, tar_at_far_draws
from ..metrics.openset import hit_scores, tpir_at_fpir
from .kept import Kept
from .score import threshold_at

# Comparisons at most for which the whole distribution (EER, AUC) is weighed in every draw: seconds, not minutes.
MOST_WEIGHED = 100_000

# Non-mated comparisons at or above a threshold at most for which it is derived again in every draw.
MOST_ABOVE = 200_000

GALLERY = "gallery"

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Measure:
    """One metric of one preprocessor over the N comparisons of a run.

    Attributes:
        metric, where: as of a value.
        value: the metric.
        counted: (N,) bool, what it rests on.
        draws: its value in every draw of a bootstrap, for a damping.
        influence: (N,) of each comparison between two subjects on it, up to a common factor; zero within a subject.
        right: (N,) bool, the decisions that are right; None where the metric decides nothing.
        hit: (N,) bool, what the rate counts: the right decisions, or the wrong ones for a rate of error.
        given: whether the decisions rest on nothing that was estimated from the comparisons that are drawn.
        lower_is_better: for a rate of error.
    """

    metric: str
    where: dict[str, str]
    value: float
    counted: Bools
    draws: Callable[[SubjectBootstrap, float], Array]
    influence: Array
    right: Bools | None = None
    hit: Bools | None = None
    given: bool = True
    lower_is_better: bool = False

    @property
    def n(self) -> int:
        """Comparisons that it rests on."""
        return int(np.count_nonzero(self.counted))


def baseline_threshold(kept: Kept) -> float:
    """Return the threshold of ``fnmr@baseline``, which a run's first preprocessor sets; NaN where there is none."""
    if kept.kind == "identification":
        return math.nan
    baseline = kept.preprocessors[0]
    counted = kept.counted[baseline]
    scores, mated = kept.scores[baseline][counted], kept.mated[counted]
    if not mated.any() or mated.all():
        return math.nan
    return threshold_at(kept.baseline_fmr, scores, mated)


def measures(kept: Kept, preprocessor: str, threshold: float) -> Iterator[Measure]:
    """Yield every metric of a run that has a value, over all of the data and by its parts, means over parts excepted.

    Args:
        kept: the run.
        preprocessor: whose.
        threshold: ``baseline_threshold`` of the run that has the baseline.
    """
    counted = kept.counted[preprocessor]
    if not counted.any():
        return
    if kept.kind == "identification":
        yield from _searches(kept, preprocessor, counted)
        return
    scores = kept.scores[preprocessor]
    for metric in kept.metrics:
        if metric == "accuracy":
            yield from _accuracy(kept, scores, counted)
        elif metric == "fnmr@baseline":
            yield from _at_baseline(kept, scores, threshold, [({}, counted)])
        elif (counted & kept.mated).any() and (counted & ~kept.mated).any():
            yield from _whole(kept, metric, scores, counted)
    yield from _at_baseline(kept, scores, threshold, list(_parts(kept, counted))[1:])


def _searches(kept: Kept, preprocessor: str, counted: Bools) -> Iterator[Measure]:
    """Yield the rates of searches; of several galleries those at a rank alone, for each of them and as their mean."""
    for metric in kept.metrics:
        if metric.startswith("rank"):
            hit = kept.ranks[preprocessor] <= int(metric.removeprefix("rank"))
            if kept.galleries is not None:
                yield from _of_galleries(kept, metric, hit, counted & kept.mated, kept.galleries)
                continue
            for where, part in _parts(kept, counted & kept.mated):
                yield _share(metric, where, hit, part)
        elif "@fpir=" in metric and kept.galleries is None:
            yield from _open_set(kept, preprocessor, metric, counted)


def _of_galleries(
    kept: Kept, metric: str, hit: Bools, counted: Bools, galleries: tuple[NDArray[np.int64], tuple[str, ...]]
) -> Iterator[Measure]:
    number, names = galleries
    for where, part in _parts(kept, counted):
        in_each = [part & (number == i) for i in range(len(names))]
        if not all(rows.any() for rows in in_each):
            continue
        shares = [_share(metric, {GALLERY: name}, hit, rows) for name, rows in zip(names, in_each, strict=True)]
        if not where:
            yield from shares
        yield Measure(
            metric,
            where,
            float(np.mean([share.value for share in shares])),
            part,
            partial(_mean_draws, shares),
            np.mean([share.influence / share.n for share in shares], axis=0),
            right=hit,
        )


def _mean_draws(shares: Sequence[Measure], bootstrap: SubjectBootstrap, damping: float) -> Array:
    mean: Array = np.mean([share.draws(bootstrap, damping) for share in shares], axis=0)
    return mean


def _open_set(kept: Kept, preprocessor: str, metric: str, counted: Bools) -> Iterator[Measure]:
    """Yield TPIR or FNIR at an FPIR; its threshold, which all searches without a mate set, is derived in every draw."""
    hits = hit_scores(kept.ranks[preprocessor], kept.scores[preprocessor])
    scores = np.where(kept.mated, hits, kept.impostor_scores[preprocessor])
    strangers, target = counted & ~kept.mated, float(metric.partition("=")[2])
    misses = metric.startswith("fnir")
    if not strangers.any():
        return
    for where, part in _parts(kept, counted & kept.mated):
        point = tpir_at_fpir(scores[part], scores[strangers], target)
        found = kept.mated & (scores >= point.threshold)

        def draws(bootstrap: SubjectBootstrap, damping: float, rows: Bools = part | strangers) -> Array:
            rate = tar_at_far_draws(bootstrap, scores, target, rows, damping, kept.mated)
            return 1 - rate if misses else rate

        yield Measure(
            metric,
            where,
            point.fnir if misses else point.tpir,
            part,
            draws,
            np.zeros(len(scores)),
            right=found,
            hit=~found if misses else found,
            given=False,
            lower_is_better=misses,
        )


def _parts(kept: Kept, counted: Bools) -> Iterator[tuple[dict[str, str], Bools]]:
    yield {}, counted
    for column, (number, names) in kept.labels.items():
        for i, name in enumerate(names):
            part = counted & (number == i)
            if part.any():
                yield {column: name}, part


def _share(metric: str, where: dict[str, str], hit: Bools, counted: Bools, lower_is_better: bool = False) -> Measure:
    """Return a rate of decisions at a given threshold or rank."""
    value = float(np.mean(hit[counted]))
    return Measure(
        metric,
        where,
        value,
        counted,
        lambda bootstrap, damping: bootstrap.ratio(hit & counted, counted, damping),
        np.where(counted, hit - value, 0.0),
        right=~hit if lower_is_better else hit,
        hit=hit,
        lower_is_better=lower_is_better,
    )


def _at_baseline(
    kept: Kept, scores: Array, threshold: float, parts: list[tuple[dict[str, str], Bools]]
) -> Iterator[Measure]:
    if math.isnan(threshold):
        return
    accepted, mated = scores >= threshold, kept.mated
    for where, part in parts:
        for metric, wrong, kind in (("fnmr@baseline", ~accepted, mated), ("fmr@baseline", accepted, ~mated)):
            if (part & kind).any():
                yield _share(metric, where, wrong, part & kind, lower_is_better=True)


def _accuracy(kept: Kept, scores: Array, counted: Bools) -> Iterator[Measure]:
    """Yield the accuracy over folds and on each; of more than ``MOST_WEIGHED`` comparisons at thresholds as given."""
    fold, mated = kept.fold[counted], kept.mated[counted]
    numbers, counts = np.unique(fold, return_counts=True)
    if len(numbers) < 2:
        return
    compat: Literal["", "insightface"] = "insightface" if "insightface" in kept.compat else ""
    found = verification.accuracy_kfold(scores[counted], mated, fold, compat)
    place = np.searchsorted(numbers, kept.fold).clip(max=len(numbers) - 1)
    threshold = np.array(found.thresholds)[place]
    accepted = scores > threshold if compat else (scores >= threshold) & np.isfinite(scores)
    right = (accepted == kept.mated) & counted
    whole = np.where(counted, 1.0 / counts[place], 0.0)

    def draws(bootstrap: SubjectBootstrap, damping: float) -> Array:
        given = bootstrap.ratio(right * whole, whole, damping)
        if len(fold) > MOST_WEIGHED:
            return given
        again = accuracy_kfold_draws(bootstrap, scores, kept.mated, kept.fold, counted, damping, compat)
        return given + (again - given) * math.sqrt(0.5)

    called = f"accuracy_{compat}" if compat else "accuracy"
    yield Measure(
        f"{called}_{len(numbers)}fold",
        {},
        found.mean,
        counted,
        draws,
        np.where(counted & ~kept.mated, right - found.mean, 0.0) * whole,
        right=right,
        hit=right,
        given=False,
    )
    for number in numbers.tolist():
        yield _share(called, {"fold": str(number + 1)}, right, counted & (kept.fold == number))


def _whole(kept: Kept, metric: str, scores: Array, counted: Bools) -> Iterator[Measure]:
    """Yield a metric of the whole distribution of scores, its threshold (if any) derived again in every draw."""
    mated = kept.mated
    genuine, impostor = scores[counted & mated], scores[counted & ~mated]

    def false(threshold: float) -> Array:
        share = float(np.mean(impostor >= threshold))
        return np.where(counted & ~mated, (scores >= threshold) - share, 0.0)

    if metric.startswith("tar") and float(metric.partition("=")[2]) * len(impostor) <= MOST_ABOVE:
        nearest = metric.startswith("tar_nearest") or "nearest" in kept.compat
        compat: Literal["", "nearest"] = "nearest" if nearest else ""
        found = verification.tar_at_far(genuine, impostor, float(metric.partition("=")[2]), compat)
        far = found.far_achieved if compat else float(metric.partition("=")[2])
        accepted = scores >= found.threshold
        yield Measure(
            metric,
            {},
            found.tar,
            counted & mated,
            lambda bootstrap, damping: tar_at_far_draws(bootstrap, scores, far, counted, damping),
            false(found.threshold),
            right=accepted,
            hit=accepted,
            given=False,
        )
    elif len(scores) <= MOST_WEIGHED and metric == "eer":
        rate = verification.eer(genuine, impostor)
        yield Measure(
            metric,
            {},
            rate.value,
            counted,
            lambda bootstrap, damping: eer_draws(bootstrap, scores, counted, damping),
            false(rate.threshold),
            given=False,
            lower_is_better=True,
        )
    elif len(scores) <= MOST_WEIGHED and metric == "auc":
        above = np.searchsorted(np.sort(genuine), scores) / len(genuine)
        mean = float(above[counted & ~mated].mean())
        yield Measure(
            metric,
            {},
            verification.auc(genuine, impostor),
            counted,
            lambda bootstrap, damping: auc_draws(bootstrap, scores, counted, damping),
            np.where(counted & ~mated, above - mean, 0.0),
            given=False,
        )
