from __future__ import annotations

import time
from dataclasses import replace

import cv2
import numpy as np
import pytest

from recog_restore.datasets.cartoon import HAIR_STYLES, Moment, Person, draw_face
from recog_restore.datasets.drawn import Drawn, draw
from recog_restore.errors import ConventionError
from recog_restore.geometry import canonical_crop


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return draw(tmp_path_factory.mktemp("drawn"), people=40, images=4)


def test_the_set_is_a_list_of_ten_folds_with_exact_landmarks(drawn):
    dataset = Drawn(drawn)
    samples, pairs = dataset.samples(), dataset.pairs()
    assert (len(samples), samples.table["subject"].nunique()) == (160, 40)
    assert (drawn / "pairs.txt").read_text().startswith("10\t24\n")
    assert np.bincount(pairs.fold).tolist() == [48] * 10
    assert pairs.mated.sum() == 240
    assert np.isfinite(samples.landmarks).all()
    assert ((samples.landmarks > 0) & (samples.landmarks < 160)).all()
    assert [finding.ok for finding in dataset.check()] == [True]


def test_folds_share_no_person(drawn):
    dataset = Drawn(drawn)
    pairs, subject = dataset.pairs(), dataset.samples().table["subject"].to_numpy()
    folds = [
        set(subject[pairs.first[pairs.fold == f]]) | set(subject[pairs.second[pairs.fold == f]]) for f in range(10)
    ]
    assert sum(map(len, folds)) == len(set.union(*folds)) == 40


def test_the_same_seed_draws_the_same_bytes_and_another_does_not(tmp_path):
    def content(root):
        return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    one = content(draw(tmp_path / "one", people=20, images=2, size=64))
    assert content(draw(tmp_path / "two", people=20, images=2, size=64)) == one
    other = content(draw(tmp_path / "three", people=20, images=2, size=64, seed=1))
    assert all(other[name] != one[name] for name in one if name.suffix == ".jpg")


def test_a_person_looks_the_same_in_a_larger_set(tmp_path):
    small = draw(tmp_path / "small", people=20, images=2, size=64)
    large = draw(tmp_path / "large", people=21, images=3, size=64)
    name = "lfw-deepfunneled/Person_020/Person_020_0002.jpg"
    assert (small / name).read_bytes() == (large / name).read_bytes()


def test_landmarks_are_where_the_eyes_are_drawn():
    # On pale skin the pupil is the darkest thing near an eye that looks straight ahead.
    generator = np.random.default_rng(3)
    still = {"gaze": 0.0, "noise": 0.0, "blur": 0.0, "lids": 1.1, "light": np.ones((5, 5))}
    pale = {"skin": np.array([255.0, 224.0, 200.0]), "iris": np.array([120.0, 150.0, 190.0]), "eye_open": 0.09}
    for number in range(8):
        person = replace(Person.draw_lots(np.random.default_rng([7, number])), **pale, glasses=None)
        fields = vars(Moment.draw_lots(generator)) | still
        image, points = draw_face(person, Moment(**fields), 320, generator)
        for x, y in points[:2]:
            left, top = round(x) - 8, round(y) - 8
            patch = image[top : top + 17, left : left + 17].sum(axis=2)
            rows, columns = np.nonzero(patch < 120)
            assert np.hypot(columns.mean() + left - x, rows.mean() + top - y) < 1.5


def test_two_images_of_a_person_are_more_alike_than_of_two_people(drawn):
    samples = Drawn(drawn).samples()
    codes = []
    for file, points in zip(samples.files, samples.landmarks, strict=True):
        crop = cv2.cvtColor(canonical_crop(cv2.imread(str(file))[:, :, ::-1], points), cv2.COLOR_RGB2GRAY)
        code = cv2.resize(crop[:112, 8:120], (32, 32), interpolation=cv2.INTER_AREA).ravel() - 0.0
        code -= code.mean()
        codes.append(code / np.linalg.norm(code))
    scores = np.array(codes) @ np.array(codes).T
    subject = samples.table["subject"].to_numpy()
    gallery = np.arange(0, 160, 4)
    probes = np.setdiff1d(np.arange(160), gallery)
    hits = subject[gallery][scores[np.ix_(probes, gallery)].argmax(axis=1)] == subject[probes]
    assert 0.6 < hits.mean() < 0.99  # a crude embedder tells most of them apart, and not all


def test_every_hair_style_is_drawn():
    people = [Person.draw_lots(np.random.default_rng([0, number])) for number in range(80)]
    assert {person.hair_style for person in people} == set(HAIR_STYLES)
    assert {bool(p.beard) for p in people} == {p.glasses is None for p in people} == {True, False}


def test_a_hundred_images_are_drawn_in_a_second(tmp_path):
    start = time.process_time()
    draw(tmp_path, people=20, images=2)
    assert time.process_time() - start < 4.0  # 40 images: ten times the time it takes on an idle core


@pytest.mark.parametrize(("people", "images"), [(19, 4), (40, 1)])
def test_too_few_people_or_images_are_refused(tmp_path, people, images):
    with pytest.raises(
        ConventionError, match=rf"at least 20 people with 2 images each, got {people} people with {images}"
    ):
        draw(tmp_path, people=people, images=images)
