"""Other people's definitions of IJB-B's and IJB-C's tables, so that published numbers can be had again.

These codes know no failures. A template without a face has the vector 0 in 1:1, and so the score 0, which thresholds
below 0 accept; their 1:1 rates are ``tar_at_far(…, compat="nearest")`` of such scores. In 1:N they differ:

``insightface-merged``, ``adaface``: both galleries are one, so that every probe has a mate and nobody is a stranger.
The threshold is the ⌈P·far⌉-th largest of all P·(G - 1) impostor scores, and a probe counts that scores above it,
whatever the rank of its mate. That is no FPIR. A template of length 0 becomes NaN, which is never found.

``insightface-ijb-evals``, ``keras-insightface``: each gallery on its own. The threshold is the ⌊N·far⌋-th largest top
score of the N non-mated searches, the largest where that is none; a search counts whose mate stands strictly before all
others and above the threshold. A template of length 0 has the score 0.

Where a non-mate has the mate's very score, the published ranks 1, 5 and 10 depend on how a sort leaves equals; here the
non-mate stands first.

Source: insightface 7fadd420, recognition/_evaluation_/ijb/ijb_1n.py (``evaluation``) and ijb_evals.py
(``evaluation_1N``); AdaFace c60eaa7, validation_mixed/insightface_ijb_helper/eval_helper_identification.py
(``evaluation``); Keras_insightface 520a9da, IJB_evals.py (``evaluation_1N``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConventionError
from .identification import Mates, blocks_of
from .scores import FAILED, Scores


@dataclass(frozen=True)
class Habit:
    """How a published code pools templates and searches galleries.

    Attributes:
        norm: of the samples before they are pooled: ``keep`` or ``unit``.
        detector_score: whether a sample is multiplied by its detector's score.
        galleries: searched as one (``merged``) or each on its own (``apart``).
    """

    norm: Literal["keep", "unit"]
    detector_score: bool
    galleries: Literal["merged", "apart"]


HABITS = {
    "insightface-merged": Habit("keep", True, "merged"),
    "insightface-ijb-evals": Habit("keep", True, "apart"),
    "keras-insightface": Habit("keep", True, "apart"),
    "adaface": Habit("keep", False, "merged"),
}


@dataclass(frozen=True)
class Table:
    """What such a code prints.

    Attributes:
        searches: mated searches; the rates are shares of them.
        rank: by k, the share whose mate is among the first k.
        tpir: by target, the share that it calls TPIR (or "pr").
        threshold: by target.
    """

    searches: int
    rank: dict[int, float]
    tpir: dict[float, float]
    threshold: dict[float, float]


def zero_for_failed(scores: Scores) -> Scores:
    """Return the scores with 0 in place of -inf, as a template of length 0 has it."""
    return np.where(scores == FAILED, scores.dtype.type(0), scores)


def merged(
    probes: NDArray[np.floating[Any]],
    gallery: NDArray[np.floating[Any]],
    probe_subject: ArrayLike,
    gallery_subject: ArrayLike,
    fars: Sequence[float] = (1e-2, 1e-1),
) -> Table:
    """Return the table of ``insightface-merged`` and ``adaface``.

    Args:
        probes: (P, D) templates of length 1; 0 for one that failed.
        gallery: (G, D) of all galleries, likewise; one template per subject.
        probe_subject, gallery_subject: of each template.
        fars: the targets.

    Raises:
        ConventionError: a probe's subject has not exactly one template in the gallery.
    """
    mates, enrolled = Mates(probe_subject, gallery_subject), gallery.astype(np.float32)
    no_one, nobody = (np.linalg.norm(vectors, axis=1) == 0 for vectors in (gallery, probes))
    wanted = [math.ceil(len(probes) * far) for far in fars]
    mine, rank, highest = [], [], np.full(max(wanted), FAILED, np.float32)
    for part in blocks_of(len(probes), len(gallery)):
        scores = probes[part].astype(np.float32) @ enrolled.T
        scores[:, no_one] = FAILED
        scores[nobody[part]] = FAILED
        probe, row = mates.of(part)
        if not np.array_equal(probe, np.arange(len(scores))):
            raise ConventionError(
                "expected exactly one gallery template of every probe's subject, as merged galleries have"
            )
        score = scores[probe, row]
        scores[probe, row] = FAILED
        mine.append(score)
        rank.append(1 + np.count_nonzero(scores >= score[:, None], axis=1))
        all_of_them = np.concatenate([highest, scores[scores > highest.min()]])
        highest = np.partition(all_of_them, len(all_of_them) - len(highest))[-len(highest) :]
    falling = np.sort(highest)[::-1]
    threshold = {far: float(falling[place - 1]) for far, place in zip(fars, wanted, strict=True)}
    own = np.concatenate(mine)
    return Table(
        searches=len(own),
        rank=_ranks(np.concatenate(rank)),
        tpir={far: _share(own > np.float32(at)) for far, at in threshold.items()},
        threshold=threshold,
    )


def apart(
    probes: NDArray[np.floating[Any]],
    gallery: NDArray[np.floating[Any]],
    probe_subject: ArrayLike,
    gallery_subject: ArrayLike,
    fars: Sequence[float] = (1e-4, 1e-3, 1e-2, 1e-1, 1.0),
) -> Table:
    """Return the table of ``insightface-ijb-evals`` and ``keras-insightface`` for one gallery.

    Those codes print the ranks of two galleries as a mean weighted by their searches, and TPIR as a plain mean.

    Args:
        probes, gallery, probe_subject, gallery_subject: as for ``merged``; strangers are allowed.
        fars: the targets.

    Raises:
        ConventionError: there are no mated or no non-mated probes, or a subject is enrolled twice.
    """
    mates, enrolled = Mates(probe_subject, gallery_subject), gallery.astype(np.float32)
    mine, rank, strangers = [], [], []
    for part in blocks_of(len(probes), len(gallery)):
        scores = probes[part].astype(np.float32) @ enrolled.T
        probe, row = mates.of(part)
        if len(probe) != len(np.unique(probe)):
            raise ConventionError("expected one gallery template of each subject, as IJB-B and IJB-C have")
        score = scores[probe, row]
        mine.append(score)
        known = np.zeros(len(scores), bool)
        known[probe] = True
        strangers.append(scores[~known].max(axis=1, initial=FAILED))
        scores[probe, row] = FAILED
        rank.append(1 + np.count_nonzero(scores[probe] >= score[:, None], axis=1))
    own, ranks, tops = np.concatenate(mine), np.concatenate(rank), np.sort(np.concatenate(strangers))[::-1]
    if not len(own) or not len(tops):
        raise ConventionError(f"expected mated and non-mated probes, got {len(own)} and {len(tops)}")
    threshold = {far: float(tops[max(int(len(tops) * far) - 1, 0)]) for far in fars}
    return Table(
        searches=len(own),
        rank=_ranks(ranks),
        tpir={far: _share((ranks == 1) & (own > np.float32(at))) for far, at in threshold.items()},
        threshold=threshold,
    )


def _ranks(ranks: NDArray[np.integer]) -> dict[int, float]:
    return {k: _share(ranks <= k) for k in (1, 5, 10)}


def _share(hits: NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(hits) / len(hits))
