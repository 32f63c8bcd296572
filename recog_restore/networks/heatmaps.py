"""Landmarks as images: one Gaussian for each of the 18 points of MDFR.

Convention: points are ``(x, y)`` in pixels of the canonical 128×128 crop, (0, 0) the centre of its first pixel, and so
is σ; ``size`` is only how finely the same field of view is sampled. A map of any size is therefore that of the crop
resized with pixel areas, not corners, aligned.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..geometry import CANONICAL_SIZE

# Points that describe a pose; which of the 68 they are: recog_restore.synthpie.landmarks.EIGHTEEN.
LANDMARKS = 18


def heatmaps(points: Tensor, size: int = CANONICAL_SIZE, sigma: float = 2.0) -> Tensor:
    """Return (B, K, size, size) maps in [0, 1] that are 1 at the point and fall off as a Gaussian.

    A point outside the crop leaves what of its Gaussian reaches into it, mostly nothing.

    Args:
        points: (B, K, 2) ``(x, y)`` in pixels of the canonical crop; K is 18 for FFN.
        size: height and width of the maps.
        sigma: of the Gaussian, in pixels of the canonical crop. The paper states none.

    Source: MDFR (arXiv:2105.09907), section III-A: "18 facial landmarks … encode them as Gaussian heatmaps".
    """
    step = CANONICAL_SIZE / size
    centres = (torch.arange(size, dtype=points.dtype, device=points.device) + 0.5) * step - 0.5
    # A Gaussian of the plane is the product of two of the line.
    across, down = (torch.exp(-((centres - points[..., axis, None]) ** 2) / (2 * sigma**2)) for axis in (0, 1))
    return down[..., :, None] * across[..., None, :]
