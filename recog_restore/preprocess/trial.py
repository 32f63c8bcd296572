"""What a preprocessor's output on a few faces says is wrong: its range, one colour, chance, neighbours in the batch."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..faces import FaceBatch
from ..networks.cards import PixelRange
from .base import Preprocessor
from .onnx import RANGES, OnnxPreprocessor
from .spec import links

_MARGIN = 0.05  # beyond [0, 1], where sharp edges overshoot
_MOST_CLAMPED = 0.1  # share of the values beyond the margin
_ONE_COLOUR = 2 / 255  # largest difference within a channel
_DIFFERENT = 0.01  # of two outputs that should be equal: more than half precision and other sums explain


def trial(preprocessor: Preprocessor, faces: FaceBatch) -> list[str]:
    """Return warnings about a preprocessor, or about the links of a chain, each with its name.

    Args:
        preprocessor: runs twice on all of the faces, and once on one of them.
        faces: a few different ones; those that failed are not used.
    """
    found = []
    for link in links(preprocessor):
        faces = faces.take([row for row, reason in enumerate(faces.status) if not reason])
        if link.strength > 0 and len(faces):
            with torch.inference_mode():
                found += [f"{link.card.name}: {text}" for text in _tried(link, faces)]
                faces = link(faces)
    return found


def _tried(preprocessor: Preprocessor, faces: FaceBatch) -> Iterator[str]:
    output, reasons = preprocessor.attempt(faces)
    good = [row for row, reason in enumerate(reasons) if not reason]
    faces, output = faces.take(good), output[good]
    if not good:
        return
    clamped = float(((output < -_MARGIN) | (output > 1 + _MARGIN)).float().mean())
    output, whole = output.clamp(0.0, 1.0), output
    if clamped > _MOST_CLAMPED:
        low, high = (float(end) for end in whole.aminmax())
        yield (
            f"{clamped:.0%} of its output's values lie outside of 0..1 and are clamped (they span {low:.3g} to "
            f"{high:.3g}): are they {_way_out(preprocessor, faces.images, whole)}"
        )
    elif (one_colour := int((_spread(output) < _ONE_COLOUR).sum())) > len(good) / 2:
        yield f"its output is of one colour for {one_colour} of {len(good)} faces; is the range of its input right?"
    elif isinstance(preprocessor, OnnxPreprocessor) and _nearest(preprocessor, faces.images, whole) != (
        declared := preprocessor.output_range
    ):
        yield (
            f"read in the range {declared} its output is far from the faces: is it "
            f"{_way_out(preprocessor, faces.images, whole)}"
        )
    elif _differ(output[:1], output) < _ONE_COLOUR < _differ(faces.images[:1], faces.images):
        yield "its output is the same for different faces"
    again = preprocessor.attempt(faces)[0].clamp(0.0, 1.0)
    if (found := _differ(again, output)) > _DIFFERENT:
        if preprocessor.card.deterministic:
            yield f"it gives another output each time for the same faces, up to {found:.2f} of 1"
    elif (
        len(good) > 1
        and (found := _differ(preprocessor.attempt(faces.take([0]))[0].clamp(0.0, 1.0), output[:1])) > _DIFFERENT
    ):
        yield (
            f"its output depends on the other faces of the batch, up to {found:.2f} of 1; is it in training mode? call "
            "eval()"
        )


def _way_out(preprocessor: Preprocessor, images: Tensor, output: Tensor) -> str:
    """Return in which range the values of an output seem to be, and how to say so."""
    if isinstance(preprocessor, OnnxPreprocessor):
        return f"in the range {(likely := _nearest(preprocessor, images, output))}? say output_range={likely}"
    likely = "0..255" if output.max() > 2 else "-1..1"
    return f"in the range {likely}? restore() has to return 0..1"


def _nearest(preprocessor: OnnxPreprocessor, images: Tensor, output: Tensor) -> PixelRange:
    """Return the range in which a network's output is nearest to the faces; its own, if no other is twice as near."""
    scale, offset = RANGES[preprocessor.output_range]
    raw = output * scale + offset
    far = {name: float(((raw - o) / s).clamp(0.0, 1.0).sub(images).abs().mean()) for name, (s, o) in RANGES.items()}
    nearest = min(far, key=lambda name: far[name])
    return nearest if far[nearest] < far[preprocessor.output_range] / 2 else preprocessor.output_range


def _spread(images: Tensor) -> Tensor:
    """Return (B,) the largest difference within a channel."""
    flat = images.flatten(2)
    return (flat.amax(2) - flat.amin(2)).amax(1)


def _differ(first: Tensor, second: Tensor) -> float:
    return float((first - second).abs().max())
