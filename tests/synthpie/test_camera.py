from __future__ import annotations

import numpy as np
import pytest

from recog_restore.geometry import CANONICAL_128, similarity
from recog_restore.synthpie import Shot, Studio, rebuild
from recog_restore.synthpie.camera import Camera, angles, rotation

YAWS = range(-90, 91, 15)
STUDIO = Studio()


def test_angles_invert_the_rotation() -> None:
    for pose in ((0, 0, 0), (90, 20, -30), (-75, -40, 10), (15, 5, 170)):
        np.testing.assert_allclose(angles(rotation(*pose)), pose, atol=1e-9)


def test_positive_yaw_turns_the_nose_right_positive_pitch_down_and_positive_roll_counter_clockwise() -> None:
    nose, crown = np.array([0.0, 0.0, 100.0]), np.array([0.0, 100.0, 0.0])
    assert (rotation(30) @ nose)[0] > 0
    assert (rotation(0, 30) @ nose)[1] < 0
    assert (rotation(0, 0, 30) @ crown)[0] < 0


@pytest.mark.parametrize("size", [128, 96])
@pytest.mark.parametrize("yaw", YAWS)
def test_the_canonical_crop_of_the_true_points_is_the_picture_itself(yaw: int, size: int) -> None:
    truth = STUDIO.truth(Shot(3, yaw=yaw, pitch=7, jitter=None, size=size))
    points = (truth.landmarks5 + 0.5) * (128 / size) - 0.5
    np.testing.assert_allclose(similarity(points, CANONICAL_128), np.eye(2, 3), atol=1e-9)


def test_jitter_moves_the_crop_by_about_a_pixel_and_the_pose_by_a_few_degrees() -> None:
    shifts, turns = [], []
    for subject in range(60):
        truth = STUDIO.truth(Shot(subject, yaw=-30, jitter=5))
        crop = similarity(truth.landmarks5, CANONICAL_128)
        shifts.append(crop @ [63.5, 63.5, 1] - 63.5)
        turns.append([truth.yaw + 30, truth.pitch])
    assert 0.7 < np.std(shifts) < 2
    assert 1.5 < np.std(turns, axis=0)[0] < 4
    assert 1.5 < np.std(turns, axis=0)[1] < 4.5


def test_cameras_of_one_moment_see_one_head() -> None:
    truths = [STUDIO.truth(Shot(8, session=2, yaw=yaw, jitter=3)) for yaw in YAWS]
    for truth in truths:
        np.testing.assert_array_equal(truth.parameters[12:], truths[0].parameters[12:])
    np.testing.assert_allclose(np.diff([truth.yaw for truth in truths]), 15, atol=1e-6)


def test_roll_turns_the_picture_about_its_middle() -> None:
    upright, rolled = (STUDIO.truth(Shot(8, roll=roll, jitter=None)) for roll in (0, 20))
    c, s = np.cos(np.deg2rad(20)), np.sin(np.deg2rad(20))
    expected = (upright.landmarks68 - 63.5) @ np.array([[c, s], [-s, c]]).T + 63.5
    np.testing.assert_allclose(rolled.landmarks68, expected, atol=1e-6)
    assert rolled.roll == pytest.approx(upright.roll + 20)


def test_projection_is_a_pinhole_cameras() -> None:
    camera = Camera(rotation(20, -10, 5), 0.6, np.array([60.0, 50.0]), 900.0, 128)
    for point in np.random.default_rng(0).normal(0, 60, (20, 3)):
        x, y, z = rotation(20, -10, 5) @ point
        focal = 0.6 * 900.0
        by_hand = [60 + focal * x / (900 - z), 50 - focal * y / (900 - z), z]
        np.testing.assert_allclose(camera.project(point), by_hand)


def test_the_62_parameters_rebuild_the_vertices() -> None:
    truth = STUDIO.truth(Shot(21, session=3, expression="scream", yaw=55, pitch=-9, roll=4, distance=700))
    vertices, _ = truth.mesh()
    np.testing.assert_allclose(rebuild(truth.parameters, 700), vertices)
    solid = STUDIO.view(Shot(21, session=3, expression="scream", yaw=55, pitch=-9, roll=4, distance=700)).solid
    pose = truth.parameters[:12].reshape(3, 4)
    flat = solid.skin.reshape(-1, 3) @ pose[:, :3].T + pose[:, 3]  # 3DDFA's projection
    np.testing.assert_allclose(rebuild(truth.parameters)[:, :2], flat[:, :2], atol=1e-8)


def test_a_far_camera_sees_3ddfas_projection() -> None:
    truth = STUDIO.truth(Shot(4, yaw=40, distance=1e9))
    np.testing.assert_allclose(rebuild(truth.parameters)[:, :2], truth.mesh()[0][:, :2], atol=1e-3)


def test_the_landmarks_are_vertices_of_the_mesh() -> None:
    truth = STUDIO.truth(Shot(2, yaw=75))
    vertices = truth.mesh()[0][:, :2]
    distance = np.linalg.norm(vertices[None] - truth.landmarks68[:, None], axis=-1).min(axis=1)
    np.testing.assert_allclose(distance, 0, atol=1e-9)
    assert truth.landmarks18.shape == (18, 2)


def test_rebuild_refuses_other_numbers_of_parameters() -> None:
    from recog_restore.errors import ConventionError

    with pytest.raises(ConventionError, match=r"expected 62 parameters, 12 \+ 40 \+ 10; got an array of shape \(61,\)"):
        rebuild(np.zeros(61))
