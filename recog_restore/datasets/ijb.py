"""IJB-C and IJB-B as InsightFace's release lays them out: renamed loose crops, templates, media, points and scores.

``loose_crop/1.jpg …`` and below ``meta``, with ``ijbc`` or ``ijbb`` in front:

* ``_face_tid_mid.txt``: a line ``1.jpg 1 69544`` for each image: name, template, medium;
* ``_name_5pts_score.txt``: in the same order ``1.jpg x1 y1 … x5 y5 0.99``: name, points, the detector's score. Images
  on which the detector failed stay in the list with a score of about 0.1 and points that mean little;
* ``_template_pair_label.txt``: ``1 11065 1``: two templates, and whether the subject is the same;
* ``_1N_gallery_G1.csv``, ``_1N_gallery_G2.csv`` (``S1``, ``S2`` for IJB-B), ``_1N_probe_mixed.csv``: a header, then a
  row for each image; the first column is the template, the second the subject.

The crops cannot be traced back to NIST's names. Subjects are known only through the csv files: where those are not
there, comparisons can be run, and the column of subjects is empty.

Source: Maze et al., "IARPA Janus Benchmark – C", ICB 2018; Whitelam et al., "IARPA Janus Benchmark-B", CVPRW 2017;
deepinsight/insightface 7fadd420, recognition/_evaluation_/ijb (the files and what their columns mean);
leondgarse/Keras_insightface issue 88 (from whose rates follows how many probes of IJB-B have a mate in S1 and in S2).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..files import open_regular
from .base import (
    MEDIA,
    SCORE,
    TEMPLATE,
    Dataset,
    Finding,
    Samples,
    Split,
    TemplatePairs,
    count_finding,
    missing_finding,
)
from .landmarks import COLUMNS
from .longlists import kept, places, read_columns
from .mark import read_mark

FAILED_SCORE = 0.1  # what the release's list says where the detector found no face


class IJB(Dataset):
    """Templates of images and video frames: comparisons of templates (1:1), and two galleries with their probes (1:N).

    Args:
        root: the folder that holds ``meta`` and the images, or the one above it (``IJBC``, ``IJBB``).
        points: which list of points: ``name_5pts_score``, or another that lies beside it, as
            ``name_5pts_score_retina``.
        images: the folder of images.
    """

    release: ClassVar[str]
    enrolled: ClassVar[tuple[str, str]]
    counts: ClassVar[dict[str, int]]
    mated_probes: ClassVar[dict[str, int]] = {}

    def __init__(self, root: Path, points: str = "name_5pts_score", images: str = "loose_crop") -> None:
        super().__init__(root)
        nested = root / self.release.upper()
        self.folder = nested if (nested / "meta").is_dir() else root
        self._points, self._images = points, images
        self._mark = read_mark(root)

    @property
    def note(self) -> str:
        """That it is a mimic, where it is one; which points are read, if not the usual ones."""
        parts = [
            self._mark.note if self._mark else "",
            ""
            if self._points == "name_5pts_score"
            else f"points and scores of {self._meta(f'{self._points}.txt').name}",
        ]
        return "; ".join(part for part in parts if part)

    def _meta(self, name: str) -> Path:
        return self.folder / "meta" / f"{self.release}_{name}"

    @cached_property
    def _faces(self) -> dict[str, NDArray[Any]]:
        """Columns ``name``, ``template`` and ``media`` of the images."""
        path = self._meta("face_tid_mid.txt")
        return read_columns(path, {"name": np.str_, TEMPLATE: np.int32, MEDIA: np.int32})

    @cached_property
    def _templates(self) -> NDArray[np.int32]:
        return np.unique(self._faces[TEMPLATE])

    @cached_property
    def _roles(self) -> dict[str, dict[int, int]]:
        """The subject of each template, by list: the two galleries and ``probe``."""
        files = {name: f"1N_gallery_{name}.csv" for name in self.enrolled} | {"probe": "1N_probe_mixed.csv"}
        return {name: _subjects(self._meta(file), self._templates) for name, file in files.items()}

    @property
    def _has_roles(self) -> bool:
        return self._meta("1N_probe_mixed.csv").is_file()

    def samples(self) -> Samples:
        """Return every image; columns ``template``, ``media`` and ``score``, and the label ``detected`` (yes, no)."""
        return self._samples

    @cached_property
    def _samples(self) -> Samples:
        faces, path = self._faces, self._meta(f"{self._points}.txt")
        points = read_columns(path, {"name": np.str_, **dict.fromkeys(COLUMNS, np.float64), SCORE: np.float64})
        if len(points["name"]) != len(faces["name"]):
            raise DataError(
                f"{path}: expected a line for each of the {len(faces['name']):,} images of "
                f"{self._meta('face_tid_mid.txt').name}, found {len(points['name']):,}"
            )
        differ = np.flatnonzero(points["name"] != faces["name"])
        if len(differ):
            row = int(differ[0])
            raise DataError(
                f"{path}: line {row + 1}: expected {faces['name'][row]!r}, as in {self._meta('face_tid_mid.txt').name}"
                f", found {points['name'][row]!r}"
            )
        folder = self.folder / self._images
        table = pd.DataFrame(
            {
                "sample": faces["name"],
                "subject": self._subject_of(faces[TEMPLATE]),
                TEMPLATE: faces[TEMPLATE],
                MEDIA: faces[MEDIA],
                SCORE: points[SCORE],
                "detected": np.where(points[SCORE] > FAILED_SCORE + 0.005, "yes", "no").astype(object),
            }
        )
        landmarks = np.stack([points[name] for name in COLUMNS], axis=1).reshape(-1, 5, 2)
        return Samples(table, tuple(folder / name for name in faces["name"]), landmarks)

    def _subject_of(self, template: NDArray[np.int32]) -> NDArray[np.object_]:
        subject = dict.fromkeys(self._templates.tolist(), "")
        if self._has_roles:
            for role in self._roles.values():
                subject |= {number: str(person) for number, person in role.items()}
        names = np.array([subject[number] for number in self._templates.tolist()], object)
        return names[np.searchsorted(self._templates, template)]

    def template_pairs(self) -> TemplatePairs:
        """Return the comparisons in the order of their list, all in one fold."""
        path = self._meta("template_pair_label.txt")
        if not path.is_file():
            raise DataError(f"{path}: no such file")
        ids = kept(path, "template pairs 1", self._listed)
        absent = f"has no image in {self._meta('face_tid_mid.txt').name}"
        first, second = places(path, ids[:2], self._templates, absent)
        return TemplatePairs(first, second, ids[2] == 1, np.broadcast_to(np.int32(0), first.shape))

    def _listed(self) -> NDArray[np.int32]:
        """Return (3, N): the two templates as they are numbered in the list, and 1 where the subject is the same."""
        path = self._meta("template_pair_label.txt")
        columns = read_columns(path, {"first": np.int32, "second": np.int32, "label": np.int32})
        listed = np.stack(list(columns.values()))
        wrong = np.flatnonzero((listed[:2].min(axis=0) < 0) | (listed[2] < 0) | (listed[2] > 1))
        if len(wrong):
            line = " ".join(map(str, listed[:, wrong[0]]))
            raise DataError(
                f"{path}: comparison {wrong[0] + 1:,}: expected two templates and the label 1 or 0, found {line!r}"
            )
        return listed

    def galleries(self) -> Mapping[str, Split]:
        """Return the two galleries, each with all the probes, whose subjects are in it or not."""
        template = self._faces[TEMPLATE]
        rows = {name: np.flatnonzero(np.isin(template, list(role))) for name, role in self._roles.items()}
        return {name: Split(rows[name], rows["probe"]) for name in self.enrolled}

    def split(self) -> Split:
        """Return both galleries as one, in which no probe is without a mate: old codes search it, NIST does not."""
        one, other = self.galleries().values()
        return Split(np.sort(np.concatenate([one.gallery, other.gallery])), one.probes)

    def check(self) -> list[Finding]:
        """Compare lists and images with the published counts, or with what a mimic wrote."""
        samples = self.samples()
        found = {"images": len(samples), "templates": len(self._templates)}
        findings = []
        if self._meta("template_pair_label.txt").is_file():
            pairs = self.template_pairs()
            found |= {"comparisons": len(pairs.mated), "mated comparisons": int(pairs.mated.sum())}
        else:
            findings.append(_absent("comparisons, for 1:1", self._meta("template_pair_label.txt")))
        if self._has_roles:
            found |= {f"templates in gallery {name}": len(self._roles[name]) for name in self.enrolled}
            found["templates in both galleries"] = sum(len(self._roles[name]) for name in self.enrolled)
            found["probe templates"] = len(self._roles["probe"])
            findings += self._searches()
        else:
            findings.append(_absent("galleries and probes, for 1:N and subjects", self._meta("1N_probe_mixed.csv")))
        counted = (
            self._mark.check(found)
            if self._mark
            else [count_finding(what, self.counts[what], found[what]) for what in self.counts if what in found]
        )
        failed = int((samples.table["detected"] == "no").sum())
        return [
            *counted,
            *findings,
            Finding(True, "images on which the release's detector failed", "some; they are kept", f"{failed:,}"),
            missing_finding(samples.missing(), len(samples)),
        ]

    def _searches(self) -> list[Finding]:
        """Say how many probes have a mate, and whether the comparisons are cells of galleries and probes."""
        people = {name: set(role.values()) for name, role in self._roles.items()}
        probes = np.array(list(self._roles["probe"].values()))
        findings = []
        for name in self.enrolled:
            mated = int(np.isin(probes, list(people[name])).sum())
            expected = None if self._mark else self.mated_probes.get(name)
            findings.append(
                Finding(
                    ok=expected in (None, mated),
                    what=f"probes with a mate in {name}, and without",
                    expected="-" if expected is None else _both(expected, self.counts["probe templates"]),
                    found=_both(mated, len(probes)),
                )
            )
        shared = people[self.enrolled[0]] & people[self.enrolled[1]]
        findings.append(count_finding("subjects in both galleries", 0, len(shared), "is the wrong list there?"))
        if self._meta("template_pair_label.txt").is_file():
            pairs = self.template_pairs()
            galleries = [number for name in self.enrolled for number in self._roles[name]]
            enrolled = np.isin(self._templates, galleries)[pairs.first]
            searched = np.isin(self._templates, list(self._roles["probe"]))[pairs.second]
            cells = int((enrolled & searched).sum())
            findings.append(
                Finding(
                    ok=True,
                    what="comparisons of a gallery template with a probe",
                    expected=f"{len(pairs.mated):,}, or the others are gathered",
                    found=f"{cells:,}",
                )
            )
        return findings


class IJBC(IJB):
    """IJB-C."""

    release: ClassVar[str] = "ijbc"
    enrolled: ClassVar[tuple[str, str]] = ("G1", "G2")
    counts: ClassVar[dict[str, int]] = {
        "images": 469_375,
        "templates": 23_124,
        "comparisons": 15_658_489,
        "mated comparisons": 19_557,
        "templates in gallery G1": 1_772,
        "templates in gallery G2": 1_759,
        "templates in both galleries": 3_531,
        "probe templates": 19_593,
    }


class IJBB(IJB):
    """IJB-B: the same files with ``ijbb`` in front, and galleries S1 and S2."""

    release: ClassVar[str] = "ijbb"
    enrolled: ClassVar[tuple[str, str]] = ("S1", "S2")
    counts: ClassVar[dict[str, int]] = {
        "images": 227_630,
        "templates": 12_115,
        "comparisons": 8_010_270,
        "mated comparisons": 10_270,
        "templates in both galleries": 1_845,
        "probe templates": 10_270,
    }
    mated_probes: ClassVar[dict[str, int]] = {"S1": 5_016, "S2": 5_254}


def _subjects(path: Path, templates: NDArray[np.int32]) -> dict[int, int]:
    """Return the subject of each template of a csv that has a header and a row for each image."""
    try:
        with open_regular(path) as file:
            header = file.readline()
        if header[:1].isdigit():
            raise DataError(f"{path}: line 1: expected a header, found {header[:40]!r}; is the first line missing?")
        table = pd.read_csv(path, usecols=[0, 1], header=0, names=[TEMPLATE, "subject"], dtype=np.int64)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; 1:N needs both galleries and the probes") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, OverflowError) as error:
        reason = f"expected a header and template,subject in the first columns; {error}"
        raise DataError(f"{path}: {reason}") from None
    rows = table.drop_duplicates()
    twice = rows[TEMPLATE][rows[TEMPLATE].duplicated()]
    if len(twice):
        raise DataError(f"{path}: template {twice.iloc[0]} has images of several subjects")
    stray = np.setdiff1d(rows[TEMPLATE], templates)
    if len(stray):
        raise DataError(f"{path}: template {stray[0]} has no image in the list of images")
    return dict(zip(rows[TEMPLATE].tolist(), rows["subject"].tolist(), strict=True))


def _both(mated: int, probes: int) -> str:
    return f"{mated:,} and {probes - mated:,}"


def _absent(what: str, path: Path) -> Finding:
    return Finding(False, what, path.name, "no such file", f"copy it to {path.parent}")
