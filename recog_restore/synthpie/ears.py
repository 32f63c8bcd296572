"""Ears: two small grids beside the head, double-sided, shaded by their own relief."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .fields import Field, ridge, smoothstep
from .head import AZIMUTH, SKULL

_ROOT_COLUMNS = tuple(int(np.argmin(np.abs(AZIMUTH - side * np.deg2rad(94)))) for side in (-1, 1))
_ROOT_ROW = int(np.argmin(np.abs(SKULL[:, _ROOT_COLUMNS[1], 1] + 14)))


def _template() -> tuple[Field, Field, Field, Field]:
    """Return across (backwards), up and relief in mm, and shade 0 … 1, of the mean ear's (13, 28) polar grid."""
    radius = np.concatenate([np.linspace(0, 1, 10), [1.04, 1.02, 0.92]])[:, None]  # the last three are the rim's back
    angle = np.linspace(-np.pi, np.pi, 28)[None]
    c, s, inner = np.cos(angle), np.sin(angle), np.minimum(radius, 1.05)
    across = 17.5 * (1 + 0.16 * s) * c * inner - 4.5 * np.where(s < 0, s**2, 0) * inner
    up = 31.0 * s * inner
    back, upper = smoothstep(-0.6, 0.2, c + 0.5 * s), smoothstep(-0.9, -0.2, s)
    helix = ridge(radius, 0.93, 0.075) * back * upper
    groove = ridge(radius, 0.76, 0.07) * back * upper
    antihelix = ridge(radius, 0.58, 0.11) * smoothstep(-0.5, 0.3, c) * smoothstep(-0.75, -0.3, s)
    tragus = np.exp(-0.5 * (((c * radius + 0.62) / 0.16) ** 2 + ((s * radius + 0.12) / 0.16) ** 2))
    relief = 4.2 * helix - 1.6 * groove + 3.6 * antihelix - 6.5 * ridge(radius, 0, 0.36) + 4.5 * tragus
    relief = relief + 1.5 * smoothstep(-0.6, -0.9, s * radius)
    relief = relief - np.concatenate([np.zeros(10), [2, 6, 13]])[:, None]
    canal = np.exp(-0.5 * (((c * radius + 0.15) / 0.26) ** 2 + ((s * radius + 0.05) / 0.30) ** 2))
    shade = 1 - 0.62 * canal - 0.38 * ridge(radius, 0.76, 0.06) * back * upper - 0.35 * (radius > 1.01)
    shade = shade + 0.12 * ridge(radius, 0.95, 0.06) * back * upper
    return across, up, relief, shade


ACROSS, UP, RELIEF, SHADE = _template()


def ears(head: Field, traits: NDArray[np.float64]) -> list[Field]:
    """Return the two ears, image left first, each (13, 28, 3) mm, attached to a head (ROWS, COLUMNS, 3).

    Args:
        traits: (5,) size, how far they stand off, tilt, lobe, width; about standard normal.
    """
    size, lobe, width = 1 + 0.07 * traits[0], 1 + 0.18 * traits[3], 1 + 0.08 * traits[4]
    stand, tilt = np.deg2rad(27 + 8 * traits[1]), np.deg2rad(10 + 4 * traits[2])
    a = (ACROSS * width + 16.0) * size
    b = UP * size * np.where(UP < 0, lobe, 1)
    a, b = a * np.cos(tilt) + b * np.sin(tilt) * 0.6 - 6, b * np.cos(tilt) - a * np.sin(tilt) * 0.3
    result = []
    for side, column in zip((-1, 1), _ROOT_COLUMNS, strict=True):
        root = head[_ROOT_ROW, column] - [side * 1.0, 0, 0]
        out = a * np.sin(stand) + RELIEF * np.cos(stand)
        back = a * np.cos(stand) - RELIEF * np.sin(stand)
        result.append(np.stack([root[0] + side * out, root[1] + b, root[2] - back + 5], -1))
    return result
