from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from recog_restore.datasets.landmarks import read_landmarks
from recog_restore.datasets.plausible import faults, misfit, unusual
from recog_restore.geometry import ARCFACE_112, HEAD_5

FACE = 2.0 * ARCFACE_112 + 30.0


def turned(yaw: float, pitch: float = 0.0) -> NDArray[np.float64]:
    """Return (5, 2) points of the mean head, seen from afar."""
    a, b = np.radians([yaw, pitch])
    head = (HEAD_5 - HEAD_5.mean(axis=0)) @ np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    head = head @ np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    found: NDArray[np.float64] = head[:, :2] * [1.0, -1.0] + 100.0
    return found


def rotated(degrees: float) -> NDArray[np.float64]:
    a = np.radians(degrees)
    return (FACE - 100.0) @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) + 100.0


WRONG = {
    "all five lie within 2 pixels": FACE / 250,
    "they lie on a line": np.stack([np.linspace(40, 60, 5), np.full(5, 64)], axis=1),
    "the eyes are swapped": FACE[[1, 0, 2, 3, 4]],
    "the mouth corners are swapped": FACE[[0, 1, 2, 4, 3]],
    "the eyes lie below the mouth": 260 - FACE,
    "they have not the shape of a face": FACE[[0, 1, 3, 2, 4]] * [1.0, 0.5] + [[0, 0], [0, 0], [0, 90], [0, 0], [0, 0]],
}


@pytest.mark.parametrize("fault", WRONG)
def test_points_of_no_face_are_told_with_the_reason(fault: str) -> None:
    found = faults(np.stack([FACE, WRONG[fault], np.full((5, 2), np.nan)]))
    assert found[0] == found[2] == ""
    assert found[1].startswith(fault)
    assert unusual(np.stack([FACE, WRONG[fault], np.full((5, 2), np.nan)])).tolist() == [False, True, False]


def test_x_and_y_exchanged_or_apart_and_mirrored_images_are_no_faces() -> None:
    apart = np.concatenate([FACE[:, 0], FACE[:, 1]]).reshape(5, 2)
    assert unusual(np.stack([FACE[:, ::-1], apart, FACE * [-1, 1] + [260, 0]])).all()
    assert misfit(FACE[None])[0] < 1e-6
    assert misfit(apart[None])[0] > 0.3


@pytest.mark.parametrize("yaw", [-90, -60, 0, 30, 75, 90])
@pytest.mark.parametrize("pitch", [-30, 0, 30])
def test_turned_and_nodding_heads_are_faces(yaw: float, pitch: float) -> None:
    assert faults(turned(yaw, pitch)[None]) == [""]
    assert not unusual(turned(yaw)[None]).any()


@pytest.mark.parametrize("degrees", [-120, -90, 45, 120])
def test_faces_of_people_who_lie_are_faces(degrees: float) -> None:
    assert faults(rotated(degrees)[None]) == [""]


def test_numbers_without_end_are_no_error() -> None:
    assert len(faults(np.stack([FACE * 1e300, np.full((5, 2), 1e308), FACE * np.inf]))) == 3


def test_every_landmark_of_lfw_and_cfp_passes(shared) -> None:  # type: ignore[no-untyped-def]
    for name in ("lfw", "cfp"):
        file = shared / "data" / name / "landmarks.csv"
        names = [line.split(",")[0] for line in file.read_text().splitlines()[1:]]
        points = read_landmarks(file, names)
        assert len(points) > 5000
        assert not unusual(points).any()
