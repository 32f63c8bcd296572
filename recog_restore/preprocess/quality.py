"""Quality scores: how good the picture of a face is, told from the picture alone, so that a gate can ask for it."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from ..errors import ConventionError, RecordError
from ..faces import luma
from ..registry import Registry
from ..spec import imported, parse_spec, typed

# The window of the canonical crop that is face whatever the pose: brows to mouth, between the temples.
_FACE = slice(32, 112), slice(24, 104)


class Quality(ABC):
    """Maps canonical faces to one number each: the higher, the better the picture."""

    @abstractmethod
    def __call__(self, images: Tensor) -> Tensor:
        """Return (B,) float32 scores of (B, 3, 128, 128) float32 RGB in [0, 1]."""

    @abstractmethod
    def identity(self) -> str:
        """Return what names this score uniquely; scores on disk are kept under it."""


class Sharpness(Quality):
    """The variance of the Laplacian of the luma, on 0…255, over the middle of the face.

    A face that was small is smooth after it was brought to the size of the crop; noise counts as sharp.

    Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative study", ICPR 2000.
    """

    def __call__(self, images: Tensor) -> Tensor:
        """Return (B,) variances."""
        rows, columns = _FACE
        grey = luma(images[:, :, rows, columns]) * 255.0
        kernel = images.new_tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
        return conv2d(grey, kernel[None, None]).flatten(1).var(dim=1, correction=0)

    def identity(self) -> str:
        """Return its name and version."""
        return "sharpness/1"


QUALITIES: Registry[Quality] = Registry("quality score", "recog_restore.qualities")
QUALITIES.add("sharpness", Sharpness)


def is_quality(text: str) -> bool:
    """Return whether a text names a quality score: registered, ``onnx:FILE`` or ``python:module:Class``."""
    return text.startswith(("onnx:", "python:")) or parse_spec(text).name in QUALITIES


def create(text: str, device: str = "cpu") -> Quality:
    """Return the quality score that the text describes; options follow as ``,key=value``.

    Raises:
        UnknownName: nothing of that name.
        RecordError: the text or an option is not valid, or ``python:`` names no quality score.
    """
    spec = parse_spec(text)
    factory: Callable[..., Any]
    given: dict[str, Any] = {}
    if spec.name == "python":
        factory = imported(spec.argument, repr(text), Quality)
    elif spec.name == "onnx":
        where = "recog_restore.preprocess.quality_onnx:OnnxQuality"
        factory, given = imported(where, text, Quality), {"file": Path(spec.argument)}
    else:
        factory, given = QUALITIES.factory(spec.name)
    if "device" in inspect.signature(factory).parameters:
        given = {**given, "device": device}
    try:
        made = factory(**given, **typed(factory, spec.options, text, given))
    except TypeError as error:
        raise RecordError(f"{text!r}: cannot be made: {error}") from None
    if not isinstance(made, Quality):
        raise RecordError(f"{text!r}: expected a recog_restore.preprocess.Quality, got {type(made).__name__}")
    return made


def scores(quality: Quality, images: Tensor, name: str) -> Tensor:
    """Return (B,) scores, checked.

    Raises:
        ConventionError: the score is not one number per face.
    """
    found = quality(images)
    if not isinstance(found, Tensor) or tuple(found.shape) != (len(images),):
        got = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise ConventionError(f"quality score {name!r}: expected a tensor of shape ({len(images)},), got {got}")
    return torch.as_tensor(found, dtype=torch.float32)
