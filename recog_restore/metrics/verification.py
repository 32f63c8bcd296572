"""Verification (1:1): error rates over thresholds, and the operating points that tables print.

The convention of scores, failures and undefined values is the package's.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConventionError, UndefinedMetric
from .scores import FAILED, Scores, checked

# The lowest threshold there is: accepts every score but a failure.
_ACCEPT_ALL = float(np.finfo(np.float64).min)

# The squared distances that insightface tries as thresholds.
_GRID = np.arange(0, 4, 0.01)


@dataclass(frozen=True, eq=False)
class Roc:
    """Error rates over falling thresholds: the ROC draws 1 - fnmr over fmr, the DET fnmr over fmr.

    Attributes:
        threshold: (J,) float64, strictly falling; the first is +inf, the others are every distinct score.
        fmr: (J,) float64, never falling, from 0 to the share of non-mated comparisons that did not fail.
        fnmr: (J,) float64, never rising, from 1 to the share of mated comparisons that failed.
    """

    threshold: NDArray[np.float64]
    fmr: NDArray[np.float64]
    fnmr: NDArray[np.float64]


@dataclass(frozen=True)
class Eer:
    """The rate at which FMR and FNMR are equal, and the threshold there."""

    value: float
    threshold: float


@dataclass(frozen=True)
class OperatingPoint:
    """What one threshold accepts: counts, and the rates they give.

    Attributes:
        threshold: accept when ``score >= threshold``; NaN where no threshold could be chosen.
        true_accepts, false_accepts: mated and non-mated comparisons accepted.
        n_mated, n_non_mated: all comparisons, failed ones included.
        far_target: what the threshold was chosen for; None where it was given.
    """

    threshold: float
    true_accepts: int
    false_accepts: int
    n_mated: int
    n_non_mated: int
    far_target: float | None = None

    @property
    def tar(self) -> float:
        """Accepted share of the mated comparisons; NaN where there are none."""
        return self._share(self.true_accepts, self.n_mated)

    @property
    def fnmr(self) -> float:
        """Rejected share of the mated comparisons, failed ones included; NaN where there are none."""
        return self._share(self.n_mated - self.true_accepts, self.n_mated)

    @property
    def far_achieved(self) -> float:
        """Accepted share of the non-mated comparisons (FMR); NaN where there are none."""
        return self._share(self.false_accepts, self.n_non_mated)

    def _share(self, count: int, total: int) -> float:
        return count / total if total and not math.isnan(self.threshold) else math.nan


@dataclass(frozen=True)
class KFold:
    """Accuracy over folds.

    Attributes:
        mean, std: over ``per_fold``; ``std`` divides by the number of folds (ddof 0), as the published codes do.
        per_fold: accuracy on each fold, in rising order of the fold's number.
        thresholds: the score chosen for each fold on all others.
    """

    mean: float
    std: float
    per_fold: tuple[float, ...]
    thresholds: tuple[float, ...]


def roc(mated: ArrayLike, non_mated: ArrayLike) -> Roc:
    """Return FMR and FNMR at every distinct score, thresholds falling from +inf.

    Args:
        mated: (Nm,) scores; without any, ``fnmr`` is NaN and ``UndefinedMetric`` is warned.
        non_mated: (Nn,) scores; without any, ``fmr`` is NaN and ``UndefinedMetric`` is warned.

    Raises:
        ConventionError: a score is NaN or +inf.
    """
    mated, non_mated = checked(mated, "mated"), checked(non_mated, "non_mated")
    _warn_if_empty(mated, non_mated)
    threshold, true_accepts, false_accepts = _accepts(mated, non_mated)
    return Roc(threshold, _rate(false_accepts, len(non_mated)), _rate(len(mated) - true_accepts, len(mated)))


def thin(curve: Roc, points: int) -> Roc:
    """Return at most ``points`` points of a curve for drawing, the same ones every time; a shorter curve as it is.

    Both ends stay. The others are corners of the staircase: the lowest FNMR at or below an FMR, and the lowest FMR at
    or below an FNMR, for levels spaced evenly and logarithmically on both axes, so that the curve keeps its shape on
    linear, logarithmic and normal-deviate scales.

    Raises:
        ConventionError: fewer than 2 points asked for.
    """
    if points < 2:
        raise ConventionError(f"points is {points}; a curve needs at least its 2 ends")
    if len(curve.threshold) <= points:
        return curve
    share = (points - 2) // 4
    keep = [np.array([0, len(curve.threshold) - 1])]
    for level in _levels(curve.fmr, share):
        keep.append(np.searchsorted(curve.fmr, level, side="right") - 1)
    for level in _levels(curve.fnmr, share):
        keep.append(np.searchsorted(-curve.fnmr[:-1], -level, side="left"))
    index = np.unique(np.concatenate(keep))
    return Roc(curve.threshold[index], curve.fmr[index], curve.fnmr[index])


def sketch(mated: ArrayLike, non_mated: ArrayLike, points: int) -> Roc:
    """Return at most ``points`` points of the curve that ``roc`` gives, for drawing, without sorting all comparisons.

    Every point is exact. They stand where FNMR has values spaced evenly and logarithmically, and where FMR has
    logarithmically spaced ones up to 0.1: of the non-mated scores only that share is sorted, all others are counted
    between the thresholds.

    Raises:
        ConventionError: a score is NaN or +inf, or fewer than 2 points are asked for.
    """
    mated, non_mated = checked(mated, "mated"), checked(non_mated, "non_mated")
    if points < 2:
        raise ConventionError(f"points is {points}; a curve needs at least its 2 ends")
    _warn_if_empty(mated, non_mated)
    falling, top = np.sort(mated)[::-1], _highest(non_mated, max(1, len(non_mated) // 10))
    ends = [scores[scores > FAILED].min(initial=np.inf) for scores in (mated, non_mated)]
    chosen: list[NDArray[Any]] = [np.array([min(ends)])]
    share = (points - 2) // 3
    for scores, spaced in ((falling, np.linspace), (falling, np.geomspace), (top, np.geomspace)):
        if len(scores) and share > 0:
            chosen.append(scores[np.unique(spaced(1, len(scores), share).round().astype(np.int64)) - 1])
    rising = np.unique(np.concatenate([part.astype(np.float64) for part in chosen]))
    rising = rising[np.isfinite(rising)]
    counts = []
    for scores in (mated, non_mated):
        place = np.bincount(_steps(rising, scores), minlength=len(rising) + 1)
        counts.append(np.append(0, np.cumsum(place[:0:-1])).astype(np.int64))
    return Roc(
        np.append(np.inf, rising[::-1]), _rate(counts[1], len(non_mated)), _rate(len(mated) - counts[0], len(mated))
    )


def eer(mated: ArrayLike, non_mated: ArrayLike) -> Eer:
    """Return the equal error rate: where FMR and FNMR, falling through the thresholds, cross.

    Between the two neighbouring points of ``roc`` that enclose the crossing, both rates and the threshold are
    interpolated linearly; next to the threshold +inf, the finite one of the two is returned. NaN, with
    ``UndefinedMetric``, where there are no mated or no non-mated scores, or so many failed that the rates never cross.

    Raises:
        ConventionError: a score is NaN or +inf.
    """
    mated, non_mated = checked(mated, "mated"), checked(non_mated, "non_mated")
    if _warn_if_empty(mated, non_mated):
        return Eer(math.nan, math.nan)
    threshold, true_accepts, false_accepts = _accepts(mated, non_mated)
    fmr = _rate(false_accepts, len(non_mated))
    gap = fmr - _rate(len(mated) - true_accepts, len(mated))
    if gap[-1] < 0:
        warnings.warn("EER: so many comparisons failed that FMR and FNMR never meet", UndefinedMetric, stacklevel=2)
        return Eer(math.nan, math.nan)
    after = int(np.searchsorted(gap, 0.0))  # gap rises strictly, from -1
    before = after - 1
    weight = gap[before] / (gap[before] - gap[after])
    value = fmr[before] + weight * (fmr[after] - fmr[before])
    if weight == 1.0 or math.isinf(threshold[before]):
        return Eer(float(value), float(threshold[after]))
    return Eer(float(value), float(threshold[before] + weight * (threshold[after] - threshold[before])))


def auc(mated: ArrayLike, non_mated: ArrayLike) -> float:
    """Return the probability that a mated score is above a non-mated one, a tie counting half (Mann-Whitney U).

    It is the area under the ROC. Two failures tie. NaN, with ``UndefinedMetric``, without mated or non-mated scores.

    Raises:
        ConventionError: a score is NaN or +inf.
    """
    mated, non_mated = checked(mated, "mated"), checked(non_mated, "non_mated")
    if _warn_if_empty(mated, non_mated):
        return math.nan
    common = np.result_type(mated, non_mated)
    lower, keys = np.sort(non_mated.astype(common, copy=False)), np.sort(mated.astype(common, copy=False))
    below = int(np.searchsorted(lower, keys, side="left").sum())
    not_above = int(np.searchsorted(lower, keys, side="right").sum())
    return (below + not_above) / (2 * len(mated) * len(non_mated))


def tar_at_far(
    mated: ArrayLike, non_mated: ArrayLike, far: float, compat: Literal["", "nearest"] = ""
) -> OperatingPoint:
    """Return the operating point with the largest TAR whose FAR does not exceed the target.

    The threshold is the lowest observed score, mated or non-mated, that keeps to the target. Where the target leaves no
    false accept (FAR·Nn < 1, or too many ties at the top), it lies just above the highest non-mated score
    (``nextafter`` in the scores' own precision). Without mated scores TAR is NaN, without non-mated ones the
    threshold and both rates are, each with ``UndefinedMetric``.

    Args:
        mated: (Nm,) scores.
        non_mated: (Nn,) scores.
        far: the target, 0…1.
        compat: ``nearest`` takes the point of scikit-learn's ROC (collinear points dropped, its default) whose FAR is
            nearest to the target, the lower threshold of two that are as near. The FAR achieved may exceed the target.
            The published IJB-B and IJB-C tables are made this way.

    Raises:
        ConventionError: a score is NaN or +inf, or the target is not in 0…1.

    Source: the default is the definition of ISO/IEC 19795-1; ``nearest`` is insightface,
        recognition/_evaluation_/ijb/ijb_evals.py at commit 7fadd420.
    """
    return tar_at_fars(mated, non_mated, [far], compat)[0]


def tar_at_fars(
    mated: ArrayLike, non_mated: ArrayLike, fars: Sequence[float], compat: Literal["", "nearest"] = ""
) -> list[OperatingPoint]:
    """Return ``tar_at_far`` for several targets; only the share of the non-mated scores that they accept is sorted.

    Args, Raises, Source: as for ``tar_at_far``.
    """
    mated, non_mated = checked(mated, "mated"), checked(non_mated, "non_mated")
    for far in fars:
        if not 0.0 <= far <= 1.0:
            raise ConventionError(f"far is {far}; expected a rate from 0 to 1")
    if compat not in ("", "nearest"):
        raise ConventionError(f"compat is {compat!r}; expected '' or 'nearest'")
    n_mated, n_non_mated = len(mated), len(non_mated)
    _warn_if_empty(mated, non_mated)
    if not n_non_mated:
        return [OperatingPoint(math.nan, 0, 0, n_mated, 0, far) for far in fars]
    if compat:
        return _nearest(mated, non_mated, fars)
    common = np.result_type(mated, non_mated)
    allowed = [_allowed(far, n_non_mated) for far in fars]
    top = _highest(non_mated, max(allowed, default=0) + 1)
    found = []
    for far, count in zip(fars, allowed, strict=True):
        # The highest non-mated score that must not be accepted.
        rejected = common.type(top[count] if count < n_non_mated else FAILED)
        true, false = mated[mated > rejected], top[: np.searchsorted(-top, -rejected)]
        if len(false):
            threshold = min(float(false[-1]), float(true.min(initial=np.inf)))
        else:
            threshold = float(np.nextafter(rejected, common.type(np.inf)))
        found.append(OperatingPoint(threshold, len(true), len(false), n_mated, n_non_mated, far))
    return found


def rates_at(mated: ArrayLike, non_mated: ArrayLike, threshold: float) -> OperatingPoint:
    """Return what a given threshold accepts, for instance one chosen on the untouched baseline.

    The comparison is exact in float64. Without mated or non-mated scores their rate is NaN, with ``UndefinedMetric``.

    Raises:
        ConventionError: a score is NaN or +inf, or the threshold is NaN.
    """
    mated, non_mated = checked(mated, "mated"), checked(non_mated, "non_mated")
    if math.isnan(threshold):
        raise ConventionError("threshold is nan; expected a score")
    _warn_if_empty(mated, non_mated)
    true, false = _accepted(mated, threshold), _accepted(non_mated, threshold)
    return OperatingPoint(float(threshold), int(true.sum()), int(false.sum()), len(mated), len(non_mated))


def accuracy_kfold(
    scores: ArrayLike, mated: ArrayLike, fold: ArrayLike, compat: Literal["", "insightface"] = ""
) -> KFold:
    """Return the accuracy on each fold at the threshold that is most accurate on all other folds.

    Exact by default: the candidates are the midpoints between neighbouring distinct scores of the other folds (next to
    a failure the score itself), plus -inf (accept all but failures) and +inf (accept none). Of equally accurate
    thresholds the largest is taken. Fewer than 2 folds: NaN, with ``UndefinedMetric``.

    Args:
        scores: (N,) scores.
        mated: (N,) bool.
        fold: (N,) integers, the fold of each comparison.
        compat: ``insightface`` reads the scores as cosines of unit vectors and searches squared distances 2 - 2·cos
            over 0, 0.01 … 3.99, accepts below the threshold (strictly), and takes the smallest of equally accurate
            ones; a failure is infinitely far. ``thresholds`` are then 1 - d²/2, and a score equal to one is rejected.

    Raises:
        ConventionError: lengths differ, a score is NaN or +inf, or, for ``insightface``, is not a cosine.

    Source: LFW's view 2 (Huang et al., UMass Amherst 07-49); ``insightface`` is recognition/arcface_torch/eval/
        verification.py, ``calculate_roc``, at commit 7fadd420.
    """
    scores = checked(scores, "scores")
    mated, fold = np.asarray(mated), np.asarray(fold)
    if mated.dtype != np.bool_ or mated.shape != scores.shape:
        raise ConventionError(f"mated: expected {scores.shape} booleans, got {mated.shape} {mated.dtype}")
    if fold.dtype.kind not in "iu" or fold.shape != scores.shape:
        raise ConventionError(f"fold: expected {scores.shape} integers, got {fold.shape} {fold.dtype}")
    folds, number = np.unique(fold, return_inverse=True)
    if len(folds) < 2:
        warnings.warn(f"accuracy over folds needs 2 folds, got {len(folds)}", UndefinedMetric, stacklevel=2)
        return KFold(math.nan, math.nan, (), ())
    if compat == "insightface":
        per_fold, thresholds = _insightface_folds(scores, mated, number)
    elif compat:
        raise ConventionError(f"compat is {compat!r}; expected '' or 'insightface'")
    else:
        per_fold, thresholds = _exact_folds(scores, mated, number)
    return KFold(float(np.mean(per_fold)), float(np.std(per_fold)), tuple(per_fold), tuple(thresholds))


def histogram(
    mated: ArrayLike, non_mated: ArrayLike, bins: int | ArrayLike = 100
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return bin edges (K+1,), counts of mated scores (K,) and of non-mated scores (K,) in the same bins.

    A bin holds its lower edge, the last one also its upper. Failures are in no bin: what a sum of counts lacks of
    the number of scores has failed. Scores beyond given edges are counted in the outermost bin, never lost.

    Args:
        mated: (Nm,) scores.
        non_mated: (Nn,) scores.
        bins: how many equal bins from the lowest to the highest finite score (−1…1 where there is none), or the
            edges themselves, strictly rising, so that several histograms can share them.

    Raises:
        ConventionError: a score is NaN or +inf, fewer than 1 bin, or edges that do not rise.
    """
    mated, non_mated = checked(mated, "mated"), checked(non_mated, "non_mated")
    found = [scores[scores > FAILED] for scores in (mated, non_mated)]
    edges = np.array(bins, np.float64)
    if edges.ndim == 0:
        if edges < 1:
            raise ConventionError(f"bins is {bins!r}; expected at least 1")
        low = min((float(scores.min()) for scores in found if len(scores)), default=-1.0)
        high = max((float(scores.max()) for scores in found if len(scores)), default=1.0)
        if low == high:
            low, high = low - 0.5, high + 0.5
        edges = np.linspace(low, high, int(edges) + 1)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ConventionError("bins: expected at least 2 edges, each above the one before")
    counts = [
        np.bincount(
            np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, len(edges) - 2), minlength=len(edges) - 1
        )
        for scores in found
    ]
    return edges, counts[0].astype(np.int64, copy=False), counts[1].astype(np.int64, copy=False)


def _warn_if_empty(mated: Scores, non_mated: Scores) -> bool:
    empty = [name for name, scores in (("mated", mated), ("non-mated", non_mated)) if not len(scores)]
    for name in empty:
        warnings.warn(f"there are no {name} scores", UndefinedMetric, stacklevel=3)
    return bool(empty)


def _accepted(scores: Scores, threshold: float) -> NDArray[np.bool_]:
    # A float64 scalar: NumPy would round a Python float to float32 where the scores are.
    return scores >= np.float64(max(threshold, _ACCEPT_ALL))


def _accepts(mated: Scores, non_mated: Scores) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return +inf and every distinct finite score, falling, and how many mated and non-mated scores each accepts."""
    mated, non_mated = (np.sort(scores[scores > FAILED]) for scores in (mated, non_mated))
    rising = np.concatenate([mated, non_mated])
    rising.sort(kind="stable")  # merges the two sorted runs
    first = np.flatnonzero(rising[1:] != rising[:-1]) + 1
    first = np.append(0, first) if len(rising) else first
    rising = rising[first]
    equal = np.bincount(np.searchsorted(rising, mated), minlength=len(rising))
    lower = np.cumsum(equal) - equal  # mated scores; of both kinds there are ``first``
    true, false = (
        np.append(0, (count - less)[::-1]).astype(np.int64, copy=False)
        for count, less in ((len(mated), lower), (len(non_mated), first - lower))
    )
    return np.append(np.inf, rising[::-1].astype(np.float64)), true, false


def _steps(rising: NDArray[np.float64], scores: Scores) -> NDArray[np.intp]:
    """Return how many of the thresholds accept each score; in the scores' own precision, which holds them all."""
    return np.searchsorted(rising.astype(scores.dtype, copy=False), scores, side="right")


def _rate(count: NDArray[np.int64], total: int) -> NDArray[np.float64]:
    return count / total if total else np.full(len(count), np.nan)


def _levels(rate: NDArray[np.float64], count: int) -> list[NDArray[np.float64]]:
    """Return ``count`` levels spaced evenly and as many spaced logarithmically over the values of a rate."""
    positive = rate[rate > 0]  # none, or only NaN: nothing to space
    if not len(positive) or not count:
        return []
    return [np.linspace(rate.min(), positive.max(), count), np.geomspace(positive.min(), positive.max(), count)]


def _allowed(far: float, n: int) -> int:
    """Return the largest k with k / n <= far in float64, where far·n alone may be off by one."""
    k = int(far * n)
    while k and k / n > far:
        k -= 1
    while k < n and (k + 1) / n <= far:
        k += 1
    return k


def _highest(scores: Scores, count: int) -> Scores:
    """Return the ``count`` highest scores, falling; all of them where there are fewer."""
    if count < len(scores):
        scores = np.partition(scores, len(scores) - count)[len(scores) - count :]
    return np.sort(scores)[::-1]


def _nearest(mated: Scores, non_mated: Scores, fars: Sequence[float]) -> list[OperatingPoint]:
    found: dict[float, OperatingPoint] = {}
    count = _allowed(max(fars, default=0.0), len(non_mated)) + 1
    while len(found) < len(set(fars)):
        count = min(2 * count, len(non_mated))
        found = _nearest_among(mated, non_mated, _highest(non_mated, count), fars)
    return [found[far] for far in fars]


def _nearest_among(mated: Scores, non_mated: Scores, top: Scores, fars: Sequence[float]) -> dict[float, OperatingPoint]:
    """Return the points for those targets that the highest non-mated scores suffice to tell."""
    threshold, true, false = _accepts(mated, top)
    keep = np.ones(len(threshold), np.bool_)
    if len(threshold) > 3:  # scikit-learn drops the inner points before it puts (0, 0) in front
        keep[2:-1] = (np.diff(true[1:], 2) != 0) | (np.diff(false[1:], 2) != 0)
    whole = len(top) == len(non_mated)
    if not whole:  # at and below the lowest of the top, not all that is accepted is known, nor is what comes next
        keep &= np.append(threshold[1:], FAILED) > float(top[-1])
    threshold, true, false = threshold[keep], true[keep], false[keep]
    found: dict[float, OperatingPoint] = {}
    for far in fars if len(false) else ():
        distance = np.abs(false / len(non_mated) - far)
        nearest = len(false) - 1 - int(np.argmin(distance[::-1]))
        beyond = int(np.searchsorted(false / len(non_mated), far))  # the first at or above the target
        if whole or (beyond < len(false) and false[-1] > max(false[beyond], false[nearest])):
            found[far] = OperatingPoint(
                float(threshold[nearest]), int(true[nearest]), int(false[nearest]), len(mated), len(non_mated), far
            )
    return found


def _exact_folds(scores: Scores, mated: NDArray[np.bool_], number: NDArray[np.intp]) -> tuple[list[float], list[float]]:
    order = np.argsort(scores)
    per_fold, thresholds = [], []
    for held_out in range(int(number.max()) + 1):
        rest = order[number[order] != held_out]
        threshold = _most_accurate(scores[rest].astype(np.float64), mated[rest])
        test = number == held_out
        per_fold.append(float(np.mean(_accepted(scores[test], threshold) == mated[test])))
        thresholds.append(threshold)
    return per_fold, thresholds


def _most_accurate(rising: NDArray[np.float64], mated: NDArray[np.bool_]) -> float:
    """Return the largest of the most accurate thresholds for sorted scores; failures stand first."""
    failures = int(np.searchsorted(rising, FAILED, side="right"))
    score = rising[failures:]
    first = np.flatnonzero(np.append(True, score[1:] != score[:-1])) if len(score) else np.zeros(0, np.intp)
    low, high = score[first[:-1]], score[first[1:]]
    middle = low / 2 + high / 2
    middle = np.where((low < middle) & (middle <= high), middle, high)  # neighbours in float64 have nothing between
    lowest = score[:1] if failures else np.array([-np.inf])[: len(score)]
    candidates = np.concatenate([lowest, middle, [np.inf]])
    # Rejected by candidate i: the failures and all scores before the i-th distinct one.
    rejected = failures + np.append(first, len(score))
    mated_before = np.append(0, np.cumsum(mated))
    correct = (rejected - mated_before[rejected]) + (mated_before[-1] - mated_before[rejected])
    return float(candidates[len(correct) - 1 - int(np.argmax(correct[::-1]))])


def insightface_steps(scores: Scores) -> tuple[int, NDArray[np.intp]]:
    """Return how many thresholds insightface tries, and (N,) the number of the first that accepts each score.

    It is the number of thresholds where none does.

    Raises:
        ConventionError: a score is not a cosine.
    """
    cosine = scores.astype(np.float64)
    foreign = (np.abs(cosine) > 1.0 + 1e-3) & (cosine > FAILED)
    if foreign.any():
        index = int(np.argmax(foreign))
        raise ConventionError(f"scores[{index}] is {cosine[index]:.6g}; compat 'insightface' expects cosines")
    distance = np.maximum(2.0 - 2.0 * cosine, 0.0)
    return len(_GRID), np.searchsorted(_GRID, distance, side="right")  # the first grid value strictly above


def _insightface_folds(
    scores: Scores, mated: NDArray[np.bool_], number: NDArray[np.intp]
) -> tuple[list[float], list[float]]:
    steps, accepted_from = insightface_steps(scores)
    folds, columns = int(number.max()) + 1, steps + 1
    cell = number * columns + accepted_from
    right, wrong = (
        np.bincount(cell[which], minlength=folds * columns).reshape(folds, columns).cumsum(axis=1)[:, :-1]
        for which in (mated, ~mated)
    )
    correct = right - wrong + np.bincount(number[~mated], minlength=folds)[:, None]
    best = np.argmax(correct.sum(axis=0) - correct, axis=1)
    size = np.bincount(number, minlength=folds)
    per_fold = correct[np.arange(folds), best] / size
    return [float(a) for a in per_fold], [float(t) for t in 1.0 - _GRID[best] / 2.0]
