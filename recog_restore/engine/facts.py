"""What a gate can know of a face: its size, its pose, the quality of its picture, its embedding's length, its drift."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ..degrade import generator
from ..faces import to_float
from ..geometry import CANONICAL_128, CANONICAL_SIZE, face_size, head_yaw
from ..preprocess import quality
from ..preprocess.gate import DRIFT
from ..store import Store, recipe_key
from .acquire import Acquisition, load
from .drift import row_cosines
from .embeddings import Embeddings, Settings, described
from .progress import Progress

Floats = NDArray[np.float64]

_PIECE = 256  # faces kept together in one file of the store


def facts(
    measures: Iterable[str],
    acquisition: Acquisition,
    digests: Sequence[str],
    untouched: Embeddings,
    *,
    store: Store,
    settings: Settings,
    progress: Progress,
) -> dict[str, Floats]:
    """Return (J,) values of each measure but ``drift``, which is another one for each preprocessor; NaN: unknown."""
    found: dict[str, Floats] = {}
    free: dict[str, Callable[[], Floats]] = {
        "size": lambda: _size(acquisition),
        "yaw": lambda: _yaw(acquisition),
        "norm": lambda: _norm(untouched),
    }
    for measure in measures:
        if measure == DRIFT:
            continue
        if measure in free:
            found[measure] = free[measure]()
        else:
            found[measure] = _scored(measure, acquisition, digests, store, settings, progress)
    return found


def drift(untouched: Embeddings, done: Embeddings) -> Floats:
    """Return (J,) 1 − cosine between the embeddings of each face before and after; NaN where one failed."""
    return 1.0 - cosines(untouched, done)


def cosines(first: Embeddings, second: Embeddings) -> Floats:
    """Return (J,) cosines between two embeddings of each face, computed in float64; NaN where one failed."""
    return np.where(first.valid & second.valid, row_cosines(first.vectors, second.vectors), np.nan)


def _size(acquisition: Acquisition) -> Floats:
    """Return the sizes of the faces in their images, no larger than what a degradation left of them."""
    landmarks, jobs = acquisition.samples.landmarks, acquisition.jobs
    whole = np.full(len(acquisition.samples), np.nan) if landmarks is None else face_size(landmarks)
    size: Floats = whole[jobs.row]
    if acquisition.degradation is None:
        return size
    eyes = float(np.hypot(*(CANONICAL_128[1] - CANONICAL_128[0])))
    for job in np.flatnonzero(jobs.degraded).tolist():
        stream = generator(acquisition.seed, acquisition.names[jobs.row[job]])
        drawn = acquisition.degradation.draw(stream)
        side = drawn.get("side", CANONICAL_SIZE / drawn.get("factor", 1.0))
        size[job] = np.fmin(size[job], eyes * min(1.0, side / CANONICAL_SIZE))
    return size


def _yaw(acquisition: Acquisition) -> Floats:
    landmarks = acquisition.samples.landmarks
    if landmarks is None:
        return np.full(len(acquisition.jobs), np.nan)
    return head_yaw(landmarks)[acquisition.jobs.row]


def _norm(untouched: Embeddings) -> Floats:
    norm: Floats = np.linalg.norm(untouched.vectors.astype(np.float64), axis=1)
    return np.where(untouched.valid, norm, np.nan)


def _scored(
    name: str, acquisition: Acquisition, digests: Sequence[str], store: Store, settings: Settings, progress: Progress
) -> Floats:
    """Return what a quality score says of every face; kept in the store, piece by piece."""
    score = quality.create(name, settings.device)
    degradation = acquisition.degradation
    base = {
        "what": "quality/2",
        "quality": score.identity(),
        "alignment": acquisition.samples.alignment,
        "degradation": degradation.settings() if degradation is not None else None,
        "device": settings.device,
    }
    jobs = range(len(acquisition.jobs))
    pieces = [jobs[start : start + _PIECE] for start in range(0, len(jobs), _PIECE)]
    keys = [recipe_key({**base, "faces": described(acquisition, digests, piece)}) for piece in pieces]
    work = [i for i, key in enumerate(keys) if key not in store]
    progress.start("measuring faces", len(jobs))
    progress.advance(len(jobs) - sum(len(pieces[i]) for i in work))
    stream = load(acquisition, [list(pieces[i]) for i in work], settings.workers)
    for i, crops in zip(work, stream, strict=True):
        with torch.inference_mode():
            found = quality.scores(score, to_float(crops.pixels, settings.device), name).cpu().numpy()
        usable = np.array([not reason for reason in crops.status])
        store.put(keys[i], {"scores": np.where(usable, found, np.nan).astype(np.float32)}, {})
        progress.advance(len(pieces[i]))
    return np.concatenate([store.get(key)[0]["scores"] for key in keys]).astype(np.float64)
