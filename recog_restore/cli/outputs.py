"""The files that ``rr-restore`` writes: where they go, which of them it may overwrite, and which are out of date."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path

from ..engine.drift import COLUMNS
from ..errors import DataError, RecordError
from .drifted import WORST

SOFTWARE = "recog_restore"  # what every file that is written names as its software

_PHOTOS = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".pgm", ".ppm"}


def check_folder(out: Path) -> None:
    """Raise RecordError where OUT is a file, or is called like one."""
    if out.is_file():
        raise RecordError(f"{out}: expected a folder to write to, this is a file; name another one as OUT")
    if out.suffix.lower() in _PHOTOS and not out.is_dir():
        raise RecordError(f"{out}: OUT is the folder that photos are written to, not a photo; leave out {out.suffix}")


def targets(source: str, out: Path) -> dict[Path, Path]:
    """Return the photos, in order, and which file each becomes: its path below IN, below OUT.

    Raises:
        RecordError: there are no photos.
    """
    place, own = Path(source), out.resolve()
    if place.is_dir():
        fixed, found = place, [f for f in place.rglob("*") if f.suffix.lower() in _PHOTOS]
    else:
        fixed = Path(*takewhile(lambda part: not glob.has_magic(part), place.parts))
        found = [place] if place.is_file() else [Path(name) for name in glob.glob(source, recursive=True)]
    if fixed.resolve() in own.parents:  # then what an earlier run wrote is no input
        found = [f for f in found if not f.resolve().is_relative_to(own)]
    base = place if place.is_dir() else Path(os.path.commonpath([f.parent for f in found] or [place]))
    photos = sorted(f for f in found if f.is_file())
    if not photos:
        raise RecordError(f"{source}: expected a photo, a folder that holds some, or a pattern that matches some")
    return {photo: out / photo.relative_to(base).with_suffix(".png") for photo in photos}


def check_targets(found: Mapping[Path, Path], compare: bool, others: Sequence[Path]) -> None:
    """Raise RecordError where two files would become one, or a file would be overwritten that is not of this program.

    Args:
        found: photos, and which file each becomes.
        compare: whether sheets are written.
        others: the files of the drift, where it is measured.
    """
    taken = {photo.resolve(): photo for photo in found} | {file.resolve(): Path("--drift") for file in others}
    written = list(others)
    for photo, target in found.items():
        for file in (target, sidecar(target), *([sheet(target)] if compare else [])):
            if (other := taken.setdefault(file.resolve(), photo)) is not photo or other.resolve() == file.resolve():
                raise RecordError(f"{photo}: would be written to {file}, which is taken by {other}")
            written.append(file)
    for file in written:
        if file.exists() and not _ours(file):
            raise RecordError(
                f"{file}: would be overwritten, and rr-restore did not write it; move it, or take another OUT"
            )


def sidecar(target: Path) -> Path:
    """Return where it stands what was done to a photo."""
    return target.with_suffix(".json")


def sheet(target: Path) -> Path:
    """Return where the faces of a photo are shown before and after."""
    return target.with_suffix(".compare.png")


def remove_stale(files: Iterable[Path], spared: Collection[Path]) -> None:
    """Remove what an earlier run wrote and this one does not.

    Args:
        files: what this run does not write, whether or not it is there.
        spared: resolved files that stay all the same: the photos.

    Raises:
        DataError: a file cannot be removed.
    """
    for file in files:
        if file.exists() and _ours(file) and file.resolve() not in spared:
            try:
                file.unlink()
            except OSError as error:
                raise DataError(f"{file}: is of an earlier run and cannot be removed: {error.strerror}") from None


def _ours(file: Path) -> bool:
    """Return whether a file says that rr-restore wrote it; the drift's table, whether the picture beside it does."""
    try:
        if file.suffix == ".json":
            entry = json.loads(file.read_bytes())
            return isinstance(entry, dict) and str(entry.get("software", "")).startswith(SOFTWARE)
        with file.open("rb") as opened:
            start = opened.read(200)
    except (OSError, ValueError):
        return False
    if file.suffix == ".csv":
        return start.startswith(",".join(COLUMNS).encode()) and _ours(file.with_name(WORST))
    return f"Software\0\0\0\0\0{SOFTWARE}".encode() in start
