"""Embeddings of every face under every preprocessor: one decoding pass, kept in the store piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..datasets import Samples
from ..embed import Embedder
from ..embed.outputs import check_outputs
from ..faces import FaceBatch, one_torch_thread, to_float
from ..preprocess import Preprocessor
from ..records import plain
from ..results import BASELINE
from ..search import AUTO
from ..store import Store, recipe_key
from .acquire import Acquisition, Crops, Detection, load
from .progress import Progress
from .provenance import versions

CHECKED = 4  # faces of the first batch, for check_outputs

# Batches kept together in one file of the store: what a killed run computes again at most.
BATCHES_PER_PIECE = 4


@dataclass(frozen=True)
class Embeddings:
    """J faces under one preprocessor.

    Attributes:
        vectors: (J, D) float32 as the embedder gives them; a failed face's is zero.
        status: (J,) reason, or "" for a face that was embedded.
        stage: (J,) ``acquire``, ``preprocess`` or ``embed`` for a failed face, else "".
        also: (J, D) a second embedding of each face: a score is the larger of the one between the first embeddings and
            the one between the second. None: there is one embedding.
    """

    vectors: NDArray[np.float32]
    status: NDArray[np.object_]
    stage: NDArray[np.object_]
    also: NDArray[np.float32] | None = None

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(J,) whether the face was embedded."""
        valid: NDArray[np.bool_] = self.status == ""
        return valid

    @property
    def second(self) -> Embeddings | None:
        """The second embeddings on their own, where there are any."""
        return None if self.also is None else Embeddings(self.also, self.status, self.stage)

    def take(self, jobs: NDArray[np.int64]) -> Embeddings:
        """Return the embeddings of some faces."""
        also = None if self.also is None else self.also[jobs]
        return Embeddings(self.vectors[jobs], self.status[jobs], self.stage[jobs], also)


@dataclass(frozen=True)
class Settings:
    """How the computing is done; batch, device and threads are part of what makes a number's last bits.

    ``search`` is the name of a gallery (``search.GALLERIES``), or ``auto``; ``threads`` are those of an ONNX network.
    """

    batch: int
    workers: int
    device: str
    search: str = AUTO
    threads: int | None = None


def embed(
    acquisition: Acquisition,
    digests: Sequence[str],
    embedders: Sequence[Embedder],
    preprocessors: Sequence[Preprocessor],
    store: Store,
    settings: Settings,
    progress: Progress,
    touched: int | None = None,
) -> list[list[Embeddings]]:
    """Return the embeddings of all jobs, by embedder and preprocessor; only what the store lacks is computed.

    A face is decoded once, and goes through a preprocessor once, for all embedders.

    Args:
        digests: SHA-256 of each sample's encoded image.
        touched: so many of the first jobs are for the preprocessors to see (None: all); the embeddings of the others
            are the first preprocessor's, which is the baseline.

    Raises:
        ConventionError: as ``embed.outputs.check_outputs``.
    """
    touched = len(acquisition.jobs) if touched is None else touched
    size = settings.batch * BATCHES_PER_PIECE
    pieces = [
        range(start, min(start + size, end))
        for begin, end in ((0, touched), (touched, len(acquisition.jobs)))
        for start in range(begin, end, size)
    ]
    bases = [_base_recipe(acquisition, embedder, settings) for embedder in embedders]
    keys = {
        (piece, column, who): recipe_key({**base, "faces": faces, "preprocessor": computed_by(preprocessor)})
        for piece, faces in ((piece, described(acquisition, digests, piece)) for piece in pieces)
        for column, preprocessor in enumerate(preprocessors if piece.start < touched else preprocessors[:1])
        for who, base in enumerate(bases)
    }

    def kept(column: int, who: int) -> bool:
        return embedders[who].content is not None and preprocessors[column].content is not None

    fresh: dict[tuple[range, int, int], Embeddings] = {}  # which are not kept
    lacking: dict[range, dict[int, list[int]]] = {}
    done = 0
    for (piece, column, who), key in keys.items():
        if kept(column, who) and key in store:
            done += len(piece)
        else:
            lacking.setdefault(piece, {}).setdefault(column, []).append(who)
    progress.start("embed", sum(len(piece) for piece, _, _ in keys))
    progress.advance(done)
    batches = [list(piece[i : i + settings.batch]) for piece in lacking for i in range(0, len(piece), settings.batch)]
    stream = _faces_of(load(acquisition, batches, settings.workers), settings.device)
    stream = _ahead(stream) if settings.workers else stream
    first = next(iter(lacking), None)
    for piece, columns in lacking.items():
        parts: dict[tuple[int, int], list[Embeddings]] = {}
        for _ in range(0, len(piece), settings.batch):
            with progress.timed("waiting for decoded faces"):
                faces = next(stream)
            if piece is first and not parts:
                seen = faces.images[torch.tensor([not reason for reason in faces.status])][:CHECKED]
                for who in sorted({who for asked in columns.values() for who in asked}):
                    check_outputs(embedders[who], seen)
            for column, asked in columns.items():
                shown = _preprocessed(faces, preprocessors[column], progress)
                for who in asked:
                    parts.setdefault((column, who), []).append(_embedded(faces, shown, embedders[who], progress))
                    progress.advance(len(faces))
        for at, found in parts.items():
            whole = _joined(found)
            if not kept(*at):
                fresh[piece, *at] = whole
                continue
            failed = [[i, whole.stage[i], whole.status[i]] for i in np.flatnonzero(~whole.valid).tolist()]
            store.put(keys[piece, *at], {"vectors": whole.vectors}, {"failed": failed})

    def entry(piece: range, column: int, who: int) -> Embeddings:
        at = (piece, column if (piece, column, who) in keys else 0, who)
        return fresh[at] if at in fresh else _kept(store, keys[at], len(piece))

    return [
        [_joined([entry(piece, column, who) for piece in pieces]) for column in range(len(preprocessors))]
        for who in range(len(embedders))
    ]


def detect(
    samples: Samples,
    digests: Sequence[str],
    detector: str,
    identity: dict[str, object],
    store: Store,
    settings: Settings,
    progress: Progress,
) -> NDArray[np.float64]:
    """Return (M, 5, 2) landmarks of the samples' main faces, NaN where there is none; kept in the store as well."""
    size = 256
    pieces = [range(start, min(start + size, len(samples))) for start in range(0, len(samples), size)]
    keys = [recipe_key({"what": "landmarks/2", "detector": identity, "files": [digests[i] for i in p]}) for p in pieces]
    work = [(piece, key) for piece, key in zip(pieces, keys, strict=True) if key not in store]
    progress.start("detect", len(samples))
    progress.advance(len(samples) - sum(len(piece) for piece, _ in work))
    step = 32
    batches = [list(piece[i : i + step]) for piece, _ in work for i in range(0, len(piece), step)]
    stream = load(Detection(samples.files, detector), batches, max(1, settings.workers))
    for piece, key in work:
        found = []
        for _ in range(0, len(piece), step):
            found.append(next(stream))
            progress.advance(len(found[-1][1]))
        points, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        store.put(key, {"points": points, "scores": scores}, {})
    return np.concatenate([store.get(key)[0]["points"] for key in keys])


def _faces_of(stream: Iterator[Crops], device: str) -> Iterator[FaceBatch]:
    for crops in stream:
        with one_torch_thread():
            faces = FaceBatch(to_float(crops.pixels, device), crops.points.to(device), crops.status)
        yield faces


def _ahead(stream: Iterator[FaceBatch]) -> Iterator[FaceBatch]:
    """Yield the batches; each is made ready while the caller works on the one before."""
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        coming = pool.submit(next, stream, None)
        while (faces := coming.result()) is not None:
            coming = pool.submit(next, stream, None)
            yield faces


def _base_recipe(acquisition: Acquisition, embedder: Embedder, settings: Settings) -> dict[str, Any]:
    return {
        "what": "embeddings/2",
        **faces_recipe(acquisition, settings),
        "embedder": {
            "identity": embedder.identity(),
            "content": embedder.content,
            "input": plain(embedder.card.input),
            "flip": embedder.card.flip,
        },
        "batch": settings.batch,
    }


def faces_recipe(acquisition: Acquisition, settings: Settings) -> dict[str, Any]:
    """Return what the crops of all jobs depend on, and what a network makes of them, besides the network."""
    degradation = acquisition.degradation
    return {
        "alignment": acquisition.samples.alignment,
        "degradation": plain(degradation.settings()) if degradation is not None else None,
        "device": settings.device,
        "threads": [torch.get_num_threads(), settings.threads],
        "versions": versions(),
    }


def described(acquisition: Acquisition, digests: Sequence[str], piece: Iterable[int]) -> list[list[Any]]:
    """Return what the crops of some jobs depend on: content, landmarks, and the stream of a degradation."""
    landmarks, faces = acquisition.samples.landmarks, []
    for job in piece:
        row = int(acquisition.jobs.row[job])
        points = "" if landmarks is None else landmarks[row].tobytes().hex()
        stream = [acquisition.seed, acquisition.names[row]] if acquisition.jobs.degraded[job] else None
        faces.append([digests[row], points, stream])
    return faces


def computed_by(preprocessor: Preprocessor) -> dict[str, Any]:
    """Return what a preprocessor's output depends on besides the faces."""
    return {
        "name": preprocessor.card.typed,
        "sha256": preprocessor.card.sha256,
        "content": preprocessor.content,
        "settings": plain(preprocessor.settings()),
    }


def _preprocessed(faces: FaceBatch, preprocessor: Preprocessor, progress: Progress) -> FaceBatch:
    with torch.inference_mode(), progress.timed("preprocess"):
        return faces if preprocessor.card.name == BASELINE else preprocessor(faces)


def _embedded(faces: FaceBatch, done: FaceBatch, embedder: Embedder, progress: Progress) -> Embeddings:
    with torch.inference_mode(), progress.timed("embed"):
        vectors = embedder(done.images).cpu().numpy()
    usable = np.isfinite(vectors).all(axis=1)
    usable &= (vectors != 0).any(axis=1)
    status, stage = [], []
    for was, now, good in zip(faces.status, done.status, usable.tolist(), strict=True):
        status.append(was or now or ("" if good else "the embedding is not finite or is zero"))
        stage.append("acquire" if was else "preprocess" if now else "" if good else "embed")
    kept = np.array([not reason for reason in status])
    return Embeddings(
        np.where(kept[:, None], vectors, 0.0).astype(np.float32),
        np.array(status, dtype=object),
        np.array(stage, dtype=object),
    )


def _kept(store: Store, key: str, count: int) -> Embeddings:
    arrays, notes = store.get(key)
    status, stage = np.full(count, "", dtype=object), np.full(count, "", dtype=object)
    for row, where, reason in notes["failed"]:
        stage[row], status[row] = where, reason
    return Embeddings(arrays["vectors"], status, stage)


def _joined(parts: Sequence[Embeddings]) -> Embeddings:
    return Embeddings(
        np.concatenate([p.vectors for p in parts]),
        np.concatenate([p.status for p in parts]),
        np.concatenate([p.stage for p in parts]),
    )
