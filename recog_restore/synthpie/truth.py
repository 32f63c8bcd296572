"""What is known of a photo, exactly."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..errors import ConventionError
from .camera import Camera, angles
from .fields import Field, Image
from .landmarks import EIGHTEEN, points5, points68
from .shape import EXPRESSION_NAMES, IDENTITY_NAMES, triangles, vertices
from .view import View


class Truth:
    """The ground truth of a photo. Pixels are the photo's, (0, 0) the centre of its first one.

    Args:
        camera: of the photo.
        identity, expression: 40 and 10 coefficients.
        view: gives the rendered view, on demand.

    Attributes:
        yaw, pitch, roll: of the head in degrees, as photographed: jitter and the turn of the aligned frame included.
        distance: of the camera in mm.
        parameters: (62,) float64 as 3DDFA orders them: 12 pose (rows of ``[f·R | t]``), 40 identity, 10 expression.
            With ``distance`` they rebuild the head: see ``rebuild``.
        points3d: (68, 3) landmarks in mm in the head's frame: x to the right of a frontal image, y up, z forwards.
        landmarks68: (68, 2) pixels, hidden points included.
    """

    def __init__(
        self, camera: Camera, identity: NDArray[np.float64], expression: NDArray[np.float64], view: Callable[[], View]
    ) -> None:
        self._camera, self._view = camera, view
        self.yaw, self.pitch, self.roll = angles(camera.turn)
        self.distance = camera.distance
        self.parameters: NDArray[np.float64] = np.concatenate([camera.pose(), identity, expression])
        self.points3d = points68(identity, expression)
        self.landmarks68: Field = camera.project(self.points3d)[:, :2]

    @property
    def landmarks18(self) -> Field:
        """Return (18, 2) pixels: the points EIGHTEEN of the 68."""
        return self.landmarks68[list(EIGHTEEN)]

    @property
    def landmarks5(self) -> Field:
        """Return (5, 2) pixels, ordered as in :mod:`recog_restore.geometry`; eyes are projected means of the lids."""
        return self._camera.project(points5(self.points3d))[:, :2]

    @cached_property
    def visible(self) -> NDArray[np.bool_]:
        """Return (68,) bool: the point is in the picture and neither the head nor hair hides it."""
        return self._view().sees(self.points3d)

    def depth(self) -> Image:
        """Return (size, size) mm along the camera's axis, 0 at the head's origin, larger is nearer, else NaN."""
        return self._view().depth()

    def mesh(self) -> tuple[Field, NDArray[np.int32]]:
        """Return the bare head's (V, 3) vertices (pixel x, pixel y, depth in mm) and (T, 3) triangles."""
        return rebuild(self.parameters, self.distance), triangles()


def rebuild(parameters: NDArray[np.floating], distance: float = np.inf) -> Field:
    """Return (V, 3) pixel x, pixel y and depth in mm of the head of 62 parameters.

    Args:
        parameters: (62,) as ``Truth.parameters``.
        distance: of the camera in mm; infinite gives 3DDFA's scaled orthographic projection.

    Raises:
        ConventionError: there are not 62 parameters.
    """
    count = len(IDENTITY_NAMES)
    if np.shape(parameters) != (12 + count + len(EXPRESSION_NAMES),):
        raise ConventionError(f"expected 62 parameters, 12 + 40 + 10; got an array of shape {np.shape(parameters)}")
    pose = np.asarray(parameters[:12], np.float64).reshape(3, 4)
    head = vertices(parameters[12 : 12 + count], parameters[12 + count :]).reshape(-1, 3)
    turned = head @ pose[:, :3].T
    depth = turned[:, 2] / np.linalg.norm(pose[0, :3])
    k = 1.0 if np.isinf(distance) else (distance / (distance - depth))[:, None]
    return np.column_stack([turned[:, :2] * k + pose[:2, 3], depth])
