"""What a network that is guided by poses is told besides the face: the pose it has, and the frontal one."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from ..geometry import CANONICAL_128
from ..networks.heatmaps import heatmaps
from ..networks.pose import PoseNormalization, ShapeModel, pose_of_five, synthpie_model


def poses(count: int, landmarks: Tensor | None, size: int) -> tuple[Tensor, Tensor]:
    """Return two (B, 18, size, size) float32 heatmaps: of the landmarks as photographed, and of a frontal neutral face.

    The 18 points are those of the mean head, posed so that its five landmarks fit: those that SynthPIE's truth has, so
    that a teacher trained on it is told here, roughly, what it was told there.

    Args:
        count: B.
        landmarks: (B, 5, 2) pixels in the canonical crop; None takes every face for frontal.
        size: height and width of the maps.
    """
    five = torch.from_numpy(CANONICAL_128).expand(count, 5, 2) if landmarks is None else landmarks
    normalize = PoseNormalization(_head(), points="synthpie", scale="uniform", expression="neutral")
    found = normalize(pose_of_five(five.to(torch.float64), _head()))
    return heatmaps(found.profile.float(), size), heatmaps(found.frontal.float(), size)


@cache
def _head() -> ShapeModel:
    return synthpie_model()
