"""One's own faces as a CSV: a line for each image, optionally a second CSV of comparisons.

``samples.csv`` has the columns ``path`` (relative to the file) and ``subject``, and may have ``role`` (``gallery``,
``probe`` or empty), the landmarks ``x1,y1 … x5,y5`` (empty where unknown), and columns of any other name: labels.
``pairs.csv`` has ``first`` and ``second`` (paths of ``samples.csv``) and ``mated`` (1 or 0, yes or no, true or false),
and may have ``fold``, from 1. Without it, mated and non-mated comparisons are each dealt to ten folds in turn.
"""

from __future__ import annotations

import math
import posixpath
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..records import nearest
from .base import (
    Alignment,
    Dataset,
    Finding,
    Pairs,
    Samples,
    Split,
    check_alignment,
    missing_finding,
    subjects_finding,
)
from .landmarks import COLUMNS, own_landmarks
from .textfiles import finite_number, read_csv, whole_number

_FOLDS = 10
_TRUTHS = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}
_ROLES = ("gallery", "probe", "")


class Table(Dataset):
    """Samples from a CSV, with the comparisons of a second one, or with gallery and probe roles.

    Args:
        root: the CSV of samples, or a folder that holds it as ``samples.csv``.
        pairs: the CSV of comparisons, relative to the folder of the first.
        alignment: ``landmarks``, or the crop that all images already are.
    """

    def __init__(self, root: Path, pairs: str = "pairs.csv", alignment: Alignment = "landmarks") -> None:
        super().__init__(root)
        check_alignment(alignment)
        self._alignment = alignment
        self._file = root / "samples.csv" if root.is_dir() else root
        self._pairs_file = self._file.parent / pairs

    @cached_property
    def _rows(self) -> list[tuple[int, dict[str, str]]]:
        rows = read_rows(self._file, ("path", "subject"))
        lines: dict[str, int] = {}
        for line, row in rows:
            where = f"{self._file}: line {line}"
            row["path"] = posixpath.normpath(row["path"].replace("\\", "/")) if row["path"] else ""
            for column in ("path", "subject"):
                if not row[column]:
                    raise DataError(f"{where}: column {column!r}: expected a text, found nothing")
            if row["path"] in lines:
                raise DataError(f"{where}: {row['path']!r} is listed already on line {lines[row['path']]}")
            if (role := row.get("role", "")) not in _ROLES:
                raise DataError(f"{where}: column 'role': no role {role!r}; {nearest(role, _ROLES[:2])}")
            lines[row["path"]] = line
        if not rows:
            raise DataError(f"{self._file}: expected a line for each image, found only the header")
        return rows

    def samples(self) -> Samples:
        """Return every image of the file; a label column of numbers is numeric, any other is text."""
        columns: dict[str, list[Any]] = {
            name: [row[name] for _, row in self._rows] for name in self._rows[0][1] if name not in ("role", *COLUMNS)
        }
        labels = {name: _numbers(texts) for name, texts in columns.items() if name not in ("path", "subject")}
        table = pd.DataFrame({"sample": columns["path"], "subject": columns["subject"], **labels})
        names = table["sample"].tolist()
        landmarks = self._landmarks(names) if self._alignment == "landmarks" else None
        return Samples(table, tuple(self._file.parent / name for name in names), landmarks, self._alignment)

    def pairs(self) -> Pairs:
        """Return the comparisons in the order of their file.

        Raises:
            DataError: there is no such file, a line is not right, or it contradicts the subjects.
        """
        path = self._pairs_file
        if not path.is_file():
            raise DataError(f"{path}: no such file; comparisons need a CSV with the columns first, second, mated")
        row_of = {row["path"]: number for number, (_, row) in enumerate(self._rows)}
        subject = [row["subject"] for _, row in self._rows]
        couples, mated, fold = [], [], []
        for line, row in read_rows(path, ("first", "second", "mated")):
            where = f"{path}: line {line}"
            couple = []
            for column in ("first", "second"):
                name = posixpath.normpath(row[column].replace("\\", "/"))
                if name not in row_of:
                    raise DataError(f"{where}: column {column!r}: {name!r} is not in {self._file.name}")
                couple.append(row_of[name])
            if row["mated"].lower() not in _TRUTHS:
                raise DataError(f"{where}: column 'mated': expected 1 or 0, found {row['mated']!r}")
            mated.append(_TRUTHS[row["mated"].lower()])
            one, other = (subject[number] for number in couple)
            if mated[-1] != (one == other):
                raise DataError(
                    f"{where}: column 'mated' is {row['mated']}, but {self._file.name} has the subjects {one!r} and "
                    f"{other!r}"
                )
            if "fold" in row:
                fold.append(_fold(row["fold"], where))
            couples.append(couple)
        if not couples:
            raise DataError(f"{path}: expected a line for each comparison, found only the header")
        both = np.array(couples, np.int64)
        truths = np.array(mated, np.bool_)
        return Pairs(both[:, 0], both[:, 1], truths, np.array(fold, np.int64) if fold else _dealt(truths))

    def split(self) -> Split:
        """Return gallery and probes by the column ``role``.

        Raises:
            DataError: there is no such column.
        """
        header = self._rows[0][1]
        if "role" not in header:
            hint = nearest("role", header)
            raise DataError(f"{self._file}: identification needs a column 'role' with gallery and probe; {hint}")
        role = np.array([row["role"] for _, row in self._rows], object)
        return Split(np.flatnonzero(role == "gallery"), np.flatnonzero(role == "probe"))

    def check(self) -> list[Finding]:
        """Say what is there; one's own list has no published counts."""
        subjects = {row["subject"] for _, row in self._rows}
        findings = [
            subjects_finding(len(subjects)),
            missing_finding(self.missing(), len(self._rows)),
        ]
        if self._pairs_file.is_file():
            pairs = self.pairs()
            found = f"{len(pairs.mated):,}, {int(pairs.mated.sum()):,} of them mated"
            findings.append(Finding(True, f"comparisons in {self._pairs_file.name}", "-", found))
        if "role" in self._rows[0][1]:
            split = self.split()
            found = f"{len(split.gallery):,} and {len(split.probes):,}"
            findings.append(Finding(True, "gallery and probes", "-", found))
        return findings

    def _landmarks(self, names: list[str]) -> NDArray[np.float64] | None:
        header = self._rows[0][1]
        given = [column for column in COLUMNS if column in header]
        if not given:
            return own_landmarks(self._file.parent, names)
        if len(given) != len(COLUMNS):
            lacking = next(column for column in COLUMNS if column not in header)
            raise DataError(
                f"{self._file}: line 1: found column {given[0]!r} but not {lacking!r}; landmarks need all ten"
            )
        points = []
        for line, row in self._rows:
            fields = [row[column] for column in COLUMNS]
            known = any(fields)
            points.append(
                [
                    finite_number(f, f"{self._file}: line {line}: column {c!r}") if known else math.nan
                    for c, f in zip(COLUMNS, fields, strict=True)
                ]
            )
        return np.array(points).reshape(-1, 5, 2)


def read_rows(path: Path, needed: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a CSV by column, without the spaces around a field, each with the line it ends on.

    Args:
        path: the file; its first line names the columns, blank lines are left out.
        needed: columns that must be there.

    Raises:
        DataError: a column is missing or stands twice, or a line has another number of fields.
    """
    rows = read_csv(path)
    header = [name.strip() for name in next(rows, (1, []))[1]]
    for name in needed:
        if name not in header:
            raise DataError(f"{path}: line 1: expected a column {name!r}; {nearest(name, header)}")
    for name in header:
        if header.count(name) > 1 or name == "sample":
            reason = "stands twice" if header.count(name) > 1 else "is the toolkit's own name for path"
            raise DataError(f"{path}: line 1: the column {name!r} {reason}; rename it")
    found = []
    for line, fields in rows:
        if not any(field.strip() for field in fields):
            continue
        if len(fields) != len(header):
            raise DataError(f"{path}: line {line}: expected {len(header)} fields, found {len(fields)}")
        found.append((line, dict(zip(header, (field.strip() for field in fields), strict=True))))
    return found


def _fold(field: str, where: str) -> int:
    if (number := whole_number(field)) is None:
        raise DataError(f"{where}: column 'fold': expected a fold from 1, found {field[:20]!r}")
    return number - 1


def _dealt(mated: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return folds for the comparisons in turn, so that each has as many mated and non-mated ones as the others."""
    rank = np.where(mated, np.cumsum(mated), np.cumsum(~mated)) - 1
    folds = max(1, min(_FOLDS, int(mated.sum()), int((~mated).sum())))
    return (rank % folds).astype(np.int64)


def _numbers(texts: list[str]) -> list[Any]:
    """Return a label column as numbers where all of its fields are (an empty one is NaN), else as it is."""
    for number in (int, lambda text: float(text or "nan")):
        try:
            return [number(text) for text in texts] if any(texts) else texts
        except ValueError:
            continue
    return texts
