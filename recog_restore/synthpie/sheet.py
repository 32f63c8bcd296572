"""The contact sheet of the documentation: ``python -m recog_restore.synthpie.sheet OUT.png``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .shape import EXPRESSIONS
from .shot import Shot
from .studio import Studio

PEOPLE = range(1, 11)
YAWS = range(-90, 91, 15)


def contact_sheet(rows: Iterable[Iterable[Shot]]) -> NDArray[np.uint8]:
    """Return the photos of rows of equally many shots, side by side, uint8 RGB."""
    studio = Studio()
    return np.vstack([np.hstack([studio.photograph(shot).image for shot in row]) for row in rows])


def documentation() -> list[list[Shot]]:
    """Return ten people in thirteen poses, two in thirteen lights, one with six expressions, one in four sessions."""
    wall = Shot(0, background="clean", size=88)
    room = replace(wall, background="cluttered")
    poses = [[replace(wall, subject=subject, yaw=yaw) for yaw in YAWS] for subject in PEOPLE]
    lights = [[replace(wall, subject=subject, light=light) for light in range(1, 14)] for subject in (6, 12)]
    faces = [replace(wall, subject=21, expression=name, yaw=yaw) for name in EXPRESSIONS for yaw in (0, 45)]
    sessions = [replace(room, subject=1, session=number, yaw=yaw) for number in (1, 2, 3, 4) for yaw in (0, -30, -75)]
    last = replace(wall, subject=21, light=16), replace(room, subject=1, light=19)
    return [*poses, *lights, [*faces, last[0]], [*sessions, last[1]]]


if __name__ == "__main__":
    cv2.imwrite(sys.argv[1], contact_sheet(documentation())[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
