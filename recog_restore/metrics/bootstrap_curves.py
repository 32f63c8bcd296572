"""Metrics of the whole score distribution in every draw of subjects: accuracy over folds, TAR at a FAR, EER, AUC.

Thresholds are derived again in each draw, by the definitions of ``verification``. Comparisons within a subject are the
mated ones, those between two the non-mated ones, unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import ConventionError
from .bootstrap import Array, SubjectBootstrap
from .scores import FAILED, Scores, checked
from .verification import insightface_steps

# Two sums of weights that differ by less are equal: weights are summed in another order than they are compared.
_EQUAL = 1e-9


def tar_at_far_draws(
    bootstrap: SubjectBootstrap,
    scores: Scores,
    far: float,
    counted: NDArray[np.bool_] | None = None,
    damping: float = 1.0,
    mated: NDArray[np.bool_] | None = None,
) -> Array:
    """Return (B,) the largest TAR whose FAR does not exceed the target in each draw; NaN in one without either kind.

    Only the top share of the non-mated scores is weighed one by one, four times what the target accepts at first and
    more where a draw asks for more; the rest enters by its weight alone. 1,000 draws of 15,658,489 comparisons at 1e-4
    are seconds.

    Args:
        scores: (N,) of the bootstrap's comparisons.
        far: the target, 0…1.
        counted: (N,) bool; all by default.
        damping: γ of the bootstrap.
        mated: (N,) bool, for searches in an open set, all of which are within a subject: those for an enrolled one.

    Raises:
        ConventionError: a score is NaN or +inf, lengths differ, or the target is not in 0…1.
    """
    scores, counted = _checked(bootstrap, scores, counted, far)
    mated = bootstrap.within if mated is None else mated
    genuine, impostor = np.flatnonzero(counted & mated), np.flatnonzero(counted & ~mated)
    genuine = genuine[np.argsort(scores[genuine])]
    total = bootstrap.total(counted & ~mated, damping)
    rejected = _rejected(bootstrap, scores, impostor, far, total, damping)
    found = np.full(bootstrap.draws, np.nan)
    for draws in bootstrap.blocks(len(genuine)):
        weights = bootstrap.of(genuine, draws)
        below = np.concatenate([np.zeros((1, weights.shape[1])), np.cumsum(weights, axis=0)])
        place = np.searchsorted(scores[genuine], rejected[draws], side="right")
        columns = np.arange(weights.shape[1])
        defined = (below[-1] > 0) & (total[draws] > 0)
        np.divide(below[-1] - below[place, columns], below[-1], out=found[draws], where=defined)
    return found


def threshold_draws(
    bootstrap: SubjectBootstrap,
    scores: Scores,
    far: float,
    counted: NDArray[np.bool_] | None = None,
    damping: float = 1.0,
) -> Array:
    """Return (B,) the lowest threshold whose FAR does not exceed the target in each draw; NaN in one without non-mated.

    It is the lowest score of the list, mated or not, above the highest non-mated one that must not be accepted; just
    above that where there is no such score.

    Args:
        scores, far, counted, damping: as of ``tar_at_far_draws``.

    Raises:
        ConventionError: as ``tar_at_far_draws``.
    """
    scores, counted = _checked(bootstrap, scores, counted, far)
    impostor = np.flatnonzero(counted & ~bootstrap.within)
    total = bootstrap.total(counted & ~bootstrap.within, damping)
    rejected = _rejected(bootstrap, scores, impostor, far, total, damping)
    rising = np.sort(scores[counted])
    place = np.searchsorted(rising, rejected, side="right")
    above = np.append(rising, np.inf)[place]
    found = np.where(np.isfinite(above), above, np.nextafter(rejected, np.inf))
    return np.where(total > 0, found, np.nan)


def accuracy_kfold_draws(
    bootstrap: SubjectBootstrap,
    scores: Scores,
    mated: NDArray[np.bool_],
    fold: NDArray[np.integer],
    counted: NDArray[np.bool_] | None = None,
    damping: float = 1.0,
    compat: Literal["", "insightface"] = "",
) -> Array:
    """Return (B,) the accuracy over folds in each draw, with every fold's threshold chosen again on the other folds.

    NaN in a draw in which a fold has no comparison.

    Args:
        scores, counted, damping: as of ``tar_at_far_draws``.
        mated: (N,) bool.
        fold: (N,) integers; those that are counted are of two folds at least.
        compat: as of ``accuracy_kfold``.

    Raises:
        ConventionError: a score is NaN or +inf, or lengths differ.
    """
    scores, counted = _checked(bootstrap, scores, counted)
    rows = np.flatnonzero(counted)
    scores, mated, apart = scores[rows], mated[rows], ~bootstrap.within[rows]
    _, number = np.unique(fold[rows], return_inverse=True)
    if compat:
        steps, accepted_from = insightface_steps(scores)
        value, place = np.arange(steps, dtype=np.float64), steps - accepted_from
    else:
        value, place = np.unique(scores.astype(np.float64), return_inverse=True)
    folds, size = int(number.max()) + 1, len(value)
    cell, every = number * size + place, np.arange(folds)
    fewest = 1 if compat else int(np.searchsorted(value, FAILED, side="right"))  # values that are always rejected
    found = np.full(bootstrap.draws, np.nan)
    for draws in bootstrap.blocks(len(rows)):
        weights = bootstrap.of(rows, draws)
        weights[apart] = 1 + damping * (weights[apart] - 1)
        for draw, weight in zip(range(*draws.indices(bootstrap.draws)), weights.T, strict=True):
            whole = np.bincount(number, weight, folds)
            if not whole.all():
                continue
            # Column k is of a threshold that rejects the k lowest values.
            correct = np.zeros((folds, size + 1))
            np.cumsum(
                np.bincount(cell, np.where(mated, -weight, weight), folds * size).reshape(folds, size),
                axis=1,
                out=correct[:, 1:],
            )
            others = (correct.sum(axis=0) - correct)[:, fewest:]
            best = others >= others.max(axis=1, keepdims=True) - _EQUAL
            chosen = size - np.argmax(best[:, ::-1], axis=1)
            if not compat:
                there = np.bincount(cell, weight, folds * size).reshape(folds, size)
                chosen = _halfway(value, chosen, fewest, there.sum(axis=0) - there > _EQUAL)
            correct += np.bincount(number, np.where(mated, weight, 0.0), folds)[:, None]
            found[draw] = np.mean(correct[every, chosen] / whole)
    return found


def _halfway(value: Array, chosen: NDArray[np.int64], fewest: int, there: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the values (F,) that are rejected where thresholds stand as in ``accuracy_kfold``, between two values.

    Args:
        value: (K,) distinct scores, rising.
        chosen: (F,) how many of them are rejected at most.
        fewest: how many are always.
        there: (F, K) which of them the other folds have.
    """
    every, size = np.arange(len(chosen)), len(value)
    below = chosen - 1
    while (going := (below >= fewest) & ~there[every, below]).any():
        below = below - going
    middle = value[below] / 2 + value[np.minimum(chosen, size - 1)] / 2
    between = np.searchsorted(value, middle)
    lowest = np.where(there[:, :fewest].any(axis=1), chosen, fewest)
    return np.where(chosen == size, size, np.where(below < fewest, lowest, np.maximum(between, below + 1)))


def auc_draws(
    bootstrap: SubjectBootstrap, scores: Scores, counted: NDArray[np.bool_] | None = None, damping: float = 1.0
) -> Array:
    """Return (B,) the AUC in each draw, a tie counting half; NaN in a draw without mated or non-mated comparisons.

    Raises:
        ConventionError: a score is NaN or +inf, or lengths differ.
    """
    found = []
    for genuine, impostor, of_genuine, below in _sorted(bootstrap, scores, counted, damping):
        left, right = (np.searchsorted(impostor, genuine, side=side) for side in ("left", "right"))
        area = np.einsum("nb,nb->b", of_genuine, (below[left] + below[right]) / 2)
        total = of_genuine.sum(axis=0) * below[-1]
        found.append(np.divide(area, total, out=np.full(len(area), np.nan), where=total > 0))
    return np.concatenate(found)


def eer_draws(
    bootstrap: SubjectBootstrap, scores: Scores, counted: NDArray[np.bool_] | None = None, damping: float = 1.0
) -> Array:
    """Return (B,) the EER in each draw; NaN where a draw lacks either kind, or failures keep the rates from meeting.

    Raises:
        ConventionError: a score is NaN or +inf, or lengths differ.
    """
    found = []
    for genuine, impostor, of_genuine, below in _sorted(bootstrap, scores, counted, damping):
        distinct = np.unique(np.concatenate([genuine, impostor]))
        falling = distinct[distinct > FAILED][::-1]
        rejected = np.concatenate([np.zeros((1, of_genuine.shape[1])), np.cumsum(of_genuine, axis=0)])
        misses, passed = np.searchsorted(genuine, falling), np.searchsorted(impostor, falling)
        none = np.zeros((1, of_genuine.shape[1]))
        with np.errstate(invalid="ignore", divide="ignore"):
            fnmr = np.concatenate([none + 1, rejected[misses] / rejected[-1]])
            fmr = np.concatenate([none, (below[-1] - below[passed]) / below[-1]])
        gap = fmr - fnmr
        after, columns = np.argmax(gap >= 0, axis=0), np.arange(gap.shape[1])
        meets = gap[after, columns] >= 0
        before = np.maximum(after - 1, 0)
        low, high = gap[before, columns], gap[after, columns]
        weight = np.divide(low, low - high, out=np.ones(len(low)), where=low != high)
        value = fmr[before, columns] + weight * (fmr[after, columns] - fmr[before, columns])
        found.append(np.where(meets, value, np.nan))
    return np.concatenate(found)


def _rejected(
    bootstrap: SubjectBootstrap,
    scores: Scores,
    impostor: NDArray[np.int64],
    far: float,
    total: Array,
    damping: float,
) -> Array:
    """Return (B,) the highest non-mated score that must not be accepted; -inf where all may."""
    found = np.full(bootstrap.draws, FAILED)
    todo = np.flatnonzero(total > 0)
    keep = min(len(impostor), 4 * int(far * len(impostor)) + 1000)
    while len(todo):
        top = impostor
        if keep < len(impostor):
            top = impostor[np.argpartition(scores[impostor], len(impostor) - keep)[len(impostor) - keep :]]
        top = top[np.argsort(-scores[top], kind="stable")]
        plain = (1 - damping) * np.arange(1, len(top) + 1)[:, None]
        left = []
        for part in bootstrap.blocks(len(top)):
            draws = todo[(todo >= part.start) & (todo < part.stop)]
            if not len(draws):
                continue
            accepted = np.cumsum(bootstrap.of(top, part)[:, draws - part.start], axis=0)
            too_many = (plain + damping * accepted) / total[draws] > far
            first = np.argmax(too_many, axis=0)
            crossed = too_many[first, np.arange(len(draws))]
            found[draws[crossed]] = scores[top[first[crossed]]]
            left.append(draws[~crossed])
        todo = np.concatenate(left) if keep < len(impostor) else todo[:0]
        keep = min(len(impostor), 4 * keep)
    return found


def _sorted(
    bootstrap: SubjectBootstrap, scores: Scores, counted: NDArray[np.bool_] | None, damping: float
) -> Iterator[tuple[Scores, Scores, Array, Array]]:
    """Yield, by blocks of draws, both kinds of scores rising, weights of the mated, and running weight of the others.

    The running weight has one row more than there are scores: the first is 0, the last the weight of all.
    """
    scores, counted = _checked(bootstrap, scores, counted)
    rows = [np.flatnonzero(counted & kind) for kind in (bootstrap.within, ~bootstrap.within)]
    genuine, impostor = (mine[np.argsort(scores[mine], kind="stable")] for mine in rows)
    for draws in bootstrap.blocks(len(genuine) + len(impostor)):
        of_impostor = 1 + damping * (bootstrap.of(impostor, draws) - 1)
        below = np.concatenate([np.zeros((1, of_impostor.shape[1])), np.cumsum(of_impostor, axis=0)])
        yield scores[genuine], scores[impostor], bootstrap.of(genuine, draws), below


def _checked(
    bootstrap: SubjectBootstrap, scores: Scores, counted: NDArray[np.bool_] | None, far: float = 0.0
) -> tuple[Scores, NDArray[np.bool_]]:
    if not 0.0 <= far <= 1.0:
        raise ConventionError(f"far is {far}; expected a rate from 0 to 1")
    scores = checked(scores, "scores")
    if scores.shape != bootstrap.first.shape:
        raise ConventionError(f"scores: expected one for each of {len(bootstrap.first)} comparisons, got {len(scores)}")
    return scores, np.ones(len(scores), np.bool_) if counted is None else counted
