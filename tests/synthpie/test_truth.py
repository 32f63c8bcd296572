from __future__ import annotations

import numpy as np
import pytest

from recog_restore.synthpie import Shot, Studio
from recog_restore.synthpie.landmarks import GRID68
from recog_restore.synthpie.solid import Solid

STUDIO = Studio()


def nearest_surface(solid: Solid, shot: Shot, point: np.ndarray) -> float:
    """Return the depth of the head, hair and ears included, in front of a pixel: every triangle is tried."""
    camera, best = STUDIO.camera(shot), -np.inf
    for grid in (solid.surface, *solid.ears):
        x, y, z = np.moveaxis(camera.project(grid), -1, 0)
        for corners in (((0, 0), (0, 1), (1, 0)), ((1, 1), (1, 0), (0, 1))):
            rows, columns = x.shape
            (ax, ay, az), (bx, by, bz), (cx, cy, cz) = (
                [v[i : rows - 1 + i, j : columns - 1 + j] for v in (x, y, z)] for i, j in corners
            )
            area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
            area = np.where(np.abs(area) < 1e-9, np.nan, area)
            b = ((point[0] - ax) * (cy - ay) - (point[1] - ay) * (cx - ax)) / area
            c = ((bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)) / area
            hit = (b >= -1e-6) & (c >= -1e-6) & (b + c <= 1 + 1e-6)
            depth = az + b * (bz - az) + c * (cz - az)
            best = max(best, depth[hit].max(initial=-np.inf))
    return best


@pytest.mark.parametrize("yaw", [0, -30, 60, -90])
def test_visibility_agrees_with_trying_every_triangle(yaw: int) -> None:
    agreed = total = 0
    for subject in (1, 8):
        shot = Shot(subject, yaw=yaw, expression="smile")
        truth, view = STUDIO.truth(shot), STUDIO.view(shot)
        depth = STUDIO.camera(shot).project(truth.points3d)[:, 2]
        inside = ((truth.landmarks68 >= -0.5) & (truth.landmarks68 < 127.5)).all(axis=1)
        for i in np.flatnonzero(inside):
            around = truth.landmarks68[i] + [[0, 0], [0.7, 0], [-0.7, 0], [0, 0.7], [0, -0.7]]
            free = {nearest_surface(view.solid, shot, point) < depth[i] + 4 for point in around}
            if len(free) == 1:  # not on the silhouette, where a fraction of a pixel decides
                agreed += free.pop() == truth.visible[i]
                total += 1
        assert not truth.visible[~inside].any()
    assert total > 60
    assert agreed / total > 0.97


def test_the_eyes_nose_and_mouth_of_a_frontal_face_are_visible_and_the_far_eye_of_a_profile_is_not() -> None:
    assert STUDIO.truth(Shot(12, jitter=None)).visible[27:].all()
    left, right = (STUDIO.truth(Shot(12, yaw=yaw, jitter=None)).visible for yaw in (-90, 90))
    assert left[42:48].all() == right[36:42].all()
    assert not left[36:42].any() or not left[42:48].any()
    assert not right[42:48].any() or not right[36:42].any()


def test_depth_at_a_visible_landmark_is_the_landmarks() -> None:
    shot = Shot(12, yaw=20, jitter=None)
    truth = STUDIO.truth(shot)
    depth = truth.depth()
    assert depth.shape == (128, 128)
    expected = STUDIO.camera(shot).project(truth.points3d)[:, 2]
    errors = []
    for i in np.flatnonzero(truth.visible):
        if 17 <= i and i not in range(60, 68):
            x, y = np.round(truth.landmarks68[i]).astype(int)
            errors.append(abs(depth[y, x] - expected[i]))
    assert len(errors) > 35
    assert np.median(errors) < 1.5
    assert depth[0, 0] != depth[0, 0]  # nothing but background in the corner


def test_depth_is_nearest_at_the_nose_of_a_frontal_face() -> None:
    truth = STUDIO.truth(Shot(12, jitter=None))
    row, column = np.unravel_index(np.nanargmax(truth.depth()), (128, 128))
    assert np.hypot(*(truth.landmarks68[30] - [column, row])) < 4


def test_the_mesh_has_one_vertex_a_grid_point() -> None:
    vertices, triangles = STUDIO.truth(Shot(1)).mesh()
    assert vertices.shape == (103 * 129, 3)
    assert triangles.max() == len(vertices) - 1
    assert len(np.unique(GRID68, axis=0)) == 68
