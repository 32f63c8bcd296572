from __future__ import annotations

import numpy as np
import pytest

from recog_restore.datasets.longlists import kept, read_columns
from recog_restore.errors import DataError
from recog_restore.resources import cache_folder

COLUMNS = {"first": np.int32, "second": np.int32, "score": np.float64}


def test_columns_have_their_types_whatever_the_white_space(put):
    columns = read_columns(put("list.txt", "1 2 0.5\n\n  3\t4   1e-3 \r\n"), COLUMNS)
    assert {name: column.tolist() for name, column in columns.items()} == {
        "first": [1, 3],
        "second": [2, 4],
        "score": [0.5, 0.001],
    }
    assert columns["first"].dtype == np.int32


def test_text_columns_keep_what_looks_like_a_number_or_like_nothing(put):
    columns = read_columns(
        put("list.csv", "head\n001.jpg,1\nNA,2\n"), {"name": np.str_, "id": np.int8}, comma=True, skip=1
    )
    assert columns["name"].tolist() == ["001.jpg", "NA"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 0.5\n3 4\n", r"line 2: expected 3 fields \(first second score\); found 2 fields: '3 4'"),
        ("1 2 0.5\n\n3 4 5 6\n", r"line 3: expected 3 fields .*; found 4 fields"),
        ("1 2 3 4\n1 2 3 4\n", r"line 1: expected 3 fields .*; found 4 fields"),
        ("1 2 0.5\n1 x 0.5\n", r"line 2: expected 3 fields .*; found 'x' for second"),
        ("1 2 y\n", r"line 1: expected 3 fields .*; found 'y' for score"),
        ("1 99999999999 0.5\n", r"line 1: .* found '99999999999' for second"),
        (f"1 {'9' * 5000} 0.5\n", r"line 1: .* found '9999.*' for second"),
        ("1.5 2 0.5\n", r"line 1: .* found '1.5' for first"),
        ("", r"expected lines of 3 fields \(first second score\), found none"),
    ],
)
def test_the_first_bad_line_is_named(put, text, message):
    with pytest.raises(DataError, match=rf"list.txt: {message}"):
        read_columns(put("list.txt", text), COLUMNS)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_columns(tmp_path / "list.txt", COLUMNS)
    with pytest.raises(DataError, match="expected a text file, found a folder"):
        read_columns(tmp_path, COLUMNS)
    (tmp_path / "list.txt").write_bytes(b"1 2 \xff\n")
    with pytest.raises(DataError, match="expected UTF-8 text, found byte 0xff"):
        read_columns(tmp_path / "list.txt", {"a": np.int32, "b": np.int32, "c": np.str_})


def test_an_array_is_made_once_for_the_same_file_and_again_for_a_changed_one(put):
    path, made = put("list.txt", "1\n"), []

    def make():
        made.append(1)
        return np.array([len(made)])

    assert [kept(path, "x", make).tolist() for _ in range(3)] == [[1], [1], [1]]
    assert kept(path, "y", make).tolist() == [2]
    put("list.txt", "1\n2\n")
    assert kept(path, "x", make).tolist() == [3]
    assert not kept(path, "x", make).flags.writeable
    assert len(list((cache_folder() / "lists").glob("*.npy"))) == 3


def test_a_damaged_or_unwritable_cache_costs_only_time(put):
    path = put("list.txt", "1\n")
    kept(path, "x", lambda: np.array([1]))
    (file,) = (cache_folder() / "lists").glob("*.npy")
    file.write_bytes(b"damaged")
    assert kept(path, "x", lambda: np.array([2])).tolist() == [2]
    file.unlink()
    file.parent.rmdir()
    file.parent.write_text("not a folder")
    assert kept(path, "x", lambda: np.array([3])).tolist() == [3]
