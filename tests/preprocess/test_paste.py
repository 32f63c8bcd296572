from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from recog_restore.geometry import CANONICAL_128, canonical_crop, similarity
from recog_restore.preprocess.paste import FEATHER, mask, paste


def smooth(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(30, 220, (6, 6, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def turned(scale: float, degrees: float, centre: tuple[float, float]) -> NDArray[np.float64]:
    """Return five points of a face of that scale and tilt in a photo."""
    angle = np.deg2rad(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (CANONICAL_128 - 63.5) @ rotation.T * scale + centre


def test_mask_is_zero_on_the_border_one_inside_and_symmetric() -> None:
    weights = mask(128, 112)
    assert weights.shape == (128, 112)
    assert not weights[0].any()
    assert not weights[:, -1].any()
    assert (weights[FEATHER:-FEATHER, FEATHER:-FEATHER] == 1).all()
    np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-7)
    assert weights[64, FEATHER // 2] == pytest.approx(0.5)


@pytest.mark.parametrize(("scale", "degrees"), [(0.5, 0.0), (1.0, 20.0), (2.5, -30.0)])
def test_a_crop_that_was_not_changed_comes_back_to_where_it_was(scale: float, degrees: float) -> None:
    photo = smooth(400, 500)
    points = turned(scale, degrees, (240, 210))
    pasted = paste(photo, canonical_crop(photo, points), similarity(points, CANONICAL_128))
    assert np.abs(pasted.astype(int) - photo).max() <= 4


def test_paste_is_the_blend_of_photo_and_crop_at_every_pixel_and_nothing_else_changes() -> None:
    photo, crop = smooth(90, 120), smooth(128, 128, seed=1)
    transform = similarity(turned(1.5, 15.0, (50, 40)), CANONICAL_128)
    pasted = paste(photo, crop, transform)
    weights, inverse = mask(128, 128), cv2.invertAffineTransform(transform)
    v, u = np.mgrid[:128, :128]
    x, y = inverse[0, 0] * u + inverse[0, 1] * v + inverse[0, 2], inverse[1, 0] * u + inverse[1, 1] * v + inverse[1, 2]
    taken = (x >= 0) & (y >= 0) & (x <= 119) & (y <= 89)
    seen = np.array(
        [[taken[max(0, j - 1) : j + 2, max(0, i - 1) : i + 2].all() for i in range(128)] for j in range(128)]
    )
    for y in range(0, 90, 7):
        for x in range(0, 120, 7):
            u, v = transform @ (x, y, 1)
            if not (0 <= u <= 127 and 0 <= v <= 127):
                assert (pasted[y, x] == photo[y, x]).all()
                continue
            weight = bilinear((weights * seen)[:, :, None], u, v)
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
    pasted = paste(photo, smooth(128, 128, 1), similarity(turned(1, 0, (-400, 40)), CANONICAL_128))
    assert np.array_equal(pasted, kept)
    paste(photo, smooth(128, 128, 1), similarity(turned(1, 0, (60, 40)), CANONICAL_128))
    assert np.array_equal(photo, kept)


def test_detail_that_a_small_face_cannot_hold_does_not_alias() -> None:
    stripes = np.zeros((128, 128, 3), np.uint8)
    stripes[:, ::2] = 255
    photo = np.full((100, 100, 3), 128, np.uint8)
    pasted = paste(photo, stripes, similarity(turned(0.4, 0, (50, 50)), CANONICAL_128))
    assert np.abs(pasted.astype(int) - 128).max() <= 12
