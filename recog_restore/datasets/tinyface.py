"""TinyFace: faces of about 20 pixels, searched in their mates and 153,428 distractors.

``Testing_Set/Probe``, ``Gallery_Match`` and ``Gallery_Distractor`` hold the images; ``probe_img_ID_pairs.mat``
(``probe_ids``, ``probe_set``) and ``gallery_match_img_ID_pairs.mat`` (``gallery_ids``, ``gallery_set``) hold the
subject and the name of each image of the first two. Distractors are in no list: they are the files of their folder,
whoever they show; their subject is ``distractor``. A probe may have many mates: the best one's rank counts.

Source: Cheng, Zhu, Gong, "Low-Resolution Face Recognition", ACCV 2018; https://qmul-tinyface.github.io (the lists).
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import scipy.io

from ..decode import SUFFIXES
from ..errors import DataError
from .base import Alignment, Dataset, Finding, Samples, Split, count_finding, missing_finding
from .landmarks import own_landmarks
from .mark import read_mark

PROBE, MATCH, DISTRACTOR = "Probe", "Gallery_Match", "Gallery_Distractor"
LISTS = {  # file, names and subjects in it, by folder
    PROBE: ("probe_img_ID_pairs.mat", "probe_set", "probe_ids"),
    MATCH: ("gallery_match_img_ID_pairs.mat", "gallery_set", "gallery_ids"),
}


class TinyFace(Dataset):
    """The probes, their mates and the distractors; label column ``part`` (the folder).

    Args:
        root: ``Testing_Set``, or the folder that holds it; optionally with ``landmarks.csv``, whose names are as
            ``Probe/1_162.jpg``.
        distractors: whether they are in the gallery. Without them the search is far easier, and a result says so.
        alignment: ``landmarks``, or the crop that all the images already are (AdaFace's aligned copy is
            ``arcface-112``).
    """

    counts: ClassVar[dict[str, int]] = {"probes": 3_728, "gallery matches": 4_443, "distractors": 153_428}

    def __init__(self, root: Path, distractors: bool = True, alignment: Alignment = "landmarks") -> None:
        super().__init__(root)
        nested = root / "Testing_Set"
        self.folder = nested if nested.is_dir() else root
        self._with_distractors, self._alignment = distractors, alignment
        self._mark = read_mark(root)

    @property
    def note(self) -> str:
        """That it is a mimic, where it is one; how many of the distractors are searched, if not all."""
        parts, counts = ([self._mark.note], self._mark.counts) if self._mark else ([], self.counts)
        found = len(self._distractors)
        all_of_them = counts.get("distractors", found)
        if not self._with_distractors:
            parts.append(f"without the {all_of_them:,} distractors: not TinyFace's protocol")
        elif found != all_of_them:
            parts.append(f"{found:,} of the {all_of_them:,} distractors are there")
        return "; ".join(parts)

    @cached_property
    def _listed(self) -> dict[str, list[tuple[str, str]]]:
        """Name and subject of each image of the two lists, by folder."""
        return {part: _pairs(self._file(file), names, ids) for part, (file, names, ids) in LISTS.items()}

    def _file(self, name: str) -> Path:
        return next(
            (place / name for place in (self.folder, self.root) if (place / name).is_file()), self.folder / name
        )

    @cached_property
    def _distractors(self) -> list[str]:
        """The files of their folder; none where there is no such folder."""
        folder = self.folder / DISTRACTOR
        if not folder.is_dir():
            return []
        return sorted(entry.name for entry in os.scandir(folder) if entry.name.lower().endswith(SUFFIXES))

    def samples(self) -> Samples:
        """Return probes, mates and distractors, in this order.

        Raises:
            DataError: a list is not right, or there is no distractor.
        """
        return self._samples

    @cached_property
    def _samples(self) -> Samples:
        rows = [(f"{part}/{name}", subject, part) for part, listed in self._listed.items() for name, subject in listed]
        if self._with_distractors:
            if not self._distractors:
                raise DataError(
                    f"{self.folder / DISTRACTOR}: expected images of distractors, found none; to search the mates "
                    "alone, which is not TinyFace's protocol, say --set data.options.distractors=false"
                )
            rows += [(f"{DISTRACTOR}/{name}", "distractor", DISTRACTOR) for name in self._distractors]
        table = pd.DataFrame(rows, columns=["sample", "subject", "part"])
        names = table["sample"].tolist()
        landmarks = own_landmarks(self.folder, names) if self._alignment == "landmarks" else None
        return Samples(table, tuple(self.folder / name for name in names), landmarks, self._alignment)

    def split(self) -> Split:
        """Return mates and distractors as the gallery, and the probes."""
        probes = np.arange(len(self._samples)) < len(self._listed[PROBE])
        return Split(np.flatnonzero(~probes), np.flatnonzero(probes))

    def check(self) -> list[Finding]:
        """Compare lists and images with the published counts, or with what a mimic wrote."""
        found = {
            "probes": len(self._listed[PROBE]),
            "gallery matches": len(self._listed[MATCH]),
            "distractors": len(self._distractors),
        }
        if self._mark:
            counted = self._mark.check(found)
        else:
            counted = [count_finding(what, self.counts[what], count) for what, count in found.items()]
        mates = {subject for _, subject in self._listed[MATCH]}
        lonely = sorted({subject for _, subject in self._listed[PROBE]} - mates)
        where = [self.folder / part / name for part, listed in self._listed.items() for name, _ in listed]
        missing = [f"{path.parent.name}/{path.name}" for path in where if not path.is_file()]
        return [
            *counted,
            Finding(
                ok=not lonely,
                what="subjects of probes without a mate in the gallery",
                expected="0",
                found=f"{len(lonely):,}" + (f": {', '.join(lonely[:3])}" if lonely else ""),
                way_out="is a line of gallery_match_img_ID_pairs.mat missing?" if lonely else "",
            ),
            missing_finding(missing, len(where)),
        ]


def _pairs(path: Path, names: str, ids: str) -> list[tuple[str, str]]:
    """Return name and subject of each image of a list."""
    form = f"{names!r}, a cell of names, and {ids!r}, as many numbers"
    if not path.is_file():
        raise DataError(f"{path}: no such file; expected TinyFace's list, in Testing_Set")
    try:
        content: dict[str, Any] = scipy.io.loadmat(str(path))
        images = [str(np.asarray(cell).reshape(-1)[0]) for cell in content[names].reshape(-1)]
        subjects = [str(int(number)) for number in content[ids].reshape(-1)]
    except Exception as error:  # loadmat raises what it likes on a broken file
        raise DataError(f"{path}: expected {form}; reading it failed with {type(error).__name__}: {error}") from None
    if len(images) != len(subjects):
        raise DataError(f"{path}: expected {form}; found {len(images)} names and {len(subjects)} numbers")
    for name in images:
        if not name or "/" in name or "\\" in name:
            raise DataError(f"{path}: expected the name of an image, found {name!r}")
    twice = pd.Series(images)[pd.Series(images).duplicated()]
    if len(twice):
        raise DataError(f"{path}: {twice.iloc[0]!r} is listed twice")
    return list(zip(images, subjects, strict=True))
