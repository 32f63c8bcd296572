"""Closed-set identification (1:N): the rank of the mate in each search, and what ranks give.

A search lists the gallery by falling score. The rank of a probe is that of its best mate; a non-mate with the same
score stands before it, so that ties count against the probe. Scores and failures follow the package's convention.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConventionError, UndefinedMetric
from .scores import FAILED, Scores, checked

# The rank of a search whose probe, or every mate of it, failed: beyond any gallery.
MISS = int(np.iinfo(np.int64).max)


class Ranked(NamedTuple):
    """The searches of ``ranks_blocked``; failures have the score -inf.

    Attributes:
        ranks: (P,) int64, from 1; ``MISS`` where the probe or all its mates failed.
        best_mate_score: (P,) float32.
        best_impostor_score: (P,) float32; -inf also where the gallery holds only mates.
    """

    ranks: NDArray[np.int64]
    best_mate_score: NDArray[np.float32]
    best_impostor_score: NDArray[np.float32]


def ranks(scores: ArrayLike, mate: ArrayLike) -> NDArray[np.int64]:
    """Return (P,) the rank of each probe's best mate: 1 + the number of non-mates with at least its score.

    Args:
        scores: (P, G) scores of P searches in a gallery of G.
        mate: (P, G) bool, true where the gallery entry is the probe's subject.

    Raises:
        ConventionError: shapes differ, a score is NaN or +inf, or a probe has no mate (the set is closed).
    """
    scores, mate = checked(scores, "scores", ndim=2), np.asarray(mate)
    if mate.dtype != np.bool_ or mate.shape != scores.shape:
        raise ConventionError(f"mate: expected {scores.shape} booleans, got {mate.shape} {mate.dtype}")
    alone = ~mate.any(axis=1)
    if alone.any():
        raise ConventionError(f"mate[{int(np.argmax(alone))}]: the probe has no mate in the gallery of a closed set")
    return _rank(scores.copy(), mate)[0]


def ranks_blocked(
    probes: NDArray[np.floating[Any]],
    gallery: NDArray[np.floating[Any]],
    probe_subject: ArrayLike,
    gallery_subject: ArrayLike,
    probe_valid: ArrayLike,
    gallery_valid: ArrayLike,
    block: int = 1024,
) -> Ranked:
    """Return ranks and best scores of all searches, ``block`` probes at a time; the scores are cosines.

    One float32 matrix product per block; working memory is about 6 bytes × block × G. The last bits of a
    product can depend on its size, so two scores that differ by less than 1e-6 may change places with ``block``.

    Args:
        probes: (P, D) embeddings of length 1; the content of a failed row does not matter.
        gallery: (G, D) likewise.
        probe_subject: (P,) names or numbers.
        gallery_subject: (G,) likewise.
        probe_valid: (P,) bool, false for a failure.
        gallery_valid: (G,) bool, false for a failure.
        block: probes per matrix product.

    Raises:
        ConventionError: shapes differ, a usable embedding is not finite or not of length 1 (to 1e-3), or a probe's
            subject is not in the gallery (the set is closed).
    """
    if block < 1:
        raise ConventionError(f"block is {block}; expected at least 1")
    probe_subject, gallery_subject = np.asarray(probe_subject), np.asarray(gallery_subject)
    probe_valid, gallery_valid = np.asarray(probe_valid), np.asarray(gallery_valid)
    probes = _usable(probes, probe_subject, probe_valid, "probe")
    gallery = _usable(gallery, gallery_subject, gallery_valid, "gallery")
    if probes.shape[1] != gallery.shape[1]:
        raise ConventionError(f"probes have {probes.shape[1]} dimensions, the gallery has {gallery.shape[1]}")
    absent = ~np.isin(probe_subject, gallery_subject)
    if absent.any():
        row = int(np.argmax(absent))
        raise ConventionError(
            f"probe_subject[{row}] is {probe_subject[row]!s}, who is not in the gallery of a closed set"
        )
    count = len(probes)
    _, code = np.unique(np.concatenate([probe_subject, gallery_subject]), return_inverse=True)
    probe_code, gallery_code = code[:count], code[count:]
    found = Ranked(np.empty(count, np.int64), np.empty(count, np.float32), np.empty(count, np.float32))
    for start in range(0, count, block):
        rows = slice(start, start + block)
        scores = probes[rows] @ gallery.T
        scores[:, ~gallery_valid] = FAILED
        scores[~probe_valid[rows]] = FAILED
        mate = probe_code[rows, None] == gallery_code
        found.ranks[rows], found.best_mate_score[rows], found.best_impostor_score[rows] = _rank(scores, mate)
    return found


def cmc(ranks: ArrayLike, max_rank: int) -> NDArray[np.float64]:
    """Return (max_rank,) the share of probes whose mate has rank 1, at most 2, …: the cumulative match characteristic.

    NaN, with ``UndefinedMetric``, without probes.

    Args:
        ranks: (P,) integers from 1, as ``ranks`` gives them.
        max_rank: the last rank, from 1.

    Raises:
        ConventionError: not ranks, or ``max_rank`` below 1.
    """
    ranks = _checked_ranks(ranks)
    if max_rank < 1:
        raise ConventionError(f"max_rank is {max_rank}; ranks count from 1")
    if not len(ranks):
        warnings.warn("there are no probes", UndefinedMetric, stacklevel=2)
        return np.full(max_rank, np.nan)
    hits = np.bincount(ranks[ranks <= max_rank], minlength=max_rank + 1)[1:]
    return np.cumsum(hits) / len(ranks)


def rank_k(ranks: ArrayLike, k: int) -> float:
    """Return the share of probes whose mate is among the first k; NaN, with ``UndefinedMetric``, without probes.

    Raises:
        ConventionError: not ranks, or ``k`` below 1.
    """
    ranks = _checked_ranks(ranks)
    if k < 1:
        raise ConventionError(f"k is {k}; ranks count from 1")
    if not len(ranks):
        warnings.warn("there are no probes", UndefinedMetric, stacklevel=2)
        return float("nan")
    return float(np.count_nonzero(ranks <= k) / len(ranks))


def _rank(scores: Scores, mate: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Scores, Scores]:
    """Return ranks, best mate scores and best non-mate scores; overwrites ``scores``. Every row has a mate."""
    row, column = np.nonzero(mate)
    starts = np.searchsorted(row, np.arange(len(scores)))
    best_mate = np.maximum.reduceat(scores[row, column], starts) if len(starts) else np.zeros(0, scores.dtype)
    scores[row, column] = FAILED
    found = 1 + np.count_nonzero(scores >= best_mate[:, None], axis=1).astype(np.int64, copy=False)
    return np.where(best_mate > FAILED, found, MISS), best_mate, scores.max(axis=1, initial=FAILED)


def _usable(
    embeddings: NDArray[np.floating[Any]], subject: NDArray[Any], valid: NDArray[Any], name: str
) -> NDArray[np.float32]:
    """Return the embeddings as float32 with failed rows zeroed, so that what they hold cannot spread."""
    embeddings = np.asarray(embeddings)
    if embeddings.ndim != 2 or embeddings.dtype.kind != "f":
        raise ConventionError(
            f"{name}: expected (N, D) floating point embeddings, got {embeddings.shape} {embeddings.dtype}"
        )
    rows = (len(embeddings),)
    if subject.shape != rows or valid.shape != rows or valid.dtype != np.bool_:
        raise ConventionError(
            f"{name}: expected {len(embeddings)} subjects and as many booleans, "
            f"got {subject.shape} and {valid.shape} {valid.dtype}"
        )
    embeddings = np.where(valid[:, None], embeddings, 0).astype(np.float32)
    length = np.sqrt(np.einsum("nd,nd->n", embeddings, embeddings))
    wrong = valid & ~(np.abs(length - 1.0) < 1e-3)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ConventionError(f"{name}[{row}]: expected an embedding of length 1, got {length[row]:.6g}")
    return embeddings


def _checked_ranks(ranks: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(ranks)
    if not array.size:
        array = array.astype(np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu" or (array < 1).any():
        raise ConventionError(f"ranks: expected integers from 1 in one axis, got {array.dtype} of shape {array.shape}")
    return array.astype(np.int64, copy=False)
