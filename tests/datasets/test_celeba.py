from __future__ import annotations

import numpy as np
import pytest

from recog_restore.datasets.celeba import CelebA, asymmetry
from recog_restore.errors import DataError

# name, subject, part, smiling, x of the nose between eyes at 40 and 80
IMAGES = [
    ("000001.jpg", 7, 2, 1, 60),  # the most frontal, but smiling
    ("000002.jpg", 7, 2, -1, 61),
    ("000003.jpg", 7, 2, -1, 75),
    ("000004.jpg", 3, 2, 1, 50),
    ("000005.jpg", 3, 2, 1, 62),  # all of subject 3 smile
    ("000006.jpg", 5, 0, -1, 60),
    ("000007.jpg", 5, 0, -1, 60),
    ("000008.jpg", 4, 2, -1, 60),  # a single image
]


@pytest.fixture
def tree(tmp_path, put):
    put("Anno/identity_CelebA.txt", "".join(f"{name} {subject}\n" for name, subject, *_ in IMAGES))
    put("Eval/list_eval_partition.txt", "".join(f"{name} {part}\n" for name, _, part, *_ in reversed(IMAGES)))
    rows = "".join(f"{name}  1 {smile}\n" for name, _, _, smile, _ in IMAGES)
    put("Anno/list_attr_celeba.txt", f"{len(IMAGES)}\nMale Smiling\n{rows}")
    rows = "".join(f"{name}  40 50  80 50  {nose} 70  45 90  75 90\n" for name, _, _, _, nose in IMAGES)
    put("Anno/list_landmarks_align_celeba.txt", f"{len(IMAGES)}\nlefteye_x lefteye_y …\n{rows}")
    for name, *_ in IMAGES:
        put(f"Img/img_align_celeba/{name}")
    return tmp_path


def test_the_most_symmetric_face_without_a_smile_is_enrolled_and_the_least_symmetric_are_searched_for(tree):
    dataset = CelebA(tree)
    table, split = dataset.samples().table, dataset.split()
    assert table["sample"][split.gallery].tolist() == ["000005.jpg", "000002.jpg"]
    assert table["sample"][split.probes].tolist() == ["000004.jpg", "000003.jpg", "000001.jpg"]
    assert table["subject"].tolist() == ["3", "7", "3", "7", "7"]
    assert table["asymmetry"].tolist() == [0.1, 0.05, 0.5, 0.75, 0.0]
    assert table["smiling"].tolist() == ["yes", "no", "yes", "no", "yes"]


def test_people_and_probes_are_limited_in_order(tree):
    assert CelebA(tree, people=1).samples().table["sample"].tolist() == ["000005.jpg", "000004.jpg"]
    probes = CelebA(tree, probes_per_person=1)
    assert probes.samples().table["sample"][probes.split().probes].tolist() == ["000004.jpg", "000003.jpg"]
    assert CelebA(tree, part="train").samples().table["subject"].tolist() == ["5", "5"]


def test_asymmetry_is_0_for_the_middle_1_before_an_eye_and_follows_the_head():
    points = np.array([[40.0, 50], [80, 50], [60, 70], [45, 90], [75, 90]])
    turned = points.copy()
    turned[2, 0] = 80
    angle = np.deg2rad(30)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    both = np.stack([points, turned])
    assert asymmetry(both).tolist() == [0.0, 1.0]
    assert asymmetry(3 * both @ rotation) == pytest.approx([0.0, 1.0], abs=1e-12)
    assert asymmetry(both[:, [1, 0, 2, 4, 3]]).tolist() == [0.0, 1.0]


def test_check_compares_with_the_published_counts(tree):
    (tree / "Img/img_align_celeba/000003.jpg").unlink()
    findings = {f.what: (f.ok, f.expected, f.found) for f in CelebA(tree).check()}
    assert findings["images in identity_CelebA.txt"] == (False, "202,599", "8")
    assert findings["people"] == (False, "10,177", "4")
    assert findings["people of the test part who are enrolled"] == (True, "1,000 (VividGAN)", "2")
    assert findings["images on disk"] == (False, "5", "4; 1 missing: 000003.jpg")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"part": "all"}, "part is 'all' and images 'img_align_celeba'; expected train, valid or test"),
        ({"people": -1}, "people is -1 and probes_per_person 8; expected at least 0 and at least 1"),
        ({"part": "valid"}, "expected people with two images in the part 'valid', found none"),
        ({"images": "img_celeba"}, "list_landmarks_celeba.txt: no such file"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(tree, options, message):
    with pytest.raises(DataError, match=message):
        CelebA(tree, **options).samples()


def test_lists_that_do_not_agree_are_refused(tree, put):
    put("Eval/list_eval_partition.txt", "000001.jpg 2\n")
    with pytest.raises(DataError, match=r"expected every image of identity_CelebA.txt, '000002.jpg' is not there"):
        CelebA(tree).samples()
    put("Anno/list_attr_celeba.txt", "1\nMale\n000001.jpg 1\n")
    put("Eval/list_eval_partition.txt", "".join(f"{name} {part}\n" for name, _, part, *_ in IMAGES))
    with pytest.raises(DataError, match=r"line 2: expected the names of the attributes, 'Smiling' among them"):
        CelebA(tree).samples()
