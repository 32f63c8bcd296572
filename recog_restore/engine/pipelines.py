"""Pipelines: a preprocessor, a gate before it and a fusion behind it, from embeddings that are there already.

A face that the gate does not open for keeps its untouched embedding; fusion joins both embeddings of the others. So a
gate or a fusion more costs no network anything.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..faces import FaceBatch
from ..preprocess import Gate, Preprocessor
from ..preprocess.gate import DRIFT, Facts
from ..results import BASELINE
from .embeddings import Embeddings
from .facts import drift

Fusion = Literal["replace", "mean", "norm-weighted", "max-score"]

# What each fusion does with a face that is touched, in the words that go into a result; x is untouched, y preprocessed.
FUSION_WORDS: dict[Fusion, str] = {
    "replace": "the preprocessed face alone",
    "mean": "mean of unit embeddings: x/|x| + y/|y|",
    "norm-weighted": "sum of embeddings, the longer weighs more: x + y",
    "max-score": "the larger of two scores: between untouched faces, and between preprocessed ones",
}


@dataclass(frozen=True, eq=False)
class Pipeline:
    """What stands in front of the recognizer.

    Attributes:
        preprocessor: what restores.
        gate: which faces it may touch; None: all.
        fusion: what becomes of both embeddings of a touched face.
    """

    preprocessor: Preprocessor
    gate: Gate | None = None
    fusion: Fusion = "replace"

    @property
    def name(self) -> str:
        """``clahe if size<24, fused by mean``; the preprocessor's own name without gate and fusion."""
        name = self.preprocessor.card.name
        if self.gate is not None:
            name += f" if {self.gate.name}"
        return name if self.fusion == "replace" else f"{name}, fused by {self.fusion}"

    def settings(self) -> dict[str, str]:
        """Return gate and fusion in words, where there are any."""
        gate = {"gate": self.gate.words()} if self.gate is not None else {}
        fusion = {"fusion": FUSION_WORDS[self.fusion]} if self.fusion != "replace" else {}
        return {**gate, **fusion}


class Applied(Preprocessor):
    """A pipeline on J faces, as what stands in a result in a preprocessor's place; it shows what it makes of a face.

    Attributes:
        embeddings: of the J faces.
        touched: (J,) whether the preprocessor touched the face.
        pipeline: what is applied.
    """

    def __init__(self, pipeline: Pipeline, embeddings: Embeddings, touched: NDArray[np.bool_]) -> None:
        super().__init__()
        card, words = pipeline.preprocessor.card, pipeline.settings()
        title = "; ".join([card.title, *(f"{key}: {text}" for key, text in words.items())])
        self.card = dataclasses.replace(card, name=pipeline.name, title=title)
        self.embeddings, self.touched, self.pipeline = embeddings, touched, pipeline

    def settings(self) -> dict[str, object]:
        """Return the preprocessor's settings, and in words gate and fusion, with the faces touched."""
        settings, piped = self.pipeline.preprocessor.settings(), self.pipeline.settings()
        return {**settings, **piped, "touched": int(self.touched.sum())} if piped else settings

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        """Return what the preprocessor makes of the images."""
        return self.pipeline.preprocessor.restore(images, landmarks)

    def __call__(self, faces: FaceBatch) -> FaceBatch:
        """Return what the preprocessor makes of the faces, gate or no gate."""
        return self.pipeline.preprocessor(faces)


def pipelines(
    preprocessors: Sequence[Preprocessor], gates: Iterable[Gate | None] = (), fusions: Iterable[Fusion] = ()
) -> list[Pipeline]:
    """Return the baseline, and every preprocessor with every gate and every fusion; none given: none and ``replace``.

    Args:
        preprocessors: the baseline is the first.
        gates: None touches every face.
        fusions: see ``FUSION_WORDS``.
    """
    baseline, *others = preprocessors
    found = [Pipeline(baseline)]
    for preprocessor in others:
        for gate in tuple(gates) or (None,):
            found += [Pipeline(preprocessor, gate, fusion) for fusion in tuple(fusions) or ("replace",)]
    unique: dict[str, Pipeline] = {}
    for pipeline in found:
        unique.setdefault(pipeline.name, pipeline)
    return list(unique.values())


def measures(found: Iterable[Pipeline]) -> list[str]:
    """Return what the gates want to know of a face."""
    return list(dict.fromkeys(m for pipeline in found if pipeline.gate is not None for m in pipeline.gate.measures))


def apply(pipeline: Pipeline, found: Mapping[str, Embeddings], facts: Facts, touched: int) -> Applied:
    """Return the pipeline on all faces.

    Args:
        pipeline: what to apply.
        found: the embeddings by preprocessor, the baseline's under ``none``.
        facts: what the gate wants to know, drift excepted.
        touched: so many of the first faces are for preprocessors to see.
    """
    raw, done = found[BASELINE], found[pipeline.preprocessor.card.name]
    seen = np.arange(len(raw.status)) < touched
    if pipeline.preprocessor.card.name == BASELINE:
        return Applied(pipeline, raw, seen)
    if pipeline.gate is not None:
        mine = {**facts, DRIFT: drift(raw, done)} if DRIFT in pipeline.gate.measures else facts
        seen = seen & pipeline.gate.open(mine)
        done = chosen(seen, done, raw)
    return Applied(pipeline, fused(raw, done, pipeline.fusion), seen)


def fused(raw: Embeddings, done: Embeddings, fusion: Fusion) -> Embeddings:
    """Return both embeddings of every face as one; where one of them failed, the other stands for both.

    A face whose two embeddings are equal, as where it was not touched, keeps its scores under every fusion.
    """
    if fusion == "replace":
        return done
    first = chosen(raw.valid | ~done.valid, raw, done)  # where both failed, it is the untouched face that did
    second = chosen(done.valid, done, first)
    if fusion == "max-score":
        return Embeddings(first.vectors, first.status, first.stage, also=second.vectors)
    x, y = first.vectors.astype(np.float64), second.vectors.astype(np.float64)
    if fusion == "mean":
        x, y = _unit(x), _unit(y)
    same = (first.vectors == second.vectors).all(axis=1)
    joined = np.where(same[:, None], first.vectors, x + y).astype(np.float32)
    cancelled = first.valid & ~joined.any(axis=1)
    status, stage = first.status.copy(), first.stage.copy()
    status[cancelled], stage[cancelled] = "the two embeddings cancel each other", "embed"
    return Embeddings(joined, status, stage)


def chosen(where: NDArray[np.bool_], here: Embeddings, else_: Embeddings) -> Embeddings:
    """Return one embedding of each face, where it is from ``here``, and from ``else_`` elsewhere."""
    return Embeddings(
        np.where(where[:, None], here.vectors, else_.vectors),
        np.where(where, here.status, else_.status),
        np.where(where, here.stage, else_.stage),
    )


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, np.where(norm > 0, norm, 1.0), dtype=np.float64)
