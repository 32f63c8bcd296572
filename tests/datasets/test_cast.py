from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from recog_restore.datasets.base import Samples
from recog_restore.datasets.drawn import Drawn
from recog_restore.datasets.mimics.cast import cast, face, points_of
from recog_restore.decode import read_image
from recog_restore.errors import DataError
from recog_restore.geometry import ARCFACE_112


def _samples(subjects: str) -> Samples:
    names = [f"{n}" for n in range(len(subjects))]
    people = ["" if letter == "-" else letter for letter in subjects]
    return Samples(pd.DataFrame({"sample": names, "subject": people}), (b"",) * len(names))


def test_people_are_drawn_among_those_with_enough_images_and_everybody_else_is_another():
    samples = _samples("aaabbbcdd--")
    drawn = cast(samples, people=2, images=3, seed=0)
    assert {name: sorted(rows.tolist()) for name, rows in drawn.subjects.items()} == {"a": [0, 1, 2], "b": [3, 4, 5]}
    assert sorted(drawn.others.tolist()) == [6, 7, 8]


def test_a_draw_is_repeated_by_its_seed_alone():
    samples = _samples("aaaaabbbbbcccccddddd")
    first, same, other = (cast(samples, 2, 3, seed) for seed in (1, 1, 2))
    assert {n: r.tolist() for n, r in first.subjects.items()} == {n: r.tolist() for n, r in same.subjects.items()}
    assert first.others.tolist() == same.others.tolist()
    assert first.others.tolist() != other.others.tolist()


def test_too_few_people_are_refused():
    with pytest.raises(
        DataError, match="expected 3 people with 2 images each, found 2 of 3; ask for fewer with --people"
    ):
        cast(_samples("aabbc"), 3, 2, 0)


def test_a_face_is_cut_out_with_its_points(drawn):
    samples = Drawn(drawn).samples()
    points = points_of(samples)
    found = face(samples, points, 3)
    whole = read_image(samples.files[3])
    left, top = (points[3] - found.points)[0].round().astype(int)
    height, width = found.image.shape[:2]
    assert np.array_equal(found.image, whole[top : top + height, left : left + width])
    assert np.ptp(points[3] - found.points, axis=0) == pytest.approx([0, 0])
    assert (found.points > 0).all()
    assert (found.points < (width, height)).all()


def test_an_image_without_points_stays_whole(drawn):
    samples = Drawn(drawn).samples()
    found = face(samples, np.full((len(samples), 5, 2), np.nan), 0)
    assert np.array_equal(found.image, read_image(samples.files[0]))
    assert np.isnan(found.points).all()


def test_points_of_a_crop_are_those_of_its_template():
    table = pd.DataFrame({"sample": ["a", "b"], "subject": ["a", "b"]})
    assert np.allclose(points_of(Samples(table, (b"", b""), alignment="arcface-112")), ARCFACE_112)
    assert np.allclose(points_of(Samples(table, (b"", b""), alignment="sphereface-112x96")), ARCFACE_112 - (8, 0))
    with pytest.raises(DataError, match=r"no landmarks found: put a landmarks.csv"):
        points_of(Samples(table, (b"", b"")))
