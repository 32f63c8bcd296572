from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save

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
    with pytest.raises(StoreError, match="damaged; run the same command again"):
        store.get(KEY)
    assert list(store.damaged) == [file]
    store.put(KEY, {"x": np.zeros(100)}, {})
    assert store.get(KEY)[0]["x"].sum() == 0


def test_any_damage_is_noticed(tmp_path: Path) -> None:
    store, other = Store(tmp_path), recipe_key({"a": 2})
    vectors = np.ones((4, 3), np.float32)
    store.put(KEY, {"vectors": vectors}, {"failed": [[1, "acquire", "no"]]})
    store.put(other, {"vectors": vectors}, {"failed": [[1, "acquire", "no"]]})
    file = tmp_path / KEY[:2] / f"{KEY}.safetensors"
    good = file.read_bytes()
    with safe_open(file, framework="numpy") as opened:
        notes = opened.metadata()
    failed = {**notes, "notes": '{"failed": [[999, "acquire", "no"]]}'}
    damages = {
        "nothing": b"",
        "text": b"text",
        "zeros": bytes(len(good)),
        "last byte missing": good[:-1],
        "a byte more": good + b"\0",
        "another piece": (tmp_path / other[:2] / f"{other}.safetensors").read_bytes(),
        "no notes": save({"vectors": vectors}),
        "no checksum": save({"vectors": vectors}, {"notes": notes["notes"]}),
        "other notes": save({"vectors": vectors}, failed),
        "notes that are no JSON": save({"vectors": vectors}, {**notes, "notes": "text"}),
        "one row less": save({"vectors": vectors[:-1]}, notes),
        "other shape": save({"vectors": vectors.reshape(3, 4)}, notes),
        "other type": save({"vectors": vectors.view(np.int32)}, notes),
        "NaN": save({"vectors": vectors * np.float32(np.nan)}, notes),
        "other name": save({"x": vectors}, notes),
    }
    for name, content in damages.items():
        file.write_bytes(content)
        assert KEY not in store, name
    for place in range(len(good)):
        file.write_bytes(good[:place] + bytes([good[place] ^ 0x40]) + good[place + 1 :])
        if KEY in store:  # a space of the header's padding, or in its JSON
            arrays, kept = store.get(KEY)
            np.testing.assert_array_equal(arrays["vectors"], vectors)
            assert kept == {"failed": [[1, "acquire", "no"]]}
    file.write_bytes(good)
    assert KEY in store


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    file = tmp_path / KEY[:2] / f"{KEY}.safetensors"
    file.mkdir(parents=True)
    assert KEY not in store
    with pytest.raises(StoreError, match=f"{KEY}.safetensors: cannot be written: Is a directory"):
        store.put(KEY, {"x": np.ones(3)}, {})


def test_full_disk_says_so_and_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.put(KEY, {"x": np.ones(3)}, {})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
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
    with pytest.raises(StoreError, match="cannot be written: Not a directory"):
        Store(tmp_path / "file").put(KEY, {"x": np.ones(3)}, {})
