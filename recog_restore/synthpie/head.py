"""The mean head: a grid of ROWS × COLUMNS points around a vertical axis, from formulas alone.

Millimetres. x points to the right of an image of the frontal face, y up, z towards the camera; the origin lies at eye
height between the ears. Columns are azimuths (0 is the middle of the face, ±180° the back), rows run from the crown
down to the shoulders and are dense where the face has detail.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

from .fields import Field, bell, dome, pair, ridge, smoothstep

# Horizontal sections from the forehead down, one a row: the front point (y, z), the half width and the side point
# (x, y, z), the back point (y, z), and the exponent of the superellipse that joins them.
SECTIONS = np.array(
    [
        [40, 95, 74.5, 40, -10, 40, -100, 2.25],
        [20, 95, 74, 20, -8, 22, -100, 2.2],
        [5, 92, 73, 6, -5, 8, -98, 2.12],
        [-15, 91, 71, -13, 0, -10, -93, 2.06],
        [-35, 91, 68.5, -30, 2, -26, -87, 2.02],
        [-52, 92, 65, -44, 3, -38, -81, 2.0],
        [-70, 92, 60.5, -55, 1, -48, -75, 1.95],
        [-86, 89.5, 56.5, -63, -1, -56, -70, 1.86],
        [-100, 86, 53, -70, -5, -63, -68, 1.78],
        [-108, 81, 51.5, -75, -9, -69, -68, 1.74],
        [-113, 72, 50.5, -80, -13, -75, -69, 1.76],
        [-116, 56, 50, -87, -16, -84, -70, 1.9],
        [-120, 38, 48.5, -98, -19, -96, -70, 2.0],
        [-132, 24, 48.5, -115, -22, -112, -72, 2.0],
        [-150, 20, 50, -138, -25, -133, -75, 2.0],
        [-172, 20, 60, -160, -27, -150, -80, 2.0],
        [-185, 26, 90, -172, -27, -165, -86, 2.1],
        [-200, 32, 140, -190, -28, -182, -92, 2.3],
        [-245, 48, 195, -240, -30, -240, -100, 2.5],
    ]
)
# Height of the nose above the face and its half width, over y.
NOSE_HEIGHT = np.array(
    [[16, 0], [8, 1.0], [3, 2.5], [-5, 6.2], [-15, 11.2], [-26, 16.4], [-34, 20.4], [-39, 21.8], [-43, 21.6],
     [-46.5, 19.2], [-49.5, 14.8], [-52, 9.0], [-54.5, 4.2], [-57.5, 1.2], [-61, 0]]
)  # fmt: skip
NOSE_WIDTH = np.array(
    [[16, 7], [3, 7.0], [-8, 7.2], [-18, 8.2], [-28, 9.5], [-36, 11], [-42, 12], [-48, 12], [-53, 11], [-60, 10]]
)


def columns() -> Field:
    """Return the azimuths of the columns in radians, −π to π, symmetric about 0."""
    half = np.concatenate(
        [np.arange(0, 45, 1.5), np.arange(45, 75, 2.15), np.arange(75, 105, 3.75), np.linspace(105, 180, 13)]
    )
    azimuths: Field = np.deg2rad(np.concatenate([-half[:0:-1], half]))
    return azimuths


def rows() -> tuple[Field, Field]:
    """Return the polar angles of the rows over the forehead and the front heights of those below it."""
    crown = np.deg2rad(np.concatenate([np.linspace(0.05, 58, 10), np.linspace(64, 87, 6)]))
    lips = np.array([-69.75, -69.92, -70.08, -70.25])  # the closed slit of the mouth
    neck = np.array([-114.7, -116.5, -119, -124, -131, -142, -156, -172, -188, -210, -245])
    heights = [np.arange(40, 26, -3.6), np.arange(25.4, -32, -2.2), np.arange(-32, -60, -1.85)]
    heights += [np.arange(-60, -69.0, -1.55), lips, np.arange(-71.5, -90, -1.9), np.arange(-90, -113, -2.6), neck]
    return crown, np.concatenate(heights)


AZIMUTH = columns()
CROWN, HEIGHTS = rows()
ROWS, COLUMNS = len(CROWN) + len(HEIGHTS), len(AZIMUTH)
MIDDLE = COLUMNS // 2


def curve(knots: Field, y: Field) -> Field:
    """Return a monotone interpolation of (y, value) knots, constant outside them."""
    ordered = knots[np.argsort(knots[:, 0])]
    inside = np.clip(y, ordered[0, 0], ordered[-1, 0])
    return np.asarray(PchipInterpolator(ordered[:, 0], ordered[:, 1])(inside), np.float64)


def skull() -> Field:
    """Return the (ROWS, COLUMNS, 3) head before any feature: superellipses joined over the sections."""
    ordered = SECTIONS[np.argsort(SECTIONS[:, 0])]
    below = np.column_stack([HEIGHTS, PchipInterpolator(ordered[:, 0], ordered[:, 1:], axis=0)(HEIGHTS)])
    c, s = np.cos(CROWN) ** (2 / 2.15), np.sin(CROWN) ** (2 / 2.2)
    y = 40 + 77 * c
    above = np.column_stack([y, -8 + 103 * s, 74.5 * s, y, -8 - 2 * s, y, -8 - 92 * s, 2.1 + 0.15 * np.sin(CROWN)])
    front_y, front_z, side_x, side_y, side_z, back_y, back_z, power = np.vstack([above, below]).T[:, :, None]
    c, s = np.cos(AZIMUTH)[None], np.sin(AZIMUTH)[None]
    forward = c >= 0
    depth = np.where(forward, front_z - side_z, side_z - back_z)
    radius = (np.abs(c / depth) ** power + np.abs(s / side_x) ** power) ** (-1 / power)
    height = side_y + (np.where(forward, front_y, back_y) - side_y) * np.abs(c)
    return np.stack([radius * s, height, side_z + radius * c], -1)


SKULL = skull()
# How much a point belongs to the front of the head: 1 on the face, 0 from the ears backwards.
FRONT: Field = smoothstep(0.05, 0.4, np.cos(AZIMUTH))[None] * np.ones((ROWS, 1))


def mean_head() -> Field:
    """Return the (ROWS, COLUMNS, 3) mean head: brows, orbits, eyeballs, cheeks, nose, lips and chin on the skull."""
    points = SKULL.copy()
    x, y, z = SKULL[..., 0], SKULL[..., 1], SKULL[..., 2]
    ax = np.abs(x)
    relief = 3.0 * pair(x, y, 27, 17, 15, 6, -0.1) + 2.0 * bell(x, y, 0, 17, 9, 7)  # brow ridge, glabella
    relief -= 8.5 * pair(x, y, 31, 2, 15, 10.5) + 4.5 * pair(x, y, 15.5, 1, 5.5, 8)  # orbit, inner corner
    relief -= 2.5 * pair(x, y, 30, -14, 14, 6)  # tear trough
    relief += 7.0 * dome(np.hypot((ax - 31.5) / 15.5, (y + 0.5) / 11.5))  # eyeball and lids
    relief += 1.2 * pair(x, y, 31, 9, 12, 2.6) - 1.5 * pair(x, y, 31, 6.3, 11, 1.2)  # lid fold
    relief += 4.0 * pair(x, y, 46, -20, 13, 10, 0.35)  # cheekbone
    relief += 3.5 * pair(x, y, 34, -46, 12, 14)  # cheek
    relief += curve(NOSE_HEIGHT, y) * np.exp(-0.75 * (ax / curve(NOSE_WIDTH, y)) ** 2)
    relief += 2.0 * bell(x, y, 0, -40, 6.5, 5.5)  # nose tip
    relief += 6.5 * pair(x, y, 14, -44.5, 4.6, 5.2) - 2.6 * pair(x, y, 20.5, -46, 2.3, 6, 0.25)  # wings
    relief -= 4.5 * pair(x, y, 6.8, -50, 3.4, 2)  # nostrils
    relief -= 1.6 * pair(x, y, 27, -56, 3, 12, 0.75)  # fold from nose to mouth
    relief += 5.5 * bell(x, y, 0, -68, 21, 14)  # muzzle
    relief += 0.7 * pair(x, y, 5, -58.5, 2.2, 5) - 1.3 * bell(x, y, 0, -58.5, 2.6, 4.5)  # philtrum
    lips = np.clip(1 - (ax / 26.0) ** 2, 0, 1) ** 0.7
    relief += lips * (3.6 * ridge(y, -65.3, 2.6) + 4.2 * ridge(y, -75.5, 3.6) - 3.6 * ridge(y, -70, 1.1))
    relief -= 2.6 * pair(x, y, 27, -70, 3.5, 3.5)  # mouth corners
    relief += 6.5 * bell(x, y, 0, -100, 15, 9) - 4.2 * bell(x, y, 0, -86.5, 16, 4.2)  # chin, fold above it
    points[..., 2] += relief * FRONT
    points[..., 1] -= FRONT * (2.0 * bell(x, y, 0, -45, 7, 4) + 1.2 * pair(x, y, 13, -48, 5, 3.5))  # base of the nose
    temple = smoothstep(35, 50, y) * smoothstep(85, 55, y) * ridge(np.abs(AZIMUTH)[None], 1.1, 0.35)
    jaw_angle = pair(z, y, -2, -66, 16, 12)
    points[..., 0] += np.sign(x) * 3.0 * (jaw_angle - temple)
    return points


MEAN = mean_head()
