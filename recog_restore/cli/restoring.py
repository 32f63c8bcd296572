"""What ``rr-restore`` does once its options are parsed: find the photos, restore, write, sum up."""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..detect import Detector
from ..detect.spec import create as create_detector
from ..engine.marked import png
from ..engine.restore import Face, Photo, restore_photos
from ..errors import DataError, RecordError
from ..files import write_whole
from ..preprocess import Preprocessor
from ..preprocess.spec import create as create_preprocessor
from ..records import plain
from .bars import Bars
from .device import chosen_device

_PHOTOS = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".pgm", ".ppm"}
_SIDE = 256  # pixels of a face on a sheet


def run(
    source: str,
    out: Path,
    *,
    pre: str,
    strength: float | None,
    detector: str | None,
    aligned: bool,
    compare: bool,
    device: str,
    batch: int,
) -> None:
    """Restore the faces of the photos and write what ``rr-restore`` promises.

    Raises:
        RecordError: there are no photos, two would become one file or one would be overwritten, or neither or both of
            ``--aligned`` and ``--detector`` are given.
        DataError: a file cannot be written.
        click.exceptions.Exit: with 1, after the summary, if a photo failed.
    """
    if aligned == (detector is not None):
        raise RecordError(
            "expected either --detector yunet:FILE, which finds the faces of photos, or --aligned for crops of faces"
        )
    device = chosen_device(device)
    preprocessor = create_preprocessor(pre if strength is None else f"{pre},strength={strength:g}", device)
    finder = create_detector(detector) if detector is not None else None
    targets = _targets(source, out)
    _distinct(targets, compare)
    click.echo(_first_line(preprocessor, detector, device), err=True)
    summary = _Summary()
    with Bars() as progress:
        progress.start("restore", len(targets))
        for photo in restore_photos(list(targets), preprocessor, finder, batch=batch, device=device):
            if photo.image is not None and photo.outcome != "failed":
                _write(photo, photo.image, targets[photo.source], preprocessor, finder, compare)
            summary.add(photo)
            progress.advance()
    for line in summary.lines(out):
        click.echo(line)
    if summary.photos["failed"]:
        raise click.exceptions.Exit(1)


def _first_line(preprocessor: Preprocessor, detector: str | None, device: str) -> str:
    """Return what runs on what, and which faces the preprocessor was made for."""
    card = preprocessor.card
    made_for = f", made for {card.tested_range}" if card.tested_range else ""
    return f"{card.name}: {card.task}{made_for} · {detector or 'aligned crops'} · {device}"


def _targets(source: str, out: Path) -> dict[Path, Path]:
    """Return the photos, in order, and which file each becomes: its path below IN, below OUT."""
    place, own = Path(source), out.resolve()
    if place.is_dir():
        nested = place.resolve() in own.parents  # then what an earlier run wrote is no input
        found = [f for f in place.rglob("*") if f.suffix.lower() in _PHOTOS]
        base, found = place, [f for f in found if not (nested and f.resolve().is_relative_to(own))]
    else:
        found = [place] if place.is_file() else [Path(name) for name in glob.glob(source, recursive=True)]
        base = Path(os.path.commonpath([f.parent for f in found])) if found else place
    photos = sorted(f for f in found if f.is_file())
    if not photos:
        raise RecordError(f"{source}: expected a photo, a folder that holds some, or a pattern that matches some")
    return {photo: out / photo.relative_to(base).with_suffix(".png") for photo in photos}


def _distinct(targets: Mapping[Path, Path], compare: bool) -> None:
    taken = {photo.resolve(): photo for photo in targets}
    for photo, target in targets.items():
        for file in (target, _sidecar(target), *([_sheet(target)] if compare else [])):
            if (other := taken.setdefault(file.resolve(), photo)) is not photo or other.resolve() == file.resolve():
                raise RecordError(f"{photo}: would be written to {file}, which is taken by {other}")


def _sidecar(target: Path) -> Path:
    return target.with_suffix(".json")


def _sheet(target: Path) -> Path:
    return target.with_suffix(".compare.png")


def _write(
    photo: Photo,
    image: NDArray[np.uint8],
    target: Path,
    preprocessor: Preprocessor,
    detector: Detector | None,
    compare: bool,
) -> None:
    marks = _marks(photo, preprocessor) if photo.outcome == "restored" else {}
    files = {target: png(image, marks), _sidecar(target): _described(photo, preprocessor, detector).encode()}
    if compare and photo.faces:
        files[_sheet(target)] = png(_before_and_after(photo.faces), marks)
    for file, data in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, data)
        except OSError as error:
            raise DataError(f"{file}: cannot be written: {error.strerror}") from None


def _marks(photo: Photo, preprocessor: Preprocessor) -> dict[str, str]:
    restored = sum(face.outcome == "restored" for face in photo.faces)
    what = "1 face is" if restored == 1 else f"{restored} faces are"
    return {
        "Software": f"recog_restore {__version__}",
        "Comment": f"synthesized: {what} the output of {preprocessor.card.name} ({preprocessor.card.task})",
    }


def _described(photo: Photo, preprocessor: Preprocessor, detector: Detector | None) -> str:
    entry: dict[str, Any] = {
        "software": f"recog_restore {__version__}",
        "synthesized": photo.outcome == "restored",
        "source": {"name": photo.source.name, "sha256": hashlib.sha256(photo.source.read_bytes()).hexdigest()},
        "preprocessor": {**plain(preprocessor.card), "settings": plain(preprocessor.settings())},
        "detector": detector.identity() if detector is not None else None,
        "outcome": photo.outcome,
        "reason": photo.reason,
        "faces": [
            {
                "points": np.round(face.points, 2).tolist(),
                "scale": round(face.scale, 4),
                "outcome": face.outcome,
                "reason": face.reason,
            }
            for face in photo.faces
        ],
    }
    return json.dumps(entry, indent=1, ensure_ascii=False) + "\n"


def _before_and_after(faces: Sequence[Face]) -> NDArray[np.uint8]:
    """Return one row per face: before on the left, after on the right."""
    rows = [np.hstack([_enlarged(face.before), _enlarged(face.after)]) for face in faces]
    return np.vstack(rows)


def _enlarged(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.resize(crop, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


class _Summary:
    """Counts what became of the photos and their faces, and why."""

    def __init__(self) -> None:
        self.photos: Counter[str] = Counter()
        self._faces: Counter[str] = Counter()
        self._reasons: dict[tuple[str, str, str], list[str]] = {}
        self._coarser = 0

    def add(self, photo: Photo) -> None:
        self.photos[photo.outcome] += 1
        if photo.outcome != "restored":
            self._note("photo", photo.outcome, photo.reason, photo)
        for face in photo.faces:
            self._faces[face.outcome] += 1
            self._coarser += face.outcome == "restored" and face.scale < 1
            if photo.outcome == "restored" and face.outcome != "restored":
                self._note("face", face.outcome, face.reason, photo)

    def _note(self, what: str, outcome: str, reason: str, photo: Photo) -> None:
        self._reasons.setdefault((outcome, what, reason), []).append(photo.source.name)

    def lines(self, out: Path) -> list[str]:
        """Return what is printed at the end."""
        faces, photos = self._faces["restored"], self.photos["restored"]
        found = [f"restored {_counted(faces, 'face')} in {_counted(photos, 'photo')} of {self.photos.total():,}"]
        for (outcome, what, reason), names in sorted(self._reasons.items()):
            found.append(f"{outcome}: {_counted(len(names), what)}: {reason} ({names[0]}{', …' * (len(names) > 1)})")
        if self._coarser:
            found.append(f"{_counted(self._coarser, 'restored face')} larger than the crop: softer than the photo")
        if self.photos["restored"] or self.photos["passed through"]:
            found.append(f"photos: {out}, each with a .json beside it; restored ones are marked as synthesized")
        return found


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
