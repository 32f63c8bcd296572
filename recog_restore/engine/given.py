"""Embeddings that another tool made, in place of images and an embedder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import Tensor

from ..datasets import Dataset
from ..datasets.features import feature_files, read_features
from ..errors import RecordError
from ..preprocess import Preprocessor
from ..preprocess.base import Card
from ..results import BASELINE
from .embeddings import Embeddings
from .plan import Plan

ABSENT = "the features have no vector of it"


class Given(Preprocessor):
    """What stands in a result in the place of a preprocessor whose embeddings are given; it changes no face."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.card = Card(name, "none", "given as features", rights="")

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        """Return the images."""
        return images


def given(plan: Plan, dataset: Dataset, features: Mapping[str, Path]) -> dict[str, Embeddings]:
    """Return the embeddings of all jobs from files, by preprocessor; what no preprocessor touches is the baseline's.

    A row that is not finite, or is zero, is a failure to acquire.

    Args:
        plan: of the data set.
        dataset: whose samples, all of them and in their order, the features are of.
        features: a file for each preprocessor; ``none``, the baseline, is one of them.

    Raises:
        RecordError: there is none of the baseline, two have vectors of different lengths, or faces are to be degraded.
        DataError: a file does not hold the features of the samples.
    """
    if BASELINE not in features:
        raise RecordError("--features: expected the baseline's, as --features FILE, beside those of preprocessors")
    if plan.protocol.degradation is not None:
        raise RecordError(f"--features: {plan.protocol.id} degrades faces, which needs their images")
    names = pd.Index(dataset.samples().table["sample"])
    rows = names.get_indexer(pd.Index(plan.samples.table["sample"]))[plan.jobs.row]
    baseline = _read(features[BASELINE], names, rows)
    found = {BASELINE: baseline}
    for name, path in features.items():
        if name == BASELINE:
            continue
        own = _read(path, names, rows)
        if own.vectors.shape[1] != baseline.vectors.shape[1]:
            raise RecordError(
                f"--features: those of {name} have {own.vectors.shape[1]} dimensions, the baseline's "
                f"{baseline.vectors.shape[1]}"
            )
        found[name] = _untouched(own, baseline, plan.touched)
    return found


def digest_of(features: Mapping[str, Path]) -> str:
    """Return the SHA-256 of the files and of what they are for.

    Raises:
        DataError: one is not there.
    """
    whole = hashlib.sha256()
    for name in sorted(features):
        for path in feature_files(features[name]):
            with path.open("rb") as file:
                whole.update(f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()


def _read(path: Path, names: pd.Index, rows: NDArray[np.integer]) -> Embeddings:
    vectors, valid = read_features(path, names.tolist())
    if not np.array_equal(rows, np.arange(len(vectors))):
        vectors, valid = vectors[rows], valid[rows]
    good = valid & (vectors != 0).any(axis=1)
    return Embeddings(vectors, np.where(good, "", ABSENT).astype(object), np.where(good, "", "acquire").astype(object))


def _untouched(own: Embeddings, baseline: Embeddings, touched: int) -> Embeddings:
    """Return the first ``touched`` of the one and the rest of the other."""
    if touched == len(own.status):
        return own
    return Embeddings(
        np.concatenate([own.vectors[:touched], baseline.vectors[touched:]]),
        np.concatenate([own.status[:touched], baseline.status[touched:]]),
        np.concatenate([own.stage[:touched], baseline.stage[touched:]]),
    )
