"""What ``rr-restore`` does once its options are parsed: find the photos, restore, write, sum up."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..detect.spec import create as create_detector
from ..engine.drift import FILE
from ..engine.face_gate import FaceGate
from ..engine.marked import png
from ..engine.restore import Colours, Face, Photo, restore_photos
from ..errors import DataError, RecordError
from ..files import locked, write_whole
from ..preprocess import Preprocessor
from ..preprocess.gate import create as create_gate
from ..preprocess.spec import create as create_preprocessor
from ..preprocess.spec import noted, public_name
from ..records import plain
from ..report.cards import made_for
from ..report.wording import visible
from .bars import Bars
from .device import chosen_device
from .drifted import WORST, PhotoDrift
from .outputs import SOFTWARE, check_folder, check_targets, remove_stale, sheet, sidecar, targets
from .terminal import say

_SIDE = 256  # pixels of a face on a sheet


def run(
    source: str,
    out: Path,
    *,
    pre: str,
    strength: float | None,
    detector: str | None,
    aligned: bool,
    gate: str,
    colours: Colours,
    compare: bool,
    judges: Sequence[str],
    device: str,
    batch: int,
) -> None:
    """Restore the faces of the photos and write what ``rr-restore`` promises.

    Raises:
        RecordError: there are no photos, two would become one file, a photo or a file of somebody else would be
            overwritten, neither or both of ``--aligned`` and ``--detector`` are given, or the gate cannot be decided.
        DataError: a file cannot be written.
        click.exceptions.Exit: with 1, after the summary, if a photo failed.
    """
    if aligned == (detector is not None):
        raise RecordError(
            "expected either --detector yunet:FILE, which finds the faces of photos, or --aligned for crops of faces"
        )
    check_folder(out)
    asked = create_gate(gate)
    device = chosen_device(device)
    preprocessor = create_preprocessor(pre if strength is None else f"{pre},strength={strength:g}", device)
    finder = create_detector(detector) if detector is not None else None
    admitted = FaceGate(asked, device, aligned=aligned) if asked is not None else None
    files = targets(source, out)
    of_drift = [out / FILE, out / WORST]
    check_targets(files, compare, of_drift if judges else [])
    drift = PhotoDrift(preprocessor, judges, device) if judges else None
    say(_first_line(preprocessor, detector, device), err=True)
    summary, pictures, spared = _Summary(), set(files.values()), {photo.resolve() for photo in files}
    warnings: list[str] = []

    def warn(text: str) -> None:
        warnings.append(text)
        say(f"warning: {text}", err=True)

    for text in noted(preprocessor):
        warn(text)
    notes = {
        "warnings": warnings,
        "detector": finder.identity() if finder else None,
        "gate": asked.words() if asked else None,
    }
    if finder is not None and preprocessor.card.task == "restore":
        notes["colours"] = colours
    with locked(out), Bars() as progress:
        progress.start("restore", len(files))
        done = restore_photos(
            list(files), preprocessor, finder, batch=batch, device=device, colours=colours, gate=admitted, warn=warn
        )
        for photo in done:
            target, new = files[photo.source], set[Path]()
            if photo.image is not None and photo.outcome != "failed":
                new = _write(photo, photo.image, target, preprocessor, notes, compare)
            remove_stale({target, sidecar(target), *({sheet(target)} - pictures)} - new, spared)
            if drift is not None:
                name = target.relative_to(out).with_suffix(photo.source.suffix).as_posix()
                drift.add(visible(name), photo)
            summary.add(photo)
            progress.advance()
    remove_stale([file for file in of_drift if file not in pictures], spared)
    for line in [*summary.lines(out), *(drift.write(out, partial(_marks, preprocessor)) if drift else [])]:
        say(line)
    if summary.photos["failed"]:
        raise click.exceptions.Exit(1)


def _first_line(preprocessor: Preprocessor, detector: str | None, device: str) -> str:
    """Return what runs on what, and which faces the preprocessor was made for."""
    card = preprocessor.card
    said = made_for(card.tested_range, bool(card.teachers))
    line = f"{card.name}: {card.task} · {detector or 'aligned crops'} · {device}"
    return f"{line}\n{said}" if said else line


def _write(
    photo: Photo,
    image: NDArray[np.uint8],
    target: Path,
    preprocessor: Preprocessor,
    notes: Mapping[str, object],
    compare: bool,
) -> set[Path]:
    """Write what is said of a photo and shown of it, and return the files."""
    marks = _marks(preprocessor, sum(face.outcome == "restored" for face in photo.faces))
    files = {target: png(image, marks), sidecar(target): _described(photo, preprocessor, notes).encode()}
    if compare and photo.faces:
        files[sheet(target)] = png(_before_and_after(photo.faces), marks)
    for file, data in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, data)
        except OSError as error:
            raise DataError(f"{file}: cannot be written: {error.strerror}") from None
    return set(files)


def _marks(preprocessor: Preprocessor, restored: int) -> dict[str, str]:
    """Return what a picture says of itself: who wrote it and, where a face is restored, that it is synthesized."""
    marks = {"Software": f"{SOFTWARE} {__version__}"}
    if restored:
        what = "1 face is" if restored == 1 else f"{restored} faces are"
        name, task = public_name(preprocessor), preprocessor.card.task
        marks["Comment"] = f"synthesized: {what} the output of {name} ({task})"
    return marks


def _described(photo: Photo, preprocessor: Preprocessor, notes: Mapping[str, object]) -> str:
    entry: dict[str, Any] = {
        "software": f"{SOFTWARE} {__version__}",
        "synthesized": photo.outcome == "restored",
        "source": {"name": photo.source.name, "sha256": hashlib.sha256(photo.source.read_bytes()).hexdigest()},
        "preprocessor": {**plain(preprocessor.card), "settings": plain(preprocessor.settings())},
        **notes,
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
    return json.dumps(entry, indent=1) + "\n"


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
            named = f"{names[0]}, …" if len(names) > 1 else names[0]
            found.append(f"{outcome}: {_counted(len(names), what)}: {reason} ({named})")
        if self._coarser:
            found.append(f"{_counted(self._coarser, 'restored face')} larger than the crop: softer than the photo")
        if self.photos["restored"] or self.photos["passed through"]:
            found.append(f"photos: {out}, each with a .json beside it; restored ones are marked as synthesized")
        return found


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
