from __future__ import annotations

import numpy as np
import pytest
import scipy.io

from recog_restore.datasets.agedb import AgeDB
from recog_restore.errors import DataError

LIST = "04_FINAL_protocol_30_years.mat"


def _fold(couples: list[tuple[str, str]], truths: list[int]) -> np.ndarray:
    """One cell of ``splits``; savemat writes a dict as a MATLAB struct and an object array as a cell."""
    images = np.empty((2, len(couples)), object)
    for column, couple in enumerate(couples):
        for row, name in enumerate(couple):
            images[row, column] = {"name": name, "age": int(name.split("_")[-2])}
    return {"pairs": images, "labels": np.array([truths], np.int16)}


def _write(path, folds) -> None:
    splits = np.empty((len(folds), 1), object)
    for number, fold in enumerate(folds):
        splits[number, 0] = fold
    scipy.io.savemat(path, {"splits": splits})


FOLDS = [
    _fold([("0_MariaCallas_35_f", "1_MariaCallas_70_f"), ("0_MariaCallas_35_f", "2_JohnFord_20_m")], [1, -1]),
    _fold([("2_JohnFord_20_m", "3_JohnFord_55_m"), ("3_JohnFord_55_m", "1_MariaCallas_70_f")], [1, -1]),
]


@pytest.fixture
def tree(tmp_path, put):
    _write(tmp_path / LIST, FOLDS)
    for name in ("0_MariaCallas_35_f", "1_MariaCallas_70_f", "2_JohnFord_20_m", "3_JohnFord_55_m"):
        put(f"03_Protocol_Images/{name}.jpg")
    return tmp_path


def test_a_tiny_protocol_gives_the_comparisons_worked_out_by_hand(tree):
    dataset = AgeDB(tree)
    samples, pairs = dataset.samples(), dataset.pairs()
    assert samples.table.to_dict("list") == {
        "sample": ["0_MariaCallas_35_f.jpg", "1_MariaCallas_70_f.jpg", "2_JohnFord_20_m.jpg", "3_JohnFord_55_m.jpg"],
        "subject": ["MariaCallas", "MariaCallas", "JohnFord", "JohnFord"],
        "age": [35, 70, 20, 55],
        "gender": ["f", "f", "m", "m"],
    }
    assert (pairs.first.tolist(), pairs.second.tolist()) == ([0, 0, 2, 3], [1, 2, 3, 1])
    assert pairs.mated.tolist() == [True, False, True, False]
    assert pairs.fold.tolist() == [0, 0, 1, 1]
    assert dataset.missing() == []
    assert samples.landmarks is None


def test_it_is_read_as_the_three_published_readers_read_it(tree):
    # Index chains of FaceX-Zoo's pairs_parser.py and of insightface's agedb2pack.py, on the same file.
    splits = scipy.io.loadmat(tree / LIST)["splits"]
    fold = splits[1]
    assert fold[0][0][0][0][0][0][0][0][0][0] == "2_JohnFord_20_m"
    assert fold[0][0][0][1][0].tolist() == [1, -1]
    split = splits[1][0][0][0][0]
    item = split[1][0][0][0]
    assert (str(item[0][0]), int(item[1].item())) == ("3_JohnFord_55_m", 55)


def test_longer_names_have_the_subject_first(tmp_path):
    _write(tmp_path / LIST, [_fold([("12_Maria_Callas_4_35_f", "12_Maria_Callas_9_70_x")], [1])])
    table = AgeDB(tmp_path).samples().table
    assert table["subject"].tolist() == ["12", "12"]
    assert table["gender"].tolist() == ["f", ""]


def test_the_68_points_beside_an_image_become_five(tree, put):
    points = "\n".join(f"{k} {10 * k}" for k in range(68))
    put("03_Protocol_Images/0_MariaCallas_35_f.pts", f"version: 1\nn_points: 68\n{{\n{points}\n}}\n")
    landmarks = AgeDB(tree).samples().landmarks
    assert landmarks[0].tolist() == [[38.5, 385], [44.5, 445], [30, 300], [48, 480], [54, 540]]
    assert np.isnan(landmarks[1:]).all()


def test_bad_points_are_refused(tree, put):
    put("03_Protocol_Images/0_MariaCallas_35_f.pts", "version: 1\nn_points: 68\n{\n1 2\n}\n")
    with pytest.raises(DataError, match=r"0_MariaCallas_35_f.pts: expected 68 lines 'x y' between braces"):
        AgeDB(tree).samples()


def test_check_counts_and_compares_truths_with_subjects(tree):
    (tree / "03_Protocol_Images/3_JohnFord_55_m.jpg").unlink()
    comparisons, missing, agree = AgeDB(tree).check()
    assert (comparisons.ok, comparisons.expected, comparisons.found) == (False, "6,000", "4")
    assert missing.found == "3; 1 missing: 3_JohnFord_55_m.jpg"
    assert (agree.ok, agree.found) == (True, "4")


def test_check_warns_where_truths_and_subjects_differ(tmp_path):
    _write(tmp_path / LIST, [_fold([("0_MariaCallas_35_f", "2_JohnFord_20_m")], [1])])
    agree = AgeDB(tmp_path).check()[-1]
    assert (agree.ok, agree.found) == (False, "0")
    assert "do not rely on the subjects" in agree.way_out


def test_files_that_are_not_the_protocol_are_refused(tmp_path):
    path = tmp_path / LIST
    with pytest.raises(DataError, match="no such file"):
        AgeDB(tmp_path).pairs()
    path.write_text("hello")
    with pytest.raises(DataError, match=r"expected 'splits', a cell of folds.*; reading it failed with"):
        AgeDB(tmp_path).pairs()
    scipy.io.savemat(path, {"other": 1})
    with pytest.raises(DataError, match="reading it failed with KeyError"):
        AgeDB(tmp_path).pairs()


@pytest.mark.parametrize(
    ("fold", "message"),
    [
        (_fold([("0_A_1_f", "1_A_9_f")], [2]), "expected the truth 1 .mated. or -1 .non-mated., found 2"),
        (_fold([("0_A_1_f", "1_A_9_f")], [1, 1]), "found .2, 1. images and 2 truths"),
        (
            {"pairs": np.array([["a"], ["b"]], object), "labels": np.array([[1]])},
            "expected an image as a struct of name",
        ),
        (_fold([("../0_A_1_f", "1_A_9_f")], [1]), "expected an image's name, found '../0_A_1_f'"),
    ],
)
def test_a_bad_fold_is_refused_and_numbered(tmp_path, fold, message):
    _write(tmp_path / LIST, [fold])
    with pytest.raises(DataError, match=rf"years.mat: fold 1: .*{message}"):
        AgeDB(tmp_path).pairs()
