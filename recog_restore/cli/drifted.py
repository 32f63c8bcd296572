"""What ``rr-restore --drift`` adds: how far the faces of photos were moved, in a table, in faces, and in a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..embed.spec import create as create_embedder
from ..engine.drift import FILE, DriftMeter, no_witness, summary, write_csv
from ..engine.marked import png
from ..engine.restore import Photo
from ..errors import DataError
from ..files import write_whole
from ..geometry import CANONICAL_SIZE
from ..preprocess import Preprocessor
from ..report.drift import sentence
from .base import JUDGE

WORST = "drift.png"
_FACES = 10  # of them at most on the sheet


class PhotoDrift:
    """The drift of the faces that ``rr-restore`` restores.

    Args:
        preprocessor: what restores.
        judges: embedders, as after ``--embedder``.
        device: where they compute.
    """

    def __init__(self, preprocessor: Preprocessor, judges: Sequence[str], device: str) -> None:
        embedders = [create_embedder(text, device) for text in judges]
        self._meter = DriftMeter(preprocessor, embedders, device, most=_FACES)

    def add(self, name: str, photo: Photo) -> None:
        """Measure the faces of a photo that did not fail; the first is called ``name#1``."""
        faces = [(f"{name}#{i}", face) for i, face in enumerate(photo.faces, 1) if face.outcome != "failed"]
        if faces:
            before, after = (np.stack([getattr(face, state) for _, face in faces]) for state in ("before", "after"))
            self._meter.add([called for called, _ in faces], before, after)

    def write(self, out: Path, marks: Callable[[int], Mapping[str, str]]) -> list[str]:
        """Write the table and the faces that moved most, and return what is printed.

        Args:
            out: the folder.
            marks: what a picture of so many restored faces says of itself.

        Raises:
            DataError: a file cannot be written.
        """
        moved, sheet = self._meter.moved(), self._meter.sheet()
        if sheet is None:
            return ["drift: no face was restored"]
        shown = len(sheet) // CANONICAL_SIZE
        write_csv(moved, out / FILE)
        try:
            write_whole(out / WORST, png(sheet, marks(shown)))
        except OSError as error:
            raise DataError(f"{out / WORST}: cannot be written: {error.strerror}") from None
        warnings = [f"warning: {text}" for text in no_witness(moved)]
        if all(entry.judge == JUDGE for entry in moved):
            warnings.append(
                f"warning: {JUDGE} knows rendered people only; judge photos by a recognizer of real ones, --judge SPEC"
            )
        files = f"drift: {out / FILE} has every face, {out / WORST} the {shown} moved most"
        return [*warnings, *(sentence(summary(entry)) for entry in moved), files]
