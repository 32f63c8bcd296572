"""``--detector`` texts into detectors: ``yunet:FILE``, ``scrfd:FILE,score=0.4``."""

from __future__ import annotations

from pathlib import Path

from ..errors import RecordError
from ..spec import parse_spec, typed
from . import DETECTORS, Detector


def create(text: str) -> Detector:
    """Return the detector that a text describes.

    Raises:
        UnknownName, RecordError, WeightsError: no such detector, option or file.
    """
    spec = parse_spec(text)
    factory, _ = DETECTORS.factory(spec.name)
    if not spec.argument:
        raise RecordError(f"{text!r}: expected {spec.name}:FILE, the detector's ONNX file")
    return factory(file=Path(spec.argument), **typed(factory, spec.options, text, given=("file",)))
