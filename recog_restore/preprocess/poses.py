"""What a network that is guided by poses is told besides the face: the pose it has, and the frontal one.

The source of both is five landmarks, those of the data set or the detector's: every face has them, SynthPIE's truth
included, and they say how the head is turned and nothing of whose it is. The PNM's settings are fixed here; SynthPIE's
exact parameters give the same points through it, in the shape of the person's own face.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from ..geometry import CANONICAL_128
from ..networks.heatmaps import heatmaps
from ..networks.pose import KeyPoints, PoseNormalization, pose_of_five, synthpie_model


def poses(count: int, landmarks: Tensor | None, size: int) -> tuple[Tensor, Tensor]:
    """Return two (B, 18, size, size) float32 heatmaps: of the landmarks as photographed, and of a frontal neutral face.

    Args:
        count: B.
        landmarks: (B, 5, 2) pixels in the canonical crop; None takes every face for frontal.
        size: height and width of the maps.
    """
    five = torch.from_numpy(CANONICAL_128).expand(count, 5, 2) if landmarks is None else landmarks
    found = key_points(five)
    return heatmaps(found.profile, size), heatmaps(found.frontal, size)


def key_points(five: Tensor) -> KeyPoints:
    """Return 18 float32 points of the mean head, posed so that its five landmarks fit, and of the same head frontal.

    Args:
        five: (B, 5, 2) pixels in the canonical crop.

    Raises:
        ConventionError: landmarks are not (B, 5, 2) finite numbers.
    """
    normalize = _normalization()
    found = normalize(pose_of_five(five.to(torch.float64), normalize.model))
    return KeyPoints(found.profile.float(), found.frontal.float())


@cache
def _normalization() -> PoseNormalization:
    return PoseNormalization(synthpie_model(), points="synthpie", scale="uniform", expression="neutral")
