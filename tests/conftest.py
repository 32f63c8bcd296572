from __future__ import annotations

from pathlib import Path

import pytest

from recog_restore.datasets.drawn import draw


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's configuration and cache out of the tests."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real faces and weights beside the checkout; tests that need it are skipped without."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data" / "lfw" / "pairs.txt").is_file() or not (folder / "weights").is_dir():
        pytest.skip("real faces and weights are not beside the checkout (../shared)")
    return folder


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of 20 drawn people with 3 images each, in LFW's layout; read only."""
    return draw(tmp_path_factory.mktemp("drawn") / "faces", people=20, images=3)
