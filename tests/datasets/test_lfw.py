from __future__ import annotations

import hashlib

import numpy as np
import pytest

from recog_restore.datasets.base import select_folds
from recog_restore.datasets.lfw import LFW
from recog_restore.errors import DataError

PAIRS = "2\t1\nAda\t1\t3\nAda\t2\tBob\t1\nBob\t1\t2\nAda\t1\tBob\t2\n"


@pytest.fixture
def tree(tmp_path, put):
    put("pairs.txt", PAIRS)
    for name in ("Ada/Ada_0001", "Ada/Ada_0002", "Ada/Ada_0003", "Ada/Ada_0004", "Bob/Bob_0001", "Bob/Bob_0002"):
        put(f"lfw-deepfunneled/{name}.jpg")
    return tmp_path


def test_a_tiny_list_gives_the_comparisons_worked_out_by_hand(tree):
    dataset = LFW(tree)
    samples, pairs = dataset.samples(), dataset.pairs()
    assert samples.table["sample"].tolist() == [
        "Ada/Ada_0001.jpg",
        "Ada/Ada_0002.jpg",
        "Ada/Ada_0003.jpg",
        "Bob/Bob_0001.jpg",
        "Bob/Bob_0002.jpg",
    ]
    assert samples.table["subject"].tolist() == ["Ada", "Ada", "Ada", "Bob", "Bob"]
    assert samples.files[0] == tree / "lfw-deepfunneled" / "Ada" / "Ada_0001.jpg"
    assert samples.landmarks is None
    assert samples.alignment == "landmarks"
    assert pairs.first.tolist() == [0, 1, 3, 0]
    assert pairs.second.tolist() == [2, 3, 4, 4]
    assert pairs.mated.tolist() == [True, False, True, False]
    assert pairs.fold.tolist() == [0, 0, 1, 1]
    assert dataset.missing() == []


def test_spaces_instead_of_tabs_and_windows_line_ends_are_read_alike(tree, put):
    put("pairs.txt", PAIRS.replace("\t", "  ").replace("\n", "\r\n"))
    assert LFW(tree).pairs().second.tolist() == [2, 3, 4, 4]


def test_names_with_spaces_markup_and_other_scripts_survive(tmp_path, put):
    names = ["<script>alert(1)<", "Jörg Żółw", "王"]
    put("pairs.txt", f"1\t1\n{names[0]}\t1\t2\n{names[1]}\t1\t{names[2]}\t12\n")
    put(f"lfw/{names[0]}/x.jpg")
    samples = LFW(tmp_path).samples()
    assert set(samples.table["subject"]) == set(names)
    assert "王/王_0012.jpg" in set(samples.table["sample"])


@pytest.mark.parametrize("folder", ["lfw-deepfunneled/lfw-deepfunneled", "lfw_funneled", "lfw", "lfw-aligned-112", "."])
def test_the_folder_of_images_is_found_under_its_usual_names(tmp_path, put, folder):
    put("pairs.txt", PAIRS)
    put(f"{folder}/Bob/Bob_0001.jpg")
    assert LFW(tmp_path).folder == tmp_path / folder


def test_the_folder_of_images_can_be_named(tree, put):
    put("grey/Ada/Ada_0001.jpg")
    assert LFW(tree, images="grey").folder == tree / "grey"


@pytest.mark.parametrize(
    ("images", "place"), [("", "lfw-deepfunneled, lfw_funneled, lfw or the folder itself"), ("x", "x")]
)
def test_no_folder_of_images_is_an_error(tmp_path, put, images, place):
    put("pairs.txt", PAIRS)
    with pytest.raises(
        DataError, match=f"expected images as Name/Name_0001.jpg in {place}; found no folder of a subject"
    ):
        LFW(tmp_path, images).samples()


def test_an_image_that_is_not_there_is_missing_and_not_an_error(tree):
    (tree / "lfw-deepfunneled/Bob/Bob_0002.jpg").unlink()
    assert LFW(tree).missing() == ["Bob/Bob_0002.jpg"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Ada\t1\t0", r"line 2: expected name, index, index \(a mated comparison\), found the index '0'; the first"),
        ("Ada\t-1\t3", r"line 2: .* found the index '-1'"),
        ("Ada\tone\t3", r"line 2: .* found the index 'one'"),
        ("Ada\t" + "9" * 5000 + "\t3", r"line 2: .* found the index '99999"),
        ("Ada\t1.0\t3", r"line 2: .* found the index '1.0'"),
        ("Ada\t²\t3", r"line 2: .* found the index '²'"),
        ("Ada\t1", r"line 2: expected name, index, index \(a mated comparison\), found 2 fields: 'Ada\\t1'"),
        ("Ada\t1\tBob\t1", r"line 2: expected name, index, index .*, found 4 fields"),
        ("../Ada\t1\t3", r"line 2: .* found the name '../Ada'"),
        ("..\t1\t3", r"line 2: .* found the name '..'"),
        ("\t1\t3", r"line 2: .* found the name ''"),
    ],
)
def test_a_bad_mated_line_is_refused_with_file_and_line(tree, put, line, message):
    put("pairs.txt", PAIRS.replace("Ada\t1\t3", line))
    with pytest.raises(DataError, match=rf"pairs.txt: {message}"):
        LFW(tree).pairs()


def test_a_bad_nonmated_line_is_refused(tree, put):
    put("pairs.txt", PAIRS.replace("Ada\t2\tBob\t1", "Ada\t2\t1"))
    with pytest.raises(
        DataError, match=r"line 3: expected name, index, name, index \(a non-mated comparison\), found 3"
    ):
        LFW(tree).pairs()


@pytest.mark.parametrize("header", ["", "10", "10\tx", "0\t300", "Ada\t1\t3"])
def test_a_bad_header_is_refused(tree, put, header):
    put("pairs.txt", header + PAIRS[3:] if header else "")
    with pytest.raises(
        DataError, match=r"line 1: expected the numbers of folds and of mated comparisons in each, '10 300'"
    ):
        LFW(tree).pairs()


def test_a_list_shorter_or_longer_than_its_header_says_is_refused(tree, put):
    put("pairs.txt", PAIRS.rsplit("\n", 2)[0])
    with pytest.raises(DataError, match=r"2 folds of 1 \+ 1 comparisons, 4 lines; found 3; is the last line missing\?"):
        LFW(tree).pairs()
    put("pairs.txt", PAIRS + "Ada\t1\tBob\t1\n")
    with pytest.raises(DataError, match=r"4 lines; found 5; is a line too many\?"):
        LFW(tree).pairs()


def test_no_list_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"pairs.txt: no such file"):
        LFW(tmp_path).pairs()


def test_a_folder_named_like_the_list_is_an_error(tmp_path):
    (tmp_path / "pairs.txt").mkdir()
    with pytest.raises(DataError, match=r"pairs.txt: expected a text file, found a folder"):
        LFW(tmp_path).pairs()


def test_landmarks_come_from_the_file_in_the_root(tree, put):
    put("landmarks.csv", "path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\nBob/Bob_0002.jpg,1,2,3,4,5,6,7,8,9,10\n")
    landmarks = LFW(tree).samples().landmarks
    assert landmarks[4, 4].tolist() == [9, 10]
    assert np.isnan(landmarks[:4]).all()


def test_for_identification_the_first_listed_image_of_each_person_is_the_gallery(tree):
    dataset = LFW(tree, split="identification")
    names, split = dataset.samples().table["sample"], dataset.split()
    assert names[split.gallery].tolist() == ["Ada/Ada_0001.jpg", "Bob/Bob_0001.jpg"]
    assert names[split.probes].tolist() == ["Ada/Ada_0002.jpg", "Ada/Ada_0003.jpg", "Bob/Bob_0002.jpg"]
    with pytest.raises(DataError, match="it cannot be used for verification"):
        dataset.pairs()
    with pytest.raises(DataError, match="it cannot be used for identification"):
        LFW(tree).split()
    with pytest.raises(DataError, match="split is 'all'; expected 'view2'"):
        LFW(tree, split="all")


def test_check_names_what_differs_and_what_is_missing(tree):
    (tree / "lfw-deepfunneled/Bob/Bob_0002.jpg").unlink()
    comparisons, samples, missing, whole = LFW(tree).check()
    assert (comparisons.ok, comparisons.expected, comparisons.found) == (False, "6,000", "4")
    assert (samples.ok, samples.expected, samples.found) == (False, "7,701", "5")
    assert (missing.ok, missing.found) == (False, "4; 1 missing: Bob/Bob_0002.jpg")
    assert "--allow-missing" in missing.way_out
    assert (whole.ok, whole.found) == (False, "5 images of 2 subjects")


def test_the_real_list_has_the_published_counts(real):
    dataset = LFW(real("lfw"))
    samples, pairs = dataset.samples(), dataset.pairs()
    # scikit-learn publishes the SHA-256 of the official pairs.txt: sklearn/datasets/_lfw.py, TARGETS
    digest = hashlib.sha256((dataset.root / "pairs.txt").read_bytes()).hexdigest()
    assert digest == "ea42330c62c92989f9d7c03237ed5d591365e89b3e649747777b70e692dc1592"
    assert (len(samples), samples.table["subject"].nunique(), len(pairs.mated)) == (7_701, 4_281, 6_000)
    assert [int(pairs.mated[pairs.fold == fold].sum()) for fold in range(10)] == [300] * 10
    assert np.bincount(pairs.fold).tolist() == [600] * 10
    assert np.isfinite(samples.landmarks).all()
    subject = samples.table["subject"].to_numpy()
    assert ((subject[pairs.first] == subject[pairs.second]) == pairs.mated).all()


def test_check_calls_the_images_of_the_list_enough(real):
    findings = LFW(real("lfw")).check()
    assert all(finding.ok for finding in findings)
    assert findings[-1].expected == "13,233 images of 5,749 subjects"
    assert findings[-1].found in (
        "7,701 images of 4,281 subjects; enough for view 2",
        "13,233 images of 5,749 subjects",
    )


def test_the_real_comparisons_are_those_of_a_second_reading(real):
    dataset = LFW(real("lfw"))
    samples, pairs = dataset.samples(), dataset.pairs()
    names = samples.table["sample"].to_numpy()
    for row, line in enumerate((dataset.root / "pairs.txt").read_text().splitlines()[1:]):
        f = line.split("\t")
        one, other = (f[0], f[1]), (f[0], f[2]) if len(f) == 3 else (f[2], f[3])
        assert names[pairs.first[row]] == "{0}/{0}_{1:0>4}.jpg".format(*one)
        assert names[pairs.second[row]] == "{0}/{0}_{1:0>4}.jpg".format(*other)
        assert pairs.mated[row] == (len(f) == 3)


def test_the_real_gallery_and_probes_are_those_of_a_second_reading(real):
    dataset = LFW(real("lfw"), split="identification")
    names, split = dataset.samples().table["sample"].tolist(), dataset.split()
    listed: dict[str, set[str]] = {}
    for line in (dataset.root / "pairs.txt").read_text().splitlines()[1:]:
        f = line.split("\t")
        for name, index in ((f[0], f[1]), (f[0], f[2]) if len(f) == 3 else (f[2], f[3])):
            listed.setdefault(name, set()).add(f"{name}/{name}_{index:0>4}.jpg")
    assert {names[row] for row in split.gallery} == {min(files) for files in listed.values()}
    assert {names[row] for row in split.probes} == {file for files in listed.values() for file in files - {min(files)}}
    assert (len(split.gallery), len(split.probes)) == (4_281, 3_420)


def test_select_folds_keeps_the_comparisons_and_only_their_samples(tree):
    dataset = LFW(tree)
    samples, pairs = select_folds(dataset.samples(), dataset.pairs(), (2,))
    assert samples.table["sample"].tolist() == ["Ada/Ada_0001.jpg", "Bob/Bob_0001.jpg", "Bob/Bob_0002.jpg"]
    assert (pairs.first.tolist(), pairs.second.tolist(), pairs.fold.tolist()) == ([1, 0], [2, 2], [1, 1])
    assert select_folds(dataset.samples(), pairs, None)[1] is pairs
    with pytest.raises(DataError, match="expected folds from 1 to 2, got 3"):
        select_folds(dataset.samples(), dataset.pairs(), (1, 3))


def test_a_name_twice_in_a_non_mated_comparison_and_one_too_long_for_a_file_are_told(tree, put):
    put("pairs.txt", PAIRS.replace("Ada\t2\tBob\t1", "Ada\t2\tAda\t1"))
    with pytest.raises(DataError, match=r"line 3: expected name, index, name, index .*, found 'Ada' twice"):
        LFW(tree).pairs()
    put("pairs.txt", PAIRS.replace("Bob", "B" * 5000))
    assert len(LFW(tree).missing()) > 0
