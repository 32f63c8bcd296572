"""IResNet-18, -34, -50 and -100, the residual networks of ArcFace.

Paper: Deng, Guo, Xue, Zafeiriou, "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019, section
3.1 (after Han, Kim, Kim, "Deep Pyramidal Residual Networks", CVPR 2017, for the unit's order of layers).
Repository: deepinsight/insightface, recognition/arcface_torch/backbones/iresnet.py (commit 04a433f); the names of the
parameters are those of its ``backbone.pth``.
Licence: code MIT; the weights that insightface publishes are for non-commercial research.

What differs: no dropout (it is not active in evaluation, and 0 in the repository's recipes), no groups, no dilation;
``width`` and ``size`` make smaller networks of the same layers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..records import Size
from . import Width
from .prelu import PReLU

# Channels of the four stages.
STAGES = (64, 128, 256, 512)


class Unit(nn.Module):
    """A residual unit: BN, convolution, BN, PReLU, convolution (with the stride), BN; nothing after the sum."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.prelu = PReLU(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = (
            nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
            if stride > 1
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, H / stride, W / stride)."""
        y = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        y = self.bn3(self.conv2(y))
        return y + self.downsample(x)  # type: ignore[no-any-return]


class IResNet(nn.Module):
    """Embeds (B, 3, *size) as (B, dim).

    Args:
        units: residual units in each of the four stages.
        dim: length of the embedding.
        width: multiplies the channels of every stage; 1 is the repository's.
        size: height and width of the input in pixels; each stage halves them, rounding up.
    """

    def __init__(
        self,
        units: tuple[int, int, int, int],
        dim: Size = 512,
        width: Width = 1.0,
        size: Sequence[Size] = (112, 112),
    ) -> None:
        super().__init__()
        first, second, third, fourth = (round(width * channels) for channels in STAGES)
        self.conv1 = nn.Conv2d(3, first, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.prelu = PReLU(first)
        self.layer1 = _stage(first, first, units[0])
        self.layer2 = _stage(first, second, units[1])
        self.layer3 = _stage(second, third, units[2])
        self.layer4 = _stage(third, fourth, units[3])
        self.bn2 = nn.BatchNorm2d(fourth)
        self.fc = nn.Linear(fourth * -(-size[0] // 16) * -(-size[1] // 16), dim)
        self.features = nn.BatchNorm1d(dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, dim) embeddings, not normalised."""
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.features(self.fc(torch.flatten(self.bn2(x), 1)))  # type: ignore[no-any-return]


def _stage(inputs: int, outputs: int, units: int) -> nn.Sequential:
    return nn.Sequential(Unit(inputs, outputs, 2), *(Unit(outputs, outputs, 1) for _ in range(units - 1)))


def iresnet18(dim: Size = 512, width: Width = 1.0, size: Sequence[Size] = (112, 112)) -> IResNet:
    """Return IResNet-18 with fresh weights."""
    return IResNet((2, 2, 2, 2), dim, width, size)


def iresnet34(dim: Size = 512, width: Width = 1.0, size: Sequence[Size] = (112, 112)) -> IResNet:
    """Return IResNet-34 with fresh weights."""
    return IResNet((3, 4, 6, 3), dim, width, size)


def iresnet50(dim: Size = 512, width: Width = 1.0, size: Sequence[Size] = (112, 112)) -> IResNet:
    """Return IResNet-50 with fresh weights."""
    return IResNet((3, 4, 14, 3), dim, width, size)


def iresnet100(dim: Size = 512, width: Width = 1.0, size: Sequence[Size] = (112, 112)) -> IResNet:
    """Return IResNet-100 with fresh weights."""
    return IResNet((3, 13, 30, 3), dim, width, size)
