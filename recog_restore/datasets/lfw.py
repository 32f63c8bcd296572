"""Labeled Faces in the Wild, view 2: ``pairs.txt`` and images as ``Name/Name_0001.jpg``.

The list opens with ``10<TAB>300``; then, ten times, come 300 mated lines (``name i j``) and 300 non-mated lines
(``name1 i name2 j``). Only 7,701 of the set's 13,233 images occur in it, and only they are needed.

The set defines no identification. Here, each person's first image in the list is the gallery and the others are the
probes: 3,420 searches among 4,281 people, of whom those with one image are nobody's mate.

Source: Huang, Ramesh, Berg, Learned-Miller, "Labeled Faces in the Wild", UMass TR 07-49, 2007;
http://vis-www.cs.umass.edu/lfw/ (pairs.txt, README).
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from ..errors import DataError
from .base import Dataset, Finding, Pairs, Samples, Split, compared, count_finding, missing_finding
from .landmarks import own_landmarks
from .mark import read_mark
from .textfiles import read_lines, whole_number

_FOLDERS = ("lfw-deepfunneled", "lfw_funneled", "lfw-funneled", "lfw", "lfw-aligned")


class LFW(Dataset):
    """The 6,000 comparisons of view 2, or any list of the same form; or its images, for identification.

    Args:
        root: holds ``pairs.txt`` and the images, in a folder of a known name or of one that starts with ``lfw``, or in
            the root itself; optionally ``landmarks.csv``.
        images: the folder of images in ``root``, where several are there.
        split: ``view2`` for the comparisons, or ``identification``.
    """

    counts: ClassVar[dict[str, int]] = {"images": 13_233, "subjects": 5_749, "comparisons": 6_000, "samples": 7_701}

    def __init__(self, root: Path, images: str = "", split: Literal["view2", "identification"] = "view2") -> None:
        super().__init__(root)
        if split not in ("view2", "identification"):
            raise DataError(f"split is {split!r}; expected 'view2' (the comparisons) or 'identification'")
        self._images, self._split = images, split
        self._mark = read_mark(root)

    @property
    def note(self) -> str:
        """That it is a mimic, where it is one."""
        return self._mark.note if self._mark else ""

    @cached_property
    def _list(self) -> tuple[list[str], list[str], Pairs]:
        """Names and subjects of the samples, in order of name, and the comparisons between them."""
        path = self.root / "pairs.txt"
        lines = read_lines(path)
        folds, per_fold = _header(path, lines)
        _check_length(path, len(lines) - 1, folds, per_fold)
        first, second = [], []
        mated = np.tile(np.repeat([True, False], per_fold), folds)
        for (number, line), same in zip(lines[1:], mated, strict=True):
            one, other = _comparison(f"{path}: line {number}", line, bool(same))
            first.append(one)
            second.append(other)
        fold = np.repeat(np.arange(folds), 2 * per_fold)
        samples, pairs = compared(first, second, mated, fold)
        return [f"{name}/{name}_{index:04d}.jpg" for name, index in samples], [name for name, _ in samples], pairs

    @cached_property
    def folder(self) -> Path:
        """The folder of images.

        Raises:
            DataError: none holds a folder of a subject in the list.
        """
        subjects = set(self._list[1])
        if self._images:
            candidates = [self.root / self._images]
        else:
            others = sorted(p.name for p in self.root.glob("lfw*") if p.is_dir() and p.name not in _FOLDERS)
            candidates = [self.root / name for name in (*_FOLDERS, *others)]
            candidates = [place for name in candidates for place in (name, name / name.name)] + [self.root]
        for place in candidates:
            if place.is_dir() and any(subject in subjects for subject in os.listdir(place)):
                return place
        places = self._images or "lfw-deepfunneled, lfw_funneled, lfw or the folder itself"
        raise DataError(
            f"{self.root}: expected images as Name/Name_0001.jpg in {places}; found no folder of a subject in pairs.txt"
        )

    def samples(self) -> Samples:
        """Return the images that occur in ``pairs.txt``."""
        names, subjects, _ = self._list
        return Samples(
            table=pd.DataFrame({"sample": names, "subject": subjects}),
            files=tuple(self.folder / name for name in names),
            landmarks=own_landmarks(self.root, names),
        )

    def pairs(self) -> Pairs:
        """Return the comparisons, in the order of ``pairs.txt``.

        Raises:
            DataError: the list is not right, or it was opened for identification.
        """
        return super().pairs() if self._split == "identification" else self._list[2]

    def split(self) -> Split:
        """Return each person's first image in the list, and the others.

        Raises:
            DataError: the list is not right, or it was opened for comparisons.
        """
        if self._split != "identification":
            return super().split()
        later = self.samples().table.duplicated("subject").to_numpy()
        return Split(np.flatnonzero(~later), np.flatnonzero(later))

    def check(self) -> list[Finding]:
        """Compare list and images with the published counts."""
        names, _, pairs = self._list
        people = [place for place in self.folder.iterdir() if place.is_dir()]
        images = sum(file.endswith(".jpg") for place in people for file in os.listdir(place))
        missing = missing_finding(self.missing(), len(names))
        if self._mark:
            found = {"comparisons": len(pairs.mated), "images": images, "subjects": len(people)}
            return [*self._mark.check(found), missing]
        enough = "; enough for view 2" if missing.ok and images < self.counts["images"] else ""
        return [
            count_finding("comparisons in pairs.txt", self.counts["comparisons"], len(pairs.mated)),
            count_finding("images that occur in pairs.txt", self.counts["samples"], len(names)),
            missing,
            Finding(
                ok=missing.ok,
                what="the whole set (not needed)",
                expected=f"{self.counts['images']:,} images of {self.counts['subjects']:,} subjects",
                found=f"{images:,} images of {len(people):,} subjects{enough}",
            ),
        ]


def _header(path: Path, lines: list[tuple[int, str]]) -> tuple[int, int]:
    fields = lines[0][1].split() if lines else []
    if len(fields) != 2 or not all(_index(field) for field in fields):
        found = lines[0][1].strip() if lines else ""
        raise DataError(
            f"{path}: line 1: expected the numbers of folds and of mated comparisons in each, '10 300'; found {found!r}"
        )
    return int(fields[0]), int(fields[1])


def _check_length(path: Path, found: int, folds: int, per_fold: int) -> None:
    expected = folds * 2 * per_fold
    if found != expected:
        raise DataError(
            f"{path}: the first line says {folds} folds of {per_fold} + {per_fold} comparisons, {expected} lines; "
            f"found {found}; is {'the last line missing' if found < expected else 'a line too many'}?"
        )


def _comparison(where: str, line: str, mated: bool) -> tuple[tuple[str, int], tuple[str, int]]:
    """Return name and index of both images of one line."""
    fields = [field.strip() for field in line.split("\t")] if "\t" in line else line.split()
    form = "name, index, index (a mated comparison)" if mated else "name, index, name, index (a non-mated comparison)"
    if len(fields) != (3 if mated else 4):
        raise DataError(f"{where}: expected {form}, found {len(fields)} fields: {line.strip()!r}")
    first_name, first_index = fields[0], fields[1]
    second_name, second_index = (fields[0], fields[2]) if mated else (fields[2], fields[3])
    for name in (first_name, second_name):
        if not name or "/" in name or "\\" in name or name in (".", ".."):
            raise DataError(f"{where}: expected {form}, found the name {name!r}")
    if not mated and first_name == second_name:
        raise DataError(f"{where}: expected {form}, found {first_name!r} twice; is a line missing above?")
    for index in (first_index, second_index):
        if not _index(index):
            raise DataError(f"{where}: expected {form}, found the index {index!r}; the first image of a subject is 1")
    return (first_name, int(first_index)), (second_name, int(second_index))


def _index(text: str) -> bool:
    return whole_number(text) is not None
