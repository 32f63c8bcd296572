"""The files that ``rr-restore`` writes: where they go, which of them it may overwrite, and which are out of date."""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from ..datasets.walk import LeftOut, photos, some
from ..decode import SUFFIXES
from ..engine.drift import COLUMNS
from ..errors import DataError, RecordError
from ..files import LARGEST_TEXT, open_regular, read_regular
from .drifted import WORST

SOFTWARE = "recog_restore"  # what every file that is written names as its software


@dataclass(frozen=True)
class Place:
    """Where the files of one photo go.

    Attributes:
        restored: the PNG file that it becomes if a face is restored.
        copied: the file with its own bytes that it becomes if none is.
    """

    restored: Path
    copied: Path

    @property
    def sidecar(self) -> Path:
        """Where it stands what was done to the photo."""
        return self.restored.with_suffix(".json")

    @property
    def sheet(self) -> Path:
        """Where its faces are shown before and after."""
        return self.restored.with_suffix(".compare.png")


def check_folder(out: Path) -> None:
    """Raise RecordError where OUT is a file, or is called like one."""
    if out.is_file():
        raise RecordError(f"{out}: expected a folder to write to, this is a file; name another one as OUT")
    if out.suffix.lower() in SUFFIXES and not out.is_dir():
        raise RecordError(f"{out}: OUT is the folder that photos are written to, not a photo; leave out {out.suffix}")


def targets(source: str, out: Path) -> tuple[dict[Path, Place], list[LeftOut]]:
    """Return the photos, in order, and where each goes, its path below IN, below OUT; and what is no photo in IN.

    NAME.jpg becomes NAME.png, or NAME.jpg.png where another photo is called NAME.

    Raises:
        RecordError: there are no photos.
    """
    place, own, left_out = Path(source), real(out), list[LeftOut]()
    if place.is_dir():
        fixed = base = place
        walked = photos(place)
        found, left_out = [place / name for name in walked.names], walked.left_out
    else:
        fixed = Path(*takewhile(lambda part: not glob.has_magic(part), place.parts))
        names = [source] if place.exists() else sorted(glob.glob(source, recursive=True))
        found = [file for file in map(Path, names) if not file.is_dir()]
        base = Path(os.path.commonpath([file.parent for file in found] or [place]))
    if real(fixed) in own.parents:  # then what an earlier run wrote is no input
        found = [file for file in found if not real(file).is_relative_to(own)]
        left_out = [entry for entry in left_out if not real(base / entry.name).is_relative_to(own)]
    elif real(fixed) == own:
        found = [file for file in found if not _marked(file)]
    if not found:
        beside = f"; left out {some(left_out)}" if left_out else ""
        raise RecordError(
            f"{source}: expected a photo, a folder that holds some, or a pattern that matches some{beside}"
        )
    alike = Counter(file.with_suffix("") for file in found)
    places = {}
    for file in found:
        copied = out / file.relative_to(base)
        alone = alike[file.with_suffix("")] == 1 or file.suffix == ".png"
        places[file] = Place(copied.with_suffix(".png") if alone else copied.with_name(f"{copied.name}.png"), copied)
    return places, left_out


def check_targets(found: Mapping[Path, Place], compare: bool, others: Sequence[Path]) -> None:
    """Raise RecordError where two files would become one, or a file would be overwritten that is not of this program.

    Args:
        found: photos, and where each goes.
        compare: whether sheets are written.
        others: the files of the drift, where it is measured.
    """
    taken = {real(photo): photo for photo in found} | {real(file): Path("--drift") for file in others}
    written: dict[Path, Path | None] = dict.fromkeys(others)
    for photo, place in found.items():
        files = [place.restored, place.sidecar, *([place.sheet] if compare else [])]
        if real(place.copied) != real(photo):  # else the photo itself stays
            files.append(place.copied)
        for file in files:
            if (other := taken.setdefault(real(file), photo)) is not photo or real(other) == real(file):
                raise RecordError(f"{photo}: would be written to {file}, which is taken by {other}")
            written[file] = place.sidecar
    for file, beside in written.items():
        if os.path.exists(file) and not _ours(file, beside):
            raise RecordError(
                f"{file}: would be overwritten, and rr-restore did not write it; move it, or take another OUT"
            )


def of_earlier_run(files: Iterable[Path], spared: Collection[Path], sidecar: Path | None = None) -> set[Path]:
    """Return those files that an earlier run wrote.

    Args:
        files: whether or not they are there.
        spared: real paths of files that count as somebody else's all the same: the photos.
        sidecar: what an earlier run said of the photo that they belong to.
    """
    return {file for file in files if os.path.exists(file) and real(file) not in spared and _ours(file, sidecar)}


def remove(files: Iterable[Path]) -> None:
    """Remove files of an earlier run.

    Raises:
        DataError: a file cannot be removed.
    """
    for file in files:
        try:
            file.unlink()
        except OSError as error:
            raise DataError(f"{file}: is of an earlier run and cannot be removed: {error.strerror}") from None


def real(file: Path) -> Path:
    """Return the path without links; of a loop of links, as far as it goes."""
    return Path(os.path.realpath(file))


def _ours(file: Path, sidecar: Path | None) -> bool:
    """Return whether a file says that rr-restore wrote it; a copy of a photo and the drift's table, what is beside."""
    if file.suffix == ".json":
        return str(_entry(file).get("software", "")).startswith(SOFTWARE)
    try:
        if file.suffix == ".csv":
            with open_regular(file) as opened:
                start = opened.read(200)
            return start.startswith(",".join(COLUMNS).encode()) and _marked(file.with_name(WORST))
        if _marked(file):
            return True
        entry = _entry(sidecar) if sidecar is not None else {}
        return entry.get("copied") == hashlib.sha256(read_regular(file)).hexdigest()
    except OSError:
        return False


def _marked(file: Path) -> bool:
    """Return whether a file is a PNG of rr-restore's."""
    try:
        with open_regular(file) as opened:
            return f"Software\0\0\0\0\0{SOFTWARE}".encode() in opened.read(200)
    except OSError:
        return False


def _entry(sidecar: Path) -> dict[str, Any]:
    try:
        entry = json.loads(read_regular(sidecar, LARGEST_TEXT))
    except (OSError, ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}
