"""AgeDB-30: ``04_FINAL_protocol_30_years.mat`` and the images of ``03_Protocol_Images``.

The MATLAB file holds ``splits``, a 10×1 cell. Each cell is a struct whose first field is a 2×600 cell, row 0 the first
and row 1 the second of a comparison, and whose second field is 1×600: 1 mated, -1 non-mated. A cell of the first field
is a struct whose first field is the image's name without ``.jpg`` and whose second is the age. Fields are read by their
place, since the readers below use no names.

Subject: of names in AgeDB's own form (``0_MariaCallas_35_f``: image, name, age, gender) the second part, of the longer
names of the protocol the first. ``check`` says whether subjects and truths agree.

Landmarks: ``landmarks.csv``, else the 68 points of ``name.pts`` beside each image; an eye is the mean of its six points
(36-41, 42-47), the nose tip is 30, the mouth corners are 48 and 54.

The file was not at hand when this was written. Its form is what three independent readers of it agree on.

Source: Moschoglou et al., "AgeDB: the first manually collected, in-the-wild age database", CVPRW 2017;
deepinsight/insightface agedb2pack.py; JDAI-CV/FaceX-Zoo 16b793a, test_protocol/lfw/pairs_parser.py.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.io
from numpy.typing import NDArray

from ..errors import DataError
from .base import Dataset, Finding, Pairs, Samples, compared, count_finding, missing_finding
from .landmarks import own_landmarks
from .textfiles import read_lines

_LIST = "04_FINAL_protocol_30_years.mat"
_FORM = "'splits', a cell of folds, each with a 2×N cell of images and 1×N truths (1 or -1)"


class AgeDB(Dataset):
    """The 6,000 comparisons whose mated pairs lie 30 years apart; label columns ``age`` and ``gender`` (f, m, or "").

    Args:
        root: holds the MATLAB file, and the images in ``03_Protocol_Images`` or in itself; optionally
            ``landmarks.csv``.
    """

    @cached_property
    def _list(self) -> tuple[list[str], dict[str, int], Pairs]:
        """Names of the samples, in order, their ages, and the comparisons between them."""
        path = self.root / _LIST
        first: list[str] = []
        second: list[str] = []
        mated: list[bool] = []
        fold: list[int] = []
        ages: dict[str, int] = {}
        for number, (images, truths) in enumerate(_folds(path)):
            where = f"{path}: fold {number + 1}"
            if images.ndim != 2 or images.shape[0] != 2 or images.shape[1] != truths.size:
                raise DataError(f"{where}: expected {_FORM}; found {images.shape} images and {truths.size} truths")
            for (one, other), truth in zip(images.T, truths.ravel(), strict=True):
                if truth not in (1, -1):
                    raise DataError(f"{where}: expected the truth 1 (mated) or -1 (non-mated), found {truth}")
                for cell, names in ((one, first), (other, second)):
                    name, age = _image(cell, where)
                    ages[f"{name}.jpg"] = age
                    names.append(f"{name}.jpg")
                mated.append(bool(truth == 1))
                fold.append(number)
        names, pairs = compared(first, second, mated, np.array(fold))
        return names, ages, pairs

    @property
    def folder(self) -> Path:
        """The folder of images."""
        named = self.root / "03_Protocol_Images"
        nested = named / named.name
        return next((place for place in (nested, named) if place.is_dir()), self.root)

    def samples(self) -> Samples:
        """Return the images that occur in the comparisons."""
        names, ages, _ = self._list
        landmarks = own_landmarks(self.root, names)
        table = pd.DataFrame(
            {
                "sample": names,
                "subject": [_subject(name) for name in names],
                "age": [ages[name] for name in names],
                "gender": [_gender(name) for name in names],
            }
        )
        files = tuple(self.folder / name for name in names)
        return Samples(table, files, _beside(files) if landmarks is None else landmarks)

    def pairs(self) -> Pairs:
        """Return the comparisons, fold by fold, in the order of the file."""
        return self._list[2]

    def check(self) -> list[Finding]:
        """Compare list and images with the published counts."""
        names, _, pairs = self._list
        subject = np.array([_subject(name) for name in names], object)
        agree = int(((subject[pairs.first] == subject[pairs.second]) == pairs.mated).sum())
        return [
            count_finding(f"comparisons in {_LIST}", 6_000, len(pairs.mated)),
            missing_finding(self.missing(), len(names)),
            Finding(
                ok=agree == len(pairs.mated),
                what="comparisons whose truth is that of the subjects in the names",
                expected=f"{len(pairs.mated):,}",
                found=f"{agree:,}",
                way_out="" if agree == len(pairs.mated) else "the truths are used; do not rely on the subjects",
            ),
        ]


def _folds(path: Path) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Return images and truths of each fold, as MATLAB cells."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        splits = scipy.io.loadmat(str(path))["splits"]
        records = [cell[0].reshape(-1)[0] for cell in splits]
        return [(record[0], np.asarray(record[1])) for record in records]
    except Exception as error:  # loadmat raises what it likes on a broken file
        reason = f"{type(error).__name__}: {error}"
        raise DataError(f"{path}: expected {_FORM}; reading it failed with {reason}") from None


def _image(cell: Any, where: str) -> tuple[str, int]:
    """Return name and age from an image's struct."""
    try:
        record = cell.reshape(-1)[0]
        name, age = str(record[0].reshape(-1)[0]), int(record[1].reshape(-1)[0])
    except (AttributeError, IndexError, TypeError, ValueError):
        raise DataError(
            f"{where}: expected an image as a struct of name and age, found {type(cell).__name__}"
        ) from None
    if not name or "/" in name or "\\" in name:
        raise DataError(f"{where}: expected an image's name, found {name!r}")
    return name, age


def _subject(name: str) -> str:
    parts = Path(name).stem.split("_")
    return parts[1] if len(parts) == 4 else parts[0]


def _gender(name: str) -> str:
    last = Path(name).stem.rpartition("_")[2].lower()
    return last if last in ("f", "m") else ""


def _beside(files: tuple[Path, ...]) -> NDArray[np.float64] | None:
    """Return the five points of every image from its ``.pts`` file; None where no image has one."""
    points = [file.with_suffix(".pts") for file in files]
    if not any(path.is_file() for path in points):
        return None
    return np.stack([_five_points(path) for path in points])


def _five_points(path: Path) -> NDArray[np.float64]:
    """Return (5, 2) pixels from the 68 points between the braces; NaN where the file is not there."""
    if not path.is_file():
        return np.full((5, 2), np.nan)
    text = "\n".join(line for _, line in read_lines(path))
    inside = text.partition("{")[2].partition("}")[0]
    try:
        p = np.array([[float(field) for field in line.split()] for line in inside.strip().splitlines()])
    except ValueError:
        p = np.empty(0)
    if p.shape != (68, 2) or not np.isfinite(p).all():
        raise DataError(f"{path}: expected 68 lines 'x y' between braces, found something else")
    return np.stack([p[36:42].mean(axis=0), p[42:48].mean(axis=0), p[30], p[48], p[54]])
