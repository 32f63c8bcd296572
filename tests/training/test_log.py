from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from recog_restore.training.log import LOG, Log


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / LOG).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_number_stands_under_its_own_name_in_every_row(tmp_path: Path) -> None:
    with Log(tmp_path, 0) as log:
        log.row(LOG, 1, {"a": 1, "b": 2})
        log.row(LOG, 2, {"b": 3})
        log.row(LOG, 3, {"c, d": 4, "a": 5})
    assert rows(tmp_path) == [
        {"step": "1", "a": "1", "b": "2", "c, d": ""},
        {"step": "2", "a": "", "b": "3", "c, d": ""},
        {"step": "3", "a": "5", "b": "", "c, d": "4"},
    ]


def test_rows_beyond_the_checkpoint_and_half_a_row_are_dropped(tmp_path: Path) -> None:
    with Log(tmp_path, 0) as log:
        for step in (1, 2, 3):
            log.row(LOG, step, {"a": step})
    with (tmp_path / LOG).open("a", encoding="utf-8") as file:
        file.write("1")
    with Log(tmp_path, 2):
        assert [row["step"] for row in rows(tmp_path)] == ["1", "2"]
    with Log(tmp_path, 0) as log:
        assert rows(tmp_path) == []
        log.row(LOG, 1, {"b": 1})
    assert rows(tmp_path) == [{"step": "1", "b": "1"}]


def test_table_that_cannot_be_cut_stays_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Log(tmp_path, 0) as log:
        log.row(LOG, 1, {"a": 1})
        log.row(LOG, 2, {"a": 2})

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="No space left"):
        Log(tmp_path, 1)
    assert len(rows(tmp_path)) == 2
