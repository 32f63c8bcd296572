"""Identification (1:N): the rank of the mate in each search, and what ranks give.

A search lists the gallery by falling score. The rank of a probe is that of its best mate; a non-mate with the same
score stands before it, so that ties count against the probe. Scores and failures follow the package's convention.
What thresholds do to searches, also to those for people who are not enrolled, stands in ``openset``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConventionError, UndefinedMetric
from .scores import FAILED, checked

if TYPE_CHECKING:
    import torch

# The rank of a search whose probe, or every mate of it, failed, or that has no mate: beyond any gallery.
MISS = int(np.iinfo(np.int64).max)

# Of a block of ``ranks_blocked``: how many scores it has at most, and how many probes.
_SCORES, _PROBES = 2**26, 1024


class Ranked(NamedTuple):
    """P searches; what is not there has the score -inf and the row -1.

    Attributes:
        ranks: (P,) int64, from 1; ``MISS`` where the probe or all its mates failed, or there is no mate.
        best_mate_score: (P,) float32.
        best_mate_row: (P,) int64, its row in the gallery; one of several with that score.
        best_impostor_score: (P,) float32; there is none where the gallery holds only mates.
        best_impostor_row: (P,) int64, as above.
    """

    ranks: NDArray[np.int64]
    best_mate_score: NDArray[np.float32]
    best_mate_row: NDArray[np.int64]
    best_impostor_score: NDArray[np.float32]
    best_impostor_row: NDArray[np.int64]

    @classmethod
    def misses(cls, count: int) -> Ranked:
        """Return searches that all failed; the arrays are new."""
        none, nobody = np.full(count, FAILED, np.float32), np.full(count, -1, np.int64)
        return cls(np.full(count, MISS, np.int64), none, nobody, none.copy(), nobody.copy())

    def of(self, probes: NDArray[np.int64]) -> Ranked:
        """Return some of the searches."""
        return Ranked(
            self.ranks[probes],
            self.best_mate_score[probes],
            self.best_mate_row[probes],
            self.best_impostor_score[probes],
            self.best_impostor_row[probes],
        )

    def put(self, probes: NDArray[np.int64] | slice, found: Ranked) -> None:
        """Write the searches of some of the probes into these arrays."""
        mine: tuple[NDArray[Any], ...] = self
        for whole, part in zip(mine, found, strict=True):
            whole[probes] = part


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
    best_mate = np.where(mate, scores, FAILED).max(axis=1, initial=FAILED)
    before = np.count_nonzero(~mate & (scores >= best_mate[:, None]), axis=1).astype(np.int64, copy=False)
    return np.where(best_mate > FAILED, before + 1, MISS)


def ranks_blocked(
    probes: NDArray[np.floating[Any]],
    gallery: NDArray[np.floating[Any]],
    probe_subject: ArrayLike,
    gallery_subject: ArrayLike,
    probe_valid: ArrayLike,
    gallery_valid: ArrayLike,
    block: int | None = None,
    device: str = "cpu",
    *,
    open_set: bool = False,
) -> Ranked:
    """Return ranks and best scores of all searches, ``block`` probes at a time; the scores are cosines.

    One float32 matrix product per block; working memory is about 5 bytes × block × G. The last bits of a
    product can depend on its size, so two scores that differ by less than 1e-6 may change places with ``block``.

    Args:
        probes: (P, D) embeddings of length 1; the content of a failed row does not matter.
        gallery: (G, D) likewise.
        probe_subject: (P,) names or numbers.
        gallery_subject: (G,) likewise.
        probe_valid: (P,) bool, false for a failure.
        gallery_valid: (G,) bool, false for a failure.
        block: probes per matrix product; None: at most 1024, and fewer where that would need more than 400 MB.
        device: where torch multiplies and counts: ``cpu``, ``cuda`` or ``cuda:1``.
        open_set: a probe's subject need not be in the gallery; such a search has the rank ``MISS`` and no mate.

    Raises:
        ConventionError: shapes differ, a usable embedding is not finite or not of length 1 (to 1e-3), or a probe's
            subject is not in the gallery of a closed set.
    """
    import torch  # everything else here does without

    if block is not None and block < 1:
        raise ConventionError(f"block is {block}; expected at least 1")
    probe_subject, gallery_subject = np.asarray(probe_subject), np.asarray(gallery_subject)
    probe_valid, gallery_valid = np.asarray(probe_valid), np.asarray(gallery_valid)
    probes = _usable(probes, probe_subject, probe_valid, "probe")
    gallery = _usable(gallery, gallery_subject, gallery_valid, "gallery")
    if probes.shape[1] != gallery.shape[1]:
        raise ConventionError(f"probes have {probes.shape[1]} dimensions, the gallery has {gallery.shape[1]}")
    if not open_set:
        _check_closed(probe_subject, gallery_subject)
    mates = Mates(probe_subject, gallery_subject)
    enrolled, failed = torch.from_numpy(gallery).to(device), torch.from_numpy(np.flatnonzero(~gallery_valid)).to(device)
    found = Ranked.misses(len(probes))
    for part, scores in products(probes, enrolled, block):
        scores[:, failed] = FAILED
        scores[torch.from_numpy(~probe_valid[part]).to(device)] = FAILED
        probe, row = mates.of(part)
        at = torch.from_numpy(probe).to(device), torch.from_numpy(row).to(device)
        mate_score, mate_row = _first_of_each(probe, row, scores[at].cpu().numpy(), part.stop - part.start)
        scores[at] = FAILED
        impostor_score, impostor_row = (t.cpu().numpy() for t in scores.max(dim=1))
        # In place and as floats, which are summed far faster than booleans, and exactly up to 2^24 of them.
        higher = torch.split(scores.ge_(torch.from_numpy(mate_score).to(device)[:, None]), 2**24, dim=1)
        before = torch.stack([part.sum(dim=1) for part in higher]).long().sum(dim=0).cpu().numpy()
        mated, rivalled = mate_score > FAILED, impostor_score > FAILED
        found.put(
            part,
            Ranked(
                ranks=np.where(mated, before + 1, MISS),
                best_mate_score=mate_score,
                best_mate_row=np.where(mated, mate_row, -1),
                best_impostor_score=impostor_score,
                best_impostor_row=np.where(rivalled, impostor_row, -1),
            ),
        )
    return found


def ranks_listed(
    scores: NDArray[np.float32], rows: NDArray[np.int64], probe_subject: ArrayLike, gallery_subject: ArrayLike
) -> tuple[Ranked, NDArray[np.bool_]]:
    """Return what lists of candidates say, and (P,) for which probes longer lists would say the same.

    Such a list holds a mate and a non-mate, and ends below the best mate's score; or it holds the whole gallery. A
    probe whose list holds no mate has the rank ``MISS``. It is assumed that what is not listed scores no higher.

    Args:
        scores: (P, k) falling; -inf where there is no candidate.
        rows: (P, k) gallery rows; -1 where there is no candidate.
        probe_subject: (P,) names or numbers.
        gallery_subject: (G,) likewise.
    """
    probe_subject, gallery_subject = np.asarray(probe_subject), np.asarray(gallery_subject)
    listed = rows >= 0
    mate = listed & (gallery_subject[rows] == probe_subject[:, None])
    found = Ranked.misses(len(rows))
    for best, score, row in (
        (mate, found.best_mate_score, found.best_mate_row),
        (listed & ~mate, found.best_impostor_score, found.best_impostor_row),
    ):
        there = np.flatnonzero(best.any(axis=1))
        place = best[there].argmax(axis=1)
        score[there], row[there] = scores[there, place], rows[there, place]
    before = np.count_nonzero(listed & ~mate & (scores >= found.best_mate_score[:, None]), axis=1)
    both = mate.any(axis=1) & (listed & ~mate).any(axis=1)
    found.ranks[:] = np.where(mate.any(axis=1), before + 1, MISS)
    whole = rows.shape[1] >= len(gallery_subject)
    return found, both & (found.best_mate_score > scores[:, -1]) | whole


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


class Mates:
    """The gallery rows of each probe's subject.

    Args:
        probe_subject: (P,) names or numbers.
        gallery_subject: (G,) likewise.
    """

    def __init__(self, probe_subject: ArrayLike, gallery_subject: ArrayLike) -> None:
        there, others = np.asarray(gallery_subject), np.asarray(probe_subject)
        _, code = np.unique(np.concatenate([there, others]), return_inverse=True)
        enrolled, searched = np.split(code, [len(there)])
        self._rows = np.argsort(enrolled, kind="stable")
        self._starts = np.searchsorted(enrolled[self._rows], searched, "left")
        self._counts = np.searchsorted(enrolled[self._rows], searched, "right") - self._starts

    def of(self, probes: slice) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (n,) number of the probe in the slice, rising, and (n,) the row of a mate."""
        starts, counts = self._starts[probes], self._counts[probes]
        probe = np.repeat(np.arange(len(counts)), counts)
        within = np.arange(len(probe)) - np.repeat(np.cumsum(counts) - counts, counts)
        return probe, self._rows[np.repeat(starts, counts) + within]


def blocks_of(probes: int, gallery: int, block: int | None = None) -> Iterator[slice]:
    """Return slices of the probes: ``block`` each; by default at most 1024, and fewer where G is above 65,536."""
    block = block or max(1, min(_PROBES, _SCORES // max(1, gallery)))
    return (slice(start, min(start + block, probes)) for start in range(0, probes, block))


def products(
    probes: NDArray[np.float32], gallery: torch.Tensor, block: int | None = None
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Yield slices of the probes, as ``blocks_of``, and their (n, G) inner products, which the next ones overwrite.

    Args:
        probes: (P, D).
        gallery: (G, D) float32, on the device that multiplies.
        block: probes at a time.
    """
    import torch

    room = None
    for part in blocks_of(len(probes), len(gallery), block):
        some = torch.from_numpy(probes[part]).to(gallery.device)
        if room is None:  # once: fresh pages for every block would cost as much as the product
            room = torch.empty((len(some), len(gallery)), device=gallery.device)
        yield part, torch.mm(some, gallery.T, out=room[: len(some)])


def _check_closed(probe_subject: NDArray[Any], gallery_subject: NDArray[Any]) -> None:
    absent = ~np.isin(probe_subject, gallery_subject)
    if absent.any():
        row = int(np.argmax(absent))
        raise ConventionError(
            f"probe_subject[{row}] is {probe_subject[row]!s}, who is not in the gallery of a closed set"
        )


def _first_of_each(
    probe: NDArray[np.int64], row: NDArray[np.int64], score: NDArray[np.float32], probes: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the best score of each probe and its row, -inf and -1 where it has none; they come in order."""
    order = np.lexsort((-score, probe))
    first = order[np.flatnonzero(np.diff(probe, prepend=-1))]
    best, where = np.full(probes, FAILED, np.float32), np.full(probes, -1, np.int64)
    best[probe[first]], where[probe[first]] = score[first], row[first]
    return best, where


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
    if not valid.all():
        embeddings = np.where(valid[:, None], embeddings, 0)
    embeddings = embeddings.astype(np.float32, copy=False)
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
