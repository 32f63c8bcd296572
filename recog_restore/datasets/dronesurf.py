"""DroneSURF for frame-wise identification: every other frame of a drone's videos, searched in a gallery.

The form of the release was not at hand. Bring its annotated faces, cut out with some surroundings, into this tree::

    gallery/SUBJECT/*.jpg              the high-resolution images, four of each subject
    active/VIDEO/SUBJECT/FRAME.jpg     the faces of a video; frames are ordered by the number at the end of the name
    passive/VIDEO/SUBJECT/FRAME.jpg
    test_subjects.txt                  optional: the subjects of the test part, one a line; without it, all are tested

VividGAN searches for 24 subjects, one gallery image of each and 48,000 probes: "the frames in surveillance scenarios"
by "the alternative frame selection technique". Both scenarios of the set are surveillance, so both are taken here.

Source: Kalra, Singh, Nagpal, Singh, Vatsa, Sujit, "DroneSURF: Benchmark Dataset for Drone-based Face Recognition",
FG 2019 (58 subjects, 24 of them for the test, active and passive); Zhang et al., "Face Hallucination With Finishing
Touches" (VividGAN), TIP 30, 2021, table V and section VI-A.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from ..decode import SUFFIXES
from ..errors import DataError
from .base import Dataset, Finding, Samples, Split, count_finding
from .landmarks import own_landmarks
from .textfiles import read_lines

SCENARIOS = ("active", "passive")
_NUMBER = re.compile(r"(\d+)$")


class DroneSURF(Dataset):
    """Label columns ``scenario`` and ``video`` (empty for the gallery).

    Args:
        root: the folder described above; optionally with ``landmarks.csv``.
        scenario: ``active``, ``passive`` or ``both``.
        every: of the frames of a subject in a video, the first and then every so many-th; 1 takes all.
        gallery_per_subject: the first so many images in order of name; DroneSURF enrols four, VividGAN one.
    """

    def __init__(
        self,
        root: Path,
        scenario: Literal["active", "passive", "both"] = "both",
        every: int = 2,
        gallery_per_subject: int = 1,
    ) -> None:
        super().__init__(root)
        if scenario not in (*SCENARIOS, "both"):
            raise DataError(f"scenario is {scenario!r}; expected 'active', 'passive' or 'both'")
        if every < 1 or gallery_per_subject < 1:
            raise DataError(
                f"every is {every} and gallery_per_subject {gallery_per_subject}; expected at least 1 of both"
            )
        self._scenarios = SCENARIOS if scenario == "both" else (scenario,)
        self._every, self._enrolled = every, gallery_per_subject

    @cached_property
    def subjects(self) -> list[str]:
        """The subjects who are tested, in order.

        Raises:
            DataError: there is no gallery, or a listed subject is not in it.
        """
        folder = self.root / "gallery"
        there = sorted(place.name for place in folder.iterdir() if place.is_dir()) if folder.is_dir() else []
        if not there:
            raise DataError(f"{folder}: expected folders of subjects with their images, found none")
        path = self.root / "test_subjects.txt"
        listed = [line.strip() for _, line in read_lines(path)] if path.is_file() else there
        for subject in listed:
            if subject not in there:
                raise DataError(f"{path}: subject {subject!r} has no folder in {folder}")
        return sorted(listed)

    @cached_property
    def _table(self) -> pd.DataFrame:
        tested, rows = set(self.subjects), []
        for subject in self.subjects:
            for image in _images(self.root / "gallery" / subject)[: self._enrolled]:
                rows.append((f"gallery/{subject}/{image.name}", subject, "gallery", ""))
        for scenario in self._scenarios:
            for track in sorted((self.root / scenario).glob("*/*/")):
                video, subject = track.parent.name, track.name
                if subject in tested:
                    frames = sorted(_images(track), key=_frame)[:: self._every]
                    rows += [(f"{scenario}/{video}/{subject}/{f.name}", subject, scenario, video) for f in frames]
        table = pd.DataFrame(rows, columns=["sample", "subject", "scenario", "video"])
        if (table["scenario"] == "gallery").all():
            places = " or ".join(f"{scenario}/VIDEO/SUBJECT/FRAME.jpg" for scenario in self._scenarios)
            raise DataError(f"{self.root}: expected faces of the tested subjects as {places}, found none")
        return table

    def samples(self) -> Samples:
        """Return the gallery and the frames that are searched for."""
        names = self._table["sample"].tolist()
        return Samples(self._table, tuple(self.root / name for name in names), own_landmarks(self.root, names))

    def split(self) -> Split:
        """Return the gallery, and the frames."""
        gallery = (self._table["scenario"] == "gallery").to_numpy()
        return Split(np.flatnonzero(gallery), np.flatnonzero(~gallery))

    def check(self) -> list[Finding]:
        """Compare the subjects with the published count, and say what is searched for."""
        split = self.split()
        tracks = self._table[["scenario", "video"]].drop_duplicates()
        return [
            count_finding("subjects of the test part", 24, len(self.subjects), "list them in test_subjects.txt"),
            Finding(True, "gallery images", "24 (VividGAN), 96 (DroneSURF)", f"{len(split.gallery):,}"),
            Finding(True, "frames searched for", "48,000 (VividGAN)", f"{len(split.probes):,}"),
            Finding(True, "videos", "-", f"{len(tracks) - 1:,}"),
        ]


def _images(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and file.name[0] != ".")


def _frame(file: Path) -> tuple[int, str]:
    number = _NUMBER.search(file.stem)
    if number is None:
        raise DataError(f"{file}: expected a name that ends in the number of the frame, found {file.name!r}")
    return int(number[1]), file.name
