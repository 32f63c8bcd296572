from __future__ import annotations

import hashlib

import numpy as np
import pytest

from recog_restore.synthpie import people, shape
from recog_restore.synthpie.head import MEAN, ROWS
from recog_restore.synthpie.landmarks import EIGHTEEN, GRID68, points5, points68

# SHA-256 over the vertices of three people with three expressions, rounded to 0.01 mm; made by this code. It changes
# with the shape model only: then change studio.VERSION too.
GEOMETRY = "d9ab93a71e02828ee9f1ba6869828fa4cc572e5eca080b47adb60d149adabf12"


def head(subject: int, expression: str = "neutral") -> np.ndarray:
    return shape.vertices(people.person(subject).shape, shape.EXPRESSIONS[expression])


def test_geometry_is_the_same_on_every_machine() -> None:
    digest = hashlib.sha256()
    for subject, expression in ((1, "neutral"), (346, "scream"), (1_000_000, "smile")):
        digest.update(np.round(head(subject, expression) * 100).astype("<i4").tobytes())
    assert digest.hexdigest() == GEOMETRY


def test_there_are_40_identity_and_10_expression_modes_and_each_moves_something() -> None:
    assert shape.IDENTITY.shape == (40, *MEAN.shape)
    assert shape.EXPRESSION.shape == (10, *MEAN.shape)
    for modes in (shape.IDENTITY, shape.EXPRESSION):
        assert (np.abs(modes).max(axis=(1, 2, 3)) > 0.5).all()
        assert np.linalg.matrix_rank(modes.reshape(len(modes), -1)) == len(modes)


def test_vertices_are_the_mean_plus_each_mode_times_its_coefficient() -> None:
    rng = np.random.default_rng(0)
    identity, expression = rng.normal(size=40), rng.normal(size=10)
    slow = MEAN.copy()
    for coefficient, mode in zip(identity, shape.IDENTITY, strict=True):
        slow = slow + coefficient * mode
    for coefficient, mode in zip(expression, shape.EXPRESSION, strict=True):
        slow = slow + coefficient * mode
    np.testing.assert_allclose(shape.vertices(identity, expression), slow, atol=1e-9)


def test_no_expression_is_the_neutral_one() -> None:
    identity = people.person(5).shape
    np.testing.assert_array_equal(shape.vertices(identity), shape.vertices(identity, np.zeros(10)))


@pytest.mark.parametrize("name", shape.EXPRESSIONS)
def test_an_expression_moves_the_face_and_leaves_the_back_of_the_head(name: str) -> None:
    moved = np.abs(head(7, name) - head(7)).max(axis=-1)
    assert (moved.max() > 2) == (name != "neutral")
    assert moved[:, [0, -1]].max() < 1e-6


def test_the_68_landmarks_are_the_meshs_vertices() -> None:
    identity, expression = people.person(9).shape, shape.EXPRESSIONS["surprise"]
    mesh = shape.vertices(identity, expression)
    np.testing.assert_allclose(points68(identity, np.array(expression)), mesh[GRID68[:, 0], GRID68[:, 1]], atol=1e-9)


def test_landmarks_are_ordered_as_ibugs_68() -> None:
    points = points68(np.zeros(40), np.zeros(10))
    x, y = points[:, 0], points[:, 1]
    for line in (range(17), range(17, 27), range(31, 36), range(48, 55), range(60, 65)):
        assert (np.diff(x[list(line)]) > 0).all()  # from the image's left to its right
    assert (np.diff(y[27:31]) < 0).all()  # down the nose
    assert points[:, 2].argmax() == 30  # its tip
    assert y[8] == y.min()  # the chin
    assert x[36:42].max() < 0 < x[42:48].min()
    mirror = [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46]
    mirror += [39, 38, 37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
    np.testing.assert_allclose(points * [-1, 1, 1], points[mirror], atol=1e-9)


def test_five_points_are_eye_centres_nose_tip_and_mouth_corners() -> None:
    points = points68(np.zeros(40), np.zeros(10))
    five = points5(points)
    np.testing.assert_allclose(five[0], sum(points[i] for i in range(36, 42)) / 6)
    np.testing.assert_array_equal(five[2:], points[[30, 48, 54]])
    assert len(set(EIGHTEEN)) == 18


def test_triangles_cover_the_grid_once_and_face_outwards() -> None:
    triangles = shape.triangles()
    assert triangles.shape == (2 * (ROWS - 1) * (MEAN.shape[1] - 1), 3)
    assert len(np.unique(np.sort(triangles, axis=1), axis=0)) == len(triangles)
    a, b, c = (MEAN.reshape(-1, 3)[triangles[:, i]] for i in range(3))
    outward = np.cross(c - a, b - a)
    forehead = np.flatnonzero((a[:, 2] > 80) & (a[:, 1] > 30) & (a[:, 1] < 60))
    assert len(forehead) > 100
    assert (outward[forehead, 2] > 0).all()
