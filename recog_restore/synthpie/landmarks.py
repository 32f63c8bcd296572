"""Where the 68, 18 and 5 landmarks lie on the head's grid.

The 68 are iBUG's (jaw 0–16, brows 17–26, nose 27–35, eyes 36–47, mouth 48–67), from the image's left to its right. The
jaw points are fixed points of the skin, not of the silhouette, so that they are the same points in every pose.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .fields import Field
from .head import AZIMUTH, MEAN, MIDDLE, SKULL
from .shape import EXPRESSION, IDENTITY

# Of the 68: brow ends, eye corners and lids, nose bridge, tip and wings, mouth corners and lips, chin.
EIGHTEEN = (17, 21, 22, 26, 36, 39, 42, 45, 27, 30, 31, 35, 48, 54, 51, 57, 66, 8)


def _nearest(x: float, y: float) -> tuple[int, int]:
    columns = np.flatnonzero(np.abs(AZIMUTH) < 1.45)
    distance = (SKULL[:, columns, 0] - x) ** 2 + (SKULL[:, columns, 1] - y) ** 2
    row, column = np.unravel_index(int(np.argmin(distance)), distance.shape)
    return int(row), int(columns[column])


def _jaw() -> list[tuple[int, int]]:
    chin_row = int(np.argmin(np.abs(SKULL[:, MIDDLE, 1] + 110.5)))
    points = []
    for step in np.arange(-8, 9) / 8.0:
        azimuth = np.sign(step) * np.deg2rad(96) * min(1, abs(step) ** 0.92)
        column = int(np.argmin(np.abs(AZIMUTH - azimuth)))
        height = np.interp(abs(step), [0, 0.62, 1], [-111, -84, -6])
        on_chin = abs(step) <= 0.66
        points.append((chin_row if on_chin else int(np.argmin(np.abs(SKULL[:, column, 1] - height))), column))
    return points


def grid68() -> NDArray[np.intp]:
    """Return (68, 2) rows and columns of the landmarks on the grid."""
    brow = [(47.0, 16.0), (39.0, 20.5), (31.0, 21.5), (22.5, 20.0), (14.0, 17.0)]
    left_eye = [(-46.3, 0.3), (-37.5, 5.0), (-26.5, 5.0), (-16.8, -1.0), (-26.5, -5.0), (-37.0, -5.0)]
    right_eye = [(-x, y) for x, y in (left_eye[i] for i in (3, 2, 1, 0, 5, 4))]
    nose = [(0.0, 4.0), (0.0, -10.0), (0.0, -25.0), (0.0, -40.0)]
    nose += [(-11.0, -51.0), (-5.5, -53.0), (0.0, -54.0), (5.5, -53.0), (11.0, -51.0)]
    outer = [(-25.5, -70.0), (-15.0, -65.5), (-5.0, -62.5), (0.0, -63.6), (5.0, -62.5), (15.0, -65.5), (25.5, -70.0)]
    outer += [(15.0, -77.0), (6.0, -80.0), (0.0, -80.6), (-6.0, -80.0), (-15.0, -77.0)]
    inner = [(-21.0, -69.85), (-8.0, -69.75), (0.0, -69.75), (8.0, -69.75), (21.0, -69.85)]
    inner += [(8.0, -70.25), (0.0, -70.25), (-8.0, -70.25)]
    features = [(-x, y) for x, y in brow] + brow[::-1] + nose + left_eye + right_eye + outer + inner
    return np.array(_jaw() + [_nearest(x, y) for x, y in features])


GRID68 = grid68()


_MEAN = MEAN[GRID68[:, 0], GRID68[:, 1]]
_IDENTITY, _EXPRESSION = (modes[:, GRID68[:, 0], GRID68[:, 1]] for modes in (IDENTITY, EXPRESSION))


def points68(identity: NDArray[np.floating], expression: NDArray[np.floating]) -> Field:
    """Return the (68, 3) landmarks in mm of 40 identity and 10 expression coefficients, and no more of the head."""
    return np.asarray(_MEAN + np.tensordot(identity, _IDENTITY, 1) + np.tensordot(expression, _EXPRESSION, 1))


def points5(landmarks: Field) -> Field:
    """Return (5, D) eye, eye, nose tip, mouth corner, mouth corner of (68, D) landmarks, image left first."""
    eyes = [landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)]
    return np.stack([*eyes, landmarks[30], landmarks[48], landmarks[54]])
