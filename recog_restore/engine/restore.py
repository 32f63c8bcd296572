"""Photos in, photos out: every face in them is restored and put back where it was."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from ..decode import read_image
from ..detect import Detector
from ..errors import ConventionError, DataError, RecogRestoreError
from ..faces import FaceBatch, to_float, to_uint8
from ..geometry import CANONICAL_128, CROPS, canonical_crop, crop_size, place_crop, similarity
from ..preprocess import Preprocessor
from ..preprocess.paste import paste

Outcome = Literal["restored", "passed through", "failed"]
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
) -> Iterator[Photo]:
    """Yield every photo with its faces restored, in order; what is wrong with one of them becomes its reason.

    A face that the preprocessor leaves as it is, is not pasted: the pixels of such a photo stay, bit for bit.

    Args:
        files: the photos.
        preprocessor: what restores a face.
        detector: finds the faces; None takes each file for one aligned crop, which keeps its size.
        batch: photos held, and faces restored, at a time.
        device: where the preprocessor computes.
    """
    for start in range(0, len(files), batch):
        opened = [_open(file, detector) for file in files[start : start + batch]]
        cuts = [cut for photo in opened for cut in photo.cuts]
        done = iter(_faces(cuts, preprocessor, batch, device))
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
            return _Opened(file, image, (_Cut(_in_crop(crop), place_crop(image, crop)),), crop)
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


def _faces(cuts: Sequence[_Cut], preprocessor: Preprocessor, batch: int, device: str) -> Iterator[Face]:
    for start in range(0, len(cuts), batch):
        part = cuts[start : start + batch]
        pixels = np.stack([cut.crop for cut in part])
        points = torch.from_numpy(np.stack([cut.inside for cut in part]).astype(np.float32)).to(device)
        faces = FaceBatch(to_float(pixels, device), points, tuple(cut.reason for cut in part))
        with torch.inference_mode():
            done = preprocessor(faces)
        for cut, after, reason in zip(part, to_uint8(done.images), done.status, strict=True):
            yield _face(cut, after, reason, preprocessor)


def _face(cut: _Cut, after: Image, reason: str, preprocessor: Preprocessor) -> Face:
    outcome: Outcome = "restored"
    if reason:
        outcome, after = "failed", cut.crop
    elif np.array_equal(after, cut.crop):
        outcome, reason = "passed through", f"{preprocessor.card.name} leaves it as it is"
    return Face(cut.points, cut.scale, cut.crop, after, outcome, reason)


def _finished(photo: _Opened, faces: tuple[Face, ...]) -> Photo:
    image, restored = photo.image, [face for face in faces if face.outcome == "restored"]
    if image is None:
        return Photo(photo.source, None, (), "failed", photo.reason)
    if restored:
        return Photo(photo.source, _composed(photo, image, restored), faces, "restored")
    failed = next((face.reason for face in faces if face.outcome == "failed"), "")
    if failed:
        return Photo(photo.source, image, faces, "failed", failed)
    return Photo(photo.source, image, faces, "passed through", photo.reason or faces[0].reason)


def _composed(photo: _Opened, image: Image, restored: Sequence[Face]) -> Image:
    if photo.aligned:
        return np.ascontiguousarray(restored[0].after[CROPS[photo.aligned]])
    for face in sorted(restored, key=lambda face: -face.scale):  # the largest last, over the others
        image = paste(image, face.after, similarity(face.points, CANONICAL_128))
    return image
