"""Files into RGB images, every oddity handled on purpose. No torch here: this runs in the worker processes.

Convention: the result is (H, W, 3) uint8 RGB, upright.

* Grey becomes three equal channels; CMYK is converted by the decoder.
* Alpha is composed over black, the colour that alignment puts outside the image.
* 16 bits are scaled by the format's own maximum (65535, or a PGM's ``maxval``) and rounded.
* An EXIF orientation is applied: the pixels are turned as the camera was held.
* A truncated file is refused, never filled up with grey.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import DataError
from .files import read_regular

# Endings of the files that are read, and of those that look like photos and are not.
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".pgm", ".ppm", ".webp")
UNREAD = (".tif", ".tiff", ".gif", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".dng", ".cr2", ".nef", ".arw")

MIN_SIDE = 8  # pixels; nothing smaller can hold five landmarks

_FORMATS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF", b"P2", b"P3", b"P5", b"P6")
_PNM_HEADER = re.compile(rb"P[2356](?:\s+|#[^\n]*\n)+(\d+)(?:\s+|#[^\n]*\n)+(\d+)(?:\s+|#[^\n]*\n)+(\d+)\s")

cv2.utils.logging.setLogLevel(0)  # the reason of a failure goes into the result, not to stderr from a worker


class Rendered(Protocol):
    """An image that is computed when it is asked for, instead of lying in a file."""

    def digest(self) -> str:
        """Return a SHA-256 of all that the pixels depend on; equal digests mean equal pixels."""

    def read(self) -> NDArray[np.uint8]:
        """Return (H, W, 3) uint8 RGB, the same at every call."""


Source = Path | bytes | Rendered


def read_image(file: Source) -> NDArray[np.uint8]:
    """Return the image in a file, in the bytes themselves, or the one that is rendered.

    Raises:
        DataError: the file is missing, empty, not an image of a known format, truncated, or too small; the message is
            the reason that a failure to acquire carries, so it does not repeat the file's name.
    """
    return decode(_bytes(file)) if isinstance(file, (Path, bytes)) else file.read()


def decode(data: bytes) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 RGB from an encoded JPEG, PNG, BMP, PGM/PPM or WebP image.

    Raises:
        DataError: see ``read_image``.
    """
    if not data:
        raise DataError("empty file")
    if not data.startswith(_FORMATS):
        raise DataError("not an image: expected JPEG, PNG, BMP, PGM, PPM or WebP content")
    jpeg = data.startswith(b"\xff\xd8\xff")
    # The end-of-image marker must follow the last start of scan: neither can occur inside entropy-coded data.
    if jpeg and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda"):
        raise DataError("truncated JPEG: no end-of-image marker")
    buffer = np.frombuffer(data, np.uint8)
    try:
        image = cv2.imdecode(buffer, cv2.IMREAD_COLOR_RGB) if jpeg else _decode_unchanged(data, buffer)
    except cv2.error:
        image = None
    if image is None:
        raise DataError(f"damaged or truncated {'JPEG' if jpeg else 'image'}: {len(data)} bytes do not decode")
    height, width = image.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise DataError(f"image is {width}×{height} px; at least {MIN_SIDE}×{MIN_SIDE} are needed to hold a face")
    return image.astype(np.uint8, copy=False)


def _bytes(file: Path | bytes) -> bytes:
    if isinstance(file, bytes):
        return file
    try:
        return read_regular(file)
    except FileNotFoundError:
        raise DataError("file is missing") from None
    except OSError as error:
        raise DataError(f"file cannot be read: {error.strerror}") from None


def _decode_unchanged(data: bytes, buffer: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    pixels, kinds, blobs = cv2.imdecodeWithMetadata(buffer, flags=cv2.IMREAD_UNCHANGED)
    if pixels is None:
        return None
    if pixels.dtype == np.uint16:
        header = _PNM_HEADER.match(data)
        maximum = int(header[3]) if header else 65535
        pixels = np.minimum(np.rint(pixels * (255.0 / maximum)), 255).astype(np.uint8)
    elif pixels.dtype != np.uint8:
        raise DataError(f"pixels are {pixels.dtype}; expected 8 or 16 bits a channel")
    exif = next(
        (blob.tobytes() for kind, blob in zip(kinds, blobs, strict=True) if kind == cv2.IMAGE_METADATA_EXIF), b""
    )
    return _turn(_three_channels(pixels.astype(np.uint8, copy=False)), _orientation(exif))


def _three_channels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if pixels.ndim == 2:
        return np.repeat(pixels[:, :, None], 3, axis=2)
    colour = pixels[:, :, 2::-1]
    if pixels.shape[2] == 4:
        colour = np.rint(colour * (pixels[:, :, 3:] / 255.0)).astype(np.uint8)
    return np.ascontiguousarray(colour)


def _orientation(exif: bytes) -> int:
    """Return the orientation (1…8) in an EXIF block, 1 where there is none. Source: EXIF 2.32, tag 0x0112."""
    tiff = exif.removeprefix(b"Exif\x00\x00")
    if tiff[:2] not in (b"II", b"MM") or len(tiff) < 10:
        return 1

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], "little" if tiff[:2] == b"II" else "big")

    directory = number(4, 4)
    for entry in range(number(directory, 2)):
        at = directory + 2 + 12 * entry
        if number(at, 2) == 0x0112:
            return number(at + 8, 2)
    return 1


def _turn(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    if orientation in (5, 6, 7, 8):
        image = image.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)
