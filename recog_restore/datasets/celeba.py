"""CelebA for identification, as VividGAN's table VI uses it: 1,000 people, one frontal image of each enrolled.

``identity_CelebA.txt`` (``000001.jpg 2880``), ``list_eval_partition.txt`` (``000001.jpg 0``; 0 train, 1 valid, 2 test),
``list_landmarks_align_celeba.txt`` or ``list_landmarks_celeba.txt`` (a count, a header, then a name and ten numbers),
and ``list_attr_celeba.txt`` (likewise, with 40 attributes of 1 or -1), in the root or in ``Anno`` and ``Eval``.

VividGAN says of its split no more than 1,000 people, 1,000 gallery images, 8,000 probes, "one frontal image with
natural illumination and neutral expression" for the gallery, and non-frontal probes. This program's choice: the people
of the test partition (there are 1,000); of each, the image whose five points are the most symmetric among those without
a smile is enrolled, and the eight least symmetric of the others are searched for.

Source: Liu, Luo, Wang, Tang, "Deep Learning Face Attributes in the Wild", ICCV 2015 (lists); Zhang et al., "Face
Hallucination With Finishing Touches" (VividGAN), TIP 30, 2021, tables V and VI, section VI-A.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from .base import Dataset, Finding, Samples, Split, count_finding, missing_finding
from .landmarks import COLUMNS
from .longlists import read_columns
from .textfiles import read_lines

_PARTS = {"train": 0, "valid": 1, "test": 2}


class CelebA(Dataset):
    """Label columns ``asymmetry`` (0 for a frontal face, about 1 for a profile) and ``smiling`` (yes, no).

    Args:
        root: holds the lists and the folder of images.
        images: ``img_align_celeba`` or ``img_celeba``; the list of points goes with it.
        part: of the evaluation partition.
        people: at most so many, in order of number; 0 means all of the part.
        probes_per_person: at most so many.
    """

    def __init__(
        self,
        root: Path,
        images: Literal["img_align_celeba", "img_celeba"] = "img_align_celeba",
        part: Literal["train", "valid", "test"] = "test",
        people: int = 1_000,
        probes_per_person: int = 8,
    ) -> None:
        super().__init__(root)
        if part not in _PARTS or images not in ("img_align_celeba", "img_celeba"):
            raise DataError(
                f"part is {part!r} and images {images!r}; expected train, valid or test, and img_align_celeba or "
                "img_celeba"
            )
        if people < 0 or probes_per_person < 1:
            raise DataError(
                f"people is {people} and probes_per_person {probes_per_person}; expected at least 0 and at least 1"
            )
        self._images, self._part, self._people, self._per_person = images, part, people, probes_per_person

    def _list(self, name: str) -> Path:
        places = (self.root / name, self.root / "Anno" / name, self.root / "Eval" / name)
        return next((place for place in places if place.is_file()), places[0])

    @property
    def folder(self) -> Path:
        """The folder of images."""
        named = (self.root / self._images, self.root / "Img" / self._images)
        return next((place for place in named if place.is_dir()), named[0])

    @cached_property
    def _table(self) -> pd.DataFrame:
        """All images of the set: ``sample``, ``subject`` (number), ``part`` and ``smiling``."""
        kinds = {"sample": np.str_, "subject": np.int32}
        table = pd.DataFrame(read_columns(self._list("identity_CelebA.txt"), kinds))
        path = self._list("list_eval_partition.txt")
        part = read_columns(path, {"sample": np.str_, "part": np.int32})
        table["part"] = _matched(path, table["sample"], part["sample"], part["part"])
        path = self._list("list_attr_celeba.txt")
        name, smiling = _attribute(path, "Smiling")
        table["smiling"] = _matched(path, table["sample"], name, smiling)
        return table

    @cached_property
    def _points(self) -> NDArray[np.float64]:
        """(N, 5, 2) pixels of all images of the set."""
        path = self._list(f"list_landmarks_{'align_' if 'align' in self._images else ''}celeba.txt")
        columns = read_columns(path, {"sample": np.str_, **dict.fromkeys(COLUMNS, np.float64)}, skip=2)
        points = np.stack([columns[name] for name in COLUMNS], axis=1)
        return _matched(path, self._table["sample"], columns["sample"], points).reshape(-1, 5, 2)

    @cached_property
    def _chosen(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of the gallery, and of the probes, of the whole table; person by person."""
        table, uneven = self._table, asymmetry(self._points)
        smiling = table["smiling"].to_numpy() == 1
        subject = table["subject"].to_numpy()
        gallery, probes, names = [], [], table["sample"].to_numpy(object)
        inside = np.flatnonzero(table["part"].to_numpy() == _PARTS[self._part])
        order = inside[np.lexsort((names[inside].astype(str), subject[inside]))]
        people = np.split(order, np.flatnonzero(np.diff(subject[order])) + 1)
        several = [rows for rows in people if len(rows) > 1]
        for rows in several[: self._people or None]:
            neutral = rows[~smiling[rows]] if not smiling[rows].all() else rows
            enrolled = neutral[np.argmin(uneven[neutral])]
            others = rows[rows != enrolled]
            gallery.append(enrolled)
            probes.append(others[np.argsort(-uneven[others], kind="stable")][: self._per_person])
        if not gallery:
            raise DataError(f"{self.root}: expected people with two images in the part {self._part!r}, found none")
        return np.array(gallery, np.int64), np.concatenate(probes).astype(np.int64)

    def samples(self) -> Samples:
        """Return the gallery and the probes."""
        gallery, probes = self._chosen
        rows = np.concatenate([gallery, probes])
        table = self._table.iloc[rows]
        labels = pd.DataFrame(
            {
                "sample": table["sample"].to_numpy(),
                "subject": table["subject"].astype(str).to_numpy(),
                "asymmetry": asymmetry(self._points[rows]),
                "smiling": np.where(table["smiling"] == 1, "yes", "no"),
            }
        )
        return Samples(labels, tuple(self.folder / name for name in labels["sample"]), self._points[rows])

    def split(self) -> Split:
        """Return one image of each person, and the probes."""
        gallery, probes = self._chosen
        return Split(np.arange(len(gallery)), len(gallery) + np.arange(len(probes)))

    def check(self) -> list[Finding]:
        """Compare the lists with the published counts, and say what is searched for."""
        table, (gallery, probes) = self._table, self._chosen
        return [
            count_finding("images in identity_CelebA.txt", 202_599, len(table)),
            count_finding("people", 10_177, table["subject"].nunique()),
            Finding(True, f"people of the {self._part} part who are enrolled", "1,000 (VividGAN)", f"{len(gallery):,}"),
            Finding(True, "probes", "8,000 (VividGAN)", f"{len(probes):,}"),
            missing_finding(self.missing(), len(gallery) + len(probes)),
        ]


def asymmetry(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (M,) how far the nose is from the middle of the eyes, along their line, in halves of their distance.

    0 where it is in the middle, 1 where it is before an eye; a coarse measure of |yaw| that five points allow.

    Args:
        points: (M, 5, 2) pixels.
    """
    eyes = points[:, 1] - points[:, 0]
    nose = points[:, 2] - (points[:, 0] + points[:, 1]) / 2
    along = np.abs((nose * eyes).sum(axis=1))
    uneven: NDArray[np.float64] = 2 * along / np.maximum((eyes * eyes).sum(axis=1), 1e-9)
    return uneven


def _attribute(path: Path, name: str) -> tuple[NDArray[np.object_], NDArray[np.int8]]:
    """Return the images and one attribute of a list whose second line names the attributes."""
    lines = read_lines(path)
    header = lines[1][1].split() if len(lines) > 1 else []
    if name not in header:
        raise DataError(f"{path}: line 2: expected the names of the attributes, {name!r} among them")
    columns = read_columns(path, {"sample": np.str_, **dict.fromkeys(header, np.int8)}, skip=2)
    return columns["sample"], columns[name]


def _matched(path: Path, names: pd.Series, found: NDArray[np.object_], values: NDArray) -> NDArray:  # type: ignore[type-arg]
    """Return the values in the order of names."""
    place = pd.Index(found).get_indexer(pd.Index(names))
    if (place < 0).any():
        raise DataError(
            f"{path}: expected every image of identity_CelebA.txt, {names[int(np.argmin(place))]!r} is not there"
        )
    return values[place]
