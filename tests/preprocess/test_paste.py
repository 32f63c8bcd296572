from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from recog_restore.geometry import CANONICAL_128, canonical_crop, similarity
from recog_restore.preprocess.paste import AXES, CENTRE, WHOLE, distance, mask, paste, relit


def smooth(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(30, 220, (6, 6, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def turned(scale: float, degrees: float, centre: tuple[float, float]) -> NDArray[np.float64]:
    """Return five points of a face of that scale and tilt in a photo."""
    angle = np.deg2rad(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (CANONICAL_128 - 63.5) @ rotation.T * scale + centre


def test_the_ellipse_lies_in_the_crop_and_holds_the_five_points_and_the_chin() -> None:
    assert (CENTRE - AXES > 4).all()
    assert (CENTRE + AXES < 126).all()
    transform = similarity(CANONICAL_128, CANONICAL_128)
    away = distance((128, 128), transform)
    assert mask(away[np.rint(CANONICAL_128[:, 1]).astype(int), np.rint(CANONICAL_128[:, 0]).astype(int)]).min() > 0.99
    assert away[112, 64] < 1  # chin
    for corner in (away[:24, :24], away[:24, -24:], away[-24:, :24], away[-24:, -24:]):
        assert not mask(corner).any()


def test_mask_is_one_inside_zero_outside_and_half_between() -> None:
    np.testing.assert_allclose(mask(np.array([0, WHOLE, (1 + WHOLE) / 2, 1, 2])), [1, 1, 0.5, 0, 0], atol=1e-12)


@pytest.mark.parametrize(("scale", "degrees"), [(0.5, 0.0), (1.0, 20.0), (2.5, -30.0)])
def test_a_crop_that_was_not_changed_comes_back_to_where_it_was(scale: float, degrees: float) -> None:
    photo = smooth(400, 500)
    points = turned(scale, degrees, (240, 210))
    pasted = paste(photo, [canonical_crop(photo, points)], [similarity(points, CANONICAL_128)])
    assert np.abs(pasted.astype(int) - photo).max() <= 4


def test_paste_is_the_blend_of_photo_and_crop_at_every_pixel_and_nothing_else_changes() -> None:
    photo, crop = smooth(90, 120), smooth(128, 128, seed=1)
    transform = similarity(turned(1.5, 15.0, (50, 40)), CANONICAL_128)
    pasted = paste(photo, [crop], [transform])
    inverse = cv2.invertAffineTransform(transform)
    v, u = np.mgrid[:128, :128]
    x, y = inverse[0, 0] * u + inverse[0, 1] * v + inverse[0, 2], inverse[1, 0] * u + inverse[1, 1] * v + inverse[1, 2]
    taken = (x >= 0) & (y >= 0) & (x <= 119) & (y <= 89)
    seen = np.array(
        [[taken[max(0, j - 1) : j + 2, max(0, i - 1) : i + 2].all() for i in range(128)] for j in range(128)]
    )
    for y in range(0, 90, 7):
        for x in range(0, 120, 7):
            u, v = transform @ (x, y, 1)
            away = np.hypot((u - CENTRE[0]) / AXES[0], (v - CENTRE[1]) / AXES[1])
            if away >= 1:
                assert (pasted[y, x] == photo[y, x]).all()
                continue
            weight = mask(away) * bilinear(seen[:, :, None], u, v)
            expected = photo[y, x] + weight * (bilinear(crop.astype(float), u, v) - photo[y, x])
            np.testing.assert_allclose(pasted[y, x], expected, atol=1.6)


def bilinear(image: NDArray[np.floating], u: float, v: float) -> NDArray[np.floating]:
    """Return the value at column u and row v."""
    x, y = min(int(u), image.shape[1] - 2), min(int(v), image.shape[0] - 2)
    a, b = u - x, v - y
    top = (1 - a) * image[y, x] + a * image[y, x + 1]
    bottom = (1 - a) * image[y + 1, x] + a * image[y + 1, x + 1]
    return (1 - b) * top + b * bottom


def test_a_face_beyond_the_photo_changes_nothing_and_the_photo_is_not_written_to() -> None:
    photo = smooth(90, 120)
    kept = photo.copy()
    pasted = paste(photo, [smooth(128, 128, 1)], [similarity(turned(1, 0, (-400, 40)), CANONICAL_128)])
    assert np.array_equal(pasted, kept)
    paste(photo, [smooth(128, 128, 1)], [similarity(turned(1, 0, (60, 40)), CANONICAL_128)])
    assert np.array_equal(photo, kept)


def test_detail_that_a_small_face_cannot_hold_does_not_alias() -> None:
    stripes = np.zeros((128, 128, 3), np.uint8)
    stripes[:, ::2] = 255
    photo = np.full((100, 100, 3), 128, np.uint8)
    pasted = paste(photo, [stripes], [similarity(turned(0.4, 0, (50, 50)), CANONICAL_128)])
    assert np.abs(pasted.astype(int) - 128).max() <= 12


def flat(value: int) -> NDArray[np.uint8]:
    return np.full((128, 128, 3), value, np.uint8)


def test_where_faces_overlap_each_pixel_goes_to_the_nearer_for_its_size() -> None:
    photo = np.full((200, 260, 3), 100, np.uint8)
    transforms = [similarity(turned(size, 0, (x, 100)), CANONICAL_128) for size, x in ((1.0, 90), (0.5, 120))]
    pasted = paste(photo, [flat(0), flat(200)], transforms)
    first, second = (distance((200, 260), transform) for transform in transforms)
    inside = np.maximum(first, second) < WHOLE
    assert inside.any()
    assert (pasted[inside & (first < second - 0.15)] <= 2).all()
    assert (pasted[inside & (second < first - 0.15)] >= 198).all()
    assert np.abs(pasted[inside & (np.abs(first - second) < 0.005)].astype(int) - 100).max() <= 10
    other_order = paste(photo, [flat(200), flat(0)], transforms[::-1])
    assert np.abs(pasted.astype(int) - other_order).max() <= 1


def test_a_face_found_twice_is_pasted_once() -> None:
    photo, transform = smooth(200, 200), similarity(turned(1, 0, (100, 100)), CANONICAL_128)
    once, twice = paste(photo, [flat(9)], [transform]), paste(photo, [flat(9)] * 2, [transform] * 2)
    assert np.abs(once.astype(int) - twice).max() <= 1


def test_a_kept_face_is_not_covered_by_its_neighbour() -> None:
    photo = smooth(200, 260)
    restored, kept = (similarity(turned(1, 0, (x, 100)), CANONICAL_128) for x in (100, 150))
    pasted = paste(photo, [flat(0)], [restored], kept=[kept])
    nearer = distance((200, 260), kept) < distance((200, 260), restored) - 0.25
    np.testing.assert_array_equal(pasted[nearer], photo[nearer])
    assert (paste(photo, [flat(0)], [restored])[nearer] != photo[nearer]).any()


def test_relit_has_the_detail_of_the_crop_and_the_light_of_the_original() -> None:
    original = smooth(128, 128)
    assert np.abs(relit((original * 0.7).astype(np.uint8) + 40, original).astype(int) - original).mean() < 5
    np.testing.assert_array_equal(relit(original, original), original)
    detail = np.zeros((128, 128, 3), np.uint8)
    detail[::2] = 20
    done = relit(detail + 60, flat(150)).astype(int)
    assert abs(done.mean() - 150) < 1
    np.testing.assert_allclose(done[40:80:2] - done[41:81:2], 20, atol=1)
