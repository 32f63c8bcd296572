"""Gates: which faces a preprocessor may touch. Every other face keeps its original.

``size<24`` touches faces of fewer than 24 pixels between the eyes; ``yaw>45``, ``sharpness<80``, ``norm<18``,
``drift<0.3``, ``onnx:quality.onnx<0.4`` likewise; ``size<24 and drift<0.3`` wants both. ``learned:FILE`` is a gate that
``rr-eval --fit-gate`` wrote. A gate sees what can be measured of a face and of what the preprocessor made of it: never
labels, never who it is.
"""

from __future__ import annotations

import operator
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RecordError
from ..records import nearest
from . import quality
from .base import Preprocessor

# What is measured of a face without looking at its pixels, in words.
MEASURES: dict[str, str] = {
    "size": "pixels between the eyes of a frontal face of that scale",
    "yaw": "degrees that the head is turned, from its five landmarks",
    "norm": "length of the untouched face's embedding",
    "drift": "1 − cosine between the embeddings of the face before and after",
}
DRIFT = "drift"

# What ``quality`` stands for.
QUALITY, DEFAULT_QUALITY = "quality", "sharpness"

Facts = Mapping[str, NDArray[np.floating[Any]]]

_HOLDS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CONDITION = re.compile(r"(.+?)\s*(<=|>=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")


class Gate(ABC):
    """Says for each face whether it is touched.

    Attributes:
        name: as typed after ``--gate``.
        measures: what it wants to know of a face.
    """

    name: str
    measures: tuple[str, ...]

    @abstractmethod
    def open(self, facts: Facts) -> NDArray[np.bool_]:
        """Return (J,) whether each face is touched; a face of which something is unknown (NaN) is not."""

    @abstractmethod
    def words(self) -> str:
        """Return when a face is touched: ``size < 24``."""

    def fits(self, preprocessor: Preprocessor, embedder: str) -> None:
        """Raise RecordError where the gate is not for this preprocessor and this embedder (its ``identity()``)."""
        return None


@dataclass(frozen=True)
class Condition:
    """A measure, ``<``, ``<=``, ``>`` or ``>=``, and a limit."""

    measure: str
    sign: str
    limit: float

    def holds(self, facts: Facts) -> NDArray[np.bool_]:
        """Return (J,) whether it holds; false where the measure is NaN."""
        return np.asarray(_HOLDS[self.sign](facts[self.measure], self.limit), bool)

    def words(self) -> str:
        """Return the condition with spaces around its sign."""
        return f"{self.measure} {self.sign} {self.limit:g}"


class Limits(Gate):
    """Touches the faces for which all conditions hold."""

    def __init__(self, name: str, conditions: tuple[Condition, ...]) -> None:
        self.name, self.conditions = name, conditions
        self.measures = tuple(dict.fromkeys(condition.measure for condition in conditions))

    def open(self, facts: Facts) -> NDArray[np.bool_]:
        """Return (J,) whether all of them hold."""
        opened: NDArray[np.bool_] = np.all([condition.holds(facts) for condition in self.conditions], axis=0)
        return opened

    def words(self) -> str:
        """Return the conditions."""
        return " and ".join(condition.words() for condition in self.conditions)


def create(text: str) -> Gate | None:
    """Return the gate that the text describes; None for ``none``, which touches every face.

    Raises:
        RecordError: a condition is not a measure, a sign and a number, or the file is no gate.
        ResourceMissing: there is no such file.
    """
    if text.strip() == "none":
        return None
    if text.startswith("learned:"):
        from .learned import LearnedGate, read

        return LearnedGate(text, read(Path(text.removeprefix("learned:"))))
    return Limits(text.strip(), tuple(_condition(part.strip(), text) for part in re.split(r"\s+and\s+", text)))


def _condition(part: str, text: str) -> Condition:
    found = _CONDITION.fullmatch(part)
    if found is None:
        raise RecordError(
            f"--gate {text!r}: expected none, learned:FILE, or conditions such as size<24, yaw>45, quality<80, "
            "drift<0.3, joined by ' and '"
        )
    measure = DEFAULT_QUALITY if found[1] == QUALITY else found[1]
    if measure not in MEASURES and not quality.is_quality(measure):
        known = [*MEASURES, *quality.QUALITIES, QUALITY, "onnx:FILE", "python:MODULE:CLASS"]
        raise RecordError(f"--gate {text!r}: no measure named {measure!r}; {nearest(measure, known)}")
    return Condition(measure, found[2], float(found[3]))
