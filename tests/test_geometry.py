from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recog_restore.errors import ConventionError
from recog_restore.geometry import (
    ARCFACE_112,
    CANONICAL_128,
    CROPS,
    HEAD_5,
    canonical_crop,
    crop_size,
    face_size,
    head_yaw,
    place_crop,
    similarity,
)
from recog_restore.synthpie import Shot, Studio
from recog_restore.synthpie.landmarks import points5, points68


def umeyama(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return Umeyama's similarity by singular values, the slow general way (equations 40-43), without reflection."""
    mean_s, mean_t = source.mean(0), target.mean(0)
    covariance = (target - mean_t).T @ (source - mean_s) / len(source)
    u, d, vt = np.linalg.svd(covariance)
    sign = np.diag([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ sign @ vt
    scale = (d * np.diag(sign)).sum() / (source - mean_s).var(0).sum()
    return np.column_stack([scale * rotation, mean_t - scale * rotation @ mean_s])


@given(st.integers(0, 10_000))
def test_similarity_equals_the_singular_value_form(seed: int) -> None:
    rng = np.random.default_rng(seed)
    source, target = rng.normal(50, 30, (5, 2)), rng.normal(50, 30, (5, 2))
    np.testing.assert_allclose(similarity(source, target), umeyama(source, target), rtol=1e-7, atol=1e-6)


@given(st.floats(0.1, 10), st.floats(-3, 3), st.floats(-100, 100), st.floats(-100, 100))
def test_similarity_finds_the_one_that_was_applied(scale: float, angle: float, dx: float, dy: float) -> None:
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    expected = np.array([[a, -b, dx], [b, a, dy]])
    target = ARCFACE_112 @ expected[:, :2].T + expected[:, 2]
    np.testing.assert_allclose(similarity(ARCFACE_112, target), expected, atol=1e-8)


def test_similarity_refuses_what_determines_none() -> None:
    with pytest.raises(ConventionError, match="all landmarks coincide"):
        similarity(np.ones((5, 2)), ARCFACE_112)
    with pytest.raises(ConventionError, match="not a finite number"):
        similarity(np.full((5, 2), np.nan), ARCFACE_112)
    with pytest.raises(ConventionError, match=r"two \(K, 2\) arrays"):
        similarity(np.ones((4, 2)), ARCFACE_112)


def test_windows_are_the_crops_of_their_own_templates() -> None:
    """The 112×112 and 112×96 windows equal a separate warp onto ArcFace's and SphereFace's templates."""
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.integers(0, 256, (250, 250, 3), dtype=np.uint8), (0, 0), 2)
    points = ARCFACE_112 * 1.1 + (60, 70) + rng.normal(0, 1, (5, 2))
    whole = canonical_crop(image, points)
    # SphereFace's published template, 96 wide and 112 high.
    sphereface = np.array(
        [[30.2946, 51.6963], [65.5318, 51.5014], [48.0252, 71.7366], [33.5493, 92.3655], [62.7299, 92.2041]]
    )
    for crop, template, size in (
        ("arcface-112", ARCFACE_112, (112, 112)),
        ("sphereface-112x96", sphereface, (96, 112)),
    ):
        own = cv2.warpAffine(image, similarity(points, template), size, flags=cv2.INTER_LINEAR)
        difference = np.abs(own.astype(int) - whole[CROPS[crop]])
        assert difference.max() <= 1  # OpenCV rounds positions to 1/32 px from the crop's corner
        assert difference.mean() < 0.05


def test_aligned_crop_is_placed_pixel_for_pixel() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    canvas = place_crop(crop, "arcface-112")
    np.testing.assert_array_equal(canvas[CROPS["arcface-112"]], crop)
    assert canvas.sum() == crop.sum()
    with pytest.raises(ConventionError, match=r"shape \(112, 112, 3\); got \(96, 96, 3\)"):
        place_crop(crop[:96, :96], "arcface-112")


def test_face_size_is_the_eye_distance_of_a_frontal_face_at_that_scale() -> None:
    sizes = face_size(
        np.stack([ARCFACE_112, ARCFACE_112 * 2 + 30, ARCFACE_112[:, ::-1] * (0.5, -0.5), ARCFACE_112 * np.nan])
    )
    eyes = np.hypot(*(ARCFACE_112[1] - ARCFACE_112[0]))
    np.testing.assert_allclose(sizes, [eyes, 2 * eyes, eyes / 2, np.nan])
    rng = np.random.default_rng(0)
    face = ARCFACE_112 + rng.normal(0, 3, (5, 2))
    scale = np.hypot(*similarity(face, ARCFACE_112)[0, :2])
    assert face_size(face[None])[0] == pytest.approx(eyes / scale)


def test_canonical_landmarks_are_arcface_8_columns_to_the_right() -> None:
    np.testing.assert_array_equal(CANONICAL_128 - ARCFACE_112, [[8, 0]] * 5)
    assert [crop_size(c) for c in ("arcface-112", "sphereface-112x96", "canonical-128")] == [
        (112, 112),
        (112, 96),
        (128, 128),
    ]


@pytest.mark.parametrize("yaw", [0, 15, -30, 45, 60, -75, 90])
def test_the_yaw_of_five_points_is_the_true_one_within_ten_degrees(yaw: int) -> None:
    studio = Studio()
    points = np.stack([studio.truth(Shot(i, yaw=yaw, jitter=None)).landmarks5 for i in (1, 5, 9)])
    found = head_yaw(points)
    assert np.abs(found - abs(yaw)).max() < 10
    np.testing.assert_allclose(head_yaw(points * 3.7 + 11), found, atol=1e-9)
    mirrored = (points * [-1, 1])[:, [1, 0, 2, 4, 3]]
    np.testing.assert_allclose(head_yaw(mirrored), found, atol=1e-9)


def test_the_yaw_of_unknown_landmarks_is_unknown() -> None:
    points = np.stack([CANONICAL_128, np.where(np.arange(5)[:, None] == 2, np.nan, CANONICAL_128)])
    assert np.isnan(head_yaw(points)).tolist() == [False, True]


def test_the_head_of_five_points_is_the_mean_head_of_synthpie() -> None:
    mean = points68(np.zeros(40), np.zeros(10))
    np.testing.assert_allclose(HEAD_5, points5(mean), atol=0.06)
