from __future__ import annotations

import cv2
import numpy as np
import pytest

from recog_restore.datasets.boxed import BoxedFace
from recog_restore.errors import DataError


@pytest.fixture
def picture(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), image[:, :, ::-1])
    return tmp_path / "a.png", image


def test_a_face_is_the_part_of_the_image_around_its_box(picture):
    path, image = picture
    assert np.array_equal(BoxedFace(path, (20, 10, 30, 20), 0.0).read(), image[10:30, 20:50])
    assert np.array_equal(BoxedFace(path, (20, 10, 30, 20), 0.5).read(), image[0:40, 5:65])


def test_a_box_over_the_edge_is_cut_and_one_outside_is_refused(picture):
    path, image = picture
    assert np.array_equal(BoxedFace(path, (70, 50, 40, 40), 0.0).read(), image[50:, 70:])
    with pytest.raises(DataError, match=r"the box \(90, 0, 10, 10\) lies outside the image of 80×60 px"):
        BoxedFace(path, (90, 0, 10, 10), 0.0).read()
    with pytest.raises(DataError, match="lies outside"):
        BoxedFace(path, (-30, 0, 10, 10), 0.0).read()


def test_digests_tell_images_boxes_and_margins_apart(picture, tmp_path):
    path, image = picture
    other = tmp_path / "b.png"
    cv2.imwrite(str(other), image)
    copy = tmp_path / "c.png"
    copy.write_bytes(path.read_bytes())
    base = BoxedFace(path, (1, 2, 3, 4), 0.3).digest()
    assert BoxedFace(copy, (1, 2, 3, 4), 0.3).digest() == base
    different = [
        BoxedFace(path, (1, 2, 3, 5), 0.3),
        BoxedFace(path, (1, 2, 3, 4), 0.2),
        BoxedFace(other, (1, 2, 3, 4), 0.3),
    ]
    assert len({base, *(face.digest() for face in different)}) == 4


def test_a_missing_image_has_a_digest_and_a_reason(tmp_path):
    face = BoxedFace(tmp_path / "none.png", (1, 2, 3, 4), 0.3)
    assert len(face.digest()) == 64
    with pytest.raises(DataError, match="file is missing"):
        face.read()
