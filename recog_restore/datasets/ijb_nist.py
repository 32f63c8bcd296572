"""IJB-C as NIST distributes it: whole images with face boxes, csv lists of templates, and labels of the faces.

``protocols/test1`` (1:1) holds ``enroll_templates.csv``, ``verif_templates.csv`` and ``match.csv``; ``test2``
(covariates) the same; ``test4`` (1:N) ``gallery_G1.csv``, ``gallery_G2.csv`` and ``probes.csv``. A list of templates
has a header and a row for each image: ``TEMPLATE_ID,SUBJECT_ID,FILENAME,FACE_X,FACE_Y,FACE_WIDTH,FACE_HEIGHT`` and
perhaps more. ``match.csv`` has two templates a line; they are mated if their subjects are the same. Images are below
``images``.

``protocols/ijbc_metadata_with_age.csv`` (or ``ijbc_metadata.csv``) has the sighting and the labels of each face:
``FACIAL_HAIR``, ``AGE``, ``INDOOR_OUTDOOR``, ``SKINTONE``, ``GENDER``, ``YAW``, ``ROLL``, ``OCC1`` … ``OCC18``. A
sighting is the medium: the frames of one video that show a subject. Where no sighting is known, an image is its own
medium, and ``note`` says so: the frames of a video then count as much as photographs.

The files were not at hand when this was written. Their form is what independent readers of them agree on.

Source: Maze et al., "IARPA Janus Benchmark – C", ICB 2018; bioidiap/bob.bio.face 2200c11, database/ijbc.py (files and
columns of test1, test4 and of the labels).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from ..records import nearest
from .base import MEDIA, TEMPLATE, Dataset, Finding, Samples, Split, TemplatePairs, count_finding, missing_finding
from .boxed import BoxedFace
from .landmarks import own_landmarks
from .longlists import kept, places, read_columns

_BOX = ["FACE_X", "FACE_Y", "FACE_WIDTH", "FACE_HEIGHT"]
_NEEDED = ["TEMPLATE_ID", "SUBJECT_ID", "FILENAME", *_BOX]
_FACE = ["SUBJECT_ID", "FILENAME", *_BOX]  # what tells a face in the labels
_LABELS = ["FACIAL_HAIR", "AGE", "INDOOR_OUTDOOR", "SKINTONE", "GENDER", "YAW", "ROLL"]
_OCCLUSIONS = [f"OCC{zone}" for zone in range(1, 19)]
_METADATA = ("ijbc_metadata_with_age.csv", "ijbc_metadata.csv")

_LISTS: dict[str, dict[str, str]] = {
    "test1": {"enrolled": "enroll_templates.csv", "probe": "verif_templates.csv"},
    "test2": {"enrolled": "enroll_templates.csv", "probe": "verif_templates.csv"},
    "test4": {"G1": "gallery_G1.csv", "G2": "gallery_G2.csv", "probe": "probes.csv"},
}


class OfficialIJBC(Dataset):
    """Templates of faces in whole images; a sample is a face in a template, named ``frames/12.png#345``.

    Label columns as in the metadata, in small letters, with the codes that stand there (``yaw``, ``gender``,
    ``skintone``, …), and ``occlusions``: how many of the 18 zones of the face are covered. A template has the label
    that its faces share.

    Args:
        root: holds ``protocols`` and ``images``; optionally ``landmarks.csv`` with the names of the samples and pixels
            of the cut-out faces.
        test: ``test1`` or ``test2`` for comparisons, ``test4`` for galleries.
        margin: by which a box is widened on each side before the face is looked for in it, in parts of its size.
    """

    counts: ClassVar[dict[str, dict[str, int]]] = {
        "test1": {"enrolled": 3_531, "probe": 19_593, "comparisons": 15_658_489, "mated": 19_557},
        "test2": {},
        "test4": {"G1": 1_772, "G2": 1_759, "probe": 19_593},
    }

    def __init__(self, root: Path, test: Literal["test1", "test2", "test4"] = "test1", margin: float = 0.3) -> None:
        super().__init__(root)
        if test not in _LISTS:
            raise DataError(f"test is {test!r}; {nearest(test, _LISTS)}")
        if margin < 0:
            raise DataError(f"margin is {margin}; expected 0 or more")
        self._test, self._margin = test, margin

    @property
    def note(self) -> str:
        """That frames of a video are not known as such, where they are not."""
        unknown = int((self._rows["SIGHTING_ID"] == "").sum())
        return f"no sighting is known of {unknown:,} faces; each is its own medium" if unknown else ""

    def _list(self, name: str) -> Path:
        return self.root / "protocols" / self._test / name

    @cached_property
    def _rows(self) -> pd.DataFrame:
        """A row for each face in a template, list by list; the column ``role`` names the list."""
        parts = [_templates(self._list(file)).assign(role=role) for role, file in _LISTS[self._test].items()]
        rows = pd.concat(parts, ignore_index=True)
        path = next((p for name in _METADATA if (p := self.root / "protocols" / name).is_file()), None)
        if path is not None:
            rows = _labelled(rows, path)
        sighting = rows["SIGHTING_ID"] if "SIGHTING_ID" in rows else pd.Series(np.nan, rows.index)
        rows["SIGHTING_ID"] = sighting.astype(object).where(sighting.notna(), "").astype(str)
        return rows

    def samples(self) -> Samples:
        """Return every face of every template of the test."""
        return self._samples

    @cached_property
    def _samples(self) -> Samples:
        rows = self._rows
        name = rows["FILENAME"] + "#" + rows["TEMPLATE_ID"].astype(str)
        again = name.groupby(name).cumcount()
        name = name.where(again == 0, name + "." + (again + 1).astype(str))
        sighting = rows["SIGHTING_ID"]
        table = pd.DataFrame(
            {
                "sample": name,
                "subject": rows["SUBJECT_ID"].astype(str),
                TEMPLATE: rows["TEMPLATE_ID"],
                MEDIA: sighting.where(sighting != "", rows["FILENAME"]),
                **{label.lower(): rows[label] for label in _LABELS if label in rows},
            }
        )
        zones = [zone for zone in _OCCLUSIONS if zone in rows]
        if zones:
            table["occlusions"] = rows[zones].fillna(0).astype(bool).sum(axis=1)
        files = tuple(
            BoxedFace(self._images / file, tuple(box), self._margin)
            for file, box in zip(rows["FILENAME"], rows[_BOX].astype(float).to_numpy().tolist(), strict=True)
        )
        names = table["sample"].tolist()
        return Samples(table, files, own_landmarks(self.root, names))

    @property
    def _images(self) -> Path:
        named = self.root / "images"
        return named if named.is_dir() else self.root

    def missing(self) -> list[str]:
        """Return the names of the images that are not there."""
        return [name for name in self._rows["FILENAME"].unique() if not (self._images / name).is_file()]

    def template_pairs(self) -> TemplatePairs:
        """Return the comparisons of ``match.csv`` in its order, all in one fold; mated if the subjects are the same."""
        path = self._list("match.csv")
        if self._test == "test4":
            return super().template_pairs()
        if not path.is_file():
            raise DataError(f"{path}: no such file")
        ids = kept(path, "matches 1", lambda: _matches(path))
        templates, _ = self._samples.templates()
        first, second = places(path, ids, templates, "is in neither list of templates")
        people = self._rows.drop_duplicates("TEMPLATE_ID").set_index("TEMPLATE_ID")["SUBJECT_ID"].loc[templates]
        subject = people.to_numpy()
        return TemplatePairs(
            first, second, subject[first] == subject[second], np.broadcast_to(np.int32(0), first.shape)
        )

    def galleries(self) -> Mapping[str, Split]:
        """Return G1 and G2, each with all the probes.

        Raises:
            DataError: it was opened for comparisons.
        """
        if self._test != "test4":
            return super().galleries()
        role = self._rows["role"].to_numpy()
        return {name: Split(np.flatnonzero(role == name), np.flatnonzero(role == "probe")) for name in ("G1", "G2")}

    def check(self) -> list[Finding]:
        """Compare lists and images with the published counts."""
        counts = self._rows.groupby("role")["TEMPLATE_ID"].nunique()
        found = {str(role): int(count) for role, count in counts.items()}
        if self._test != "test4":
            pairs = self.template_pairs()
            found |= {"comparisons": len(pairs.mated), "mated": int(pairs.mated.sum())}
        expected = self.counts[self._test]
        names = {"comparisons": "comparisons", "mated": "mated comparisons", "enrolled": "enrolled templates"}
        findings = [
            count_finding(names.get(what, f"templates of {what}"), expected[what], count)
            if what in expected
            else Finding(True, names.get(what, f"templates of {what}"), "-", f"{count:,}")
            for what, count in found.items()
        ]
        missing, images = self.missing(), int(self._rows["FILENAME"].nunique())
        labelled = any(label in self._rows for label in _LABELS)
        lists = " or ".join(_METADATA)
        return [
            *findings,
            missing_finding(missing, images),
            Finding(True, "labels of the faces", lists, "there" if labelled else "none; breakdowns need it"),
        ]


def _templates(path: Path) -> pd.DataFrame:
    """Return the rows of a list of templates: the columns that are needed, and those of sighting and labels."""
    table = _read(path, _NEEDED, "a list of templates")
    empty = np.argwhere(table[_NEEDED].isna().to_numpy())
    if len(empty):
        line, column = empty[0]
        raise DataError(f"{path}: line {line + 2}: column {_NEEDED[column]!r}: expected a value, found nothing")
    template = table.drop_duplicates(["TEMPLATE_ID", "SUBJECT_ID"])["TEMPLATE_ID"]
    if template.duplicated().any():
        raise DataError(f"{path}: template {template[template.duplicated()].iloc[0]} has faces of several subjects")
    return table


def _labelled(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the rows with the sighting and the labels that the metadata has of their faces."""
    table = _read(path, _FACE, "labels of faces").dropna(subset=_FACE).drop_duplicates(_FACE)
    table["SUBJECT_ID"] = table["SUBJECT_ID"].astype(rows["SUBJECT_ID"].dtype)
    new = [name for name in table.columns if name not in rows]
    return rows.merge(table[[*_FACE, *new]], on=_FACE, how="left", validate="many_to_one")


def _read(path: Path, needed: list[str], what: str) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, low_memory=False)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; expected {what} as NIST distributes it") from None
    except ValueError as error:
        raise DataError(f"{path}: expected a csv; reading it failed with {error}") from None
    table.columns = [str(name).strip().upper() for name in table.columns]
    for name in needed:
        if name not in table:
            raise DataError(f"{path}: line 1: expected a column {name!r}; {nearest(name, list(table.columns))}")
    others = [name for name in ("SIGHTING_ID", *_LABELS, *_OCCLUSIONS) if name in table and name not in needed]
    return table[[*needed, *others]].copy()


def _matches(path: Path) -> NDArray[np.int32]:
    """Return (2, N) templates; a header is not needed."""
    with path.open(encoding="utf-8-sig") as file:
        header = not file.readline().strip().replace(",", "").isdecimal()
    columns: dict[str, Any] = read_columns(path, {"first": np.int32, "second": np.int32}, comma=True, skip=int(header))
    return np.stack(list(columns.values()))
