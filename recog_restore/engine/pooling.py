"""From the embeddings of faces to the vectors that are compared: templates, or each face on its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..datasets.base import MEDIA, SCORE
from ..errors import DataError
from ..metrics.compat import HABITS
from ..templates import Pooled, Pooling, pool
from .embeddings import Embeddings
from .plan import Plan

_BLOCK = 16_384  # rows brought to length 1 at once


def own_pooling(plan: Plan) -> Pooling:
    """Return the protocol's pooling; without one every sample weighs the same, whatever the length of its embedding."""
    settings = plan.protocol.templates
    return Pooling(settings.norm, settings.detector_score) if settings else Pooling()


def foreign_poolings(plan: Plan) -> dict[str, Pooling]:
    """Return those of the published codes that the protocol names in ``compat``."""
    names = [name for name in plan.protocol.compat if name in HABITS]
    if names and not plan.templates:
        raise DataError(f"compat {names[0]} is about templates, and {plan.protocol.id} compares single faces")
    return {name: Pooling(HABITS[name].norm, HABITS[name].detector_score, failed="zero") for name in names}


def gallery_of(plan: Plan, found: Embeddings, pooling: Pooling) -> Pooled:
    """Return what is enrolled, or stands first in comparisons: one vector for each number of ``gallery_template``."""
    return _pooled(plan, found, plan.gallery, plan.gallery_template, pooling)


def probes_of(plan: Plan, found: Embeddings, pooling: Pooling) -> Pooled:
    """Return what is searched for, or stands second: one vector for each number of ``probe_template``."""
    return _pooled(plan, found, plan.probes, plan.probe_template, pooling)


def unenrolled(*sides: Pooled) -> int:
    """Return how many templates failed to enrol."""
    return sum(int((~side.enrolled).sum()) for side in sides)


def unit_rows(vectors: NDArray[np.float32], rows: NDArray[np.int64], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return (J, D) float32 those rows brought to length 1 (in float64), zero for failures. Little else is held."""
    found = np.empty((len(rows), vectors.shape[1]), np.float32)
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        wide = vectors[rows[part]].astype(np.float64)
        norm = np.linalg.norm(wide, axis=1, keepdims=True)
        found[part] = np.divide(wide, norm, out=wide, where=norm > 0)
    found[~valid] = 0.0
    return found


def _pooled(
    plan: Plan, found: Embeddings, jobs: NDArray[np.int64], template: NDArray[np.int64], pooling: Pooling
) -> Pooled:
    valid = found.valid[jobs]
    if not plan.templates:
        return Pooled(unit_rows(found.vectors, jobs, valid), valid)
    media = plan.column(MEDIA, jobs) if MEDIA in plan.samples.table else jobs
    score = None
    if pooling.detector_score:
        if SCORE not in plan.samples.table:
            raise DataError(f"{plan.protocol.id} weighs samples by the detector's score, and the data set has none")
        score = plan.samples.table[SCORE].to_numpy(np.float64)[plan.jobs.row[jobs]]
    return pool(found.vectors, template, _comparable(media), valid, pooling=pooling, score=score, rows=jobs)


def _comparable(media: NDArray[Any]) -> NDArray[Any]:
    """Return numbers as numbers, which sort fast, and anything else as text."""
    if media.dtype != object:
        return media
    try:
        return media.astype(np.int64)
    except (TypeError, ValueError):
        return media.astype(str)
