from __future__ import annotations

import numpy as np
import pytest

from recog_restore.datasets.landmarks import own_landmarks, read_landmarks, write_landmarks
from recog_restore.errors import ConventionError, DataError

HEADER = "path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5"
TEN = "1,2,3,4,5,6,7,8,9,10"


def test_points_are_matched_by_name_and_missing_rows_are_nan(put):
    path = put(
        "landmarks.csv", f"{HEADER},score\nb/2.jpg,{TEN},0.9\na/1.jpg,10,9,8,7,6,5,4,3,2,1,\nc/3.jpg,,,,,,,,,,,0.1\n"
    )
    points = read_landmarks(path, ["a/1.jpg", "b/2.jpg", "c/3.jpg", "d/4.jpg"])
    assert points.shape == (4, 5, 2)
    assert points.dtype == np.float64
    assert points[1].tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]
    assert points[0, 0].tolist() == [10, 9]
    assert np.isnan(points[2:]).all()


def test_backslashes_quotes_and_a_byte_order_mark_are_read(put):
    path = put("landmarks.csv", f'\ufeff{HEADER}\na\\1.jpg,{TEN}\n"<script>,é/1.jpg",{TEN}\n\n')
    assert np.isfinite(read_landmarks(path, ["a/1.jpg", "<script>,é/1.jpg"])).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,x1\n", r"landmarks.csv: line 1: expected path,x1,y1,.*\[,score\], found 'path,x1'"),
        ("", r"line 1: expected path,x1,y1.* found ''"),
        (f"{HEADER}\na,1,2\n", r"line 2: expected 11 fields, found 3"),
        (f"{HEADER}\na,{TEN}\na,{TEN}\n", r"line 3: 'a' has points already on line 2"),
        (f"{HEADER}\n{'x' * 200_000}\n", r"line 2: not a CSV: field larger than field limit"),
        (f"{HEADER}\na,1,2,x,4,5,6,7,8,9,10\n", r"line 2: x2: expected a finite number, found 'x'"),
        (f"{HEADER}\na,1,2,3,inf,5,6,7,8,9,10\n", r"line 2: y2: expected a finite number, found 'inf'"),
        (f"{HEADER}\na,1,2,3,,5,6,7,8,9,10\n", r"line 2: y2: expected a finite number, found ''"),
    ],
)
def test_a_malformed_table_is_refused_with_its_line(put, text, message):
    with pytest.raises(DataError, match=message):
        read_landmarks(put("landmarks.csv", text), ["a"])


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "landmarks.csv").write_bytes(b"path\xff\xd8")
    with pytest.raises(DataError, match="expected UTF-8 text, found byte 0xff"):
        own_landmarks(tmp_path, ["a"])


def test_no_file_means_no_landmarks(tmp_path):
    assert own_landmarks(tmp_path, ["a"]) is None


def test_what_is_written_is_read_back_to_a_hundredth_of_a_pixel(tmp_path):
    names = ["a/1.jpg", 'b,"2".jpg', "ü/<script>.jpg"]
    points = np.random.default_rng(0).uniform(0, 250, (3, 5, 2))
    points[1] = np.nan
    write_landmarks(tmp_path / "new" / "landmarks.csv", names, points, np.array([0.91234, np.nan, 0.5]))
    back = read_landmarks(tmp_path / "new" / "landmarks.csv", names)
    np.testing.assert_allclose(back, points, atol=0.00501)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["landmarks.csv"]
    assert "0.9123\n" in (tmp_path / "new" / "landmarks.csv").read_text("utf-8")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "landmarks.csv"
    write_landmarks(path, ["a"], np.ones((1, 5, 2)))
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_landmarks(path, ["a"], np.zeros((1, 5, 2)))
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_writing_refuses_shapes_that_do_not_agree_and_repeated_names(tmp_path):
    with pytest.raises(
        ConventionError, match=r"expected \(2, 5, 2\) points and \(2,\) scores, got \(1, 5, 2\) and None"
    ):
        write_landmarks(tmp_path / "l.csv", ["a", "b"], np.ones((1, 5, 2)))
    with pytest.raises(ConventionError, match="a name comes twice"):
        write_landmarks(tmp_path / "l.csv", ["a", "a"], np.ones((2, 5, 2)))
