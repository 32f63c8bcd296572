"""Templates: several samples of one subject, pooled into one vector."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import ConventionError


class Pooled(NamedTuple):
    """T templates.

    Attributes:
        vectors: (T, D) float32 of length 1; zero for a template that is not enrolled.
        enrolled: (T,) bool; false for a failure to enrol: no sample could be had, or they cancel each other.
    """

    vectors: NDArray[np.float32]
    enrolled: NDArray[np.bool_]


def pool(vectors: NDArray[np.floating[Any]], template: ArrayLike, media: ArrayLike, valid: ArrayLike) -> Pooled:
    """Return the templates: the mean within each medium, then over the template's media, brought to length 1.

    So the thousand frames of a video weigh as much as one photograph. Failed samples are left out, and a medium all
    of whose samples failed with them. Whether a sample's length counts is the caller's choice: of vectors of length 1
    all weigh the same.

    Args:
        vectors: (M, D) samples; what a failed one holds does not matter.
        template: (M,) number of the template, from 0; none is left out.
        media: (M,) names or numbers; one that occurs in two templates is two media.
        valid: (M,) bool, false for a failure.

    Raises:
        ConventionError: shapes differ, or a template has no sample.

    Source: Maze et al., "IARPA Janus Benchmark – C", ICB 2018, as published codes pool (InsightFace's ``IJB`` scripts).
    """
    vectors, template, media, valid = (np.asarray(a) for a in (vectors, template, media, valid))
    if vectors.ndim != 2 or not template.shape == media.shape == valid.shape == vectors.shape[:1]:
        raise ConventionError(
            f"expected (M, D) vectors with M templates, media and booleans, got {vectors.shape}, {template.shape}, "
            f"{media.shape} and {valid.shape}"
        )
    if valid.dtype != np.bool_ or template.dtype.kind not in "iu":
        raise ConventionError(
            f"expected templates as integers and valid as booleans, got {template.dtype} and {valid.dtype}"
        )
    numbers, template = np.unique(template, return_inverse=True)
    if not np.array_equal(numbers, np.arange(len(numbers))):
        raise ConventionError("template: expected every number from 0 on; one of them has no sample")
    _, media = np.unique(media, return_inverse=True)
    pairs, medium = np.unique(np.stack([template, media])[:, valid], axis=1, return_inverse=True)
    of_media = _means(vectors[valid].astype(np.float64), medium, pairs.shape[1])
    means = _means(of_media, pairs[0], len(numbers))
    length = np.linalg.norm(means, axis=1)
    enrolled = length > 0
    return Pooled(np.divide(means, length[:, None], out=means, where=enrolled[:, None]).astype(np.float32), enrolled)


def _means(vectors: NDArray[np.float64], group: NDArray[np.int64], groups: int) -> NDArray[np.float64]:
    """Return (groups, D) means; zero for a group without a vector."""
    order = np.argsort(group, kind="stable")
    there, starts, counts = np.unique(group[order], return_index=True, return_counts=True)
    means = np.zeros((groups, vectors.shape[1]))
    if len(there):
        means[there] = np.add.reduceat(vectors[order], starts, axis=0) / counts[:, None]
    return means
