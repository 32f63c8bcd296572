from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from recog_restore.errors import StoreError
from recog_restore.store import Store, recipe_key

KEY = recipe_key({"a": 1})


def test_what_is_put_is_got_bit_for_bit(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    store = Store(tmp_path)
    assert KEY not in store
    store.put(KEY, {"vectors": vectors[:, ::-1]}, {"failed": [[1, "acquire", "<b>"]]})
    arrays, notes = store.get(KEY)
    np.testing.assert_array_equal(arrays["vectors"], vectors[:, ::-1])
    assert notes == {"failed": [[1, "acquire", "<b>"]]}
    assert KEY in store


def test_key_depends_on_content_and_not_on_order() -> None:
    assert recipe_key({"a": 1, "b": [1]}) == recipe_key({"b": [1], "a": 1})
    assert recipe_key({"a": 1}) != recipe_key({"a": 2})


def test_damaged_file_is_as_good_as_none(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(KEY, {"x": np.ones(100)}, {})
    (file,) = tmp_path.rglob("*.safetensors")
    file.write_bytes(file.read_bytes()[:200])
    assert KEY not in store
    with pytest.raises(StoreError, match="absent or damaged"):
        store.get(KEY)


def test_full_disk_says_so_and_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.put(KEY, {"x": np.ones(3)}, {})

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match=r"the disk is full; free .* --store, .* what is finished is kept"):
        store.put(recipe_key({"a": 2}), {"x": np.ones(3)}, {})
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [f"{KEY}.safetensors"]


def test_really_full_disk(tmp_path: Path) -> None:
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", tmp_path], check=False).returncode
    ):
        pytest.skip("no right to mount a small disk")
    try:
        store = Store(tmp_path)
        store.put(KEY, {"x": np.ones(100)}, {})
        with pytest.raises(StoreError, match="the disk is full"):
            store.put(recipe_key({"a": 2}), {"x": np.ones(100_000)}, {})
        assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [f"{KEY}.safetensors"]
        np.testing.assert_array_equal(store.get(KEY)[0]["x"], np.ones(100))
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written to"):
        Store(tmp_path / "file").put(KEY, {"x": np.ones(3)}, {})
