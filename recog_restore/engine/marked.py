"""PNG files that say of themselves that they are synthesized."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

_HEADER = 8 + 25  # signature and IHDR chunk: every other chunk may follow


def png(image: NDArray[np.uint8], texts: Mapping[str, str]) -> bytes:
    """Return a PNG file of an (H, W, 3) uint8 RGB image with one international text chunk (iTXt) per text.

    Args:
        texts: by keyword, in the order in which they are to be written; ``Software`` and ``Comment`` are known to all
            readers.

    Source: Portable Network Graphics (PNG) Specification, third edition, sections 5 and 11.3.3.
    """
    _, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    data = encoded.tobytes()
    return data[:_HEADER] + b"".join(_text(*item) for item in texts.items()) + data[_HEADER:]


def _text(keyword: str, text: str) -> bytes:
    # Keyword, not compressed, no language, no translated keyword.
    body = b"iTXt" + keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8", "replace")
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
