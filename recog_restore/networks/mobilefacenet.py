"""MobileFaceNet, one million parameters.

Paper: Chen, Liu, Gao, Han, "MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile Devices",
CCBR 2018 (arXiv:1804.07573), table 1.
Repository: Xiaoccer/MobileFaceNet_Pytorch, core/model.py (commit 237649c); the names of the parameters are those of its
checkpoint ``model/best/068.ckpt``, trained with ArcFace on CASIA-WebFace.
Licence: the repository states none, neither for code nor for weights.

What differs: the last depth-wise kernel follows the input's size (7×7 for 112×112, the paper's; 7×6 for 112×96, the
repository's). insightface, TFace and FaceX-Zoo have networks of the same name with other parameters.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ..records import Size
from .prelu import PReLU

# Expansion, channels, units and stride of the first unit, in each stage (table 1).
STAGES = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))


class Layer(nn.Module):
    """Convolution and BN, followed by PReLU unless it is linear."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int | tuple[int, int],
        *,
        stride: int = 1,
        padding: int = 0,
        groups: int = 1,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs)
        self.prelu = nn.Identity() if linear else PReLU(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, H', W')."""
        return self.prelu(self.bn(self.conv(x)))  # type: ignore[no-any-return]


class Bottleneck(nn.Module):
    """Widen, filter each channel, narrow; with a shortcut where the shape stays."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.shortcut = stride == 1 and inputs == outputs
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
            PReLU(wide),
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            PReLU(wide),
            nn.Conv2d(wide, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, H / stride, W / stride)."""
        y: Tensor = self.conv(x)
        return x + y if self.shortcut else y


class MobileFaceNet(nn.Module):
    """Embeds (B, 3, *size) as (B, dim).

    Args:
        dim: length of the embedding.
        size: height and width of the input in pixels; the last depth-wise kernel is a sixteenth of each, rounded up.
    """

    def __init__(self, dim: Size = 128, size: Sequence[Size] = (112, 112)) -> None:
        super().__init__()
        height, width = size
        self.conv1 = Layer(3, 64, 3, stride=2, padding=1)
        self.dw_conv1 = Layer(64, 64, 3, padding=1, groups=64)
        units: list[Bottleneck] = []
        inputs = 64
        for expansion, outputs, count, stride in STAGES:
            for unit in range(count):
                units.append(Bottleneck(inputs, outputs, stride if unit == 0 else 1, expansion))
                inputs = outputs
        self.blocks = nn.Sequential(*units)
        self.conv2 = Layer(128, 512, 1)
        self.linear7 = Layer(512, 512, (-(-height // 16), -(-width // 16)), groups=512, linear=True)
        self.linear1 = Layer(512, dim, 1, linear=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, dim) embeddings, not normalised."""
        x = self.conv2(self.blocks(self.dw_conv1(self.conv1(x))))
        return self.linear1(self.linear7(x)).squeeze(3).squeeze(2)  # type: ignore[no-any-return]
