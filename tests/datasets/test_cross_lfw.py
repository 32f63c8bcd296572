from __future__ import annotations

import numpy as np
import pytest

from recog_restore.datasets.cross_lfw import CALFW, CPLFW
from recog_restore.errors import DataError


def _lines(tags: list[int]) -> str:
    """Twenty comparisons, the mated ones first: person k with itself, then with person k + 1."""
    lines = []
    for k, tag in enumerate(tags):
        lines += [f"Person_{k}_1.jpg {tag}", f"Person_{k}_2.jpg {tag}"]
    for k in range(len(tags)):
        lines += [f"Person_{k}_1.jpg 0", f"Person_{(k + 1) % len(tags)}_2.jpg 0"]
    return "\n".join(lines) + "\n"


@pytest.fixture
def tree(tmp_path, put):
    put("pairs_CPLFW.txt", _lines([1] * 20))
    for k in range(20):
        for i in (1, 2):
            put(f"images/Person_{k}_{i}.jpg")
    return tmp_path


def test_mated_then_nonmated_comparisons_are_interleaved_into_ten_folds(tree):
    dataset = CPLFW(tree)
    names, pairs = dataset.samples().table["sample"].to_numpy(), dataset.pairs()
    couples = list(zip(names[pairs.first].tolist(), names[pairs.second].tolist(), strict=True))
    assert couples[:4] == [
        ("Person_0_1.jpg", "Person_0_2.jpg"),
        ("Person_1_1.jpg", "Person_1_2.jpg"),
        ("Person_0_1.jpg", "Person_1_2.jpg"),
        ("Person_1_1.jpg", "Person_2_2.jpg"),
    ]
    assert pairs.mated.tolist() == [True, True, False, False] * 10
    assert pairs.fold.tolist() == [fold for fold in range(10) for _ in range(4)]
    assert dataset.samples().table["subject"].tolist()[:2] == ["Person_0", "Person_0"]


def test_folds_are_those_of_a_second_reading_in_faces_x_zoos_order(tree):
    # JDAI-CV/FaceX-Zoo 16b793a, test_protocol/lfw/pairs_parser.py: block k is mated[k·n : k·n + n] then non-mated alike
    words = [line.split() for line in (tree / "pairs_CPLFW.txt").read_text().splitlines()]
    listed = [(words[k][0], words[k + 1][0], words[k][1] != "0") for k in range(0, len(words), 2)]
    blocks = [listed[2 * k : 2 * k + 2] + listed[20 + 2 * k : 22 + 2 * k] for k in range(10)]
    names, pairs = CPLFW(tree).samples().table["sample"].to_numpy(), CPLFW(tree).pairs()
    assert [row for block in blocks for row in block] == list(
        zip(names[pairs.first].tolist(), names[pairs.second].tolist(), pairs.mated.tolist(), strict=True)
    )


def test_calfw_tags_are_folds_and_mean_mated(tmp_path, put):
    put("pairs_CALFW.txt", _lines([1 + k // 2 for k in range(20)]))
    pairs = CALFW(tmp_path).pairs()
    assert pairs.mated.sum() == 20
    assert np.bincount(pairs.fold).tolist() == [4] * 10


@pytest.mark.parametrize("nested", ["images&landmarks/images&landmarks", "images&landmarks", "."])
def test_images_and_landmarks_are_found_in_the_layout_of_the_archive(tmp_path, put, nested):
    put("pairs_CALFW.txt", _lines([1] * 20))
    put(f"{nested}/images/Person_3_1.jpg")
    put(f"{nested}/CA_landmarks/Person_3_1_5loc_attri.txt", "1 2\n3 4\n5 6\n7 8\n9.5 10\n")
    samples = CALFW(tmp_path).samples()
    row = samples.table["sample"].tolist().index("Person_3_1.jpg")
    assert samples.landmarks[row].tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [9.5, 10]]
    assert np.isnan(np.delete(samples.landmarks, row, axis=0)).all()


def test_aligned_images_do_not_get_the_landmarks_of_the_originals(tree, put):
    put("aligned images/Person_0_1.jpg")
    put("CP_landmarks/Person_0_1_5loc_attri.txt", "1 2\n" * 5)
    assert CPLFW(tree, images="aligned images").samples().landmarks is None
    assert CPLFW(tree).samples().landmarks is not None


def test_landmarks_csv_comes_first(tree, put):
    put("CP_landmarks/Person_0_1_5loc_attri.txt", "1 2\n" * 5)
    put("landmarks.csv", "path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\nPerson_0_1.jpg,9,9,9,9,9,9,9,9,9,8\n")
    assert CPLFW(tree).samples().landmarks[0, 0].tolist() == [9, 9]


def test_check_names_counts_and_missing_images(tree):
    (tree / "images/Person_9_2.jpg").unlink()
    comparisons, missing, whole = CPLFW(tree).check()
    assert (comparisons.ok, comparisons.expected, comparisons.found) == (False, "6,000", "40")
    assert missing.found == "39; 1 missing: Person_9_2.jpg"
    assert (whole.ok, whole.expected, whole.found) == (False, "11,652 images", "39 images")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t + "Person_1_1.jpg 0\n", "expected two lines for each comparison, found 81 lines; is one missing"),
        (lambda t: t.replace("Person_0_1.jpg 1", "Person_0_1.jpg", 1), r"line 1: expected 'image.jpg tag', found"),
        (lambda t: t.replace("Person_0_1.jpg 1", "../x.jpg 1", 1), r"line 1: expected 'image.jpg tag', found '../x"),
        (
            lambda t: t.replace("Person_0_2.jpg 1", "Person_0_2.jpg 0", 1),
            "lines 1 and 2: expected the same tag on both",
        ),
        (lambda t: "\n".join(t.splitlines()[2:]), "found 19 mated and 20 non-mated ones"),
        (lambda t: "\n".join(reversed(t.splitlines())), "found 20 mated and 20 non-mated ones, not in this order"),
        (lambda t: "", "found 0 mated and 0 non-mated ones"),
    ],
)
def test_a_bad_list_is_refused(tree, put, change, message):
    put("pairs_CPLFW.txt", change(_lines([1] * 20)))
    with pytest.raises(DataError, match=rf"pairs_CPLFW.txt: .*{message}"):
        CPLFW(tree).pairs()


def test_no_images_and_bad_landmarks_are_errors(tmp_path, tree, put):
    put("CP_landmarks/Person_0_1_5loc_attri.txt", "1 2\n3 x\n")
    with pytest.raises(DataError, match=r"Person_0_1_5loc_attri.txt: expected five lines 'x y', found something else"):
        CPLFW(tree).samples()
    with pytest.raises(DataError, match=r"expected the images of pairs_CPLFW.txt in nowhere; found none of them"):
        CPLFW(tree, images="nowhere").samples()
