"""SphereFace-20, the 20-layer network of SphereFace (also that of CosFace's first release).

Paper: Liu, Wen, Yu, Li, Raj, Song, "SphereFace: Deep Hypersphere Embedding for Face Recognition", CVPR 2017, table 2.
Repository: clcarwin/sphereface_pytorch, net_sphere.py (commit 421986c), class ``sphere20a``; the names of the
parameters are those of its ``sphere20a_20171020.pth``.
Licence: the repository states none, neither for code nor for weights.

What differs: the layer of classes, ``fc6``, serves training only and is left out; ``width`` and ``size`` make smaller
networks of the same layers.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ..records import Size
from . import Width
from .prelu import PReLU

# Channels and residual units of each stage (table 2).
STAGES = ((64, 1), (128, 2), (256, 4), (512, 1))


class SphereFace20(nn.Module):
    """Embeds (B, 3, *size) as (B, dim).

    Args:
        dim: length of the embedding.
        width: multiplies the channels of every stage; 1 is the paper's.
        size: height and width of the input in pixels; each stage halves them, rounding up.
    """

    # Parameters of a checkpoint that this network has no place for.
    passed_over = ("fc6.",)

    def __init__(self, dim: Size = 512, width: Width = 1.0, size: Sequence[Size] = (112, 96)) -> None:
        super().__init__()
        inputs = 3
        for stage, (full, units) in enumerate(STAGES, 1):
            channels = round(width * full)
            for layer in range(1, 2 * units + 2):
                stride = 2 if layer == 1 else 1
                setattr(self, f"conv{stage}_{layer}", nn.Conv2d(inputs, channels, 3, stride, padding=1))
                setattr(self, f"relu{stage}_{layer}", PReLU(channels))
                inputs = channels
        self.fc5 = nn.Linear(inputs * -(-size[0] // 16) * -(-size[1] // 16), dim)
        self._initialize()

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, dim) embeddings, not normalised."""
        for stage, (_, units) in enumerate(STAGES, 1):
            x = self._layer(x, stage, 1)
            for unit in range(1, units + 1):
                x = x + self._layer(self._layer(x, stage, 2 * unit), stage, 2 * unit + 1)
        return self.fc5(x.flatten(1))  # type: ignore[no-any-return]

    def _initialize(self) -> None:
        """Draw first weights as the authors' ``sphereface_model.prototxt`` says; nothing here normalizes."""
        for name, parameter in self.named_parameters():
            if name.startswith("relu"):
                continue
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif name.startswith("fc") or name.split(".")[0].endswith("_1"):
                nn.init.xavier_uniform_(parameter)
            else:  # the layers of the residual units
                nn.init.normal_(parameter, std=0.01)

    def _layer(self, x: Tensor, stage: int, layer: int) -> Tensor:
        convolution, activation = getattr(self, f"conv{stage}_{layer}"), getattr(self, f"relu{stage}_{layer}")
        return activation(convolution(x))  # type: ignore[no-any-return]
