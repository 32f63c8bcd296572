"""Weights of a network for small inputs, taken over into the same network for larger ones."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn.functional import interpolate

from ..errors import WeightsError


def grown(
    state: Mapping[str, Tensor], like: Mapping[str, Tensor], before: tuple[int, int], after: tuple[int, int]
) -> dict[str, Tensor]:
    """Return the weights in the shapes of ``like``.

    What depends on the size of the input is the last layer, whose weights lie on a grid of a sixteenth of it, rounded
    up: they are interpolated (bilinear, pixel centres) and scaled by the number of places, so that the
    layer's output for an even input stays about the same.

    Args:
        state: weights for inputs of ``before``.
        like: any weights for inputs of ``after``; only the shapes count.
        before, after: height and width.

    Raises:
        WeightsError: a shape differs by something else.
    """
    (h, w), (tall, wide) = ((-(-side // 16) for side in size) for size in (before, after))
    found = {}
    for name, tensor in state.items():
        shape = like[name].shape
        if tensor.shape != shape:
            if tensor.numel() * tall * wide != shape.numel() * h * w:
                raise WeightsError(f"{name}: {tuple(tensor.shape)} cannot become {tuple(shape)} by a larger input")
            planes = interpolate(tensor.reshape(-1, 1, h, w), (tall, wide), mode="bilinear", align_corners=False)
            tensor = (planes * (h * w / (tall * wide))).reshape(shape)
        found[name] = tensor
    return found
