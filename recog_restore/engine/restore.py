"""Photos in, photos out: every face in them is restored and put back where it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ..decode import read_image
from ..detect import Detector
from ..errors import ConventionError, DataError, RecogRestoreError
from ..faces import FaceBatch, to_float, to_uint8
from ..geometry import CANONICAL_128, CANONICAL_SIZE, CROPS, canonical_crop, crop_size, similarity
from ..preprocess import Preprocessor
from ..preprocess.paste import paste, relit
from ..preprocess.trial import trial
from .face_gate import FaceGate

_TRIED = 4  # faces

Outcome = Literal["restored", "passed through", "failed"]
Colours = Literal["photo", "network"]
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Face:
    """One face of a photo.

    Attributes:
        points: (5, 2) pixels in the photo.
        scale: pixels of the crop per pixel of the photo; below 1 the restored face is coarser than the photo.
        before, after: (128, 128, 3) uint8 canonical crops; black where there is none.
        outcome, reason: what became of it, and why it is not restored.
    """

    points: NDArray[np.floating]
    scale: float
    before: Image
    after: Image
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True)
class Photo:
    """One photo after restoration.

    Attributes:
        source: its file.
        image: (H, W, 3) uint8, its size as before; None where it could not be read.
        faces: in the order of the detector.
        outcome: ``restored`` where at least one face is, ``failed`` where none could be, else ``passed through``.
        reason: why it is not restored.
    """

    source: Path
    image: Image | None
    faces: tuple[Face, ...]
    outcome: Outcome
    reason: str = ""


def restore_photos(
    files: Sequence[Path],
    preprocessor: Preprocessor,
    detector: Detector | None,
    *,
    batch: int = 16,
    device: str = "cpu",
    colours: Colours = "photo",
    gate: FaceGate | None = None,
    warn: Callable[[str], None] | None = None,
) -> Iterator[Photo]:
    """Yield every photo with its faces restored, in order; what is wrong with one of them becomes its reason.

    A face that the preprocessor or the gate leaves as it is, is not pasted: the pixels of such a photo stay, bit for
    bit.

    Args:
        files: the photos.
        preprocessor: what restores a face.
        detector: finds the faces; None takes each file for one aligned crop, which keeps its size.
        batch: photos held, and faces restored, at a time.
        device: where the preprocessor computes.
        colours: ``photo`` keeps the photo's colours and light where the task is to ``restore``; an aligned crop always
            has those that the preprocessor gave it.
        gate: which faces may be restored; None: all.
        warn: is told, before the first photo, what ``preprocess.trial`` says on the first faces.
    """
    keep = colours == "photo" and detector is not None and preprocessor.card.task == "restore"
    for start in range(0, len(files), batch):
        opened = [_open(file, detector) for file in files[start : start + batch]]
        cuts = _gated([cut for photo in opened for cut in photo.cuts], gate)
        first = [cut for cut in cuts if not cut.closed and not cut.reason][:_TRIED]
        if warn is not None and first:
            for text in trial(preprocessor, _batch(first, device)):
                warn(text)
            warn = None
        done = iter(_faces(cuts, preprocessor, batch, device, keep))
        for photo in opened:
            yield _finished(photo, tuple(next(done) for _ in photo.cuts))


@dataclass(frozen=True)
class _Cut:
    """A face that was cut out: its crop and five points in it, and where it comes from."""

    points: NDArray[np.floating]
    crop: Image = field(default_factory=lambda: np.zeros((128, 128, 3), np.uint8))
    inside: NDArray[np.floating] = field(default_factory=CANONICAL_128.copy)
    scale: float = 1.0
    reason: str = ""
    closed: str = ""  # the gate that leaves it as it is


@dataclass(frozen=True)
class _Opened:
    """A photo that was read, and the name of the crop that it is, or "" where its faces were found."""

    source: Path
    image: Image | None = None
    cuts: tuple[_Cut, ...] = ()
    aligned: str = ""
    reason: str = ""


def _open(file: Path, detector: Detector | None) -> _Opened:
    try:
        image = read_image(file)
        if detector is None:
            crop = _crop_of(image)
            return _Opened(file, image, (_Cut(_in_crop(crop), _extended(image, crop)),), crop)
    except RecogRestoreError as error:
        return _Opened(file, reason=str(error))
    cuts = tuple(_cut(image, points) for points in detector.detect(image).points)
    return _Opened(file, image, cuts, reason="" if cuts else "no face was found")


def _crop_of(image: Image) -> str:
    for crop in CROPS:
        if crop_size(crop) == image.shape[:2]:
            return crop
    sizes = " or ".join("×".join(map(str, crop_size(crop))) for crop in CROPS)
    height, width = image.shape[:2]
    raise DataError(f"an aligned crop has {sizes} px (height×width), this image has {height}×{width}")


def _extended(image: Image, crop: str) -> Image:
    """Return the 128×128 crop that holds an aligned one in its window; its border goes on to the edges."""
    rows, columns = CROPS[crop]
    margins = (rows.start, CANONICAL_SIZE - rows.stop, columns.start, CANONICAL_SIZE - columns.stop)
    return cv2.copyMakeBorder(image, *margins, cv2.BORDER_REPLICATE).astype(np.uint8, copy=False)


def _in_crop(crop: str) -> NDArray[np.float64]:
    rows, columns = CROPS[crop]
    return np.asarray(CANONICAL_128 - (columns.start, rows.start), np.float64)


def _cut(image: Image, points: NDArray[np.floating]) -> _Cut:
    try:
        transform = similarity(points, CANONICAL_128)
        crop = canonical_crop(image, points)
    except ConventionError as error:
        return _Cut(points, reason=str(error))
    return _Cut(points, crop, points @ transform[:, :2].T + transform[:, 2], math.hypot(*transform[:, 0]))


def _gated(cuts: Sequence[_Cut], gate: FaceGate | None) -> list[_Cut]:
    if gate is None or not cuts:
        return list(cuts)
    opened = gate.open([cut.points for cut in cuts], np.stack([cut.crop for cut in cuts]))
    closed = f"gate {gate.gate.name} leaves it as it is"
    return [
        cut if touched or cut.reason else replace(cut, closed=closed) for cut, touched in zip(cuts, opened, strict=True)
    ]


def _faces(cuts: Sequence[_Cut], preprocessor: Preprocessor, batch: int, device: str, keep: bool) -> Iterator[Face]:
    """Yield what becomes of each cut, in order; the preprocessor sees those that are neither closed nor failed."""
    for start in range(0, len(cuts), batch):
        part = cuts[start : start + batch]
        done = iter(_restored([cut for cut in part if not cut.closed], preprocessor, device))
        for cut in part:
            if cut.closed:
                yield Face(cut.points, cut.scale, cut.crop, cut.crop, "passed through", cut.closed)
            else:
                yield _face(cut, *next(done), preprocessor, keep)


def _restored(cuts: Sequence[_Cut], preprocessor: Preprocessor, device: str) -> list[tuple[Image, str]]:
    """Return what the preprocessor makes of each crop, and why it failed."""
    if not cuts:
        return []
    with torch.inference_mode():
        done = preprocessor(_batch(cuts, device))
    return list(zip(to_uint8(done.images), done.status, strict=True))


def _batch(cuts: Sequence[_Cut], device: str) -> FaceBatch:
    points = torch.from_numpy(np.stack([cut.inside for cut in cuts]).astype(np.float32)).to(device)
    pixels = to_float(np.stack([cut.crop for cut in cuts]), device)
    return FaceBatch(pixels, points, tuple(cut.reason for cut in cuts))


def _face(cut: _Cut, after: Image, reason: str, preprocessor: Preprocessor, keep: bool) -> Face:
    outcome: Outcome = "restored"
    if reason:
        outcome, after = "failed", cut.crop
    elif np.array_equal(after, cut.crop):
        outcome, reason = "passed through", f"{preprocessor.card.name} leaves it as it is"
    elif keep:
        after = relit(after, cut.crop)
    return Face(cut.points, cut.scale, cut.crop, after, outcome, reason)


def _finished(photo: _Opened, faces: tuple[Face, ...]) -> Photo:
    image, restored = photo.image, [face for face in faces if face.outcome == "restored"]
    if image is None:
        return Photo(photo.source, None, (), "failed", photo.reason)
    if restored:
        return Photo(photo.source, _composed(photo, image, faces), faces, "restored")
    failed = next((face.reason for face in faces if face.outcome == "failed"), "")
    if failed:
        return Photo(photo.source, image, faces, "failed", failed)
    return Photo(photo.source, image, faces, "passed through", photo.reason or faces[0].reason)


def _composed(photo: _Opened, image: Image, faces: Sequence[Face]) -> Image:
    if photo.aligned:
        return np.ascontiguousarray(faces[0].after[CROPS[photo.aligned]])
    restored = [face for face in faces if face.outcome == "restored"]
    others = (_transform(face) for face in faces if face.outcome != "restored")
    return paste(
        image,
        [face.after for face in restored],
        [similarity(face.points, CANONICAL_128) for face in restored],
        kept=[transform for transform in others if transform is not None],
    )


def _transform(face: Face) -> NDArray[np.float64] | None:
    try:
        return similarity(face.points, CANONICAL_128)
    except ConventionError:
        return None
