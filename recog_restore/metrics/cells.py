"""Scores of many comparisons of the same templates: as cells of one matrix product where they fill it, else gathered.

IJB-C's 15,658,489 comparisons are cells of a product of 19,593 × 3,531: computing all 69 million costs a twentieth of
gathering two vectors for each comparison.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConventionError
from .scores import FAILED

# A cell of a matrix product costs about so many times less than a gathered comparison.
_CELLS_PER_PAIR = 32
_SCORES = 2**26  # of a block of the product, which so has 256 MB
_PAIRS = 16_384  # gathered at once


def pair_scores(
    first: NDArray[np.floating[Any]],
    second: NDArray[np.floating[Any]],
    row: NDArray[np.integer],
    column: NDArray[np.integer],
    first_valid: NDArray[np.bool_],
    second_valid: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Return (N,) float32 inner products; -inf where a template failed.

    Working memory is 256 MB, and of those comparisons that fall in one block of the product 8 bytes each. The last bits
    depend on how a product is computed: two scores that differ by less than 1e-6 may change places.

    Args:
        first: (A, D) templates of length 1, finite also where they failed.
        second: (B, D) likewise.
        row, column: (N,) integers: which of the first is compared with which of the second.
        first_valid, second_valid: (A,) and (B,) bool, false for a failure.

    Raises:
        ConventionError: shapes differ, or a comparison names a template that is not there.
    """
    if row.shape != column.shape or first.shape[1:] != second.shape[1:]:
        raise ConventionError(
            f"expected as many rows as columns and templates of one length, got {row.shape} and {column.shape}, "
            f"{first.shape} and {second.shape}"
        )
    for name, index, count in (("row", row, len(first)), ("column", column, len(second))):
        if len(index) and not (0 <= index.min() and index.max() < count):
            raise ConventionError(f"{name}: expected numbers from 0 to {count - 1}, got {index.min()} to {index.max()}")
    first, second = first.astype(np.float32, copy=False), second.astype(np.float32, copy=False)
    if len(first) * len(second) <= _CELLS_PER_PAIR * len(row):
        scores = _cells(first, second, row, column, first_valid, second_valid)
    else:
        scores = _gathered(first, second, row, column)
        scores[~(first_valid[row] & second_valid[column])] = FAILED
    return scores


def _cells(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    row: NDArray[np.integer],
    column: NDArray[np.integer],
    first_valid: NDArray[np.bool_],
    second_valid: NDArray[np.bool_],
) -> NDArray[np.float32]:
    found = np.empty(len(row), np.float32)
    height = max(1, _SCORES // max(1, len(first)))
    for start in range(0, len(second), height):
        part = slice(start, start + height)
        product = second[part] @ first.T
        product[:, ~first_valid] = FAILED
        product[~second_valid[part]] = FAILED
        if height >= len(second):
            return product.ravel()[_place(column, len(first), row)]
        inside = np.flatnonzero((column >= start) & (column < start + height))
        found[inside] = product.ravel()[_place(column[inside] - start, len(first), row[inside])]
    return found


def _place(column: NDArray[np.integer], width: int, row: NDArray[np.integer]) -> NDArray[np.int64]:
    place = column.astype(np.int64)
    place *= width
    place += row
    return place


def _gathered(
    first: NDArray[np.float32], second: NDArray[np.float32], row: NDArray[np.integer], column: NDArray[np.integer]
) -> NDArray[np.float32]:
    found = np.empty(len(row), np.float32)
    for start in range(0, len(row), _PAIRS):
        part = slice(start, start + _PAIRS)
        np.einsum("nd,nd->n", first[row[part]], second[column[part]], out=found[part])
    return found
