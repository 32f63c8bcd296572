from __future__ import annotations

import pytest

from recog_restore.datasets.dronesurf import DroneSURF
from recog_restore.errors import DataError


@pytest.fixture
def tree(tmp_path, put):
    for subject in ("s1", "s2", "s3"):
        for image in ("b.jpg", "a.jpg"):
            put(f"gallery/{subject}/{image}")
    for frame in (1, 2, 3, 10, 11):
        put(f"active/v1/s1/frame{frame}.jpg")
    put("active/v1/s2/7.jpg")
    put("passive/v2/s2/8.jpg")
    put("passive/v2/s3/9.jpg")
    put("test_subjects.txt", "s2\ns1\n")
    return tmp_path


def test_every_other_frame_of_a_track_is_searched_for_in_order_of_number(tree):
    dataset = DroneSURF(tree)
    table, split = dataset.samples().table, dataset.split()
    assert table["sample"][split.gallery].tolist() == ["gallery/s1/a.jpg", "gallery/s2/a.jpg"]
    assert table["sample"][split.probes].tolist() == [
        "active/v1/s1/frame1.jpg",
        "active/v1/s1/frame3.jpg",
        "active/v1/s1/frame11.jpg",
        "active/v1/s2/7.jpg",
        "passive/v2/s2/8.jpg",
    ]
    assert table[["subject", "scenario", "video"]].iloc[-1].tolist() == ["s2", "passive", "v2"]


def test_scenario_step_and_gallery_are_options(tree):
    assert len(DroneSURF(tree, every=1).split().probes) == 7
    assert len(DroneSURF(tree, scenario="passive").split().probes) == 1
    four = DroneSURF(tree, gallery_per_subject=4)
    assert four.samples().table["sample"][four.split().gallery].tolist()[:2] == ["gallery/s1/a.jpg", "gallery/s1/b.jpg"]


def test_without_a_list_everybody_in_the_gallery_is_tested(tree):
    (tree / "test_subjects.txt").unlink()
    assert DroneSURF(tree).subjects == ["s1", "s2", "s3"]


def test_check_compares_the_subjects(tree):
    findings = {f.what: (f.ok, f.expected, f.found) for f in DroneSURF(tree).check()}
    assert findings["subjects of the test part"] == (False, "24", "2")
    assert findings["frames searched for"] == (True, "48,000 (VividGAN)", "5")
    assert findings["videos"] == (True, "-", "2")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scenario": "air"}, "scenario is 'air'; expected 'active', 'passive' or 'both'"),
        ({"every": 0}, "every is 0 and gallery_per_subject 1; expected at least 1 of both"),
    ],
    ids=str,
)
def test_bad_options_are_refused(tree, options, message):
    with pytest.raises(DataError, match=message):
        DroneSURF(tree, **options)


def test_a_tree_that_is_not_as_described_is_refused(tree, put, tmp_path):
    with pytest.raises(DataError, match="expected folders of subjects with their images, found none"):
        DroneSURF(tmp_path / "active").samples()
    put("active/v1/s1/last.jpg")
    with pytest.raises(DataError, match=r"last.jpg: expected a name that ends in the number of the frame"):
        DroneSURF(tree).samples()
    put("test_subjects.txt", "s9\n")
    with pytest.raises(DataError, match=r"test_subjects.txt: subject 's9' has no folder in"):
        DroneSURF(tree).samples()
    put("test_subjects.txt", "s3\n")
    with pytest.raises(
        DataError, match="expected faces of the tested subjects as active/VIDEO/SUBJECT/FRAME.jpg, found none"
    ):
        DroneSURF(tree, scenario="active").samples()
