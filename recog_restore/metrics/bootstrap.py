"""The bootstrap by subject: how far a number would move had other people been photographed.

Comparisons share people, so they are not independent, and a bootstrap over comparisons is too sure. Here subjects are
drawn with replacement, S of S, and every comparison follows its subjects: one within a subject (a mated comparison, or
the search for a subject) weighs as often as the subject was drawn, w_a; one between two subjects weighs w_a·w_b.
Nothing is copied: a draw is a vector of weights, and a rate is a ratio of weighted sums. The samples of a drawn subject
are not drawn again: the draw of the subjects carries their variance already (Davison, Hinkley 1997, section 3.8).

The product w_a·w_b counts what is peculiar to one pair of people three times over (Owen 2007), which
matters where people meet in few comparisons (LFW), and vanishes where all meet all. So weights between subjects are
damped: 1 + γ·(w_a·w_b − 1), with the γ that gives the variance of the dyadic estimator (see ``damping``). γ is 1 for
a large full cross, and 0.58 where no two comparisons share a subject.

Sources: Bolle, Ratha, Pankanti, "Error analysis of pattern recognition systems: the subsets bootstrap", CVIU 93 (2004);
Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1 (2007); Fogliato, Patil, Perona, "Confidence intervals
for error rates in 1:1 matching tasks", IJCV (2024), arXiv 2306.01198, whose vertex bootstrap this is without damping.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConventionError

DRAWS = 1000

# Numbers of a block at most: (rows, draws) while weights are multiplied.
_BLOCK = 2**22

# A table of all pairs of subjects is multiplied whole where it has at most so many cells, and the pairs fill a tenth.
_CELLS = 2**25

# Changes that are supposed beside those seen: one for the better, one for the worse.
_SUPPOSED = 2

Array = NDArray[np.float64]


def subject_weights(subjects: int, draws: int = DRAWS, seed: int = 0) -> Array:
    """Return (S, B) how often each subject comes in each of B draws of S from S; every column sums to S."""
    generator = np.random.default_rng(seed)
    drawn = np.empty((draws, subjects))
    for row in drawn:
        row[:] = np.bincount(generator.integers(subjects, size=subjects), minlength=subjects)
    return np.ascontiguousarray(drawn.T)


class SubjectBootstrap:
    """Draws of subjects over one list of N comparisons (or searches), the same for whatever is measured on it.

    Numbers measured on the same draws can be subtracted: that is the paired bootstrap of their difference.

    Attributes:
        first, second: (N,) the subjects of each comparison, from 0, every number occurring; equal within a subject.
        within: (N,) bool, where they are equal.
        weights: (S, B) of the subjects.
    """

    def __init__(self, first: ArrayLike, second: ArrayLike | None = None, draws: int = DRAWS, seed: int = 0) -> None:
        """Draw.

        Args:
            first, second: (N,) names or numbers of subjects; ``second`` is ``first`` by default (searches).
            draws: how many, from 2.
            seed: of the draws; the same list, draws and seed give the same weights.

        Raises:
            ConventionError: lengths differ, there are no comparisons, or fewer than 2 draws.
        """
        first = np.asarray(first)
        second = first if second is None else np.asarray(second)
        if first.ndim != 1 or first.shape != second.shape or not len(first):
            raise ConventionError(
                f"expected the two subjects of at least one comparison, got {first.shape} and {second.shape}"
            )
        if draws < 2:
            raise ConventionError(f"draws is {draws}; an interval needs at least 2, and 1000 to be steady")
        _, code = np.unique(np.concatenate([first, second]), return_inverse=True)
        self.first, self.second = np.split(code.astype(np.int64), 2)
        self.within: NDArray[np.bool_] = self.first == self.second
        self.subjects = int(code.max()) + 1
        self.weights = subject_weights(self.subjects, draws, seed)
        self._totals: dict[tuple[bytes, float], Array] = {}

    @property
    def draws(self) -> int:
        """B."""
        return int(self.weights.shape[1])

    def sums(self, values: ArrayLike) -> tuple[Array, Array]:
        """Return the weighted sums (B,) of values (N,) within subjects and between them, the latter not damped."""
        values = np.asarray(values, np.float64)
        rows = np.flatnonzero(self.within & (values != 0))
        of_subject = np.bincount(self.first[rows], values[rows], self.subjects)
        return of_subject @ self.weights, self._between(values)

    def ratio(self, part: ArrayLike, whole: ArrayLike, damping: float = 1.0) -> Array:
        """Return (B,) the weighted sum of ``part`` over that of ``whole``; NaN in a draw where the latter is 0.

        A rate is the ratio of hits (N,) to comparisons that count (N,), both bool; a mean over folds gives each
        comparison of a fold of n the value 1 / n.

        Args:
            part, whole: (N,) bool or float, 0 <= part <= whole.
            damping: γ, see the module.
        """
        part, whole = _floats(part), _floats(whole)
        total = self.total(whole, damping)
        rest = whole - part
        flipped = np.count_nonzero(part) > np.count_nonzero(rest)
        if flipped:
            part = rest  # fewer rows to weigh
        hits = self._damped(part, damping)
        found: Array = np.divide(hits, total, out=np.full(self.draws, np.nan), where=total > 0)
        if flipped:
            found = 1 - found
        return found

    def damping(self, influence: ArrayLike) -> float:
        """Return γ for a statistic, from the influence (N,) of each comparison on it; 1 without any between subjects.

        With X_ab the sum of influences between a and b, and X_a that of a: the dyadic variance is Σ X_a² − Σ X_ab²,
        that of the product weights Σ X_a² + Σ X_ab²; γ² is their ratio, the former taken to be at least Σ X_ab².

        Source: Aronow, Samii, Assenova, "Cluster-robust variance estimation for dyadic data", Political Analysis 23
            (2015); Owen (2007).
        """
        x = np.where(self.within, 0.0, np.asarray(influence, np.float64))
        both, once = self._squares(x)
        return math.sqrt(max(both - once, once) / (both + once)) if once else 1.0

    def worth(self, hit: NDArray[np.bool_], counted: NDArray[np.bool_]) -> float:
        """Return how many independent comparisons tell as much about a rate as the counted ones, at most their number.

        That is their number over the design effect: the dyadic variance (see ``damping``) of the rate over the binomial
        one. Where all came out alike nothing tells how alike the comparisons of a subject are; then it is the number of
        subjects, or of comparisons of which no two share one.
        """
        count, hits = int(np.count_nonzero(counted)), int(np.count_nonzero(hit & counted))
        if hits in (0, count):
            within = counted & self.within
            apart = len(np.unique(self.first[within]))
            between = counted & ~within
            apart += len(np.unique(np.concatenate([self.first[between], self.second[between]]))) // 2
            return float(min(count, apart))
        shared, alone = self._clustered(hit, counted)
        return count * min(1.0, alone / max(shared, alone))

    def together(self, before: NDArray[np.bool_], after: NDArray[np.bool_], counted: NDArray[np.bool_]) -> float:
        """Return how many of the counted comparisons change at once, from 1: the design effect of the changes.

        That of few changes is hardly known. So two more are taken to be as alike as the wrong decisions are, before and
        after; where no decision is wrong, comparisons are taken to change one by one.

        Args:
            before, after: (N,) bool, the decisions that are right.
            counted: (N,) bool.
        """
        if not counted.any():
            return 1.0
        shared, alone = np.sum([self._clustered(right, counted) for right in (before, after)], axis=0)
        usual = max(1.0, shared / alone) if alone else 1.0
        shared, alone = self._clustered(after * 1.0 - before, counted)
        return max(1.0, (max(0.0, shared) + _SUPPOSED * usual) / (alone + _SUPPOSED))

    def _clustered(self, values: ArrayLike, counted: NDArray[np.bool_]) -> tuple[float, float]:
        """Return the dyadic variance (see ``damping``) of a sum of values (N,), and that of independent ones."""
        values = _floats(values)
        x = np.where(counted, values - values[counted].mean(), 0.0)
        both, once = self._squares(x)
        return both - once, float(x @ x)

    def blocks(self, rows: int) -> Iterator[slice]:
        """Yield slices of the draws such that (rows, draws) fits a block."""
        step = max(1, _BLOCK // max(1, rows))
        for start in range(0, self.draws, step):
            yield slice(start, start + step)

    def of(self, rows: NDArray[np.int64], draws: slice) -> Array:
        """Return (n, b) the weights of some comparisons in some draws, not damped."""
        weights = self.weights[:, draws]
        found: Array = weights[self.first[rows]]
        between = ~self.within[rows]
        if between.all():
            found *= weights[self.second[rows]]
        elif between.any():
            found[between] *= weights[self.second[rows[between]]]
        return found

    def total(self, whole: ArrayLike, damping: float = 1.0) -> Array:
        """Return (B,) the weighted sum of values (N,); it is remembered, as many rates share a denominator."""
        whole = _floats(whole)
        key = hashlib.blake2b(whole.tobytes()).digest(), damping
        if key not in self._totals:
            self._totals[key] = self._damped(whole, damping)
        return self._totals[key]

    def _damped(self, values: Array, damping: float) -> Array:
        within, between = self.sums(values)
        damped: Array = within + (1 - damping) * float(values[~self.within].sum()) + damping * between
        return damped

    def _squares(self, x: Array) -> tuple[float, float]:
        """Return the sum of the squares of each subject's sum, and of each pair's of different subjects."""
        within, between = (np.flatnonzero(kind & (x != 0)) for kind in (self.within, ~self.within))
        a, b, y = self.first[between], self.second[between], x[between]
        of_subject = np.bincount(self.first[within], x[within], self.subjects)
        of_subject = of_subject + np.bincount(a, y, self.subjects) + np.bincount(b, y, self.subjects)
        key = np.minimum(a, b) * self.subjects + np.maximum(a, b)
        if self._dense(len(between)):
            of_pair = np.bincount(key, y, self.subjects**2)
        else:
            _, pair = np.unique(key, return_inverse=True)
            of_pair = np.bincount(pair, y)
        return float(of_subject @ of_subject), float(of_pair @ of_pair)

    def _between(self, values: Array) -> Array:
        rows = np.flatnonzero(~self.within & (values != 0))
        if self._dense(len(rows)):
            cell = self.first[rows] * self.subjects + self.second[rows]
            table = np.bincount(cell, values[rows], self.subjects**2).reshape(self.subjects, self.subjects)
            return np.concatenate(
                [
                    np.einsum("sb,sb->b", table @ self.weights[:, part], self.weights[:, part])
                    for part in self.blocks(self.subjects)
                ]
            )
        found = np.zeros(self.draws)
        step = max(1, _BLOCK // self.draws)
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            found += values[part] @ self.of(part, slice(None))
        return found

    def _dense(self, rows: int) -> bool:
        return self.subjects**2 <= min(_CELLS, 10 * rows)


def _floats(values: ArrayLike) -> Array:
    return np.asarray(values, np.float64)
