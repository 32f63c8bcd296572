"""MDFR's two judges of FFN's faces: VGG-11, told the target's pose (PCD) or the target's identity (ICD).

Papers: MDFR (arXiv:2105.09907), section III-C and equation 10; Simonyan, Zisserman, "Very Deep Convolutional Networks
for Large-Scale Image Recognition", ICLR 2015, table 1, column A (VGG-11).
Repository: none is known of MDFR; this is written from the papers.

What the paper leaves open and is decided here: P_t, which it calls "identity feature" and "identity feature map", is a
map of any height and width, brought to 8 channels and to the image's size. In training here it is the target's
embedding, a map of one place: every pixel is told the same 8 numbers. What differs: leaky rectifiers, fresh weights, a
fraction of the channels, and by default a mean over the image in place of VGG's three full layers.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..errors import RecordError
from ..geometry import CANONICAL_SIZE
from .heatmaps import LANDMARKS

HeadName = Literal["gap", "fc"]

# Convolutions of VGG-11 by stage; a stage ends in a 2×2 maximum.
STAGES = ((64,), (128,), (256, 256), (512, 512), (512, 512))
# Channels that are left of an identity's feature map.
IDENTITY = 8


class Discriminator(nn.Module):
    """(B, in_channels, S, S) to (B,) logits, above 0 for a real face; see ``PCD`` and ``ICD`` for the paper's two.

    Args:
        in_channels: of image and condition together.
        divisor: of VGG-11's channels.
        head: ``gap`` is a mean over the image and one linear layer, for any S of at least 32; ``fc`` is VGG's three
            full layers, of 4096 / divisor values, for S = ``size``.
        size: height and width of the images, for ``fc``.

    Raises:
        RecordError: no such head.
    """

    def __init__(
        self, in_channels: int, divisor: int = 4, head: HeadName = "gap", *, size: int = CANONICAL_SIZE
    ) -> None:
        super().__init__()
        if head not in get_args(HeadName):
            raise RecordError(f"head: expected one of {', '.join(map(repr, get_args(HeadName)))}, got {head!r}")
        layers: list[nn.Module] = []
        for stage in STAGES:
            for full in stage:
                layers += [nn.Conv2d(in_channels, full // divisor, 3, padding=1), nn.LeakyReLU(0.2, inplace=True)]
                in_channels = full // divisor
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.head = _mean_head(in_channels) if head == "gap" else _full_head(in_channels, size, 4096 // divisor)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (B,) logits."""
        # Channels last is about 1.4 times as fast on a CPU.
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        return self.head(self.features(inputs)).squeeze(1)  # type: ignore[no-any-return]


class PCD(nn.Module):
    """Pose-conditioned discriminator: is this a real face in the pose of these landmarks?

    Args:
        divisor, head, size: as ``Discriminator``'s.
    """

    def __init__(self, divisor: int = 4, head: HeadName = "gap", *, size: int = CANONICAL_SIZE) -> None:
        super().__init__()
        self.judge = Discriminator(3 + LANDMARKS, divisor, head, size=size)

    def forward(self, images: Tensor, target: Tensor) -> Tensor:
        """Return (B,) logits of (B, 3, S, S) images in [0, 1] and (B, 18, S, S) heatmaps of the target's landmarks."""
        return self.judge(torch.cat([images * 2 - 1, target], dim=1))  # type: ignore[no-any-return]


class ICD(nn.Module):
    """Identity-conditioned discriminator: is this a real face of the person with this feature map?

    Args:
        channels: of the feature map; the length of the embedding where that is the map, of one place.
        divisor, head, size: as ``Discriminator``'s.
    """

    def __init__(self, channels: int, divisor: int = 4, head: HeadName = "gap", *, size: int = CANONICAL_SIZE) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(channels, IDENTITY, 1)
        self.judge = Discriminator(3 + IDENTITY, divisor, head, size=size)

    def forward(self, images: Tensor, identity: Tensor) -> Tensor:
        """Return (B,) logits of (B, 3, S, S) images in [0, 1] and (B, channels, h, w) maps of the target's identity."""
        narrow = interpolate(self.narrow(identity), images.shape[2:], mode="bilinear", align_corners=False)
        return self.judge(torch.cat([images * 2 - 1, narrow], dim=1))  # type: ignore[no-any-return]


def _mean_head(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1))


def _full_head(channels: int, size: int, hidden: int) -> nn.Sequential:
    inputs = channels * (size // 2 ** len(STAGES)) ** 2
    return nn.Sequential(
        nn.Flatten(), nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1)
    )
