from __future__ import annotations

import numpy as np
import pytest

from recog_restore.datasets.table import Table
from recog_restore.errors import DataError

SAMPLES = """path,subject,role,age,place,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5
a/1.jpg,001,gallery,30,<b>,1,2,3,4,5,6,7,8,9,10
a/2.jpg,001,probe,31,,,,,,,,,,,
"b,c.jpg",Бо,probe,7,x,1,2,3,4,5,6,7,8,9,10
d.jpg,001,,8,x,1,2,3,4,5,6,7,8,9,10
"""


def test_a_tiny_table_gives_what_was_worked_out_by_hand(tmp_path, put):
    put("samples.csv", SAMPLES)
    dataset = Table(tmp_path)
    samples, split = dataset.samples(), dataset.split()
    assert list(samples.table) == ["sample", "subject", "age", "place"]
    assert samples.table["sample"].tolist() == ["a/1.jpg", "a/2.jpg", "b,c.jpg", "d.jpg"]
    assert samples.table["subject"].tolist() == ["001", "001", "Бо", "001"]
    assert samples.table["age"].tolist() == [30, 31, 7, 8]
    assert samples.table["age"].dtype == np.int64
    assert samples.table["place"].tolist() == ["<b>", "", "x", "x"]
    assert samples.files[0] == tmp_path / "a" / "1.jpg"
    assert samples.landmarks[2].tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]
    assert np.isnan(samples.landmarks[1]).all()
    assert (split.gallery.tolist(), split.probes.tolist()) == ([0], [1, 2])
    assert dataset.missing() == ["a/1.jpg", "a/2.jpg", "b,c.jpg", "d.jpg"]


def test_the_file_itself_can_be_named_and_a_label_may_have_gaps(put):
    file = put("mine.csv", "subject , path, yaw\nann,1.jpg,0.5\nann,2.jpg,\n")
    samples = Table(file).samples()
    np.testing.assert_array_equal(samples.table["yaw"], [0.5, np.nan])
    assert samples.files[1] == file.parent / "2.jpg"
    assert samples.landmarks is None


def test_landmarks_csv_is_used_where_the_table_has_none(put):
    put("landmarks.csv", "path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\n1.jpg,1,2,3,4,5,6,7,8,9,10\n")
    assert Table(put("mine.csv", "path,subject\n1.jpg,a\n")).samples().landmarks[0, 0].tolist() == [1, 2]


def test_comparisons_with_folds_are_read(tmp_path, put):
    put("samples.csv", SAMPLES)
    put("pairs.csv", 'first,second,mated,fold\na/1.jpg,a/2.jpg,1,1\na\\2.jpg,"b,c.jpg",No,2\na/1.jpg,d.jpg,TRUE,2\n')
    pairs = Table(tmp_path).pairs()
    assert (pairs.first.tolist(), pairs.second.tolist()) == ([0, 1, 0], [1, 2, 3])
    assert (pairs.mated.tolist(), pairs.fold.tolist()) == ([True, False, True], [0, 1, 1])


def test_without_folds_both_kinds_are_dealt_in_turn(tmp_path, put):
    put("samples.csv", "path,subject\n" + "".join(f"{s}{i}.jpg,{s}\n" for s in "ab" for i in range(6)))
    mated = [f"{s}0.jpg,{s}{i}.jpg,1" for s in "ab" for i in range(1, 6)]
    others = [f"a0.jpg,b{i}.jpg,0" for i in range(4)]
    put("mine.csv", "first,second,mated\n" + "\n".join(mated + others))
    pairs = Table(tmp_path, pairs="mine.csv").pairs()
    assert pairs.fold[pairs.mated].tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    assert pairs.fold[~pairs.mated].tolist() == [0, 1, 2, 3]


def test_check_counts(tmp_path, put):
    put("samples.csv", SAMPLES)
    put("pairs.csv", "first,second,mated\na/1.jpg,a/2.jpg,1\na/1.jpg,d.jpg,1\n")
    found = {finding.what: finding.found for finding in Table(tmp_path).check()}
    assert found["subjects"] == "2"
    assert found["images on disk"].startswith("0; 4 missing: a/1.jpg, a/2.jpg, b,c.jpg, …")
    assert found["comparisons in pairs.csv"] == "2, 2 of them mated"
    assert found["gallery and probes"] == "1 and 2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected a column 'path'; known: none"),
        ("pth,subject\n", "line 1: expected a column 'path'; did you mean 'pth'?"),
        ("path,subjects\n", "line 1: expected a column 'subject'; did you mean 'subjects'?"),
        ("path,subject,age,age\n", "line 1: the column 'age' stands twice; rename it"),
        ("path,subject,sample\n", "line 1: the column 'sample' is the toolkit's own name for path; rename it"),
        ("path,subject\n", "expected a line for each image, found only the header"),
        ("path,subject\na.jpg\n", "line 2: expected 2 fields, found 1"),
        ("path,subject\na.jpg,\n", "line 2: column 'subject': expected a text, found nothing"),
        ("path,subject\n\na.jpg,a\na.jpg,b\n", "line 4: 'a.jpg' is listed already on line 3"),
        ("path,subject\na.jpg,a\n./b/../a.jpg,b\n", "line 3: 'a.jpg' is listed already on line 2"),
        ("path,subject\na.jpg,a\0b\n", "expected UTF-8 text, found byte 0x00 on line 2"),
        (f"path,subject\na.jpg,{'x' * 200_000}\n", "line 2: not a CSV: field larger than field limit"),
        ("path,subject,role\na.jpg,a,galery\n", "line 2: column 'role': no role 'galery'; did you mean 'gallery'?"),
        ("path,subject,x1\na.jpg,a,1\n", "line 1: found column 'x1' but not 'y1'; landmarks need all ten"),
        (SAMPLES.replace("9,10\nd", "9,ten\nd"), "line 4: column 'y5': expected a finite number, found 'ten'"),
    ],
)
def test_a_bad_table_is_refused_with_file_line_and_column(put, text, message):
    file = put("samples.csv", text)
    with pytest.raises(DataError) as error:
        Table(file).samples()
    assert f"{file}: {message}".rstrip("?") in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("frst,second,mated\n", "line 1: expected a column 'first'; did you mean 'frst'?"),
        ("first,second,mated\n", "expected a line for each comparison, found only the header"),
        ("first,second,mated\na/1.jpg,x.jpg,1\n", "line 2: column 'second': 'x.jpg' is not in samples.csv"),
        ("first,second,mated\na/1.jpg,d.jpg,same\n", "line 2: column 'mated': expected 1 or 0, found 'same'"),
        (
            "first,second,mated\na/1.jpg,d.jpg,0\n",
            "line 2: column 'mated' is 0, but samples.csv has the subjects '001' and '001'",
        ),
        ("first,second,mated,fold\na/1.jpg,d.jpg,1,0\n", "line 2: column 'fold': expected a fold from 1, found '0'"),
        (
            f"first,second,mated,fold\na/1.jpg,d.jpg,1,{'9' * 5000}\n",
            f"line 2: column 'fold': expected a fold from 1, found '{'9' * 20}'",
        ),
    ],
)
def test_a_bad_list_of_comparisons_is_refused(tmp_path, put, text, message):
    put("samples.csv", SAMPLES)
    file = put("pairs.csv", text)
    with pytest.raises(DataError) as error:
        Table(tmp_path).pairs()
    assert f"{file}: {message}" in str(error.value)


def test_what_the_table_does_not_have_is_an_error_only_when_it_is_asked_for(put):
    dataset = Table(put("samples.csv", "path,subject,rle\na.jpg,a,b\n"))
    assert len(dataset.samples()) == 1
    with pytest.raises(
        DataError, match=r"pairs.csv: no such file; comparisons need a CSV with the columns first, second"
    ):
        dataset.pairs()
    with pytest.raises(
        DataError, match="identification needs a column 'role' with gallery and probe; did you mean 'rle'"
    ):
        dataset.split()


def test_images_that_are_crops_already_need_no_landmarks(tmp_path, put):
    put("samples.csv", SAMPLES)
    samples = Table(tmp_path, alignment="arcface-112").samples()
    assert (samples.alignment, samples.landmarks) == ("arcface-112", None)
