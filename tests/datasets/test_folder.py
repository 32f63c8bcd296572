from __future__ import annotations

import os
from itertools import combinations, product
from types import SimpleNamespace

import numpy as np
import pytest

from recog_restore.datasets import walk
from recog_restore.datasets.folder import Folder
from recog_restore.errors import DataError


@pytest.fixture
def people(tmp_path, put):
    """Twelve subjects of 3 images, two of 1."""
    for k in range(14):
        for i in range(3 if k < 12 else 1):
            put(f"s{k:02d}/{i}.jpg")
    return tmp_path


@pytest.fixture
def roles(tmp_path, put):
    """Five subjects with 2 gallery images and 3 probes, one enrolled only."""
    for k in range(6):
        for i in range(2):
            put(f"gallery/s{k}/{i}.png")
        for i in range(3 if k < 5 else 0):
            put(f"probe/s{k}/{i}.png")
    return tmp_path


def _names(dataset, rows):
    return dataset.samples().table["sample"].to_numpy()[rows].tolist()


def test_every_image_is_a_sample_and_nothing_else(tmp_path, put):
    for name in ("Ада/1.JPG", "Ада/deep/2.webp", "<script>/b.pgm", "<script>/a.bmp", "c d/1.jpeg"):
        put(name)
    for name in ("Ада/.hidden.jpg", "Ада/notes.txt", ".git/x.jpg", "Ада/.thumbs/x.jpg", "Ада/jpg", "c d/2.jpg~"):
        put(name)
    samples = Folder(tmp_path).samples()
    assert samples.table["sample"].tolist() == [
        "<script>/a.bmp",
        "<script>/b.pgm",
        "c d/1.jpeg",
        "Ада/1.JPG",
        "Ада/deep/2.webp",
    ]
    assert samples.table["subject"].tolist() == ["<script>", "<script>", "c d", "Ада", "Ада"]
    assert list(samples.table) == ["sample", "subject"]
    assert samples.files[3] == tmp_path / "Ада" / "1.JPG"
    assert Folder(tmp_path).missing() == []


@pytest.mark.parametrize(("gallery", "probe"), [("gallery", "probe"), ("Reference", "query"), ("enrol", "Probes")])
def test_gallery_and_probes_are_the_folders_of_those_names(tmp_path, put, gallery, probe):
    put(f"{gallery}/ann/1.jpg")
    put(f"{probe}/ann/1.jpg")
    put(f"{probe}/bob/1.jpg")
    dataset = Folder(tmp_path)
    split = dataset.split()
    assert _names(dataset, split.gallery) == [f"{gallery}/ann/1.jpg"]
    assert _names(dataset, split.probes) == [f"{probe}/ann/1.jpg", f"{probe}/bob/1.jpg"]
    assert dataset.samples().table["subject"].tolist().count("ann") == 2


def test_a_drawn_split_enrols_one_image_of_everybody_and_searches_for_the_rest(people):
    dataset = Folder(people)
    split, subject = dataset.split(), dataset.samples().table["subject"].to_numpy()
    assert sorted(subject[split.gallery]) == [f"s{k:02d}" for k in range(14)]
    assert len(split.probes) == 24
    assert set(subject[split.probes]) == {f"s{k:02d}" for k in range(12)}  # a single image is enrolled only
    assert set(split.gallery) | set(split.probes) == set(range(38))


def test_a_subject_keeps_a_probe_however_many_are_to_be_enrolled(people):
    dataset = Folder(people, gallery_per_subject=9)
    subject = dataset.samples().table["subject"].to_numpy()
    assert np.unique(subject[dataset.split().probes], return_counts=True)[1].tolist() == [1] * 12


def test_draws_depend_on_the_seed_and_not_on_the_other_subjects(people, put):
    before = {name for name in _names(Folder(people), Folder(people).split().gallery)}
    other = {name for name in _names(Folder(people), Folder(people, seed=1).split().gallery)}
    assert before != other
    put("a new one/1.jpg")
    after = {name for name in _names(Folder(people), Folder(people).split().gallery)}
    assert after == before | {"a new one/1.jpg"}


def test_nothing_depends_on_the_order_of_the_disk(people, monkeypatch):
    def content(dataset):
        pairs, split = dataset.pairs(), dataset.split()
        arrays = (pairs.first, pairs.second, pairs.mated, pairs.fold, split.gallery, split.probes)
        return [array.tolist() for array in arrays], dataset.samples().table["sample"].tolist()

    before = content(Folder(people))
    backwards = SimpleNamespace(scandir=lambda place: reversed(list(os.scandir(place))), path=os.path)
    monkeypatch.setattr(walk, "os", backwards)
    assert content(Folder(people)) == before


def test_all_mated_couples_are_compared_and_as_many_others_each_once(people):
    dataset = Folder(people)
    pairs, subject = dataset.pairs(), dataset.samples().table["subject"].to_numpy()
    couples = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert len(couples) == len(pairs.mated)
    assert all(i < j for i, j in couples)
    assert ((subject[pairs.first] == subject[pairs.second]) == pairs.mated).all()
    expected = {(i, j) for i, j in combinations(range(38), 2) if subject[i] == subject[j]}
    assert {(i, j) for i, j in couples if subject[i] == subject[j]} == expected
    # Every fold has two people with 3 images at least, so 9 others exist where 6 are wanted.
    assert pairs.mated.sum() == len(pairs.mated) // 2 == 36


def test_no_subject_is_in_two_folds(people):
    dataset = Folder(people)
    pairs, subject = dataset.pairs(), dataset.samples().table["subject"].to_numpy()
    folds = [set(subject[pairs.first[pairs.fold == f]]) | set(subject[pairs.second[pairs.fold == f]]) for f in range(7)]
    assert set(pairs.fold) == set(range(7))  # of 14 subjects, two in each
    assert not any(a & b for a, b in combinations(folds, 2))


@pytest.mark.parametrize("ratio", [1, 3, 1000])
def test_the_number_of_nonmated_comparisons_is_as_asked_or_all_there_are(people, ratio):
    dataset = Folder(people, nonmated_per_mated=ratio)
    pairs, subject = dataset.pairs(), dataset.samples().table["subject"].to_numpy()
    for fold in range(7):
        here = pairs.fold == fold
        rows = np.unique(np.concatenate([pairs.first[here], pairs.second[here]]))
        possible = sum(subject[i] != subject[j] for i, j in combinations(rows, 2))
        mated = int(pairs.mated[here].sum())
        assert (~pairs.mated[here]).sum() == min(ratio * mated, possible)


def test_mated_pairs_are_capped_evenly(people):
    pairs = Folder(people, mated_pairs=14).pairs()
    assert [int(pairs.mated[pairs.fold == f].sum()) for f in range(7)] == [2] * 7
    assert len(pairs.mated) == 28


def test_with_gallery_and_probe_folders_gallery_is_compared_with_probes_only(roles):
    dataset = Folder(roles, nonmated_per_mated=100)
    pairs, table = dataset.pairs(), dataset.samples().table
    names, subject = table["sample"].to_numpy(), table["subject"].to_numpy()
    assert all(name.startswith("gallery/") for name in names[pairs.first])
    assert all(name.startswith("probe/") for name in names[pairs.second])
    assert ((subject[pairs.first] == subject[pairs.second]) == pairs.mated).all()
    assert pairs.mated.sum() == 5 * 2 * 3
    fold_of = dict(zip(subject[pairs.first], pairs.fold, strict=True))
    gallery, probes = dataset.split().gallery, dataset.split().probes
    everything = {(i, j) for i, j in product(gallery, probes) if fold_of.get(subject[i]) == fold_of.get(subject[j])}
    assert set(zip(pairs.first, pairs.second, strict=True)) == everything


def test_two_subjects_give_one_fold(tmp_path, put):
    for name in ("a/1.jpg", "a/2.jpg", "b/1.jpg"):
        put(name)
    pairs = Folder(tmp_path).pairs()
    assert (pairs.mated.tolist(), pairs.fold.tolist()) == ([True, False], [0, 0])


def test_landmarks_are_read(people, put):
    put("landmarks.csv", "path,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\ns00/0.jpg,1,2,3,4,5,6,7,8,9,10\n")
    assert Folder(people).samples().landmarks[0, 0].tolist() == [1, 2]


def test_check_says_what_lies_beside_the_subjects(people, put):
    put("lost.jpg")
    found = {finding.what: finding for finding in Folder(people).check()}
    assert found["subjects"].found == "14"
    assert found["images"].found == "38"
    assert found["gallery and probes"].found == "14 and 24"
    assert found["subjects with a single image"].found == "2; never searched for"
    assert not found["images outside the subjects' folders"].ok


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "expected images as .*/subject/image.jpg, found none"),
        (["x.jpg"], "expected images as .*/subject/image.jpg, found none"),
        (["gallery/a/1.jpg"], r"found gallery; expected both a gallery \(or reference, enrol\) and a probe"),
        (["gallery/a/1.txt", "probe/a/1.txt"], "expected images as .*/gallery/subject/image.jpg, found none"),
    ],
)
def test_a_folder_without_subjects_is_refused(tmp_path, put, files, message):
    for file in files:
        put(file)
    with pytest.raises(DataError, match=message):
        Folder(tmp_path).samples()


def test_verification_needs_two_subjects_and_two_images(tmp_path, put):
    put("a/1.jpg")
    put("b/1.jpg")
    message = "expected at least two subjects, and one with two images to compare; found 2 subjects, 0 of them"
    with pytest.raises(DataError, match=message):
        Folder(tmp_path).pairs()


def test_a_file_and_bad_options_are_refused(tmp_path, put):
    with pytest.raises(DataError, match="expected a folder of subjects, found a file"):
        Folder(put("faces.zip")).samples()
    with pytest.raises(DataError, match="gallery_per_subject is 0; expected at least 1"):
        Folder(tmp_path, gallery_per_subject=0)


def test_subjects_are_chosen_in_the_order_of_their_names(people):
    assert sorted(set(Folder(people, people=[2, 3]).samples().table["subject"])) == ["s01", "s02"]
    chosen = Folder(people, people=[13, 99])
    assert chosen.samples().table["subject"].tolist() == ["s12", "s13"]
    assert len(chosen.split().gallery) == 2
    assert chosen.note == "only subjects 13 to 99"
    with pytest.raises(DataError, match="expected subjects 15 … 20, found 14 subjects"):
        Folder(people, people=[15, 20]).samples()


@pytest.mark.parametrize("chosen", [[], [1], [0, 2], [3, 2]])
def test_subjects_that_are_not_a_range_are_refused(chosen, people):
    with pytest.raises(DataError, match=r"people is \[.*\]; expected the first and the last, counted from 1"):
        Folder(people, people=chosen)


def test_what_looks_like_a_photo_and_is_not_read_is_counted_and_named(tmp_path, put):
    for name in ("a/0.jpg", "a/1.JFIF", "a/2.ppm", "a/3.dng", "b/0.jpe", "b/1.png", "c/0.nef", "loose.png"):
        put(name)
    (tmp_path / "a" / "more").symlink_to(tmp_path / "b")
    (tmp_path / "nobody").mkdir()
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    dataset = Folder(tmp_path)
    assert dataset.samples().table["sample"].tolist() == ["a/0.jpg", "a/1.JFIF", "a/2.ppm", "b/0.jpe", "b/1.png"]
    assert dataset.warnings == [
        "left out 4: gone (a link to nothing), a/3.dng (.dng is not read), a/more (a link to a folder), …",
        "subjects without a photo that is read: c",
        "1 images lie outside the subjects' folders and are left out",
    ]
    wrong = {finding.what: finding.found for finding in dataset.check() if not finding.ok}
    assert wrong["files and folders that are not read"].startswith("4: gone (a link to nothing)")
    assert wrong["subjects without a photo that is read"] == "c"


def test_a_folder_that_cannot_be_listed_is_named(tmp_path, put, monkeypatch):
    for name in ("a/0.jpg", "a/1.jpg", "b/0.jpg", "closed/0.jpg"):
        put(name)
    scan = os.scandir

    def refuse(place):
        if "closed" in str(place):
            raise PermissionError(13, "Permission denied")
        return scan(place)

    monkeypatch.setattr(os, "scandir", refuse)
    assert Folder(tmp_path).warnings == [
        "left out 1: closed (cannot be listed: Permission denied)",
        "subjects without a photo that is read: closed",
    ]
    with pytest.raises(DataError, match="closed: cannot be listed: Permission denied"):
        Folder(tmp_path / "closed").samples()


def test_a_folder_of_other_formats_says_what_it_found(tmp_path, put):
    put("a/0.nef")
    with pytest.raises(DataError, match=r"found none; left out 1: a/0.nef \(.nef is not read\)"):
        Folder(tmp_path).samples()


def test_one_subject_and_single_images_are_wrong_for_check_as_for_a_run(tmp_path, put):
    put("a/0.jpg")
    wrong = {finding.what: finding.found for finding in Folder(tmp_path).check() if not finding.ok}
    assert wrong == {"subjects": "1", "images": "1"}


def test_images_that_are_crops_already_need_no_landmarks(tmp_path, put):
    put("a/0.jpg")
    put("landmarks.csv")  # which is not read
    samples = Folder(tmp_path, alignment="arcface-112").samples()
    assert (samples.alignment, samples.landmarks) == ("arcface-112", None)
    with pytest.raises(DataError, match="alignment is 'arcface'; expected one of landmarks, arcface-112, sphereface"):
        Folder(tmp_path, alignment="arcface")
