"""Templates: several samples of one subject, pooled into one vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from .errors import ConventionError

_VALUES = 2**24  # of float64 at once: 128 MB


@dataclass(frozen=True)
class Pooling:
    """What of a sample counts when templates are pooled.

    Papers and codes abbreviate this with letters that mean opposite things; ``words`` says it. The samples of a medium
    are always averaged first, so that a video weighs as much as a photograph.

    Attributes:
        norm: ``unit`` brings every sample to length 1; ``keep`` lets a longer one weigh more.
        detector_score: whether a sample is multiplied by its detector's score.
        failed: ``left out``: a failed sample is none; ``zero``: it counts in its medium as a vector 0, as in published
            codes that know no failures.
    """

    norm: Literal["keep", "unit"] = "unit"
    detector_score: bool = False
    failed: Literal["left out", "zero"] = "left out"

    def words(self) -> str:
        """Return what is done, in words."""
        norm = "samples of length 1" if self.norm == "unit" else "samples of the length that the embedder gives them"
        score = "multiplied by the detector's score" if self.detector_score else "not weighted by the detector"
        return f"{norm}, {score}, averaged within each medium, summed over the media, brought to length 1"


class Pooled(NamedTuple):
    """T templates.

    Attributes:
        vectors: (T, D) float32 of length 1; zero for a template that is not enrolled.
        enrolled: (T,) bool; false for a failure to enrol: no sample could be had, or they cancel each other.
    """

    vectors: NDArray[np.float32]
    enrolled: NDArray[np.bool_]


def pool(
    vectors: NDArray[np.floating[Any]],
    template: ArrayLike,
    media: ArrayLike,
    valid: ArrayLike,
    *,
    pooling: Pooling | None = None,
    score: ArrayLike | None = None,
    rows: NDArray[np.integer] | None = None,
) -> Pooled:
    """Return the templates: the mean within each medium, summed over the template's media, brought to length 1.

    So the thousand frames of a video weigh as much as one photograph. Failed samples are left out, and a medium all
    of whose samples failed with them. It is one product of a sparse matrix (templates × samples), some thousand
    samples at a time and in float64; working memory is about 300 MB.

    Args:
        vectors: (V, D) samples; what a failed one holds does not matter.
        template: (M,) number of the template, from 0; none is left out.
        media: (M,) names or numbers; one that occurs in two templates is two media.
        valid: (M,) bool, false for a failure.
        pooling: what counts of each sample; None: its vector as it stands, which is ``Pooling("keep")``.
        score: (M,) the detector's, not negative; where ``pooling`` wants it. A NaN, an unknown one, is a failure.
        rows: (M,) which vector each sample is; None: V is M, and they are in order.

    Raises:
        ConventionError: shapes differ, a template has no sample, or there is no score where one is wanted.

    Source: Maze et al., "IARPA Janus Benchmark – C", ICB 2018, as published codes pool (InsightFace's ``IJB`` scripts).
    """
    vectors, template, media, valid = (np.asarray(a) for a in (vectors, template, media, valid))
    rows = np.arange(len(vectors)) if rows is None else np.asarray(rows)
    if vectors.ndim != 2 or not template.shape == media.shape == valid.shape == rows.shape:
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
    pooling = pooling or Pooling("keep")
    weight = np.ones(len(template))
    if pooling.detector_score:
        if score is None or np.shape(score) != template.shape:
            raise ConventionError(
                f"expected {len(template)} detector scores, got {'none' if score is None else np.shape(score)}"
            )
        weight = np.asarray(score, np.float64)
        valid = valid & ~np.isnan(weight)
    if pooling.failed == "zero":
        weight, valid = np.where(valid, weight, 0.0), np.ones_like(valid)
    kept = np.flatnonzero(valid)
    order = kept[np.argsort(template[kept], kind="stable")]
    _, media = np.unique(media[order], return_inverse=True)
    template, rows, weight = template[order], rows[order], weight[order]
    medium = template.astype(np.int64) * (int(media.max(initial=0)) + 1) + media
    _, medium, frames = np.unique(medium, return_inverse=True, return_counts=True)
    sums = _sums(vectors, template, rows, weight / frames[medium], len(numbers), pooling.norm == "unit")
    length = np.linalg.norm(sums, axis=1)
    enrolled = length > 0
    np.divide(sums, length[:, None], out=sums, where=enrolled[:, None])
    return Pooled(sums.astype(np.float32), enrolled)


def _sums(
    vectors: NDArray[np.floating[Any]],
    template: NDArray[np.int64],
    rows: NDArray[np.integer],
    weight: NDArray[np.float64],
    templates: int,
    unit: bool,
) -> NDArray[np.float64]:
    """Return (T, D) the weighted sum of the samples of each template; templates rise."""
    sums = np.zeros((templates, vectors.shape[1]))
    step = max(1, _VALUES // max(1, vectors.shape[1]))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        block = vectors[rows[part]].astype(np.float64)
        weights = weight[part]
        block[weights == 0] = 0.0  # whatever it holds
        if unit:
            length = np.linalg.norm(block, axis=1)
            weights = np.divide(weights, length, out=np.zeros_like(weights), where=length > 0)
        first = int(template[start])
        number = template[part] - first
        matrix = csr_array((weights, (number, np.arange(len(block)))), shape=(int(number[-1]) + 1, len(block)))
        sums[first : first + matrix.shape[0]] += matrix @ block
    return sums
