"""What touching one face is worth: the fall of the log-loss of the decisions that it takes part in.

A comparison between faces a and b has four scores: neither, one or the other, or both preprocessed. Each face's part of
the whole change is its Shapley value: what touching it changes, averaged over the other face untouched and touched. The
log-loss is that of a logistic curve fitted to the untouched scores, mated against non-mated, both kinds weighing the
same: a score that moves where no decision is near is worth nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..metrics import Ranked
from ..search import create as create_gallery
from .embeddings import Embeddings
from .identification import search
from .keep import compared_subjects
from .plan import Plan, firsts
from .pooling import gallery_of, own_pooling, probes_of
from .score import cosines, unit

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


class Benefit(NamedTuple):
    """Faces of which it is known what touching them is worth.

    Attributes:
        jobs: (F,) their numbers.
        subject: (F,) numbers of their subjects.
        gain: (F,) the fall of the log-loss; negative: touching harms.
    """

    jobs: Rows
    subject: Rows
    gain: Floats


def benefit(plan: Plan, raw: Embeddings, done: Embeddings) -> Benefit:
    """Return what touching each face is worth; faces that no preprocessor sees, and failed ones, are not among them.

    Args:
        plan: with both mated and non-mated comparisons, or searches.
        raw, done: the faces' embeddings, untouched and preprocessed.

    Raises:
        DataError: there is no usable comparison of one of both kinds.
    """
    found = _searched(plan, raw, done) if len(plan.probes) else _compared(plan, raw, done)
    usable = (found.jobs < plan.touched) & np.isfinite(found.gain)
    jobs, place = np.unique(found.jobs[usable], return_inverse=True)
    subject = np.zeros(len(jobs), np.int64)
    subject[place] = found.subject[usable]
    return Benefit(jobs, subject, np.bincount(place, found.gain[usable], len(jobs)).astype(np.float64))


def _compared(plan: Plan, raw: Embeddings, done: Embeddings) -> Benefit:
    first, second, mated = plan.first, plan.second, plan.mated
    x, y = unit(raw.vectors), unit(done.vectors)
    usable = raw.valid & done.valid
    there = usable[first] & usable[second]
    neither, left, right, both = (cosines(a, first, second, b) for a, b in ((x, x), (y, x), (x, y), (y, y)))
    weight = np.where(mated, 0.5 / max(1, (there & mated).sum()), 0.5 / max(1, (there & ~mated).sum())) * there.sum()
    slope, offset = logistic(neither[there], mated[there])
    sign = np.where(mated, 1.0, -1.0)
    losses = [weight * np.logaddexp(0.0, -sign * (slope * s + offset)) for s in (neither, left, right, both)]
    gains = [
        np.where(there, ((losses[0] - losses[own]) + (losses[other] - losses[3])) / 2, np.nan)
        for own, other in ((1, 2), (2, 1))
    ]
    subjects = compared_subjects(plan)[:2]
    return Benefit(np.concatenate([first, second]), np.concatenate(subjects), np.concatenate(gains))


def _searched(plan: Plan, raw: Embeddings, done: Embeddings) -> Benefit:
    """Return the gains of the probes, in galleries of untouched and of preprocessed faces by half each.

    The margin of a search is the score of its best mate less that of its best impostor.
    """
    states = [(probes, gallery) for gallery in (raw, done) for probes in (raw, done)]
    found = [_ranked(plan, probes, gallery) for probes, gallery in states]
    mate, impostor = found[0].best_mate_score.astype(np.float64), found[0].best_impostor_score.astype(np.float64)
    there = np.isfinite(mate) & np.isfinite(impostor)
    truth = np.repeat([True, False], there.sum())
    slope, _ = logistic(np.concatenate([mate[there], impostor[there]]), truth)
    with np.errstate(invalid="ignore"):
        margins = [r.best_mate_score.astype(np.float64) - r.best_impostor_score for r in found]
        losses = [np.where(np.isfinite(m), np.logaddexp(0.0, -slope * m), np.nan) for m in margins]
    gain = ((losses[0] - losses[1]) + (losses[2] - losses[3])) / 2
    members = np.bincount(plan.probe_template)[plan.probe_template]
    subject = plan.column("subject", plan.probes).astype(str)
    _, number = np.unique(subject, return_inverse=True)
    return Benefit(plan.probes, number.astype(np.int64), gain[plan.probe_template] / members)


def _ranked(plan: Plan, probes: Embeddings, gallery: Embeddings) -> Ranked:
    subject = plan.column("subject", plan.probes)[firsts(plan.probe_template)]
    enrolled = plan.column("subject", plan.gallery)[firsts(plan.gallery_template)]
    templates = gallery_of(plan, gallery, own_pooling(plan))
    index = create_gallery("exact", "cpu")
    index.enroll(templates.vectors[templates.enrolled])
    searched = probes_of(plan, probes, own_pooling(plan))
    return search(index, templates, searched, enrolled, subject, min(50, len(enrolled)), "cpu")


def logistic(scores: Floats, mated: NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and offset of the log-odds that a score is a mated one, both kinds being as frequent.

    Raises:
        DataError: there is only one kind.
    """
    from sklearn.linear_model import LogisticRegression

    if mated.all() or not mated.any():
        what = "non-mated" if len(mated) and mated.all() else "mated"
        raise DataError(
            f"the dev part has no {what} comparison of two usable faces: there is nothing to learn a gate from"
        )
    centre, scale = float(scores.mean()), float(scores.std()) or 1.0
    fitted = LogisticRegression(class_weight="balanced").fit((scores[:, None] - centre) / scale, mated)
    slope = max(float(fitted.coef_[0, 0]), 0.0) / scale
    return slope, float(fitted.intercept_[0]) - slope * centre
