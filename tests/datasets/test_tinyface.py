from __future__ import annotations

import numpy as np
import pytest
import scipy.io

from recog_restore.datasets.mark import Mark, write_mark
from recog_restore.datasets.tinyface import TinyFace
from recog_restore.errors import DataError

PROBES = [(5, "5_1.jpg"), (5, "5_2.jpg"), (9, "9_1.jpg")]
MATES = [(5, "5_7.jpg"), (5, "5_8.jpg"), (9, "9_3.jpg"), (11, "11_1.jpg")]  # 5 has two mates, 11 no probe


def _write(folder, probes=PROBES, mates=MATES):
    for file, key, listed in (("probe", "probe", probes), ("gallery_match", "gallery", mates)):
        ids = np.array([[number] for number, _ in listed], np.uint16)
        names = np.array([[name] for _, name in listed], object)
        scipy.io.savemat(folder / f"{file}_img_ID_pairs.mat", {f"{key}_ids": ids, f"{key}_set": names})


@pytest.fixture
def tree(tmp_path, put):
    for part, listed in (("Probe", PROBES), ("Gallery_Match", MATES)):
        for _, name in listed:
            put(f"Testing_Set/{part}/{name}")
    for name in ("b.jpg", "a.jpg", "notes.txt"):
        put(f"Testing_Set/Gallery_Distractor/{name}")
    _write(tmp_path / "Testing_Set")
    return tmp_path


def test_probes_are_searched_in_mates_and_distractors(tree):
    dataset = TinyFace(tree)
    table, split = dataset.samples().table, dataset.split()
    assert table[["sample", "subject"]].to_numpy()[split.probes].tolist() == [
        ["Probe/5_1.jpg", "5"],
        ["Probe/5_2.jpg", "5"],
        ["Probe/9_1.jpg", "9"],
    ]
    assert table[["sample", "subject", "part"]].to_numpy()[split.gallery].tolist() == [
        ["Gallery_Match/5_7.jpg", "5", "Gallery_Match"],
        ["Gallery_Match/5_8.jpg", "5", "Gallery_Match"],
        ["Gallery_Match/9_3.jpg", "9", "Gallery_Match"],
        ["Gallery_Match/11_1.jpg", "11", "Gallery_Match"],
        ["Gallery_Distractor/a.jpg", "distractor", "Gallery_Distractor"],
        ["Gallery_Distractor/b.jpg", "distractor", "Gallery_Distractor"],
    ]
    assert dataset.samples().files[0] == tree / "Testing_Set" / "Probe" / "5_1.jpg"
    assert len(TinyFace(tree / "Testing_Set").samples()) == 9


def test_distractors_are_never_left_out_silently(tree):
    assert TinyFace(tree).note == "2 of the 153,428 distractors are there"
    without = TinyFace(tree, distractors=False)
    assert len(without.split().gallery) == 4
    assert without.note == "without the 153,428 distractors: not TinyFace's protocol"
    write_mark(tree, Mark("TinyFace", "drawn faces", {"distractors": 3}))
    made = "a mimic of TinyFace, not a number of it; made of drawn faces; "
    assert TinyFace(tree).note == made + "2 of the 3 distractors are there"
    assert TinyFace(tree, distractors=False).note == made + "without the 3 distractors: not TinyFace's protocol"
    for file in (tree / "Testing_Set/Gallery_Distractor").iterdir():
        file.unlink()
    with pytest.raises(
        DataError, match=r"expected images of distractors, found none; .*data.options.distractors=false"
    ):
        TinyFace(tree).samples()


def test_landmarks_are_of_the_testing_set_and_a_crop_needs_none(tree, put):
    put("Testing_Set/landmarks.csv", "path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\nProbe/9_1.jpg,1,2,3,4,5,6,7,8,9,10\n")
    landmarks = TinyFace(tree).samples().landmarks
    assert np.isfinite(landmarks).all((1, 2)).tolist() == [False, False, True] + [False] * 6
    crops = TinyFace(tree, alignment="arcface-112").samples()
    assert (crops.landmarks, crops.alignment) == (None, "arcface-112")


def test_check_compares_the_counts_and_names_missing_images(tree):
    (tree / "Testing_Set/Probe/5_2.jpg").unlink()
    _write(tree / "Testing_Set", mates=MATES[:2])
    findings = {finding.what: (finding.ok, finding.expected, finding.found) for finding in TinyFace(tree).check()}
    assert findings["probes"] == (False, "3,728", "3")
    assert findings["gallery matches"] == (False, "4,443", "2")
    assert findings["distractors"] == (False, "153,428", "2")
    assert findings["subjects of probes without a mate in the gallery"] == (False, "0", "1: 9")
    assert findings["images on disk"] == (False, "5", "4; 1 missing: Probe/5_2.jpg")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file; expected TinyFace's list, in Testing_Set"),
        ({"x": 1}, "expected 'probe_set', a cell of names, and 'probe_ids', .*KeyError"),
        ({"probe_set": np.array([["a"], ["b"]], object), "probe_ids": np.array([[1]])}, "found 2 names and 1 numbers"),
        (
            {"probe_set": np.array([["../a"]], object), "probe_ids": np.array([[1]])},
            "the name of an image, found '../a'",
        ),
        ({"probe_set": np.array([["a"], ["a"]], object), "probe_ids": np.array([[1], [2]])}, "'a' is listed twice"),
    ],
    ids=["absent", "other", "lengths", "path", "twice"],
)
def test_a_bad_list_is_refused(tree, content, message):
    path = tree / "Testing_Set/probe_img_ID_pairs.mat"
    path.unlink()
    if content is not None:
        scipy.io.savemat(path, content)
    with pytest.raises(DataError, match=rf"probe_img_ID_pairs.mat: .*{message}"):
        TinyFace(tree).samples()


def test_the_real_lists_have_the_published_counts(real):
    dataset = TinyFace(real("tinyface"), distractors=False)
    table, split = dataset.samples().table, dataset.split()
    assert (len(split.probes), len(split.gallery)) == (3_728, 4_443)
    probes, mates = (table["subject"].to_numpy()[rows] for rows in (split.probes, split.gallery))
    assert (len(set(probes)), len(set(mates))) == (2_563, 2_569)
    assert set(probes) < set(mates)
    _, count = np.unique(mates, return_counts=True)
    of = dict(zip(*np.unique(mates, return_counts=True), strict=True))
    several = np.array([of[subject] for subject in probes])
    assert (several == 1).sum() == 1_553
    assert several.max() == count.max() == 29
    assert round(float(several.mean()), 2) == 3.30
    prefix = table["sample"].str.extract(r"/(\d+)_")[0]
    assert table.groupby(prefix)["subject"].nunique().max() == 1  # the prefix of a name tells the subject
