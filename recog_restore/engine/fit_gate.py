"""Learning a gate on a dev part, whose subjects the test part does not have.

It is a logistic regression: does touching this face help? Every face weighs as much as touching it gains or loses. Its
regularization and its cut are chosen on faces of subjects that the regression was not fitted on (cross-validation by
subject). What all this gains is measured on subjects that none of it saw (an outer cross-validation), and the gate
stays shut where that is not beyond chance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..embed import Embedder
from ..errors import DataError
from ..preprocess import Preprocessor
from ..preprocess.gate import Facts
from ..preprocess.learned import Fitted, Learned, Term, hashed
from ..records import plain
from .benefit import Benefit

# What a gate is learned from, where it is known.
LEARNED_FROM = ("size", "yaw", "sharpness", "drift")

FEWEST = 20  # faces, and subjects, below which nothing is learned
_FOLDS, _QUANTILES, _CUTS = 5, 21, 40
_PENALTIES = (0.01, 0.1, 1.0)  # scikit-learn's C
_BELOW_ALL = -1e9  # a cut that every face is above
_BEYOND_CHANCE = 1.6449  # standard errors: one-sided, 5 %

Floats = NDArray[np.float64]


def fit_gate(
    found: Benefit,
    facts: Facts,
    preprocessor: Preprocessor,
    embedder: Embedder,
    names: Sequence[str],
    protocol: str,
    dataset: str,
    seed: int = 0,
) -> Learned:
    """Return the gate that gains most on subjects that it was not fitted on.

    Args:
        found: the faces of the dev part, and what touching each is worth.
        facts: of all its faces, by measure; a measure that is the same for all, or unknown of all, is left out, and a
            face of which another is unknown.
        preprocessor: whose gate it is.
        embedder: with which the gains were had.
        names: of the dev part's subjects.
        protocol, dataset: for the record.
        seed: of the cross-validation.

    Raises:
        DataError: there are too few faces or subjects.
    """
    terms = _terms(facts, found.jobs)
    known = np.all([np.isfinite(facts[term.measure][found.jobs]) for term in terms], axis=0)
    found = Benefit(found.jobs[known], found.subject[known], found.gain[known])
    subjects = len(np.unique(found.subject))
    if min(len(found.jobs), subjects) < FEWEST:
        raise DataError(
            f"{len(found.jobs)} faces of {subjects} subjects are too few to learn a gate from; at least {FEWEST} of "
            "each are needed on the dev part: take more data, or a gate by hand, as --gate 'size<24'"
        )
    standings = np.stack([term.standing(facts[term.measure][found.jobs]) for term in terms], axis=1)
    fold = _folds(found.subject, seed)
    opened = _opened(standings, found.gain, fold)
    gain, z = _gain(np.where(opened, found.gain, 0.0), found.subject)
    penalty, cut = _chosen(standings, found.gain, fold)
    weights, intercept = _regression(standings, found.gain, penalty)
    beyond = z > _BEYOND_CHANCE
    return Learned(
        preprocessor=preprocessor.card.typed,
        preprocessor_sha256=preprocessor.card.sha256,
        preprocessor_settings=plain(preprocessor.settings()),
        embedder=embedder.card.name,
        embedder_sha256=embedder.identity(),
        terms=tuple(
            Term(term.measure, term.quantiles, float(weight)) for term, weight in zip(terms, weights, strict=True)
        ),
        intercept=intercept,
        cut=cut if beyond else None,
        fitted=Fitted(
            protocol=protocol,
            dataset=dataset,
            faces=len(found.jobs),
            subjects=hashed(names),
            share=float(opened.mean()) if beyond else 0.0,
            gain=gain if beyond else 0.0,
            gain_all=float(found.gain.mean()),
            z=z,
        ),
    )


def _terms(facts: Facts, jobs: NDArray[np.int64]) -> list[Term]:
    terms = []
    for measure, values in facts.items():
        known = values[jobs][np.isfinite(values[jobs])]
        if len(known) and known.min() < known.max():
            quantiles = np.quantile(known, np.linspace(0, 1, _QUANTILES))
            terms.append(Term(measure, tuple(np.unique(quantiles).tolist()), 0.0))
    if not terms:
        raise DataError(f"the faces do not differ in {', '.join(facts)}: there is nothing to learn a gate from")
    return terms


def _folds(subject: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return the fold of each face; a subject is in one."""
    _, number = np.unique(subject, return_inverse=True)
    drawn = np.random.default_rng(seed).permutation(number.max() + 1) % _FOLDS
    folds: NDArray[np.int64] = drawn[number]
    return folds


def _opened(standings: Floats, gain: Floats, fold: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return (F,) whether each face is touched by a gate that was learned, and chosen, on the other folds alone."""
    opened = np.empty(len(gain), bool)
    for number in np.unique(fold):
        mine = fold == number
        penalty, cut = _chosen(standings[~mine], gain[~mine], fold[~mine])
        weights, intercept = _regression(standings[~mine], gain[~mine], penalty)
        opened[mine] = standings[mine] @ weights + intercept > cut
    return opened


def _chosen(standings: Floats, gain: Floats, fold: NDArray[np.int64]) -> tuple[float, float]:
    """Return the penalty and the cut that gain most on folds that the regression was not fitted on."""
    trials = []
    for penalty in _PENALTIES:
        odds = _unseen(standings, gain, fold, penalty)
        cut = _best_cut(odds, gain)
        trials.append((_total(odds, gain, cut), -penalty, cut))
    _, penalty, cut = max(trials)
    return -penalty, cut


def _regression(standings: Floats, gain: Floats, penalty: float) -> tuple[Floats, float]:
    """Return the weights and the intercept of the log-odds that touching helps."""
    from sklearn.linear_model import LogisticRegression

    helps, weight = gain > 0, np.abs(gain)
    if helps.all() or not helps.any() or not weight.any():
        return np.zeros(standings.shape[1]), 1.0 if helps.all() else -1.0
    fitted = LogisticRegression(C=penalty, max_iter=1000).fit(standings, helps, weight / weight.mean())
    return fitted.coef_[0].astype(np.float64), float(fitted.intercept_[0])


def _unseen(standings: Floats, gain: Floats, fold: NDArray[np.int64], penalty: float) -> Floats:
    """Return (F,) log-odds, each from a regression on the other folds."""
    odds = np.empty(len(gain))
    for number in np.unique(fold):
        mine = fold == number
        weights, intercept = _regression(standings[~mine], gain[~mine], penalty)
        odds[mine] = standings[mine] @ weights + intercept
    return odds


def _best_cut(odds: Floats, gain: Floats) -> float:
    """Return the cut above which the gains sum up to most: below all faces, between some of them."""
    candidates = np.unique(np.quantile(odds, np.linspace(0, 1, _CUTS + 1)))
    candidates = np.concatenate([[_BELOW_ALL], candidates])
    return float(max(candidates, key=lambda cut: _total(odds, gain, cut)))


def _total(odds: Floats, gain: Floats, cut: float) -> float:
    return float(gain[odds > cut].sum())


def _gain(gain: Floats, subject: NDArray[np.int64]) -> tuple[float, float]:
    """Return the mean over the faces, and the sum over its standard error by subject."""
    _, number = np.unique(subject, return_inverse=True)
    sums = np.bincount(number, gain)
    spread = float(np.sqrt(np.sum((sums - sums.mean()) ** 2) * len(sums) / (len(sums) - 1)))
    return float(gain.mean()), float(gain.sum()) / spread if spread else 0.0


def describe(learned: Learned) -> str:
    """Return in one sentence what was learned."""
    fitted = learned.fitted
    if learned.cut is None:
        return (
            f"the gate stays shut: on {fitted.faces:,} faces of {len(fitted.subjects):,} subjects, no choice of faces "
            f"to touch was found to help (z {fitted.z:.1f})"
        )
    weights = ", ".join(f"{term.measure} {term.weight:+.2f}" for term in learned.terms)
    return (
        f"it touches {100 * fitted.share:.0f} % of the {fitted.faces:,} faces of {len(fitted.subjects):,} subjects "
        f"that it was fitted on (gain there: {fitted.z:.1f} standard errors); weights of a face's place among them: "
        f"{weights}"
    )
