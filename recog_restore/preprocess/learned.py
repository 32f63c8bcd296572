"""A gate that was learned from faces of which it was known whether the preprocessor helped, as a JSON file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import RecordError, ResourceMissing
from ..files import LARGEST_TEXT, read_regular, write_whole
from ..records import build, nearest, plain
from .base import Preprocessor
from .gate import MEASURES, Facts, Gate
from .quality import QUALITIES

VERSION = 1


@dataclass(frozen=True)
class Term:
    """One measure in the sum: ``weight`` times where it stands among the quantiles of the faces learned from.

    Attributes:
        measure: as in a gate's condition.
        quantiles: rising; the first stands for −1, the last for +1, between them it is linear.
        weight: of that standing.
    """

    measure: str
    quantiles: tuple[float, ...]
    weight: float

    def __post_init__(self) -> None:
        if len(self.quantiles) < 2 or list(self.quantiles) != sorted(self.quantiles):
            raise RecordError(f"the quantiles of {self.measure} are not two or more rising numbers")

    def standing(self, values: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return (J,) from −1 to +1; NaN where the value is unknown."""
        knots = np.linspace(-1.0, 1.0, len(self.quantiles))
        standing: NDArray[np.float64] = np.interp(values, self.quantiles, knots)
        return standing


@dataclass(frozen=True)
class Fitted:
    """What a gate was learned from, and how well it did there on faces that it was not yet fitted to.

    Attributes:
        protocol, dataset: whose dev part it was.
        faces: that were learned from.
        subjects: SHA-256 of the subjects' names, so that a run can tell whether it is judged on one of them.
        share: of the faces that it touches there.
        gain, gain_all: mean fall of the log-loss per face under the gate, and with every face touched; both from
            cross-validation by subject.
        z: the gain over its standard error by subject.
    """

    protocol: str
    dataset: str
    faces: int
    subjects: tuple[str, ...]
    share: float
    gain: float
    gain_all: float
    z: float


@dataclass(frozen=True)
class Learned:
    """Touches a face where ``intercept + Σ weight · standing`` is above ``cut``.

    Attributes:
        preprocessor, preprocessor_sha256, preprocessor_settings, embedder, embedder_sha256: for whom it was learned: it
            serves nobody else.
        cut: None for a gate that never opens: touching was not found to help anywhere.
    """

    preprocessor: str
    preprocessor_sha256: str
    preprocessor_settings: dict[str, Any]
    embedder: str
    embedder_sha256: str
    terms: tuple[Term, ...]
    intercept: float
    cut: float | None
    fitted: Fitted
    version: int = VERSION

    def odds(self, facts: Facts) -> NDArray[np.float64]:
        """Return (J,) the log-odds that touching the face helps, as far as was learned; NaN where a fact is unknown."""
        weighted = [term.weight * term.standing(facts[term.measure]) for term in self.terms]
        odds: NDArray[np.float64] = self.intercept + np.sum(weighted, axis=0)
        return odds

    def write(self, path: Path) -> None:
        """Write JSON, whole or not at all.

        Raises:
            RecordError: the file cannot be written.
        """
        try:
            write_whole(path, f"{json.dumps(plain(self), indent=1, allow_nan=False)}\n".encode())
        except OSError as error:
            raise RecordError(f"{path}: the gate cannot be written ({error.strerror})") from None


class LearnedGate(Gate):
    """``learned:FILE``."""

    def __init__(self, name: str, learned: Learned) -> None:
        self.name, self.learned = name, learned
        self.measures = tuple(term.measure for term in learned.terms)

    def open(self, facts: Facts) -> NDArray[np.bool_]:
        """Return (J,) whether the learned sum is above the cut."""
        odds = self.learned.odds(facts)
        return np.zeros(len(odds), bool) if self.learned.cut is None else odds > self.learned.cut

    def words(self) -> str:
        """Return what the gate goes by, the heaviest measure first: ``learned: less size, more drift``."""
        if self.learned.cut is None:
            return "never: on the dev part, touching was not found to help"
        heavy = sorted((t for t in self.learned.terms if t.weight), key=lambda t: -abs(t.weight))
        return "learned: " + (", ".join(f"{'more' if t.weight > 0 else 'less'} {t.measure}" for t in heavy) or "always")

    def fits(self, preprocessor: Preprocessor, embedder: str) -> None:
        """Raise RecordError where the gate was learned for another preprocessor or embedder."""
        mine, card = self.learned, preprocessor.card
        same = mine.preprocessor_sha256 == card.sha256 and mine.preprocessor_settings == plain(preprocessor.settings())
        if not same or (not card.sha256.strip("+") and mine.preprocessor != card.typed):
            raise RecordError(
                f"--gate {self.name}: it was learned for {mine.preprocessor}, not for {card.typed}; fit one with "
                "--fit-gate"
            )
        if mine.embedder_sha256 != embedder:
            raise RecordError(
                f"--gate {self.name}: it was learned with the embedder {mine.embedder}, and where a preprocessor helps "
                "depends on the embedder; fit one for this one with --fit-gate"
            )

    def known(self, subjects: Iterable[str]) -> int:
        """Return how many of the subjects the gate was learned from."""
        return len(set(self.learned.fitted.subjects) & set(hashed(subjects)))


def hashed(subjects: Iterable[str]) -> tuple[str, ...]:
    """Return the SHA-256 of each name, once and in order; a gate names nobody."""
    return tuple(sorted({hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest() for name in subjects}))


def read(path: Path) -> Learned:
    """Return the gate in a file.

    Raises:
        ResourceMissing: there is no such file.
        RecordError: it is no gate, or of another version.
    """
    try:
        values = json.loads(read_regular(path, LARGEST_TEXT))
    except FileNotFoundError:
        raise ResourceMissing(f"{path}: no such gate; rr-eval --fit-gate {path} learns one") from None
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # of JSON, of UTF-8, or of a number of thousands of digits
        raise RecordError(f"{path}: not a gate: {error}") from None
    if not isinstance(values, dict) or values.get("version") != VERSION:
        found = values.get("version") if isinstance(values, dict) else None
        raise RecordError(f"{path}: expected a gate of version {VERSION}, found version {found}; fit it again")
    learned = build(Learned, values, str(path))
    for term in learned.terms:
        if term.measure not in MEASURES and term.measure not in QUALITIES:
            known = nearest(term.measure, [*MEASURES, *QUALITIES])
            raise RecordError(f"{path}: {term.measure!r} is no measure that a gate is learned from; {known}")
    return learned
