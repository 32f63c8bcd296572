"""Multi-PIE's tree made of other faces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...errors import DataError
from ..landmarks import FILE_NAME, write_landmarks
from ..shots import FRONTAL, ILLUMINATIONS, YAW, name_of, path_of
from .base import Mimic, write_image

_GALLERY = "07"
_SESSIONS = (1, 2, 3, 4)
_MOST = len(_SESSIONS) * len(ILLUMINATIONS)


class MultiPIEMimic(Mimic):
    """Each person's most frontal image is the frontal one under illumination 07 of session 1: the gallery.

    Where the source has a column ``yaw``, every other image goes to the camera whose yaw is the nearest; else it takes
    the cameras in turn, and the folder is an example of the format, not of poses. Illuminations are numbers alone.
    """

    layout: ClassVar[str] = "multipie"
    title: ClassVar[str] = "Multi-PIE"
    runs: ClassVar[tuple[str, ...]] = ("--protocol multipie-setting2 --set data.options.train_people=0",)
    fewest: ClassVar[tuple[int, int]] = (2, 2)
    usual: ClassVar[tuple[int, int]] = (20, 14)

    def write(self, out: Path, advance: Callable[[int], None]) -> dict[str, int]:
        """Write ``session01/multiview/001/01/05_1/001_01_01_051_07.png`` … and ``landmarks.csv``."""
        yaw = self._yaw()
        paths, points = [], []
        for number, drawn in enumerate(self.cast.subjects.values(), 1):
            if len(drawn) > _MOST:
                raise DataError(f"a mimic of Multi-PIE holds at most {_MOST} images of a person, got {len(drawn)}")
            rows = drawn[np.argsort(np.abs(yaw[drawn]), kind="stable")]
            for row, name in zip(rows.tolist(), _names(number, yaw[rows]), strict=True):
                face = self.face(row)
                paths.append(path_of(name))
                points.append(face.points)
                write_image(out / paths[-1], face.image)
                advance(1)
        write_landmarks(out / FILE_NAME, paths, np.array(points))
        return {"people": len(self.cast.subjects), "images": len(paths)}

    def _yaw(self) -> NDArray[np.float64]:
        """Return degrees for each sample; NaN where they are not known."""
        if "yaw" not in self.samples.table:
            return np.full(len(self.samples), np.nan)
        return pd.to_numeric(self.samples.table["yaw"], errors="coerce").to_numpy(np.float64)


def _names(number: int, yaw: NDArray[np.float64]) -> list[str]:
    """Return the names of a person's images, the first one's being that of the gallery."""
    cameras, degrees = list(YAW), np.array(list(YAW.values()))
    lights = [_GALLERY, *(light for light in ILLUMINATIONS if light != _GALLERY)]
    used: Counter[str] = Counter()
    names = []
    for place, angle in enumerate(yaw.tolist()):
        near = place % len(cameras) if np.isnan(angle) else int(np.argmin(np.abs(degrees - angle)))
        camera = cameras[near] if place else FRONTAL
        turn, light = divmod(used[camera], len(lights))
        used[camera] += 1
        names.append(name_of(number, _SESSIONS[turn], 1, camera, lights[light]))
    return names
