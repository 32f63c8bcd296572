"""Embeddings that another tool made, in the order of a data set's samples: a run without images.

* ``FILE.npy``: (M, D), a row for each sample in the data set's order; or in the order of ``FILE.names.txt`` beside it,
  one name a line.
* ``FILE.safetensors``: the tensor ``features``, (M, D); its metadata may have ``names``, a JSON list of M names.

A row that is not finite throughout says that no feature could be had: a failure to acquire.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..errors import DataError
from ..files import write_whole
from .textfiles import read_lines

_BLOCK = 65_536  # rows


class Features(NamedTuple):
    """(M, D) float32 vectors as they were given, not brought to any length, and (M,) bool, false for a failure."""

    vectors: NDArray[np.float32]
    valid: NDArray[np.bool_]


def read_features(path: Path, samples: Sequence[str]) -> Features:
    """Return the features of the samples, in their order.

    A float32 ``.npy`` in that order already is not copied: its pages are read from the file when they are needed.

    Args:
        path: the file.
        samples: M names, as ``Samples.table["sample"]`` has them; features of other names are left out.

    Raises:
        DataError: the file is not such a one, a sample has no row, or rows without names are not M.
    """
    feature_files(path)
    vectors, names = _npy(path) if path.suffix == ".npy" else _safetensors(path)
    if vectors.ndim != 2 or vectors.dtype.kind != "f":
        raise DataError(f"{path}: expected (M, D) features as floats, found {vectors.dtype} of shape {vectors.shape}")
    if names is None:
        if len(vectors) != len(samples):
            raise DataError(
                f"{path}: expected {len(samples):,} rows, one for each sample of the data set, found {len(vectors):,}; "
                "give the names too, if it has more or others"
            )
    else:
        rows = _rows(path, names, len(vectors), samples)
        if not np.array_equal(rows, np.arange(len(vectors))):
            vectors = vectors[rows]
    vectors = vectors.astype(np.float32, copy=False)
    parts = [np.isfinite(vectors[i : i + _BLOCK]).all(axis=1) for i in range(0, len(vectors), _BLOCK)]
    return Features(vectors, np.concatenate(parts) if parts else np.empty(0, bool))


def feature_files(path: Path) -> list[Path]:
    """Return the files that the features at ``path`` are read from: that one, and the names beside it if it has some.

    Raises:
        DataError: it is no ``.npy`` and no ``.safetensors`` file.
    """
    if path.suffix not in (".npy", ".safetensors"):
        raise DataError(f"{path}: expected features as .npy or .safetensors")
    if not path.is_file():
        raise DataError(f"{path}: no such file; expected features")
    beside = _names_beside(path)
    return [path, beside] if path.suffix == ".npy" and beside.is_file() else [path]


def write_features(path: Path, samples: Sequence[str], vectors: NDArray[np.floating[Any]]) -> None:
    """Write features with the names of their samples as safetensors.

    Raises:
        DataError: there are not as many names as rows, or the file's name does not end in ``.safetensors``.
    """
    if vectors.ndim != 2 or len(vectors) != len(samples) or path.suffix != ".safetensors":
        raise DataError(
            f"{path}: expected a .safetensors file and (M, D) features of M samples, got {vectors.shape} of "
            f"{len(samples)}"
        )
    whole = save({"features": np.ascontiguousarray(vectors)}, metadata={"names": json.dumps(list(samples))})
    write_whole(path, whole)


def _names_beside(path: Path) -> Path:
    return path.with_suffix(".names.txt")


def _npy(path: Path) -> tuple[NDArray[Any], list[str] | None]:
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: expected an array as numpy.save writes it; reading it failed with {error}") from None
    beside = _names_beside(path)
    return vectors, [line.strip() for _, line in read_lines(beside)] if beside.is_file() else None


def _safetensors(path: Path) -> tuple[NDArray[Any], list[str] | None]:
    try:
        with safe_open(path, framework="numpy") as file:
            if "features" not in file.keys():
                raise DataError(f"{path}: expected a tensor 'features', found {', '.join(file.keys()) or 'none'}")
            vectors, metadata = file.get_tensor("features"), file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path}: expected a safetensors file; reading it failed with {error}") from None
    if "names" not in metadata:
        return vectors, None
    try:
        names = json.loads(metadata["names"])
    except json.JSONDecodeError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError(f"{path}: expected the metadata 'names' to be a JSON list of texts")
    return vectors, names


def _rows(path: Path, names: list[str], count: int, samples: Sequence[str]) -> NDArray[np.intp]:
    """Return the row of each sample."""
    if len(names) != count:
        raise DataError(f"{path}: expected as many names as rows, found {len(names):,} names and {count:,} rows")
    index = pd.Index(names)
    if not index.is_unique:
        raise DataError(f"{path}: {index[index.duplicated()][0]!r} is named twice")
    rows = index.get_indexer(pd.Index(samples))
    lacking = np.flatnonzero(rows < 0)
    if len(lacking):
        raise DataError(
            f"{path}: {len(lacking):,} of the {len(samples):,} samples have no features, {samples[lacking[0]]!r} for "
            "one; a row of NaN says that a face could not be had"
        )
    return rows
