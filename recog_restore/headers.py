"""What the headers of image files say: format, size and orientation. Nothing is decoded here."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

_SIGNATURES = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "WebP": rb"RIFF.{4}WEBP",
    "BMP": rb"BM",
    "GIF": rb"GIF8[79]a",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "PGM/PPM": rb"P[2356][\s#]",
    "AVIF": rb".{4}ftypavi[fs]",
    "HEIC": rb".{4}ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)",
    "JPEG 2000": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    "JPEG XL": rb"\0\0\0\x0cJXL |\xff\x0a",
}
_PATTERNS = {name: re.compile(pattern, re.DOTALL) for name, pattern in _SIGNATURES.items()}
_PNM = re.compile(rb"P[2356](?:\s+|#[^\n]*\n)+(\d+)(?:\s+|#[^\n]*\n)+(\d+)(?:\s+|#[^\n]*\n)+(\d+)\s")


def format_of(data: bytes) -> str | None:
    """Return the name of the format that an image file begins like, None where it is none of those known here."""
    return next((name for name, pattern in _PATTERNS.items() if pattern.match(data)), None)


def size_of(name: str, data: bytes) -> tuple[int, int]:
    """Return width and height of a PNG, WebP, BMP, GIF, TIFF or PGM/PPM image in pixels.

    Raises:
        ValueError: the header does not say them.
    """
    try:
        return _SIZES[name](data)
    except (struct.error, LookupError):
        raise ValueError("its header has no size") from None


def maximum_of(data: bytes) -> int:
    """Return the value of white in 16 bits: a PGM's or PPM's ``maxval``, else 65535."""
    header = _PNM.match(data)
    return max(1, int(header[3][:9])) if header else 65535


def exif_of_jpeg(data: bytes) -> bytes:
    """Return the EXIF block of a JPEG file, empty where there is none."""
    at = 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] != b"\xda":
        if data[at + 1 : at + 2] == b"\xff":  # bytes that fill the space before a marker
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1 : at + 2] == b"\xe1" and data[at + 4 : at + 10] == b"Exif\0\0":
            return data[at + 4 : at + 2 + length]
        at += 2 + length
    return b""


def orientation(exif: bytes) -> int:
    """Return the orientation (1…8) in an EXIF block, 1 where there is none. Source: EXIF 2.32, tag 0x0112."""
    tiff = exif.removeprefix(b"Exif\0\0")
    try:
        return _entries(tiff).get(0x0112, 1)
    except (struct.error, LookupError):
        return 1


def _entries(tiff: bytes) -> dict[int, int]:
    """Return the first directory of a TIFF block: its numbers by tag, as far as the block goes. BigTIFF counts too.

    Source: TIFF 6.0, section 2.
    """
    order = {b"II": "<", b"MM": ">"}[tiff[:2]]
    if struct.unpack_from(f"{order}H", tiff, 2)[0] == 43:
        offset, count, width, value = "8xQ", "Q", 20, 12
    else:
        offset, count, width, value = "4xI", "H", 12, 8
    (start,) = struct.unpack_from(order + offset, tiff)
    (entries,) = struct.unpack_from(order + count, tiff, start)
    start += struct.calcsize(order + count)
    found: dict[int, int] = {}
    for at in range(start, min(start + width * entries, len(tiff) - width + 1), width):
        tag, kind = struct.unpack_from(f"{order}HH", tiff, at)
        if kind in (3, 4):  # SHORT and LONG
            found.setdefault(tag, struct.unpack_from(order + "HI"[kind - 3], tiff, at + value)[0])
    return found


def _png(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _bmp(data: bytes) -> tuple[int, int]:
    (header,) = struct.unpack_from("<I", data, 14)
    width, height = struct.unpack_from("<HH" if header == 12 else "<ii", data, 18)
    return abs(width), abs(height)


def _gif(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _webp(data: bytes) -> tuple[int, int]:
    """Source: RFC 9649, sections 2.5 to 2.7."""
    kind = data[12:16]
    if kind == b"VP8X":
        low, high, low_h, high_h = struct.unpack_from("<HBHB", data, 24)
        return low + (high << 16) + 1, low_h + (high_h << 16) + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _tiff(data: bytes) -> tuple[int, int]:
    entries = _entries(data)
    return entries[256], entries[257]


def _pnm(data: bytes) -> tuple[int, int]:
    header = _PNM.match(data)
    if header is None:
        raise LookupError
    return int(header[1][:12]), int(header[2][:12])


_SIZES: dict[str, Callable[[bytes], tuple[int, int]]] = {
    "PNG": _png,
    "WebP": _webp,
    "BMP": _bmp,
    "GIF": _gif,
    "TIFF": _tiff,
    "PGM/PPM": _pnm,
}
