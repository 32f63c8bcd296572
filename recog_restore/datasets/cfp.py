"""Celebrities in Frontal-Profile (CFP): the official layout; frontal-frontal (FF), frontal-profile (FP), 1:N.

``Protocol/Pair_list_F.txt`` and ``Pair_list_P.txt`` number the frontal and the profile images from 1
(``12 ../Data/Images/002/frontal/02.jpg``); ``Protocol/Split/FP/01/same.txt`` and ``diff.txt`` hold the comparisons of a
fold as ``i,j``. In FF both numbers are frontal; in FP the first is frontal, the second profile.

The set defines no identification. Here, the first frontal image of each person is the gallery; the other frontal ones
and the profiles are the probes, told apart by the label ``view``.

The set's own fiducials (``Data/Fiducials``) are not read: their 30 points outline one half of the face only (one eye,
one mouth corner), so they do not hold the five points of an alignment. Mirrored over the midline, frontal ones miss a
detector's points by 5 to 8 % of the eye distance (median of 4,000 images) and the scale of the crop by 3 %.

Source: Sengupta, Chen, Castillo, Patel, Chellappa, Jacobs, "Frontal to Profile Face Verification in the Wild",
WACV 2016; http://www.cfpw.io (Readme.txt, Protocol).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from ..errors import DataError
from .base import Dataset, Finding, Pairs, Samples, Split, compared, count_finding, missing_finding, spans
from .landmarks import own_landmarks
from .textfiles import read_lines

_IMAGE = re.compile(r"(?:.*/)?Images/((\d+)/(frontal|profile)/[^/]+)")


class CFP(Dataset):
    """The 7,000 comparisons of one split, or all images for identification; label column ``view`` (frontal, profile).

    Args:
        root: holds ``Protocol`` and ``Data/Images``; optionally ``landmarks.csv`` with names as ``001/frontal/01.jpg``.
        split: ``FF`` frontal-frontal, ``FP`` frontal-profile, ``identification``: every image of the people who have
            a folder in ``Data/Images``.
        people: for identification, the first and the last number of those to take; None: all.
    """

    def __init__(
        self, root: Path, split: Literal["FF", "FP", "identification"] = "FP", people: Sequence[int] | None = None
    ) -> None:
        super().__init__(root)
        if split not in ("FF", "FP", "identification"):
            raise DataError(
                f"split is {split!r}; expected 'FF' (frontal-frontal), 'FP' (frontal-profile) or 'identification'"
            )
        if people is not None and (split != "identification" or len(people) != 2):
            raise DataError(
                f"people is {list(people)}, split {split!r}; expected first and last number, with 'identification'"
            )
        self.split_name, self._chosen = split, tuple(people or ())

    @property
    def note(self) -> str:
        """Which of the people are there, for identification, if not all: fewer are easier to tell apart."""
        if self.split_name != "identification":
            return ""
        listed, there = len(self._listed), len(_people(self._names))
        chosen = f"only people {self._chosen[0]} to {self._chosen[1]}" if self._chosen else ""
        lacking = "" if there == listed else f"{there:,} of the {listed:,} people are there"
        return "; ".join(text for text in (chosen, lacking) if text)

    @cached_property
    def _images(self) -> list[str]:
        """Names of all images that are listed, frontal ones first."""
        return [name for view in "FP" for name in _numbered(self.root / "Protocol" / f"Pair_list_{view}.txt")]

    @cached_property
    def _listed(self) -> set[str]:
        """Those of the people who are to be taken."""
        first, last = self._chosen or (0, math.inf)
        return {person for person in _people(self._images) if first <= int(person) <= last}

    @cached_property
    def _names(self) -> list[str]:
        """Names of the samples, in order."""
        if self.split_name != "identification":
            return self._list[0]
        images = self.root / "Data" / "Images"
        people = {person for person in self._listed if (images / person).is_dir()}
        if not people:
            first, last = self._chosen or (1, 500)
            raise DataError(f"{images}: expected folders {first:03d} … {last:03d} of people, found none")
        return sorted(name for name in self._images if name.partition("/")[0] in people)

    @cached_property
    def _list(self) -> tuple[list[str], Pairs]:
        """Names of the samples, in order, and the comparisons between them."""
        frontal = _numbered(self.root / "Protocol" / "Pair_list_F.txt")
        other = frontal if self.split_name == "FF" else _numbered(self.root / "Protocol" / "Pair_list_P.txt")
        folder = self.root / "Protocol" / "Split" / self.split_name
        folds = sorted(place.name for place in folder.glob("*") if place.name.isdecimal())
        if not folds:
            raise DataError(f"{folder}: expected folders 01 … 10 with same.txt and diff.txt, found none")
        first, second, mated, fold = [], [], [], []
        for number, name in enumerate(folds):
            for file, same in (("same.txt", True), ("diff.txt", False)):
                for i, j in _comparisons(folder / name / file, len(frontal), len(other)):
                    first.append(frontal[i - 1])
                    second.append(other[j - 1])
                    mated.append(same)
                    fold.append(number)
        return compared(first, second, mated, np.array(fold))

    def samples(self) -> Samples:
        """Return the images that occur in the comparisons, or all of them."""
        names = self._names
        parts = [name.split("/") for name in names]
        table = pd.DataFrame({"sample": names, "subject": [p[0] for p in parts], "view": [p[1] for p in parts]})
        images = self.root / "Data" / "Images"
        return Samples(table, tuple(images / name for name in names), own_landmarks(self.root, names))

    def pairs(self) -> Pairs:
        """Return the comparisons, fold by fold, in each the mated ones first.

        Raises:
            DataError: the lists are not right, or it was opened for identification.
        """
        return super().pairs() if self.split_name == "identification" else self._list[1]

    def split(self) -> Split:
        """Return the first frontal image of each person, and all their other images.

        Raises:
            DataError: it was opened for comparisons.
        """
        if self.split_name != "identification":
            return super().split()
        table = self.samples().table
        first = (table["view"] == "frontal").to_numpy() & ~table.duplicated(["subject", "view"]).to_numpy()
        return Split(np.flatnonzero(first), np.flatnonzero(~first))

    def check(self) -> list[Finding]:
        """Compare lists and images with the published counts, and say which folds are complete."""
        if self.split_name == "identification":
            return self._check_people()
        samples, pairs = self.samples(), self.pairs()
        there = np.array([isinstance(file, Path) and file.is_file() for file in samples.files])
        complete = [
            int(fold) + 1
            for fold in np.unique(pairs.fold)
            if there[pairs.first[pairs.fold == fold]].all() and there[pairs.second[pairs.fold == fold]].all()
        ]
        folds = int(pairs.fold.max()) + 1
        findings = [
            count_finding("frontal images in Pair_list_F.txt", 5_000, self._length("F")),
            count_finding("profile images in Pair_list_P.txt", 2_000, self._length("P")),
            count_finding(f"comparisons in Split/{self.split_name}", 7_000, len(pairs.mated)),
            missing_finding([str(n) for n in samples.table["sample"][~there]], len(samples)),
        ]
        whole = len(complete) == folds
        return [
            *findings,
            Finding(
                ok=whole,
                what="folds whose images are all there",
                expected=f"{folds}",
                found=f"{len(complete)}: {spans(complete) or 'none'}",
                way_out="" if whole or not complete else f"or evaluate on these alone: --folds {spans(complete)}",
            ),
        ]

    def _check_people(self) -> list[Finding]:
        split, samples = self.split(), self.samples()
        return [
            count_finding(
                "people with a folder of images", len(self._listed) if self._chosen else 500, len(split.gallery)
            ),
            count_finding("probes, 9 frontal and 4 profiles of each", 13 * len(split.gallery), len(split.probes)),
            missing_finding(samples.missing(), len(samples)),
        ]

    def _length(self, view: str) -> int:
        return len(_numbered(self.root / "Protocol" / f"Pair_list_{view}.txt"))


def _people(names: list[str]) -> set[str]:
    return {name.partition("/")[0] for name in names}


def _numbered(path: Path) -> list[str]:
    """Return the names that a list numbers from 1."""
    names = []
    for expected, (number, line) in enumerate(read_lines(path), 1):
        index, _, file = line.strip().partition(" ")
        image = _IMAGE.fullmatch(file.strip())
        if index != str(expected) or not image:
            form = f"{expected} ../Data/Images/001/frontal/01.jpg"
            raise DataError(f"{path}: line {number}: expected as {form!r}, found {line.strip()!r}")
        names.append(image[1])
    return names


def _comparisons(path: Path, first_count: int, second_count: int) -> list[tuple[int, int]]:
    comparisons = []
    for number, line in read_lines(path):
        fields = [field.strip() for field in line.split(",")]
        if len(fields) != 2 or not all(field.isascii() and field.isdecimal() for field in fields):
            raise DataError(f"{path}: line {number}: expected two numbers 'i,j', found {line.strip()!r}")
        i, j = map(int, fields)
        for index, count in ((i, first_count), (j, second_count)):
            if not 1 <= index <= count:
                raise DataError(f"{path}: line {number}: expected an index from 1 to {count}, found {index}")
        comparisons.append((i, j))
    return comparisons
