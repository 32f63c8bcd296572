from __future__ import annotations

import cv2
import numpy as np
import pytest

from recog_restore.datasets.ijb_nist import OfficialIJBC
from recog_restore.errors import DataError

HEADER = "TEMPLATE_ID,SUBJECT_ID,FILENAME,FACE_X,FACE_Y,FACE_WIDTH,FACE_HEIGHT\n"
ENROLLED = (
    "5,1,img/1.jpg,1,2,30,40\n5,1,frames/10.jpg,3,4,30,40\n5,1,frames/11.jpg,3,4,30,40\n6,2,img/2.jpg,5,6,30,40\n"
)
# Two people on one image; template 9 has the same frame as template 5; subject 3 is in neither gallery.
PROBES = "8,2,img/3.jpg,0,0,30,40\n9,1,frames/10.jpg,3,4,30,40\n10,3,img/3.jpg,40,0,30,40\n"
LABELS = (
    "SUBJECT_ID,FILENAME,FACE_X,FACE_Y,FACE_WIDTH,FACE_HEIGHT,SIGHTING_ID,AGE,GENDER,YAW,OCC1,OCC2\n"
    "1,img/1.jpg,1,2,30,40,100,3,1,-20.5,1,1\n"
    "1,frames/10.jpg,3,4,30,40,101,,1,60,0,1\n"
    "1,frames/11.jpg,3,4,30,40,101,,1,65,,0\n"
    ",img/9.jpg,3,4,30,40,,,1,65,,0\n"
)


@pytest.fixture
def tree(tmp_path, put):
    put("protocols/test1/enroll_templates.csv", HEADER + ENROLLED)
    put("protocols/test1/verif_templates.csv", HEADER + PROBES)
    put("protocols/test1/match.csv", "5,9\n5,8\n6,8\n6,10\n")
    put("protocols/test4/gallery_G1.csv", HEADER + "".join(ENROLLED.splitlines(keepends=True)[:3]))
    put("protocols/test4/gallery_G2.csv", HEADER + ENROLLED.splitlines(keepends=True)[3])
    put("protocols/test4/probes.csv", HEADER + PROBES)
    put("protocols/ijbc_metadata_with_age.csv", LABELS)
    picture = np.random.default_rng(0).integers(0, 256, (50, 80, 3), np.uint8)
    for name in ("img/1.jpg", "img/2.jpg", "img/3.jpg", "frames/10.jpg", "frames/11.jpg"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "images" / name), picture)
    return tmp_path


def test_a_sample_is_a_face_in_a_template_and_a_sighting_is_a_medium(tree):
    table = OfficialIJBC(tree).samples().table
    assert table[["sample", "subject", "template", "media"]].to_numpy().tolist() == [
        ["img/1.jpg#5", "1", 5, "100.0"],
        ["frames/10.jpg#5", "1", 5, "101.0"],
        ["frames/11.jpg#5", "1", 5, "101.0"],
        ["img/2.jpg#6", "2", 6, "img/2.jpg"],
        ["img/3.jpg#8", "2", 8, "img/3.jpg"],
        ["frames/10.jpg#9", "1", 9, "101.0"],
        ["img/3.jpg#10", "3", 10, "img/3.jpg"],
    ]


def test_labels_are_those_of_the_face_and_occlusions_are_counted(tree):
    table = OfficialIJBC(tree).samples().table
    assert table["yaw"].fillna(999).tolist() == [-20.5, 60, 65, 999, 999, 60, 999]
    assert table["occlusions"].tolist() == [2, 1, 0, 0, 0, 1, 0]
    assert set(table.columns) == {"sample", "subject", "template", "media", "age", "gender", "yaw", "occlusions"}


def test_two_faces_of_one_image_are_cut_out_apart(tree):
    samples = OfficialIJBC(tree, margin=0.0).samples()
    faces = dict(zip(samples.table["sample"], samples.files, strict=True))
    left, right = faces["img/3.jpg#8"], faces["img/3.jpg#10"]
    assert left.read().shape == right.read().shape == (40, 30, 3)
    assert left.digest() != right.digest()
    assert faces["frames/10.jpg#5"].digest() == faces["frames/10.jpg#9"].digest()


def test_without_sightings_each_image_is_its_own_medium_and_that_is_said(tree):
    assert OfficialIJBC(tree).note == "no sighting is known of 3 faces; each is its own medium"
    (tree / "protocols/ijbc_metadata_with_age.csv").unlink()
    dataset = OfficialIJBC(tree)
    assert dataset.note == "no sighting is known of 7 faces; each is its own medium"
    assert dataset.samples().table["media"].tolist()[:2] == ["img/1.jpg", "frames/10.jpg"]
    assert {f.what: f.found for f in dataset.check()}["labels of the faces"] == "none; breakdowns need it"


def test_a_sighting_in_the_list_itself_is_taken(tree, put):
    wide = HEADER.replace("FACE_X", "SIGHTING_ID,FACE_X")
    put("protocols/test1/enroll_templates.csv", wide + "5,1,img/1.jpg,7,1,2,30,40\n6,2,img/2.jpg,7,5,6,30,40\n")
    assert OfficialIJBC(tree).samples().table["media"].tolist()[:2] == ["7.0", "7.0"]


def test_comparisons_are_mated_if_their_subjects_are_the_same(tree, put):
    for text in ("5,9\n5,8\n6,8\n6,10\n", "ENROLL_TEMPLATE_ID,VERIF_TEMPLATE_ID\n5,9\n5,8\n6,8\n6,10\n"):
        put("protocols/test1/match.csv", text)
        dataset = OfficialIJBC(tree)
        pairs, (templates, _) = dataset.template_pairs(), dataset.samples().templates()
        assert templates[pairs.first].tolist() == [5, 5, 6, 6]
        assert templates[pairs.second].tolist() == [9, 8, 8, 10]
        assert pairs.mated.tolist() == [True, False, True, False]
    with pytest.raises(DataError, match="defines no gallery"):
        dataset.galleries()


def test_galleries_are_those_of_test_4(tree):
    dataset = OfficialIJBC(tree, test="test4")
    subject = dataset.samples().table["subject"]
    galleries = dataset.galleries()
    assert {name: subject[split.gallery].tolist() for name, split in galleries.items()} == {
        "G1": ["1"] * 3,
        "G2": ["2"],
    }
    assert subject[galleries["G1"].probes].tolist() == subject[galleries["G2"].probes].tolist() == ["2", "1", "3"]
    with pytest.raises(DataError, match="defines no comparisons of templates"):
        dataset.template_pairs()


def test_check_compares_with_the_published_counts_and_names_missing_images(tree):
    (tree / "images/img/3.jpg").unlink()
    findings = {f.what: (f.ok, f.expected, f.found) for f in OfficialIJBC(tree).check()}
    assert findings["enrolled templates"] == (False, "3,531", "2")
    assert findings["templates of probe"] == (False, "19,593", "3")
    assert findings["comparisons"] == (False, "15,658,489", "4")
    assert findings["images on disk"] == (False, "5", "4; 1 missing: img/3.jpg")
    findings = {f.what: (f.ok, f.expected, f.found) for f in OfficialIJBC(tree, test="test4").check()}
    assert findings["templates of G1"] == (False, "1,772", "1")
    assert "comparisons" not in findings


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("test1/enroll_templates.csv", None, "no such file; expected a list of templates as NIST distributes it"),
        (
            "test1/enroll_templates.csv",
            "TEMPLATE_ID,SUBJECT\n1,2\n",
            "line 1: expected a column 'SUBJECT_ID'; did you mean",
        ),
        ("test1/enroll_templates.csv", HEADER + "1,2,img/1.jpg,1,,3,4\n", "line 2: column 'FACE_Y': expected a value"),
        (
            "test1/enroll_templates.csv",
            HEADER + "1,2,a,1,2,3,4\n1,3,b,1,2,3,4\n",
            "template 1 has faces of several subjects",
        ),
        ("test1/enroll_templates.csv", "", "expected a csv; reading it failed with"),
        ("test1/match.csv", None, "no such file"),
        ("test1/match.csv", "5,9\n5,77\n", "comparison 2: template 77 is in neither list of templates"),
        ("test1/match.csv", "5,9\n5\n", r"line 2: expected 2 fields \(first second\); found 1 fields: '5'"),
    ],
)
def test_a_bad_list_is_refused_with_file_and_place(tree, put, file, text, message):
    (tree / "protocols" / file).unlink()
    if text is not None:
        put(f"protocols/{file}", text)
    dataset = OfficialIJBC(tree)
    with pytest.raises(DataError, match=f"{file.split('/')[1]}: {message}"):
        dataset.samples(), dataset.template_pairs()


def test_bad_options_are_refused(tree):
    with pytest.raises(DataError, match="test is 'test3'; did you mean"):
        OfficialIJBC(tree, test="test3")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="margin is -1; expected 0 or more"):
        OfficialIJBC(tree, margin=-1)
