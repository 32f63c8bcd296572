from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def real() -> Callable[[str], Path]:
    """Find a real data set beside the repository; skip where there is none."""

    def find(name: str) -> Path:
        if not (_SHARED / name).is_dir():
            pytest.skip(f"needs the real data set ../shared/data/{name}")
        return _SHARED / name

    return find


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a text file below tmp_path; the empty text makes an empty file."""

    def write(name: str, text: str = "") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return write
