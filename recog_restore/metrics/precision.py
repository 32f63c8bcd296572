"""Mean average precision of searches for several mates, by two definitions that differ.

``standard`` is the mean of the precision at each mate. ``trapezoid`` is the area below the precision-recall curve as
the Oxford Buildings benchmark draws it: at each mate the mean of the precision there and of that one place before,
which before the first place is 1. It is never above the standard one. Market-1501's and TinyFace's own codes do so.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConventionError, UndefinedMetric
from .identification import MISS, Mates, products
from .scores import FAILED


def average_precision(
    places: ArrayLike, search: ArrayLike, searches: int, rule: Literal["standard", "trapezoid"] = "standard"
) -> NDArray[np.float64]:
    """Return (P,) the average precision of each search; NaN where it has no mate.

    Args:
        places: (n,) the place of every mate in its search's list, from 1; ``MISS`` for one that cannot be found, which
            adds nothing but counts.
        search: (n,) the number of the search, from 0.
        searches: P.
        rule: see above.

    Raises:
        ConventionError: another rule, or lengths that differ.
    """
    places, search = np.asarray(places, np.int64), np.asarray(search, np.int64)
    if places.shape != search.shape or places.ndim != 1:
        raise ConventionError(f"expected a search for each place, got shapes {places.shape} and {search.shape}")
    if rule not in ("standard", "trapezoid"):
        raise ConventionError(f"rule is {rule!r}; expected 'standard' or 'trapezoid'")
    order = np.lexsort((places, search))
    place, number = places[order], search[order]
    starts = np.searchsorted(number, np.arange(searches))
    found = np.arange(1, len(place) + 1) - starts[number]  # mates up to and with this one
    precision = found / place
    if rule == "trapezoid":
        before = np.divide(found - 1, place - 1, out=np.ones(len(place)), where=place > 1)
        precision = (before + precision) / 2
    precision[place == MISS] = 0.0
    mates = np.bincount(number, minlength=searches)
    total = np.bincount(number, weights=precision, minlength=searches)
    each: NDArray[np.float64] = np.divide(total, mates, out=np.full(searches, np.nan), where=mates > 0)
    return each


def mean_average_precision(
    places: ArrayLike, search: ArrayLike, searches: int, rule: Literal["standard", "trapezoid"] = "standard"
) -> float:
    """Return the mean over the searches that have mates; NaN, with ``UndefinedMetric``, where none has.

    Args, Raises: as for ``average_precision``.
    """
    each = average_precision(places, search, searches, rule)
    if np.isnan(each).all():
        warnings.warn("there are no mated searches", UndefinedMetric, stacklevel=2)
        return float("nan")
    return float(np.nanmean(each))


def mate_places(
    probes: NDArray[np.floating[Any]],
    gallery: NDArray[np.floating[Any]],
    probe_subject: ArrayLike,
    gallery_subject: ArrayLike,
    probe_valid: NDArray[np.bool_],
    gallery_valid: NDArray[np.bool_],
    measure: Literal["cosine", "euclidean"] = "cosine",
    device: str = "cpu",
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (n,) the place of every mate in its probe's list, and (n,) the number of the probe, rising.

    One float32 matrix product per block of probes. A non-mate as near as a mate stands before it; of mates as near as
    each other one takes the first place. A failed probe's mates, and failed mates, have the place ``MISS``; failed
    non-mates stand in nobody's way.

    Args:
        probes: (P, D); of length 1 for ``cosine``, as they are for ``euclidean``.
        gallery: (G, D) likewise.
        probe_subject, gallery_subject: names or numbers; a probe without a mate has no place.
        probe_valid, gallery_valid: bool, false for a failure.
        measure: by falling inner product, or by rising Euclidean distance.
        device: where torch multiplies and counts.
    """
    import torch

    mates = Mates(probe_subject, gallery_subject)
    enrolled = torch.from_numpy(np.asarray(gallery, np.float32)).to(device)
    # |p - g|² = |p|² - 2 (p·g - |g|²/2): the nearest has the largest p·g - |g|²/2.
    shift = torch.zeros(len(enrolled), device=device)
    if measure == "euclidean":
        shift = (enrolled * enrolled).sum(dim=1) / 2
    shift[torch.from_numpy(np.flatnonzero(~gallery_valid)).to(device)] = np.inf
    places, numbers = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for part, scores in products(np.asarray(probes, np.float32), enrolled):
        scores -= shift
        probe, row = mates.of(part)
        at = torch.from_numpy(probe).to(device), torch.from_numpy(row).to(device)
        score = scores[at]
        scores[at] = FAILED
        before = np.array([int((scores[p] >= s).sum()) for p, s in zip(at[0], score, strict=True)], np.int64)
        score_there = score.cpu().numpy()
        order = np.lexsort((-score_there, probe))
        first = np.searchsorted(probe, np.arange(part.stop - part.start))
        fellow = np.empty(len(probe), np.int64)  # mates that stand before it
        fellow[order] = np.arange(len(probe)) - first[probe[order]]
        lost = (score_there == FAILED) | ~probe_valid[part][probe]
        places.append(np.where(lost, MISS, before + fellow + 1))
        numbers.append(probe + part.start)
    return np.concatenate(places), np.concatenate(numbers)
