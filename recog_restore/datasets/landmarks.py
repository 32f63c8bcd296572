"""``landmarks.csv``: five points per image, wherever they came from; one file serves every layout.

The header is ``path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5`` and optionally ``score``. ``path`` is the image's name in the data
set with ``/`` between folders (``AJ_Lamas/AJ_Lamas_0001.jpg``). Points and pixels are those of ``geometry``.
A row whose points are empty says that a detector found no face there.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ConventionError, DataError
from .textfiles import finite_number, read_csv, write_text

FILE_NAME = "landmarks.csv"
COLUMNS = tuple(f"{axis}{point}" for point in range(1, 6) for axis in "xy")


def read_landmarks(path: Path, names: Sequence[str]) -> NDArray[np.float64]:
    """Return (len(names), 5, 2) float64 pixels; NaN for an image that has no row, or a row without points.

    Rows of other images are read, checked and left out.

    Raises:
        DataError: the header, the number of fields, a number or a path is not right; the message has the line.
    """
    rows = read_csv(path)
    header = tuple(next(rows, (1, []))[1])
    if header not in (("path", *COLUMNS), ("path", *COLUMNS, "score")):
        raise DataError(f"{path}: line 1: expected path,{','.join(COLUMNS)}[,score], found {','.join(header)!r}")
    row_of = {name: row for row, name in enumerate(names)}
    line_of: dict[str, int] = {}
    points = np.full((len(names), len(COLUMNS)), np.nan)
    for line, fields in rows:
        where = f"{path}: line {line}"
        if not fields:
            continue
        if len(fields) != len(header):
            raise DataError(f"{where}: expected {len(header)} fields, found {len(fields)}")
        name = fields[0].replace("\\", "/")
        if name in line_of:
            raise DataError(f"{where}: {name!r} has points already on line {line_of[name]}")
        line_of[name] = line
        values = _points(fields[1:11], where)
        if name in row_of:
            points[row_of[name]] = values
    return points.reshape(-1, 5, 2)


def own_landmarks(root: Path, names: Sequence[str]) -> NDArray[np.float64] | None:
    """Return the points of ``root/landmarks.csv``, or None where there is no such file.

    Raises:
        DataError: as ``read_landmarks``.
    """
    path = root / FILE_NAME
    return read_landmarks(path, names) if path.exists() else None


def write_landmarks(
    path: Path,
    names: Sequence[str],
    points: NDArray[np.floating],
    scores: NDArray[np.floating] | None = None,
) -> None:
    """Write the points that a detector found, whole or not at all.

    Args:
        path: the file, usually ``root/landmarks.csv``.
        names: M distinct names of images.
        points: (M, 5, 2) pixels, kept to 0.01; NaN where no face was found.
        scores: (M,) the detector's, kept to 0.0001.

    Raises:
        ConventionError: the shapes do not agree, or a name comes twice.
    """
    if points.shape != (len(names), 5, 2) or (scores is not None and scores.shape != (len(names),)):
        shapes = f"{points.shape} and {None if scores is None else scores.shape}"
        raise ConventionError(f"expected ({len(names)}, 5, 2) points and ({len(names)},) scores, got {shapes}")
    if len(set(names)) != len(names):
        raise ConventionError(f"{path}: a name comes twice")
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["path", *COLUMNS, *([] if scores is None else ["score"])])
    for row, name in enumerate(names):
        values = points[row].ravel()
        fields = [f"{v:.2f}" for v in values] if np.isfinite(values).all() else [""] * len(values)
        if scores is not None:
            fields.append(f"{scores[row]:.4f}" if np.isfinite(scores[row]) else "")
        rows.writerow([name, *fields])
    write_text(path, text.getvalue())


def _points(fields: list[str], where: str) -> list[float]:
    if not any(field.strip() for field in fields):
        return [math.nan] * len(fields)
    return [finite_number(field, f"{where}: {column}") for column, field in zip(COLUMNS, fields, strict=True)]
