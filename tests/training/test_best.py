from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from recog_restore.errors import StoreError
from recog_restore.training import best

STATE = {"frn.weight": torch.arange(3.0)}


def test_only_a_greater_number_replaces_what_is_kept(tmp_path: Path) -> None:
    assert best.load(tmp_path) is None
    best.offer(tmp_path, STATE, (64, 64), step=10, number=0.5)
    best.offer(tmp_path, {"frn.weight": torch.ones(3)}, (128, 128), step=20, number=0.5)
    kept = best.load(tmp_path)
    assert kept is not None
    assert (kept.size, kept.step, kept.number) == ((64, 64), 10, 0.5)
    assert torch.equal(kept.state["frn.weight"], STATE["frn.weight"])
    best.offer(tmp_path, {"frn.weight": torch.ones(3)}, (128, 128), step=30, number=0.51)
    kept = best.load(tmp_path)
    assert kept is not None
    assert (kept.step, kept.number) == (30, 0.51)
    assert [file.name for file in tmp_path.iterdir()] == [best.FILE]


def test_no_number_is_no_reason_to_keep_weights(tmp_path: Path) -> None:
    best.offer(tmp_path, STATE, (64, 64), step=10, number=math.nan)
    assert best.load(tmp_path) is None
    best.offer(tmp_path, STATE, (64, 64), step=20, number=0.5)
    best.offer(tmp_path, STATE, (64, 64), step=30, number=math.nan)
    kept = best.load(tmp_path)
    assert kept is not None
    assert kept.step == 20


def test_training_that_begins_forgets_an_earlier_one(tmp_path: Path) -> None:
    best.forget(tmp_path)
    best.offer(tmp_path, STATE, (64, 64), step=10, number=0.5)
    best.forget(tmp_path)
    assert best.load(tmp_path) is None


def test_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / best.FILE).write_bytes(b"damaged")
    with pytest.raises(StoreError, match=r"best\.safetensors: damaged .*; remove it to begin again"):
        best.load(tmp_path)


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"absent/best\.safetensors: cannot be written"):
        best.offer(tmp_path / "absent", STATE, (64, 64), step=1, number=0.1)


def test_part_that_is_judged_by_itself_is_kept_by_itself(tmp_path: Path) -> None:
    best.offer(tmp_path, STATE, (64, 64), step=10, number=0.5)
    best.offer(tmp_path, {"ffn.weight": torch.ones(2)}, (64, 64), step=20, number=0.9, part="ffn")
    whole, part = best.load(tmp_path), best.load(tmp_path, "ffn")
    assert whole is not None
    assert part is not None
    assert (whole.step, part.step) == (10, 20)
    best.forget(tmp_path)
    assert list(tmp_path.iterdir()) == []
