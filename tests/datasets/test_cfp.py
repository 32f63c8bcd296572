from __future__ import annotations

import numpy as np
import pytest

from recog_restore.datasets.base import select_folds, spans
from recog_restore.datasets.cfp import CFP
from recog_restore.errors import DataError


@pytest.fixture
def tree(tmp_path, put):
    """Two subjects with two frontal and one profile image each, in two folds of one mated and one non-mated pair."""
    frontal = ["001/frontal/01.jpg", "001/frontal/02.jpg", "002/frontal/01.jpg", "002/frontal/02.jpg"]
    profile = ["001/profile/01.jpg", "002/profile/01.jpg"]
    for letter, names in (("F", frontal), ("P", profile)):
        put(f"Protocol/Pair_list_{letter}.txt", "".join(f"{i} ../Data/Images/{n}\r\n" for i, n in enumerate(names, 1)))
    for name in frontal + profile:
        put(f"Data/Images/{name}")
    for fold, same, diff in (("01", "1,1", "1,2"), ("02", "4,2", "3,1")):
        put(f"Protocol/Split/FP/{fold}/same.txt", f"{same}\n")
        put(f"Protocol/Split/FP/{fold}/diff.txt", f"{diff}\n")
    put("Protocol/Split/FF/01/same.txt", "1,2\n3,4\n")
    put("Protocol/Split/FF/01/diff.txt", "2,3\n")
    return tmp_path


def test_in_fp_the_first_index_is_frontal_and_the_second_profile(tree):
    dataset = CFP(tree, "FP")
    table, pairs = dataset.samples().table, dataset.pairs()
    names = table["sample"].to_numpy()
    assert [(names[i], names[j]) for i, j in zip(pairs.first, pairs.second, strict=True)] == [
        ("001/frontal/01.jpg", "001/profile/01.jpg"),
        ("001/frontal/01.jpg", "002/profile/01.jpg"),
        ("002/frontal/02.jpg", "002/profile/01.jpg"),
        ("002/frontal/01.jpg", "001/profile/01.jpg"),
    ]
    assert pairs.mated.tolist() == [True, False, True, False]
    assert pairs.fold.tolist() == [0, 0, 1, 1]
    assert table["view"].tolist() == ["frontal", "profile", "frontal", "frontal", "profile"]
    assert table["subject"].tolist() == ["001", "001", "002", "002", "002"]


def test_in_ff_both_indices_are_frontal(tree):
    dataset = CFP(tree, split="FF")
    names, pairs = dataset.samples().table["sample"].to_numpy(), dataset.pairs()
    assert names[pairs.second].tolist() == ["001/frontal/02.jpg", "002/frontal/02.jpg", "002/frontal/01.jpg"]
    assert set(dataset.samples().table["view"]) == {"frontal"}


def test_for_identification_the_first_frontal_image_is_enrolled_and_all_others_are_searched_for(tree):
    dataset = CFP(tree, split="identification")
    table, split = dataset.samples().table, dataset.split()
    assert table["sample"][split.gallery].tolist() == ["001/frontal/01.jpg", "002/frontal/01.jpg"]
    assert table[["subject", "view"]].iloc[split.probes].to_numpy().tolist() == [
        ["001", "frontal"],
        ["001", "profile"],
        ["002", "frontal"],
        ["002", "profile"],
    ]
    assert dataset.note == ""
    with pytest.raises(DataError, match="defines no comparisons"):
        dataset.pairs()
    with pytest.raises(DataError, match="defines no gallery"):
        CFP(tree).split()


def test_people_without_a_folder_are_left_out_and_noted_but_a_missing_image_is_missing(tree):
    for image in (tree / "Data/Images/001").rglob("*.jpg"):
        image.unlink()
    for folder in ("001/frontal", "001/profile", "001"):
        (tree / "Data/Images" / folder).rmdir()
    (tree / "Data/Images/002/profile/01.jpg").unlink()
    dataset = CFP(tree, split="identification")
    assert dataset.note == "1 of the 2 people are there"
    assert dataset.samples().table["subject"].unique().tolist() == ["002"]
    assert dataset.missing() == ["002/profile/01.jpg"]
    findings = {finding.what: finding for finding in dataset.check()}
    assert findings["people with a folder of images"].found == "1"
    assert findings["images on disk"].found == "2; 1 missing: 002/profile/01.jpg"
    assert CFP(tree).note == ""
    for image in (tree / "Data/Images").rglob("*.jpg"):
        image.unlink()
    for folder in ("002/frontal", "002/profile", "002"):
        (tree / "Data/Images" / folder).rmdir()
    with pytest.raises(DataError, match="expected folders 001 … 500 of people, found none"):
        dataset = CFP(tree, split="identification").samples()


def test_check_says_which_folds_are_complete(tree):
    (tree / "Data/Images/002/frontal/02.jpg").unlink()
    findings = {finding.what: finding for finding in CFP(tree).check()}
    folds = findings["folds whose images are all there"]
    assert (folds.ok, folds.found) == (False, "1: 1")
    assert folds.way_out == "or evaluate on these alone: --folds 1"
    assert findings["images on disk"].found == "4; 1 missing: 002/frontal/02.jpg"
    assert findings["comparisons in Split/FP"].expected == "7,000"


@pytest.mark.parametrize(
    ("folds", "text"), [([], ""), ([2], "2"), ([1, 2, 3], "1-3"), ([1, 3, 4, 8, 9], "1,3-4,8-9")], ids=str
)
def test_folds_are_said_as_the_command_line_takes_them(folds, text):
    assert spans(folds) == text


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("Pair_list_F.txt", "2 ../Data/Images/001/frontal/01.jpg", r"line 1: expected as '1 ../Data.*', found '2 "),
        ("Pair_list_F.txt", "1 nonsense.jpg", r"line 1: expected as .* found '1 nonsense.jpg'"),
        ("Split/FP/01/same.txt", "1 2", r"line 1: expected two numbers 'i,j', found '1 2'"),
        ("Split/FP/01/same.txt", "1,2,3", r"line 1: expected two numbers"),
        ("Split/FP/01/same.txt", "1,1\n0,1", r"line 2: expected an index from 1 to 4, found 0"),
        ("Split/FP/01/same.txt", "1,3", r"line 1: expected an index from 1 to 2, found 3"),
    ],
)
def test_a_bad_line_is_refused_with_file_and_line(tree, put, file, text, message):
    put(f"Protocol/{file}", text)
    with pytest.raises(DataError, match=rf"{file.split('/')[-1]}: {message}"):
        CFP(tree).pairs()


def test_an_unknown_split_and_a_missing_one_are_refused(tree, tmp_path):
    with pytest.raises(DataError, match="split is 'PP'; expected 'FF'"):
        CFP(tree, "PP")  # type: ignore[arg-type]
    for fold in ("01", "02"):
        for file in (tree / "Protocol/Split/FP" / fold).iterdir():
            file.unlink()
        (tree / "Protocol/Split/FP" / fold).rmdir()
    with pytest.raises(DataError, match="expected folders 01 … 10 with same.txt and diff.txt, found none"):
        CFP(tree).pairs()


@pytest.mark.parametrize("split", ["FF", "FP"])
def test_the_real_lists_have_the_published_counts(real, split):
    dataset = CFP(real("cfp"), split)
    samples, pairs = dataset.samples(), dataset.pairs()
    assert len(pairs.mated) == 7_000
    assert np.bincount(pairs.fold).tolist() == [700] * 10
    assert pairs.mated.sum() == 3_500
    subject = samples.table["subject"].to_numpy()
    assert ((subject[pairs.first] == subject[pairs.second]) == pairs.mated).all()
    people = [
        set(subject[pairs.first[pairs.fold == f]]) | set(subject[pairs.second[pairs.fold == f]]) for f in range(10)
    ]
    assert sum(map(len, people)) == len(set.union(*people)) == 500  # folds share no subject
    if split == "FP":
        view = samples.table["view"].to_numpy()
        assert set(view[pairs.first]) == {"frontal"}
        assert set(view[pairs.second]) == {"profile"}


def test_folds_1_to_8_of_the_real_set_are_there_but_for_one_face_without_landmarks(real):
    dataset = CFP(real("cfp"), "FP")
    samples, pairs = select_folds(dataset.samples(), dataset.pairs(), range(1, 9))
    assert len(pairs.mated) == 5_600
    assert all(file.is_file() for file in samples.files)
    assert np.isnan(samples.landmarks).all((1, 2)).sum() == 1
    assert "8: 1-8" in {finding.found for finding in dataset.check()} or not dataset.missing()


def test_identification_on_the_real_set_has_13_probes_of_each_person(real):
    dataset = CFP(real("cfp"), "identification")
    samples, split = dataset.samples(), dataset.split()
    people = samples.table["subject"].nunique()
    assert (len(split.gallery), len(split.probes)) == (people, 13 * people)
    assert samples.table["view"].iloc[split.probes].value_counts().to_dict() == {
        "frontal": 9 * people,
        "profile": 4 * people,
    }
    assert set(samples.table["sample"].str[-14:].iloc[split.gallery]) == {"frontal/01.jpg"}
    assert dataset.missing() == []
    assert dataset.note in ("", f"{people} of the 500 people are there")


def test_people_for_identification_are_chosen_by_number(tree):
    dataset = CFP(tree, "identification", people=[2, 9])
    assert set(dataset.samples().table["subject"]) == {"002"}
    assert dataset.note == "only people 2 to 9"
    assert dataset.check()[0].expected == "1"
    with pytest.raises(DataError, match="expected folders 003 … 004 of people, found none"):
        CFP(tree, "identification", people=[3, 4]).samples()


@pytest.mark.parametrize(("split", "people"), [("FP", [1, 2]), ("identification", [1])])
def test_people_that_are_not_a_range_for_identification_are_refused(split, people, tree):
    with pytest.raises(DataError, match=r"people is \[.*\], split '.*'; expected first and last number, with 'ident"):
        CFP(tree, split, people)
