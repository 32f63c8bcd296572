"""Cross-Age LFW and Cross-Pose LFW: LFW's people again, with mated pairs of other ages, or of other poses.

``pairs_CALFW.txt`` and ``pairs_CPLFW.txt`` have no header, and two lines a comparison: ``image.jpg tag``. The tag
stands on both and is 0 for a non-mated comparison (CALFW's mated tags are the folds 1 … 10, CPLFW's are 1). First come
3,000 mated comparisons, then 3,000 non-mated ones; fold k has the k-th 300 of each. Beside the images lie five
landmarks each, ``image_5loc_attri.txt``, one ``x y`` a line in ``geometry``'s order.

Neither set's files were at hand when this was written. The form is what three independent readers of them agree on;
the folds are FaceX-Zoo's.

Source: Zheng, Deng, Hu, arXiv:1708.08197; Zheng, Deng, BUPT TR 18-01; http://whdeng.cn/CALFW, http://whdeng.cn/CPLFW;
JDAI-CV/FaceX-Zoo 16b793a, test_protocol/lfw/pairs_parser.py and face_cropper.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from .base import Dataset, Finding, Pairs, Samples, compared, count_finding, missing_finding
from .landmarks import own_landmarks
from .textfiles import read_lines

_FOLDS = 10
_IMAGES = ("images&landmarks/images&landmarks/images", "images&landmarks/images", "images", "aligned images", ".")


class _CrossLFW(Dataset):
    """The 6,000 comparisons of one of the two sets.

    Args:
        root: holds the list and the images in a folder of a known name, or in itself; optionally ``landmarks.csv``,
            which is then used instead of the set's own landmarks.
        images: the folder of images in ``root``, where several are there (``aligned images``).
    """

    list_name: ClassVar[str]
    landmarks_name: ClassVar[str]
    published: ClassVar[int]

    def __init__(self, root: Path, images: str = "") -> None:
        super().__init__(root)
        self._images = images

    @cached_property
    def _list(self) -> tuple[list[str], Pairs]:
        """Names of the samples, in order, and the comparisons between them, fold by fold."""
        path = self.root / self.list_name
        first, second, mated = _comparisons(path)
        per_fold, rest = divmod(len(mated), 2 * _FOLDS)
        half = len(mated) // 2
        if rest or not mated or not all(mated[:half]) or any(mated[half:]):
            raise DataError(
                f"{path}: expected mated comparisons, then as many non-mated ones, both a multiple of {_FOLDS}; "
                f"found {sum(mated)} mated and {len(mated) - sum(mated)} non-mated ones"
                f"{'' if rest or not mated else ', not in this order'}"
            )
        position = np.arange(half).reshape(_FOLDS, per_fold)
        order = np.concatenate([position, position + half], axis=1).ravel()
        return compared(
            [first[k] for k in order],
            [second[k] for k in order],
            np.array(mated)[order],
            np.repeat(np.arange(_FOLDS), 2 * per_fold),
        )

    @cached_property
    def folder(self) -> Path:
        """The folder of images.

        Raises:
            DataError: none holds an image of the list.
        """
        names = self._list[0]
        for candidate in [self._images] if self._images else _IMAGES:
            place = self.root / candidate
            if any((place / name).is_file() for name in names):
                return place
        places = self._images or "'images', 'aligned images' or the folder itself"
        raise DataError(f"{self.root}: expected the images of {self.list_name} in {places}; found none of them")

    def samples(self) -> Samples:
        """Return the images that occur in the list, with the set's own landmarks where they lie beside them."""
        names, _ = self._list
        landmarks = own_landmarks(self.root, names)
        return Samples(
            table=pd.DataFrame({"sample": names, "subject": [Path(name).stem.rpartition("_")[0] for name in names]}),
            files=tuple(self.folder / name for name in names),
            landmarks=self._beside(names) if landmarks is None else landmarks,
        )

    def pairs(self) -> Pairs:
        """Return the comparisons, fold by fold, in each the mated ones first."""
        return self._list[1]

    def check(self) -> list[Finding]:
        """Compare list and images with the published counts."""
        names, pairs = self._list
        images = sum(1 for _ in self.folder.glob("*.jpg"))
        missing = missing_finding(self.missing(), len(names))
        return [
            count_finding(f"comparisons in {self.list_name}", 6_000, len(pairs.mated)),
            missing,
            Finding(
                ok=missing.ok,
                what="the whole set (not needed)",
                expected=f"{self.published:,} images",
                found=f"{images:,} images{'; enough for the list' if missing.ok and images < self.published else ''}",
            ),
        ]

    def _beside(self, names: list[str]) -> NDArray[np.float64] | None:
        """Return the set's own landmarks; they are those of the original images, not of the aligned ones."""
        if self.folder.name == "aligned images":
            return None
        for place in (self.folder.parent / self.landmarks_name, self.folder.parent / "landmarks", self.folder):
            if any((place / _points_name(name)).is_file() for name in names):
                return np.stack([_five_points(place / _points_name(name)) for name in names])
        return None


class CALFW(_CrossLFW):
    """Cross-Age LFW: mated pairs years apart, non-mated pairs of the same gender and race."""

    list_name, landmarks_name, published = "pairs_CALFW.txt", "CA_landmarks", 12_174


class CPLFW(_CrossLFW):
    """Cross-Pose LFW: mated pairs of other poses, non-mated pairs of the same gender and race."""

    list_name, landmarks_name, published = "pairs_CPLFW.txt", "CP_landmarks", 11_652


def _comparisons(path: Path) -> tuple[list[str], list[str], list[bool]]:
    lines = read_lines(path)
    if len(lines) % 2:
        raise DataError(f"{path}: expected two lines for each comparison, found {len(lines)} lines; is one missing?")
    images, mated = [], []
    for number, line in lines:
        image, _, tag = line.strip().rpartition(" ")
        if not image.strip() or "/" in image or "\\" in image or not (tag.isascii() and tag.isdecimal()):
            raise DataError(f"{path}: line {number}: expected 'image.jpg tag', found {line.strip()!r}")
        images.append(image.strip())
        mated.append(tag != "0")
    for row in range(0, len(lines), 2):
        if mated[row] != mated[row + 1]:
            raise DataError(
                f"{path}: lines {lines[row][0]} and {lines[row + 1][0]}: expected the same tag on both lines of a "
                f"comparison, found {lines[row][1].strip()!r} and {lines[row + 1][1].strip()!r}"
            )
    return images[0::2], images[1::2], mated[0::2]


def _points_name(image: str) -> str:
    return f"{Path(image).stem}_5loc_attri.txt"


def _five_points(path: Path) -> NDArray[np.float64]:
    """Return (5, 2) pixels; NaN where the file is not there."""
    if not path.is_file():
        return np.full((5, 2), np.nan)
    try:
        points = np.array([[float(field) for field in line.split()] for _, line in read_lines(path)])
    except ValueError:
        points = np.empty(0)
    if points.shape != (5, 2) or not np.isfinite(points).all():
        raise DataError(f"{path}: expected five lines 'x y', found something else")
    return points
