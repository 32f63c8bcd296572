"""A 62-d regressor of 3-D face parameters: 3DDFA_V2's MobileNet, and its weights.

Paper: Guo, Zhu, Yang, Yang, Lei, Li, "Towards Fast, Accurate and Stable 3D Dense Face Alignment", ECCV 2020.
Repository: cleardusk/3DDFA_V2, models/mobilenet_v1.py, TDDFA.py, utils/functions.py; the names of the parameters are
those of its checkpoints ``mb05_120x120.pth`` (width ½) and ``mb1_120x120.pth``.
Licence: MIT, code and weights; the shape basis is the Basel Face Model's, whose licence allows research only.

What differs: only the parameters are computed, no landmarks besides; crops are sampled with half-pixel centres, and the
result is converted to pixels of the image it was given (see ``networks.pose``). Weights and numbers are read without
running anything in their files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample, relu

from ..errors import ConventionError, WeightsError
from .pose import PARAMETERS, ShapeModel, photographed
from .weights import fit, read_checkpoint

INPUT = 120  # pixels across
# Channels of a unit at width 1, and its stride.
UNITS = {
    "dw2_1": (64, 1),
    "dw2_2": (128, 2),
    "dw3_1": (128, 1),
    "dw3_2": (256, 2),
    "dw4_1": (256, 1),
    "dw4_2": (512, 2),
    **{f"dw5_{i}": (512, 1) for i in range(1, 6)},
    "dw5_6": (1024, 2),
    "dw6": (1024, 1),
}


class Unit(nn.Module):
    """Filter each channel, then mix them; batch normalization and ReLU after both."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False)
        self.bn_dw = nn.BatchNorm2d(inputs)
        self.conv_sep = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn_sep = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, outputs, H / stride, W / stride)."""
        x = relu(self.bn_dw(self.conv_dw(x)))
        return relu(self.bn_sep(self.conv_sep(x)))


class MobileNet(nn.Module):
    """MobileNet-v1: (B, 3, 120, 120) to (B, 62). ``width`` is the number of channels of the first layer over 32."""

    passed_over = ("fc_lm.",)  # landmarks, which only training needs

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        inputs = round(32 * width)
        self.conv1 = nn.Conv2d(3, inputs, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        for name, (channels, stride) in UNITS.items():
            self.add_module(name, Unit(inputs, round(channels * width), stride))
            inputs = round(channels * width)
        self.fc = nn.Linear(inputs, PARAMETERS)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, 62) normalized parameters of BGR, (x − 127.5) / 128."""
        x = relu(self.bn1(self.conv1(x)))
        for name in UNITS:
            x = self.get_submodule(name)(x)
        return self.fc(x.mean((2, 3)))  # type: ignore[no-any-return]


class PoseRegressor:
    """Parameters of the faces in images, for ``networks.pose``.

    Args:
        folder: holds one checkpoint (``*.pth``) and, as text with a row a line, ``param_mean.txt`` and
            ``param_std.txt`` (62), ``u_base.txt`` (204: x, y, z of 68 landmarks), ``w_shp_base.txt`` (204 × 40) and
            ``w_exp_base.txt`` (204 × 10).
        device: where the network computes.

    Attributes:
        model: the 68 landmarks of its shape model, in micrometres.

    Raises:
        WeightsError: a file is absent, damaged, holds objects besides tensors, or does not fit.
    """

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        file = _checkpoint(folder)
        state = {key.replace("fc_param.", "fc."): tensor for key, tensor in read_checkpoint(file).items()}
        first = next((tensor for key, tensor in state.items() if key.endswith("conv1.weight")), None)
        network = MobileNet(1.0 if first is None else len(first) / 32).eval()
        fit(network, state, str(file))
        self._device = torch.device(device)
        self._network = network.to(self._device).requires_grad_(False)
        self._mean = _numbers(folder / "param_mean.txt", (PARAMETERS,))
        self._std = _numbers(folder / "param_std.txt", (PARAMETERS,))
        self.model = ShapeModel(
            _numbers(folder / "u_base.txt", (204,)).reshape(68, 3),
            _numbers(folder / "w_shp_base.txt", (204, 40)).T.reshape(40, 68, 3),
            _numbers(folder / "w_exp_base.txt", (204, 10)).T.reshape(10, 68, 3),
        )

    @torch.inference_mode()
    def __call__(self, images: Tensor, boxes: Tensor | None = None) -> Tensor:
        """Return (B, 62) float32 parameters of the faces, in pixels of their images.

        Args:
            images: (B, 3, H, W) float32 RGB in [0, 1].
            boxes: (B, 4) squares around the faces, left, top, right, bottom in pixels, the last two exclusive; what
                lies outside the image is black. None, for canonical crops: first the whole image, then, as 3DDFA_V2
                follows a face through a film, the box around the landmarks that were found in it.

        Raises:
            ConventionError: shapes are not as above.
        """
        if boxes is None:
            height, width = images.shape[-2:]
            first = self(images, images.new_tensor([0, 0, width, height]).expand(len(images), 4))
            boxes = box_around(photographed(first, self.model))
        if images.ndim != 4 or images.shape[1] != 3 or tuple(boxes.shape) != (len(images), 4):
            raise ConventionError(
                f"expected images (B, 3, H, W) and boxes (B, 4), got {tuple(images.shape)} and {tuple(boxes.shape)}"
            )
        boxes = boxes.to(images)
        inputs = (crops(images, boxes, INPUT).flip(1) * 255 - 127.5) / 128
        found = self._network(inputs.to(self._device)).to(images.device)
        return to_pixels(found * self._std.to(found) + self._mean.to(found), boxes)


def box_around(landmarks: Tensor) -> Tensor:
    """Return the (B, 4) box that 3DDFA cuts out around (B, K, 2) landmarks: their square, √2 as wide.

    Source: 3DDFA_V2, utils/functions.py, parse_roi_box_from_landmark.
    """
    low, high = landmarks.amin(1), landmarks.amax(1)
    centre, half = (low + high) / 2, (high - low).amax(1, keepdim=True) / 2 * 2**0.5
    return torch.cat([centre - half, centre + half], 1)


def crops(images: Tensor, boxes: Tensor, size: int) -> Tensor:
    """Return (B, 3, size, size) of the boxes, bilinear, with half-pixel centres and black beyond the image."""
    sides = images.new_tensor([images.shape[3], images.shape[2]])
    half, centre = (boxes[:, 2:] - boxes[:, :2]) / sides, (boxes[:, 2:] + boxes[:, :2]) / sides - 1
    theta = torch.cat([torch.diag_embed(half), centre[:, :, None]], 2)
    grid = affine_grid(theta, [len(images), 3, size, size], align_corners=False)
    return grid_sample(images, grid, align_corners=False)


def to_pixels(parameters: Tensor, boxes: Tensor) -> Tensor:
    """Return 3DDFA's (B, 62) parameters of the boxes' crops as parameters of the images.

    3DDFA's pose counts x from 1 and y upwards from the crop's lower edge, in pixels of its 120.
    """
    pose = parameters[:, :12].reshape(-1, 3, 4).clone()
    pose[:, 1] *= -1
    pose[:, 0, 3] -= 1
    pose[:, 1, 3] += INPUT
    zoom = (boxes[:, 2:] - boxes[:, :2]) / INPUT
    shift = (pose[:, :2, 3] + 0.5) * zoom + boxes[:, :2] - 0.5
    pose = pose * torch.cat([zoom, zoom.mean(1, keepdim=True)], 1)[:, :, None]
    pose[:, :2, 3] = shift
    return torch.cat([pose.flatten(1), parameters[:, 12:]], 1)


def _checkpoint(folder: Path) -> Path:
    files = sorted(folder.glob("*.pth"))
    if len(files) != 1:
        found = ", ".join(file.name for file in files) or "none"
        raise WeightsError(f"{folder}: expected one checkpoint (*.pth) of 3DDFA_V2, found {found}")
    return files[0]


def _numbers(file: Path, shape: tuple[int, ...]) -> Tensor:
    try:
        values: NDArray[np.float32] = np.loadtxt(file, np.float32)
    except FileNotFoundError:
        raise WeightsError(f"{file}: no such file") from None
    except ValueError as error:
        raise WeightsError(f"{file}: expected numbers, a row a line: {error}") from None
    if values.shape != shape or not np.isfinite(values).all():
        raise WeightsError(f"{file}: expected {' × '.join(map(str, shape))} finite numbers, found {values.shape}")
    return torch.from_numpy(values)
