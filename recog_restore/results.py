"""The result of a run: strict JSON, versioned, and the only thing a report reads.

``values`` is a flat list that loads as a data frame; the untouched baseline stands under ``"preprocessor": "none"``,
rates are in 0…1. Everything but ``provenance`` and ``seconds`` is the same, byte for byte, when a run is repeated.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import RecordError, ResultError
from .files import write_whole
from .records import build, plain

SCHEMA = 1
BASELINE = "none"


@dataclass(frozen=True)
class Value:
    """One number; what is not finite becomes None: undefined.

    Attributes:
        metric: its registered name, which pins its parameters: ``accuracy_10fold``, ``tar@far=1e-3``, ``rank1``.
        preprocessor: as typed after ``--pre``; ``none`` is the untouched baseline.
        where: the part of the data it is about; empty for all of it, ``{"yaw": "45"}`` for a breakdown.
        value: a rate in 0…1; None where it is undefined.
        n: the comparisons or searches it rests on.
        std: population standard deviation over folds, where the metric is a mean over folds.
        false_accepts: non-mated comparisons (or searches) at or above the threshold; of a mean the fewest of its parts.
        threshold: the similarity from which on a comparison is accepted.
        interval: 95 % confidence interval.
        method: how the interval was had: ``clopper-pearson``; "" where there is none.
    """

    metric: str
    preprocessor: str
    value: float | None
    n: int
    where: dict[str, str] = field(default_factory=dict)
    std: float | None = None
    false_accepts: int | None = None
    threshold: float | None = None
    interval: tuple[float, float] | None = None
    method: str = ""

    def __post_init__(self) -> None:
        for name in ("value", "std", "threshold"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                object.__setattr__(self, name, None)
        if self.threshold == -sys.float_info.max:  # accepts everything that did not fail
            object.__setattr__(self, "threshold", None)
        if self.interval is not None and not all(map(math.isfinite, self.interval)):
            object.__setattr__(self, "interval", None)
        if self.interval is None:
            object.__setattr__(self, "method", "")


@dataclass(frozen=True)
class Curve:
    """Error rates over falling thresholds: J points each."""

    threshold: tuple[float | None, ...]
    fmr: tuple[float, ...]
    fnmr: tuple[float, ...]


@dataclass(frozen=True)
class Histogram:
    """Counts of scores of mated and non-mated comparisons in the bins of ``Result.histogram_edges``."""

    mated: tuple[int, ...]
    non_mated: tuple[int, ...]


@dataclass(frozen=True)
class ExampleFace:
    """One face of an example; images are ``data:`` addresses of the 128×128 crop before and after."""

    sample: str
    before: str
    after: str


@dataclass(frozen=True)
class Example:
    """A comparison that a preprocessor changed most: ``gain`` towards the right decision, ``loss`` away from it."""

    preprocessor: str
    kind: str
    mated: bool
    score_before: float
    score_after: float
    faces: tuple[ExampleFace, ...]


@dataclass(frozen=True)
class Confusion:
    """A search in which an impostor stood before the mate, or beside it.

    Attributes:
        preprocessor: in whose run.
        subject, impostor_subject: who was searched for, and whom the search gave.
        rank: of the mate, from 2; one more than the candidates listed, where an approximate search did not list it.
        mate_score, impostor_score: of the best mate and of the best impostor.
        probe, mate, impostor: their faces; the first of a template that could be had.
    """

    preprocessor: str
    subject: str
    impostor_subject: str
    rank: int
    mate_score: float
    impostor_score: float
    probe: ExampleFace
    mate: ExampleFace
    impostor: ExampleFace


@dataclass(frozen=True)
class Failure:
    """A face that could not be had: in which preprocessor's run (``none``: in all of them), at which stage, and why."""

    sample: str
    preprocessor: str
    stage: str
    reason: str


@dataclass(frozen=True)
class FeatureMap:
    """Where probes lie in a plane that shows which embeddings are near one another.

    Attributes:
        subjects: of each probe.
        places: of each probe (x, y) in 0…1, by preprocessor; the same plane for all.
    """

    subjects: tuple[str, ...]
    places: dict[str, tuple[tuple[float, float], ...]]


@dataclass(frozen=True)
class Result:
    """What one run of one protocol with one embedder found.

    Attributes:
        protocol: ``id`` (``lfw@1``), ``title``, ``kind`` and ``settings`` (the whole protocol record).
        data: ``dataset``, ``root``, ``fingerprint``, the counts, ``partial`` (why not all of it was used, or "") and
            ``note`` (what must be said wherever a number of it stands, or ""). The counts of an identification are
            ``gallery`` and ``probes`` (templates, which are single samples unless ``templates`` is true) and
            ``gallery_subjects``.
        embedder: ``name``, ``words`` (input, flip fusion, norm), ``sha256`` and ``card``.
        preprocessors: ``name``, ``title``, ``task``, ``settings`` and ``card`` each; the first is the baseline.
        values: see ``Value``.
        curves, histograms, cmc: by preprocessor; ``cmc`` is the hit rate at rank 1, 2, …, the galleries' mean.
        det: by preprocessor and gallery ("" for a single one), of searches in an open set: ``fmr`` is FPIR, ``fnmr``
            FNIR.
        histogram_edges: bin edges shared by all histograms.
        failed: faces that could not be had, by preprocessor (those of the files themselves counted in each).
        unenrolled: templates that failed to enrol, by preprocessor: none of their faces could be had, or those cancel
            each other; empty where each face stands for itself.
        confusions: the worst searches of every preprocessor, the worst first, one per subject.
        domains: a map of features, where one was asked for.
        settings: command, seed, batch, device, failure rule, compat; ``search``, for an identification: ``backend``,
            ``exact``, ``device``, and ``recall`` where the search is approximate: the lowest, over the preprocessors,
            share of the exact search's ``recall_at`` best candidates that it lists, for ``recall_probes`` probes.
        provenance: versions, commit, machine, date.
        seconds: time per phase.
    """

    protocol: dict[str, Any]
    data: dict[str, Any]
    embedder: dict[str, Any]
    preprocessors: tuple[dict[str, Any], ...]
    values: tuple[Value, ...]
    failed: dict[str, int]
    failures: tuple[Failure, ...]
    settings: dict[str, Any]
    provenance: dict[str, Any]
    seconds: dict[str, float]
    unenrolled: dict[str, int] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    histogram_edges: tuple[float, ...] = ()
    histograms: dict[str, Histogram] = field(default_factory=dict)
    cmc: dict[str, tuple[float, ...]] = field(default_factory=dict)
    det: dict[str, dict[str, Curve]] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    domains: FeatureMap | None = None
    warnings: tuple[str, ...] = ()
    schema: int = SCHEMA

    def value(self, metric: str, preprocessor: str, **where: str) -> Value | None:
        """Return the value of that name, or None where the run has none."""
        for value in self.values:
            if (value.metric, value.preprocessor, value.where) == (metric, preprocessor, where):
                return value
        return None

    def numbers(self) -> str:
        """Return the JSON of everything that a repeated run reproduces: all but provenance and time."""
        return _dump(plain(dataclasses.replace(self, provenance={}, seconds={})))

    def digest(self) -> str:
        """Return the SHA-256 of ``numbers()``."""
        return hashlib.sha256(_encode(self.numbers())).hexdigest()

    def write(self, path: Path) -> None:
        """Write strict JSON, whole or not at all."""
        write_whole(path, _encode(_dump(plain(self)) + "\n"))


def read(path: Path) -> Result:
    """Return the result in a file, or in the ``result.json`` of a run's folder.

    Raises:
        ResultError: there is none, it is not JSON, or it was written under another schema.
    """
    file = path / "result.json" if path.is_dir() else path
    try:
        values = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise ResultError(f"{file}: no such result; rr-eval writes one into its --out folder") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ResultError(f"{file}: not a result: {error}") from None
    if not isinstance(values, Mapping) or values.get("schema") != SCHEMA:
        found = values.get("schema") if isinstance(values, Mapping) else None
        raise ResultError(f"{file}: expected a result of schema {SCHEMA}, found schema {found}; run rr-eval again")
    try:
        return build(Result, values, str(file))
    except RecordError as error:
        raise ResultError(str(error)) from None


def _dump(values: Any) -> str:
    return json.dumps(_strict(values), indent=1, ensure_ascii=False, allow_nan=False)


def _encode(text: str) -> bytes:
    """Return UTF-8; what a file name that is not UTF-8 left behind becomes its JSON escape."""
    return text.encode("utf-8", "backslashreplace")


def _strict(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _strict(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_strict(entry) for entry in value]
    return value
