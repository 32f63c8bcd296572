"""CMU Multi-PIE: the official tree, or crops that keep its names in folders of any kind.

An image is told by its name alone: ``session01/multiview/001/01/05_1/001_01_01_051_07.png`` of the official tree, and
``001_01_01_051_07.png`` or ``001_01_01_051_07_crop_128.png`` anywhere below the folder. The high-resolution images
(``highres``) are left out, and so are the raised cameras 08_1 and 19_1. Files whose name Multi-PIE does not have, or
that lie in the folder of another camera, session, subject or recording, are left out as well; ``check`` names them and
a result says how many there were.

Source: see ``shots``; the selection of the protocols is in ``posed``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import ClassVar

import pandas as pd

from ..decode import SUFFIXES
from ..errors import DataError
from .base import Alignment, Finding, Samples, count_finding
from .landmarks import FILE_NAME, own_landmarks
from .mark import MARK as MIMIC
from .mark import read_mark
from .posed import Posed, Selection
from .shots import NAME, PEOPLE_OF, RAISED, fields_of, is_shot, path_of, table_of, whole_session
from .synthpie import MARK, NOTE

_TREE = "session01/multiview/001/01/05_1/001_01_01_051_07.png"


@dataclass(frozen=True)
class Options(Selection):
    """A selection, and what the images are.

    Attributes:
        alignment: ``landmarks`` (of ``landmarks.csv``, or a detector's), or the crop that all the images already are:
            ``canonical-128``, ``arcface-112``, ``sphereface-112x96``.
    """

    alignment: Alignment = "landmarks"


@dataclass(frozen=True)
class _Found:
    """Paths below the root, with ``/``.

    Attributes:
        images: by name, in order of name; of the thirteen cameras at head height.
        raised: images of the raised cameras.
        misplaced: the name is not one of Multi-PIE's, or its folders say something else.
        others: files that are no images of that name at all.
    """

    images: dict[str, str]
    raised: list[str]
    misplaced: list[str]
    others: list[str]


class MultiPIE(Posed):
    """Multi-PIE's images; label columns as ``shots.table_of`` has them.

    Args:
        root: the folder above ``session01``, or one of crops; optionally with ``landmarks.csv``, whose paths are
            relative to it.
        options: who is tested, enrolled and searched for, and whether the images are crops.
    """

    options_record: ClassVar[type[Selection]] = Options

    def __init__(self, root: Path, options: Options | None = None) -> None:
        super().__init__(root, options or Options())
        self._alignment: Alignment = (options or Options()).alignment
        self._mark = read_mark(root)
        if (root / MARK).is_file():
            self.faces = "rendered"

    @cached_property
    def _found(self) -> _Found:
        if not self.root.is_dir():
            raise DataError(f"{self.root}: expected a folder with images as {_TREE}, found a file")
        found = _sorted_out(sorted(_files(self.root)))
        if not found.images:
            raise DataError(f"{self.root}: expected images as {_TREE}, or crops of such names, found none")
        return found

    @cached_property
    def table(self) -> pd.DataFrame:
        """All images of the cameras at head height that are there, sorted by sample.

        Raises:
            DataError: there is none, or one is there twice.
        """
        return table_of(list(self._found.images))

    @property
    def note(self) -> str:
        """That the images are rendered, or a mimic, where they are; what is not there; what is left out."""
        left_out = len(self._found.misplaced)
        parts = [
            f"SynthPIE: {NOTE}" if (self.root / MARK).is_file() else "",
            self._mark.note if self._mark else "",
            super().note,
            f"files left out for a wrong name or folder: {left_out}" if left_out else "",
        ]
        return "; ".join(part for part in parts if part)

    def _samples(self, table: pd.DataFrame) -> Samples:
        paths = [self._found.images[name] for name in table["sample"]]
        landmarks = own_landmarks(self.root, paths) if self._alignment == "landmarks" else None
        return Samples(table, tuple(self.root / path for path in paths), landmarks, self._alignment)

    def check(self) -> list[Finding]:
        """Compare people and images with the published counts; say what is missing, misplaced or foreign."""
        if self._mark:
            return self._mark.check({"people": self.table["subject"].nunique(), "images": len(self._found.images)})
        found, people = self._found, self.table.groupby("session")["subject"].unique()
        whole = [name for session in people.index for name in whole_session(map(int, people[session]), int(session))]
        gaps = [name for name in whole if name not in found.images]
        return [
            *super().check(),
            count_finding("images of the 13 cameras at head height", _WHOLE, len(found.images)),
            Finding(
                ok=not gaps,
                what="images of the people and sessions that are there",
                expected=f"{len(whole):,}",
                found=f"{len(whole) - len(gaps):,}" + _some(gaps, "missing"),
                way_out="copy them, unless the protocol has no use for them" if gaps else "",
            ),
            Finding(True, f"images of the raised cameras {' and '.join(RAISED)}", "left out", f"{len(found.raised):,}"),
            Finding(
                ok=not found.misplaced,
                what="images of an unknown camera, session, recording or illumination, or in a wrong folder",
                expected="0",
                found=f"{len(found.misplaced):,}" + _some(found.misplaced),
                way_out="they are left out; give each its right name and folder" if found.misplaced else "",
            ),
            Finding(
                ok=not found.others,
                what="files that are no images of Multi-PIE",
                expected="0",
                found=f"{len(found.others):,}" + _some(found.others),
                way_out="they are left out; remove them" if found.others else "",
            ),
            self._alignment_finding(),
        ]

    def _alignment_finding(self) -> Finding:
        what, expected = "where the faces are", f"{FILE_NAME}, or crops"
        if self._alignment != "landmarks":
            return Finding(True, what, expected, f"crops, {self._alignment}")
        if (self.root / FILE_NAME).is_file():
            return Finding(True, what, expected, FILE_NAME)
        way_out = "name a detector with --detector, or the crop: --set data.options.alignment=canonical-128"
        return Finding(False, what, expected, "neither", way_out)


_WHOLE = sum(len(whole_session([0], session)) * people for session, people in PEOPLE_OF.items())


def _files(root: Path) -> Iterator[str]:
    """Yield the paths of all files but the toolkit's own, hidden and high-resolution ones."""
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != "highres" and not name.startswith(".")]
        below = Path(folder).relative_to(root)
        for name in files:
            own = not below.parts and name in (FILE_NAME, MARK, MIMIC)
            if not own and not name.startswith("."):
                yield (below / name).as_posix()


def _sorted_out(paths: Sequence[str]) -> _Found:
    images: dict[str, str] = {}
    raised, misplaced, others = [], [], []
    for path in paths:
        file = PurePosixPath(path)
        name = NAME.match(file.stem)
        if not name or file.suffix.lower() not in SUFFIXES or file.stem[name.end() :][:1] not in ("", "_"):
            others.append(path)
            continue
        fields = fields_of(name[0])
        if not is_shot(fields) or not _in_its_folder(name[0], file):
            misplaced.append(path)
        elif fields[3] in RAISED:
            raised.append(path)
        elif name[0] in images:
            raise DataError(f"{path}: expected each image once, but {images[name[0]]} is {name[0]} too; keep one")
        else:
            images[name[0]] = path
    return _Found(dict(sorted(images.items())), raised, misplaced, others)


def _in_its_folder(name: str, file: PurePosixPath) -> bool:
    """Return whether the folders of the official tree say what the name says; other folders say nothing."""
    folders, right = file.parts[:-1], PurePosixPath(path_of(name)).parts[:-1]
    depth = min(len(folders), len(right))
    return "multiview" not in folders or folders[-depth:] == right[-depth:]


def _some(names: Sequence[str], what: str = "") -> str:
    """Return the first names after how many are what, or nothing."""
    some = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return (f"; {len(names):,} {what}: {some}" if what else f": {some}") if names else ""
