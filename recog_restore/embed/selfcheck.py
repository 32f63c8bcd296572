"""The self-check: does an embedder separate people best with the input its card declares, or with another one?

A wrong colour order costs a good network a few per cent of its separation and goes unnoticed; a wrong range or crop
costs more. Given faces of known people, each plausible mistake is tried and compared with what the card says.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from ..errors import ConventionError, DataError, RecogRestoreError
from ..faces import to_float
from ..geometry import CANONICAL_SIZE, CROPS, crop_size
from ..networks.cards import InputCard
from .base import Embedder

MATED_PAIRS = 20  # fewer say nothing
FLOOR = 1.0  # d' below which nobody is told apart: an equal error rate of 31 %
SHIFT = 8  # pixels between the ArcFace and the SphereFace template
RESAMPLES = 200
SURE = 0.95  # share of resamples in which a variant must be better
PROPERTIES = ("colour", "range", "crop")
SAME = 0.999  # mean cosine above which a variant is no variant


@dataclass(frozen=True)
class Variant:
    """One way to prepare the input, and how well it separates people.

    Attributes:
        name: what differs from the card, or ``as declared``.
        input: the input in words.
        separation: d' of mated and non-mated cosines: the difference of means over the root of the mean variance; 0
            where an embedding is not finite.
        better: share of resamples of the subjects in which it separates better than as declared.
        cosine: mean cosine with the embedding as declared.
    """

    name: str
    input: str
    separation: float
    better: float
    cosine: float


def self_check(
    embedder: Embedder,
    crops: NDArray[np.uint8],
    subject: Sequence[str] | NDArray[np.generic],
    batch: int = 64,
    properties: Collection[str] = PROPERTIES,
) -> list[Variant]:
    """Return the input as declared and after it every variant that the network takes, best separation first.

    Flip fusion is left out. Resamples of the subjects are seeded.

    Args:
        embedder: whose card is in doubt.
        crops: (M, 128, 128, 3) canonical crops. 100 tell a wrong range; for the colour order take 300 or more.
        subject: (M,) who it is; M is small enough for all M² comparisons.
        batch: faces at a time.
        properties: which of them are in doubt.

    Raises:
        ConventionError: the crops or subjects are not of these shapes.
        DataError: too few mated pairs.
    """
    if crops.shape[1:] != (CANONICAL_SIZE, CANONICAL_SIZE, 3) or crops.dtype != np.uint8:
        raise ConventionError(f"expected canonical crops (M, 128, 128, 3) uint8, got {crops.shape} {crops.dtype}")
    if len(subject) != len(crops):
        raise ConventionError(f"expected one subject for each of {len(crops)} crops, got {len(subject)}")
    people, who = np.unique(np.asarray(subject), return_inverse=True)
    mated = int(np.triu(who[:, None] == who, 1).sum())
    if mated < MATED_PAIRS or len(people) < 2:
        raise DataError(
            f"the self-check needs {MATED_PAIRS} mated pairs and two subjects, got {mated} pairs and {len(people)} "
            "subjects; give it more faces with several images of a subject"
        )
    weights = _resamples(who, len(people))
    declared = _embed(embedder, embedder.card.input, 0, crops, batch)
    reference = _separation(declared, who, weights)
    found = [Variant("as declared", embedder.card.input.words(), float(reference[0]), 0.0, 1.0)]
    for name, card, shift in _variants(embedder.card.input, properties):
        try:
            embedded = _embed(embedder, card, shift, crops, batch)
        except (RecogRestoreError, RuntimeError):  # the network does not take this crop
            continue
        separation = _separation(embedded, who, weights)
        same_width = embedded.shape == declared.shape
        cosine = float(cosine_similarity(embedded, declared).mean()) if same_width else float("nan")
        better = float((separation[1:] > reference[1:]).mean())
        found.append(Variant(name, card.words(), float(separation[0]), better, cosine))
    return found[:1] + sorted(found[1:], key=lambda v: -v.separation)


def refuted(variants: list[Variant]) -> bool:
    """Return whether the card is probably wrong: a variant separates better, and does in 95 % of the resamples."""
    return any(v.better >= SURE for v in _rivals(variants))


def separates(variants: list[Variant]) -> bool:
    """Return whether the embedder tells people apart at all, with the input as declared or as any variant."""
    return max(v.separation for v in variants) >= FLOOR


def verdict(variants: list[Variant]) -> str:
    """Return in one sentence whether the card is to be believed; see ``refuted``."""
    declared, rivals = variants[0], _rivals(variants)
    if not separates(variants):
        return (
            f"it separates nobody: d' {declared.separation:.2f} as declared ({declared.input}), and none of the others "
            f"reaches {FLOOR:g}"
        )
    if not rivals:
        return f"as declared is best: {declared.input} (d' {declared.separation:.2f})"
    best = max(rivals, key=lambda v: (v.better >= SURE, v.separation))
    found = (
        f"{best.name} separates better: d' {best.separation:.2f} against {declared.separation:.2f} as declared "
        f"({declared.input}), and in {best.better:.0%} of the resamples"
    )
    return f"{found}: {'the card is probably wrong' if best.better >= SURE else 'undecided, give more faces'}"


def _rivals(variants: list[Variant]) -> list[Variant]:
    """Return those that separate better than as declared, and are no other way to the same embeddings."""
    return [v for v in variants[1:] if v.separation > variants[0].separation and not v.cosine > SAME]


def _variants(card: InputCard, properties: Collection[str]) -> Iterator[tuple[str, InputCard, int]]:
    if "colour" not in properties or card.colour == "grey":
        pass
    elif card.colour == "rgb":
        yield "colour bgr", dataclasses.replace(card, colour="bgr"), 0
    else:
        yield "colour rgb", dataclasses.replace(card, colour="rgb"), 0
    for name, mean, std in (
        ("range 0..255", 0.0, 1.0),
        ("range 0..1", 0.0, 255.0),
        ("range -1..1", 127.5, 127.5),
        ("(x - 127.5) / 128", 127.5, 128.0),
    ):
        if "range" in properties and (mean, std) != (card.mean, card.std):
            yield name, dataclasses.replace(card, mean=mean, std=std), 0
    if "crop" not in properties:
        return
    for crop in CROPS:
        if crop != card.crop and not (card.size and crop_size(crop)[0] != crop_size(crop)[1]):
            yield f"crop {crop}", dataclasses.replace(card, crop=crop), 0
    if crop_size(card.crop)[1] + 2 * SHIFT <= CANONICAL_SIZE:
        yield f"crop {SHIFT} px to the left", card, SHIFT
        yield f"crop {SHIFT} px to the right", card, -SHIFT


def _embed(embedder: Embedder, card: InputCard, shift: int, crops: NDArray[np.uint8], batch: int) -> Tensor:
    variant = copy.copy(embedder)
    variant.card = dataclasses.replace(embedder.card, input=card, flip="none")
    with torch.inference_mode():
        # What a roll brings in from the other side lies outside the window.
        pieces = [variant(to_float(crops[i : i + batch]).roll(shift, 3)) for i in range(0, len(crops), batch)]
    return torch.cat(pieces)


def _resamples(who: NDArray[np.int64], people: int) -> NDArray[np.float64]:
    """Return (1 + RESAMPLES, M): how often each face counts; first all of them once, then subjects with replacement."""
    drawn = np.random.default_rng(0).multinomial(people, np.full(people, 1 / people), RESAMPLES)
    return np.vstack([np.ones(people), drawn])[:, who].astype(np.float64)


def _separation(embeddings: Tensor, who: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return d' for each row of weights: a mated pair counts as its subject, a non-mated one as the product of both."""
    if not torch.isfinite(embeddings).all():
        return np.zeros(len(weights))
    unit = normalize(embeddings.to(torch.float64)).numpy()
    scores = unit @ unit.T
    same = who[:, None] == who
    mean_m, variance_m = _moments(scores, np.triu(same, 1), weights, (weights > 0).astype(np.float64))
    mean_n, variance_n = _moments(scores, ~same, weights, weights)
    with np.errstate(invalid="ignore"):  # a resample may lack one kind of pairs; it is not better then
        return np.asarray((mean_m - mean_n) / np.sqrt((variance_m + variance_n) / 2 + 1e-12))


def _moments(
    scores: NDArray[np.float64], pairs: NDArray[np.bool_], left: NDArray[np.float64], right: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and variance of the scores of the pairs (i, j), each counted left[:, i] · right[:, j] times."""
    sums = [np.einsum("ri,ri->r", left @ (pairs * scores**power), right) for power in range(3)]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums[1] / sums[0]
        return mean, np.maximum(sums[2] / sums[0] - mean**2, 0)
