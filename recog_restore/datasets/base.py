"""The data set contract: what a reader returns, whatever the layout it reads."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..decode import Source
from ..errors import DataError

K = TypeVar("K", bound=str | tuple[str, int])

Alignment = Literal["landmarks", "arcface-112", "sphereface-112x96", "canonical-128"]

ALIGNMENTS: tuple[Alignment, ...] = get_args(Alignment)

# Columns of the samples with a meaning of their own; all others are labels.
TEMPLATE, MEDIA, SCORE = "template", "media", "score"


_BYTE = re.compile("[\udc80-\udcff]")  # as Python reads it in the name of a file


def _shown(name: str) -> str:
    return _BYTE.sub(lambda byte: f"%{ord(byte[0]) - 0xDC00:02X}", name)


@dataclass(frozen=True)
class Samples:
    """The M faces that a protocol needs, each once; an image in several templates is listed once for each.

    Bytes of a file's name that are not UTF-8 stand as ``%E9`` in the names of sample and subject.

    Attributes:
        table: M rows; ``sample`` (unique name, shown in reports), ``subject`` ("" where unknown), and any label columns
            (yaw, age, …). Where samples are pooled: ``template`` (integers or names) and ``media`` likewise; a medium
            is one only within its template. Where a detector's score is known: ``score``, NaN for an unknown one.
        files: M images: paths, the encoded bytes themselves where a package holds them, or what renders them.
        landmarks: (M, 5, 2) float64 pixels, NaN where a face has none; None where the data set knows none at all.
        alignment: ``landmarks``, or the named crop that the images already are.
    """

    table: pd.DataFrame
    files: tuple[Source, ...]
    landmarks: NDArray[np.float64] | None = None
    alignment: Alignment = "landmarks"

    def __post_init__(self) -> None:
        if _BYTE.search("".join(self.table["sample"])):
            shown = {column: self.table[column].map(_shown) for column in ("sample", "subject")}
            object.__setattr__(self, "table", self.table.assign(**shown))
        names = self.table["sample"]
        if len(names) != len(self.files):
            raise DataError(f"{len(names)} samples but {len(self.files)} files")
        if names.duplicated().any():
            raise DataError(f"sample {names[names.duplicated()].iloc[0]!r} is listed twice")
        if self.landmarks is not None and self.landmarks.shape != (len(names), 5, 2):
            raise DataError(f"expected landmarks of shape ({len(names)}, 5, 2), got {self.landmarks.shape}")

    def __len__(self) -> int:
        return len(self.files)

    def take(self, rows: NDArray[np.integer]) -> Samples:
        """Return some of the samples, in the order of the rows."""
        return replace(
            self,
            table=self.table.iloc[rows].reset_index(drop=True),
            files=tuple(self.files[row] for row in rows),
            landmarks=None if self.landmarks is None else self.landmarks[rows],
        )

    def templates(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return the T distinct templates, sorted, and (M,) the row of each sample's template among them."""
        names, row = np.unique(self.table[TEMPLATE].to_numpy(), return_inverse=True)
        return names, row.astype(np.int64, copy=False)

    def missing(self) -> list[str]:
        """Return the names of those whose file is not there."""
        return [
            name
            for name, file in zip(self.table["sample"], self.files, strict=True)
            if isinstance(path := getattr(file, "path", file), Path) and not os.path.isfile(path)
        ]


@dataclass(frozen=True)
class Pairs:
    """N comparisons: rows of ``Samples.table``, whether the subject is the same, and the fold (from 0)."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    mated: NDArray[np.bool_]
    fold: NDArray[np.int64]


@dataclass(frozen=True)
class TemplatePairs:
    """N comparisons of templates: rows of ``Samples.templates()``, whether the subject is the same, and the fold.

    ``first`` are the enrolled ones, ``second`` those that are verified. There may be many millions: hence 32 bits, and
    a single fold may be given as a broadcast 0.
    """

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    mated: NDArray[np.bool_]
    fold: NDArray[np.int32]


@dataclass(frozen=True)
class Split:
    """Rows of ``Samples.table`` that are enrolled, and rows that are searched for."""

    gallery: NDArray[np.int64]
    probes: NDArray[np.int64]


@dataclass(frozen=True)
class Finding:
    """One thing that ``rr-data check`` says: what was expected, what was found; ``ok`` is false where they differ."""

    ok: bool
    what: str
    expected: str
    found: str
    way_out: str = ""


class Dataset(ABC):
    """A reader of one layout. ``root`` is the folder, or the one file, that the user named.

    Reading lists may raise ``DataError``; a missing image does not: ``missing()`` names it.

    Attributes:
        faces: what its faces are, as far as is known.
    """

    faces: Literal["photographed", "rendered", "drawn"] = "photographed"

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def note(self) -> str:
        """What must be said wherever a number from this data set stands, or ""."""
        return ""

    @property
    def warnings(self) -> list[str]:
        """What lies there and is not among the samples, in words."""
        return []

    @abstractmethod
    def samples(self) -> Samples:
        """Return the images that the comparisons (or the gallery and the probes) use."""

    def pairs(self) -> Pairs:
        """Return the comparisons of a verification protocol.

        Raises:
            DataError: this data set defines none.
        """
        raise DataError(f"{self.root}: this data set defines no comparisons; it cannot be used for verification")

    def split(self) -> Split:
        """Return gallery and probes of an identification protocol.

        Raises:
            DataError: this data set defines none.
        """
        raise DataError(f"{self.root}: this data set defines no gallery; it cannot be used for identification")

    def template_pairs(self) -> TemplatePairs:
        """Return the comparisons of a verification of templates.

        Raises:
            DataError: this data set defines none.
        """
        raise DataError(f"{self.root}: this data set defines no comparisons of templates; remove [templates]")

    def galleries(self) -> Mapping[str, Split]:
        """Return the galleries by name, each with the probes that are searched for in it alone; one has the name "".

        Raises:
            DataError: this data set defines none.
        """
        return {"": self.split()}

    @abstractmethod
    def check(self) -> list[Finding]:
        """Compare what lies on disk with the official counts."""

    def missing(self) -> list[str]:
        """Return the names of the samples whose file is not there."""
        return self.samples().missing()


def compared(
    first: Sequence[K], second: Sequence[K], mated: Sequence[bool] | NDArray[np.bool_], fold: NDArray[np.integer]
) -> tuple[list[K], Pairs]:
    """Return the distinct keys of a list of comparisons, sorted, and the comparisons as rows of them."""
    keys = sorted({*first, *second})
    row = {key: number for number, key in enumerate(keys)}
    return keys, Pairs(
        first=np.array([row[key] for key in first], np.int64),
        second=np.array([row[key] for key in second], np.int64),
        mated=np.asarray(mated, np.bool_),
        fold=np.asarray(fold, np.int64),
    )


def select_folds(samples: Samples, pairs: Pairs, folds: Collection[int] | None) -> tuple[Samples, Pairs]:
    """Return the comparisons of some folds, and only the samples that they need; fold numbers stay as they were.

    Args:
        samples, pairs: of one data set.
        folds: from 1, as people count them; None means all.

    Raises:
        DataError: there is no such fold.
    """
    if folds is None:
        return samples, pairs
    there = np.unique(pairs.fold) + 1
    for fold in folds:
        if fold not in there:
            raise DataError(f"expected folds from {there.min()} to {there.max()}, got {fold}")
    kept = np.isin(pairs.fold + 1, list(folds))
    rows, columns = np.unique(np.concatenate([pairs.first[kept], pairs.second[kept]]), return_inverse=True)
    count = int(kept.sum())
    return samples.take(rows), Pairs(columns[:count], columns[count:], pairs.mated[kept], pairs.fold[kept])


def spans(folds: Sequence[int]) -> str:
    """Return ascending numbers as ``--folds`` takes them: ``1-8`` or ``1,3-5``."""
    runs: list[list[int]] = []
    for fold in folds:
        if runs and fold == runs[-1][-1] + 1:
            runs[-1].append(fold)
        else:
            runs.append([fold])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def count_finding(what: str, expected: int, found: int, way_out: str = "") -> Finding:
    """Return the finding that a count is, or is not, the published one."""
    return Finding(expected == found, what, f"{expected:,}", f"{found:,}", way_out if expected != found else "")


def check_alignment(alignment: str) -> None:
    """Raise DataError where there is no such alignment."""
    if alignment not in ALIGNMENTS:
        raise DataError(f"alignment is {alignment!r}; expected one of {', '.join(ALIGNMENTS)}")


def subjects_finding(found: int) -> Finding:
    """Return the finding that there is somebody to be taken for somebody else, or not."""
    return Finding(found >= 2, "subjects", "at least 2", f"{found:,}", "" if found >= 2 else "add another person")


def missing_finding(missing: Sequence[str], needed: int) -> Finding:
    """Return the finding that every image is there, or how many are not, and the first three of them."""
    some = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
    return Finding(
        ok=not missing,
        what="images on disk",
        expected=f"{needed:,}",
        found=f"{needed - len(missing):,}" + (f"; {len(missing):,} missing: {some}" if missing else ""),
        way_out="copy the missing images; without them rr-eval stops, unless --allow-missing" if missing else "",
    )
