"""Lists of many million lines: parsed column by column, and kept as arrays in the cache once they have been parsed."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..files import write_whole
from ..resources import cache_folder
from .textfiles import read_lines


def read_columns(
    path: Path, columns: Mapping[str, type[np.generic]], *, comma: bool = False, skip: int = 0
) -> dict[str, NDArray[Any]]:
    """Return the columns of a file.

    Args:
        path: the file; blank lines are left out.
        columns: name and type of each, in order; ``np.str_`` gives an array of objects.
        comma: fields stand apart by commas instead of white space.
        skip: so many lines at the top are no lines of the list.

    Raises:
        DataError: there is no such file, a line has other fields, or it is empty; the message has the first such line.
    """
    types: dict[str, Any] = {name: (object if kind is np.str_ else kind) for name, kind in columns.items()}
    try:
        table = pd.read_csv(
            path,
            sep="," if comma else r"\s+",
            header=None,
            skiprows=skip,
            names=list(types),
            dtype=types,
            na_filter=False,
        )
    except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError):
        read_lines(path)  # says what is the matter
        raise
    except (ValueError, OverflowError) as error:
        raise _explained(path, columns, "," if comma else None, skip, str(error)) from None
    if not isinstance(table.index, pd.RangeIndex):  # the first line has a field too many
        raise _explained(path, columns, "," if comma else None, skip, "too many fields")
    if table.empty:
        raise DataError(f"{path}: expected lines of {_form(columns)}, found none")
    return {name: table[name].to_numpy() for name in columns}


def _explained(
    path: Path, columns: Mapping[str, type[np.generic]], separator: str | None, skip: int, reason: str
) -> DataError:
    """Return the error that says what is wrong with the first line that is not as the others."""
    for number, line in read_lines(path)[skip:]:
        fields = line.strip().split(separator)
        if len(fields) != len(columns):
            reason = f"found {len(fields)} fields: {line.strip()!r}"
        else:
            wrong = [(n, f) for (n, kind), f in zip(columns.items(), fields, strict=True) if not _fits(f, kind)]
            if not wrong:
                continue
            reason = f"found {wrong[0][1]!r} for {wrong[0][0]}"
        return DataError(f"{path}: line {number}: expected {_form(columns)}; {reason}")
    return DataError(f"{path}: expected lines of {_form(columns)}; {reason}")


def _fits(field: str, kind: type[np.generic]) -> bool:
    try:
        if issubclass(kind, np.integer):
            return bool(np.iinfo(kind).min <= int(field) <= np.iinfo(kind).max)
        kind(field)
    except ValueError:
        return False
    return True


def _form(columns: Mapping[str, type[np.generic]]) -> str:
    return f"{len(columns)} fields ({' '.join(columns)})"


def kept(source: Path, what: str, made: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """Return an array that is made of a file, from the cache if the file is the one it was made of.

    A file is the same if path, size and time of change are. The array is read-only. Where the cache cannot be written
    the array is made anew each time.

    Args:
        source: the file.
        what: a name for what is made of it and how; change it with the code.
        made: makes the array.
    """
    state = source.stat()
    text = f"{what}\0{source.resolve()}\0{state.st_size}\0{state.st_mtime_ns}"
    place = cache_folder() / "lists" / f"{hashlib.sha256(text.encode()).hexdigest()}.npy"
    try:
        array: NDArray[Any] = np.load(place, mmap_mode="r", allow_pickle=False)
        return array
    except (OSError, ValueError):
        array = made()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        write_whole(place, buffer.getvalue())
    except OSError:
        pass
    array.flags.writeable = False
    return array


def places(
    source: Path, ids: NDArray[np.integer], templates: NDArray[np.integer], absent: str
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return (N,) and (N,) rows of ``templates`` for the two numbers of each comparison.

    Args:
        source: the list, for the message.
        ids: (2, N) numbers from 0.
        templates: (T,) the numbers that are known, rising.
        absent: what a number that is not among them lacks, for the message.

    Raises:
        DataError: a number is not known.
    """
    beyond = int(templates[-1]) + 1
    row = np.full(beyond + 1, -1, np.int32)
    row[templates] = np.arange(len(templates), dtype=np.int32)
    first, second = (row[np.minimum(side, beyond)] for side in ids)
    stray = np.flatnonzero((first < 0) | (second < 0))
    if len(stray):
        place = int(stray[0])
        number = ids[0 if first[place] < 0 else 1, place]
        raise DataError(f"{source}: comparison {place + 1:,}: template {number} {absent}")
    return first, second
