"""What ``rr-restore`` does once its options are parsed: find the photos, restore, write, sum up."""

from __future__ import annotations

import errno
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
from ..datasets.walk import LeftOut, some
from ..detect.spec import create as create_detector
from ..engine.drift import FILE
from ..engine.face_gate import FaceGate
from ..engine.marked import png
from ..engine.restore import Colours, Face, Photo, restore_photos
from ..errors import DataError, RecordError
from ..files import locked, read_regular, write_whole
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
from .outputs import SOFTWARE, Place, check_folder, check_targets, of_earlier_run, real, remove, targets
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
    places, left_out = targets(source, out)
    of_drift = [out / FILE, out / WORST]
    check_targets(places, compare, of_drift if judges else [])
    drift = PhotoDrift(preprocessor, judges, device) if judges else None
    say(_first_line(preprocessor, detector, device), err=True)
    summary, spared = _Summary(), {real(photo) for photo in places}
    pictures = {file for place in places.values() for file in (place.restored, place.copied)}
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
        progress.start("restore", len(places))
        done = restore_photos(
            list(places), preprocessor, finder, batch=batch, device=device, colours=colours, gate=admitted, warn=warn
        )
        for photo in done:
            place, new = places[photo.source], set[Path]()
            mine = {place.restored, place.copied, place.sidecar, *({place.sheet} - pictures)}
            earlier = of_earlier_run(mine, spared, place.sidecar)
            if photo.outcome != "failed":
                try:
                    new = _write(photo, place, preprocessor, notes, compare)
                except OSError as error:
                    if error.errno != errno.ENAMETOOLONG:
                        raise DataError(f"{error.filename}: cannot be written: {error.strerror}") from None
                    reason = f"{place.restored.name} or what belongs to it cannot be written: {error.strerror}"
                    photo = Photo(photo.source, None, (), "failed", reason)
            remove(earlier - new)
            if drift is not None:
                name = place.copied.relative_to(out).as_posix()
                drift.add(visible(name), photo)
            summary.add(photo)
            progress.advance()
    remove(of_earlier_run([file for file in of_drift if file not in pictures], spared))
    for line in [*summary.lines(out, left_out), *(drift.write(out, partial(_marks, preprocessor)) if drift else [])]:
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
    photo: Photo, place: Place, preprocessor: Preprocessor, notes: Mapping[str, object], compare: bool
) -> set[Path]:
    """Write what is said of a photo and shown of it, and return the files. One that is not restored is copied.

    Raises:
        OSError: a file cannot be written.
    """
    marks = _marks(preprocessor, sum(face.outcome == "restored" for face in photo.faces))
    original = read_regular(photo.source)
    sha256, files = hashlib.sha256(original).hexdigest(), dict[Path, bytes]()
    copied = photo.outcome != "restored" and real(place.copied) != real(photo.source)
    files[place.sidecar] = _described(photo, sha256, copied, preprocessor, notes).encode()
    if copied:
        files[place.copied] = original
    elif photo.outcome == "restored" and photo.image is not None:
        files[place.restored] = png(photo.image, marks)
    if compare and photo.faces:
        files[place.sheet] = png(_before_and_after(photo.faces), marks)
    for file, data in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, data)
        except OSError as error:
            error.filename = file
            raise
    return set(files)


def _marks(preprocessor: Preprocessor, restored: int) -> dict[str, str]:
    """Return what a picture says of itself: who wrote it and, where a face is restored, that it is synthesized."""
    marks = {"Software": f"{SOFTWARE} {__version__}"}
    if restored:
        what = "1 face is" if restored == 1 else f"{restored} faces are"
        name, task = public_name(preprocessor), preprocessor.card.task
        marks["Comment"] = f"synthesized: {what} the output of {name} ({task})"
    return marks


def _described(photo: Photo, sha256: str, copied: bool, preprocessor: Preprocessor, notes: Mapping[str, object]) -> str:
    entry: dict[str, Any] = {
        "software": f"{SOFTWARE} {__version__}",
        "synthesized": photo.outcome == "restored",
        "source": {"name": photo.source.name, "sha256": sha256},
        "copied": sha256 if copied else None,
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

    def lines(self, out: Path, left_out: Sequence[LeftOut]) -> list[str]:
        """Return what is printed at the end."""
        faces, photos = self._faces["restored"], self.photos["restored"]
        found = [f"restored {_counted(faces, 'face')} in {_counted(photos, 'photo')} of {self.photos.total():,}"]
        for (outcome, what, reason), names in sorted(self._reasons.items()):
            named = f"{names[0]}, …" if len(names) > 1 else names[0]
            found.append(f"{outcome}: {_counted(len(names), what)}: {reason} ({named})")
        if left_out:
            found.append(visible(f"left out {some(left_out)}"))
        if self._coarser:
            found.append(f"{_counted(self._coarser, 'restored face')} larger than the crop: softer than the photo")
        if self.photos["restored"] or self.photos["passed through"]:
            found.append(f"photos: {out}, each with a .json beside it; restored ones are marked as synthesized")
        return found


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
