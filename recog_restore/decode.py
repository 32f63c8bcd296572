"""Files into RGB images, every oddity handled on purpose. No torch here: this runs in the worker processes.

Convention: the result is (H, W, 3) uint8 RGB, upright.

* Grey becomes three equal channels; CMYK is converted by the decoder.
* Alpha is composed over black, the colour that alignment puts outside the image.
* 16 bits are scaled by the format's own maximum (65535, or a PGM's ``maxval``) and rounded.
* An EXIF orientation is applied: the pixels are turned as the camera was held.
* Of an animation or a file of several pages, the first picture is taken.
* A truncated file is refused, never filled up with grey, and so is a JPEG of which the decoder warns. Bytes after the
  end of an image are ignored.
* The size is read from the header first: an image of more than ``MAX_PIXELS`` is refused before it is decoded.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from .errors import DataError
from .files import read_regular
from .headers import exif_of_jpeg, format_of, maximum_of, orientation, size_of

# Endings of the files that are read, and of those that look like photos and are not.
SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".pgm", ".ppm", ".pnm", ".webp"),
    *(".gif", ".tif", ".tiff", ".avif", ".heic", ".heif"),
)
UNREAD = (".jp2", ".jxl", ".dng", ".cr2", ".nef", ".arw")

MIN_SIDE = 8  # pixels; nothing smaller can hold five landmarks
# The largest image that is decoded, in pixels; the environment variable RECOG_RESTORE_MAX_PIXELS overrides it. Beyond
# 2**30 pixels, OpenCV's own limit, OPENCV_IO_MAX_IMAGE_PIXELS has to be raised too.
MAX_PIXELS = 1 << 27
_LIMIT = "RECOG_RESTORE_MAX_PIXELS"

_READ = ("JPEG", "PNG", "WebP", "BMP", "GIF", "TIFF", "PGM/PPM", "AVIF", "HEIC")
_BAND = 1 << 20  # pixels whose channels are converted at a time

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
        DataError: the file is missing, empty, not an image of a known format, damaged, truncated, too large or too
            small; the message is the reason that a failure to acquire carries, so it does not repeat the file's name.
    """
    return decode(_bytes(file)) if isinstance(file, (Path, bytes)) else file.read()


def decode(data: bytes) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 RGB from an encoded JPEG, PNG, WebP, BMP, GIF, TIFF, PGM, PPM, AVIF or HEIC image.

    AVIF and HEIC need Pillow and pillow-heif, which ``recog-restore[heic]`` installs.

    Raises:
        DataError: see ``read_image``.
    """
    if not data:
        raise DataError("empty file")
    name = format_of(data)
    if name not in _READ:
        found = f"{name} is not read" if name else "not an image"
        raise DataError(f"{found}: expected {', '.join(_READ[:-1])} or {_READ[-1]} content")
    try:
        image = _decoded(name, data)
    except (MemoryError, cv2.error) as error:
        if isinstance(error, cv2.error) and error.code != cv2.Error.StsNoMem:
            raise _damaged(name, f"{len(data)} bytes do not decode") from None
        raise DataError(f"{name}: there is not enough memory to decode it") from None
    except ValueError as error:
        raise _damaged(name, str(error)) from None
    height, width = image.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise DataError(f"image is {width}×{height} px; at least {MIN_SIDE}×{MIN_SIDE} are needed to hold a face")
    return image


def _bytes(file: Path | bytes) -> bytes:
    if isinstance(file, bytes):
        return file
    try:
        return read_regular(file)
    except FileNotFoundError:
        raise DataError("file is missing") from None
    except OSError as error:
        raise DataError(f"file cannot be read: {error.strerror}") from None


def _damaged(name: str, reason: str) -> DataError:
    return DataError(f"damaged or truncated {name}: {reason}")


def _check_size(width: int, height: int) -> None:
    """Raise DataError where an image has too many pixels to be decoded."""
    text = os.environ.get(_LIMIT) or str(MAX_PIXELS)
    if not re.fullmatch("[0-9]{1,18}", text):
        raise DataError(f"{_LIMIT}={text[:40]}: expected a number of pixels, such as {MAX_PIXELS}")
    if width * height > int(text):
        raise DataError(
            f"image is {width}×{height} px, {width * height / 1e6:,.0f} million pixels; at most {int(text) / 1e6:,.0f} "
            f"million are decoded; set {_LIMIT} to allow more"
        )


def _decoded(name: str, data: bytes) -> NDArray[np.uint8]:
    """Return the image; ValueError has the reason why there is none."""
    if name in ("AVIF", "HEIC"):
        return _by_pillow(name, data)
    if name == "JPEG":
        height, width, *_ = simplejpeg.decode_jpeg_header(data)
        _check_size(width, height)
        return _turn(simplejpeg.decode_jpeg(data, "RGB"), orientation(exif_of_jpeg(data)))
    _check_size(*size_of(name, data))
    pixels, kinds, blobs = cv2.imdecodeWithMetadata(np.frombuffer(data, np.uint8), flags=cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError(f"{len(data)} bytes do not decode")
    blocks = zip(kinds, blobs, strict=True)
    exif = next((blob.tobytes() for kind, blob in blocks if kind == cv2.IMAGE_METADATA_EXIF), b"")
    return _turn(_rgb(pixels, maximum_of(data)), orientation(exif))


def _by_pillow(name: str, data: bytes) -> NDArray[np.uint8]:
    try:
        from PIL import Image, ImageOps

        if name == "HEIC":
            from pillow_heif import register_heif_opener

            register_heif_opener()
    except ImportError:
        raise DataError(f"{name}: its decoder is not installed; pip install 'recog-restore[heic]'") from None
    try:
        with Image.open(io.BytesIO(data)) as opened:
            _check_size(*opened.size)
            upright = ImageOps.exif_transpose(opened)
            pixels = np.asarray(upright.convert("RGBA" if upright.has_transparency_data else "RGB"))
    except Image.DecompressionBombError as error:  # Pillow's own limit, above MAX_PIXELS
        raise DataError(f"{name}: {error}") from None
    except (OSError, RuntimeError, SyntaxError):
        raise ValueError(f"{len(data)} bytes do not decode") from None
    return _rgb(pixels[:, :, (2, 1, 0, 3)[: pixels.shape[2]]], 255)


def _rgb(pixels: NDArray[Any], white: int) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 RGB from OpenCV's grey, BGR or BGRA of 8 or 16 bits; ``white`` is the maximum of 16."""
    if pixels.dtype not in (np.uint8, np.uint16):
        raise DataError(f"pixels are {pixels.dtype}; expected 8 or 16 bits a channel")
    image = np.empty((*pixels.shape[:2], 3), np.uint8)
    step = max(1, _BAND // pixels.shape[1])  # the floats below are as large as the image only for a small one
    for top in range(0, len(pixels), step):
        band = pixels[top : top + step]
        if band.dtype == np.uint16:
            band = np.minimum(np.rint(band * (255.0 / white)), 255).astype(np.uint8)
        if band.ndim == 2:
            band = band[:, :, None]
        colour = band[:, :, 2::-1]
        if band.shape[2] == 4:
            colour = np.rint(colour * (band[:, :, 3:] / 255.0)).astype(np.uint8)
        image[top : top + step] = colour
    return image


def _turn(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    if orientation in (5, 6, 7, 8):
        image = image.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)
