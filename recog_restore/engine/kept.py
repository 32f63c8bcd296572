"""What a run keeps beside its result: every comparison, so that two runs can be compared later, person by person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..errors import ResultError
from ..files import write_whole
from ..protocol import BASELINE_FMR
from ..records import converted

VERSION = 1
FILE = "comparisons.safetensors"

# Comparisons or searches of a file at most; beyond, a run keeps none (one preprocessor would be 8 MB per million).
MOST = 2_000_000

_NOTES = ("kind", "protocol", "fingerprint", "failure", "subjects_known")


@dataclass(frozen=True, eq=False)
class Kept:
    """The N comparisons (or searches) of a run under each of its preprocessors.

    Attributes:
        kind: ``verification`` or ``identification``.
        protocol: its id, ``lfw@1``.
        fingerprint: of the data, as in the result: two runs with the same one made the same comparisons.
        failure: the rule for failed faces, ``iso`` or ``exclude``.
        baseline_fmr: the protocol's; of a run that did not write it, its default.
        metrics: the protocol's, by name.
        compat: other people's definitions that were used.
        preprocessors: by name; the baseline is the first.
        first, second: (N,) numbers of the subjects; equal for a mated comparison and for a search.
        subjects_known: false where the data set names nobody, and only mated faces are known to be one subject's.
        fold: (N,) from 0; zero for searches.
        mates: (N,) bool, false for a search whose subject is not enrolled; None: all have a mate.
        galleries: (N,) number of the gallery in which a search has its mate, and what they are called; None: there is
            one.
        labels: by column, (N,) numbers and what each number stands for, in the order of the breakdown.
        counted: (N,) bool by preprocessor: false where the failure rule leaves the comparison out.
        scores: (N,) float64 by preprocessor; of a search that of the best mate. -inf where a face failed.
        impostor_scores: (N,) likewise, the best impostor's of each search; empty for verification.
        ranks: (N,) int64 by preprocessor; empty for verification.
    """

    kind: str
    protocol: str
    fingerprint: str
    failure: str
    metrics: tuple[str, ...]
    compat: tuple[str, ...]
    preprocessors: tuple[str, ...]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    subjects_known: bool
    fold: NDArray[np.int64]
    baseline_fmr: float = BASELINE_FMR
    mates: NDArray[np.bool_] | None = None
    galleries: tuple[NDArray[np.int64], tuple[str, ...]] | None = None
    labels: dict[str, tuple[NDArray[np.int64], tuple[str, ...]]] = field(default_factory=dict)
    counted: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    scores: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    impostor_scores: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    ranks: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    @property
    def mated(self) -> NDArray[np.bool_]:
        """(N,) whether both faces are one subject's, or the subject of a search is enrolled."""
        mated: NDArray[np.bool_] = self.first == self.second
        return mated if self.mates is None else mated & self.mates

    def write(self, path: Path) -> None:
        """Write all of it, whole or not at all.

        Raises:
            ResultError: there are more than ``MOST`` comparisons, or the file cannot be written.
        """
        if len(self.first) > MOST:
            raise ResultError(
                f"{path}: {len(self.first):,} comparisons are more than the {MOST:,} that are kept beside a result"
            )
        arrays: dict[str, NDArray[Any]] = {"first": self.first, "second": self.second, "fold": self.fold}
        if self.mates is not None:
            arrays["mates"] = self.mates
        if self.galleries is not None:
            arrays["galleries"] = self.galleries[0]
        for i, (numbers, _) in enumerate(self.labels.values()):
            arrays[f"label.{i}"] = numbers
        for kind in ("counted", "scores", "impostor_scores", "ranks"):
            for i, name in enumerate(self.preprocessors):
                if name in getattr(self, kind):
                    arrays[f"{kind}.{i}"] = getattr(self, kind)[name]
        notes = {name: getattr(self, name) for name in (*_NOTES, "baseline_fmr", "metrics", "compat", "preprocessors")}
        notes["galleries"] = self.galleries[1] if self.galleries is not None else None
        notes |= {"version": VERSION, "labels": [[column, list(names)] for column, (_, names) in self.labels.items()]}
        data = save({name: np.ascontiguousarray(a) for name, a in arrays.items()}, {"notes": json.dumps(notes)})
        try:
            write_whole(path, data)
        except OSError as error:
            raise ResultError(f"{path}: the comparisons cannot be written ({error.strerror})") from None


def read(path: Path) -> Kept:
    """Return what a run kept: in a file, in the folder of a run, or beside a ``result.json``.

    Raises:
        ResultError: there is none, it is damaged, or it was written under another version.
    """
    file = path / FILE if path.is_dir() else path.with_name(FILE) if path.suffix == ".json" else path
    if not file.is_file():
        raise ResultError(
            f"{file}: no such file; rr-eval keeps the comparisons of a run of at most {MOST:,} there: run it again"
        )
    try:
        with safe_open(file, framework="numpy") as opened:
            notes = json.loads((opened.metadata() or {})["notes"])
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}
    except (OSError, SafetensorError, KeyError, json.JSONDecodeError):
        raise ResultError(f"{file}: damaged, or not the comparisons of a run; run rr-eval again") from None
    if notes.get("version") != VERSION:
        raise ResultError(f"{file}: expected version {VERSION}, found {notes.get('version')}; run rr-eval again")
    try:
        return _built(notes, arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise ResultError(f"{file}: damaged ({error}); run rr-eval again") from None


def _built(notes: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Kept:
    names = _names(notes, "preprocessors")
    count = {len(array) for array in arrays.values()}
    if len(count) != 1:
        raise ValueError("its arrays differ in length")

    def by_preprocessor(kind: str) -> dict[str, NDArray[Any]]:
        return {name: arrays[f"{kind}.{i}"] for i, name in enumerate(names) if f"{kind}.{i}" in arrays}

    return Kept(
        **{name: notes[name] for name in _NOTES},
        metrics=_names(notes, "metrics"),
        compat=_names(notes, "compat"),
        preprocessors=names,
        first=arrays["first"],
        second=arrays["second"],
        fold=arrays["fold"],
        baseline_fmr=notes.get("baseline_fmr", BASELINE_FMR),
        mates=arrays.get("mates"),
        galleries=(arrays["galleries"], tuple(notes["galleries"])) if notes["galleries"] is not None else None,
        labels={column: (arrays[f"label.{i}"], tuple(parts)) for i, (column, parts) in enumerate(notes["labels"])},
        counted=by_preprocessor("counted"),
        scores=by_preprocessor("scores"),
        impostor_scores=by_preprocessor("impostor_scores"),
        ranks=by_preprocessor("ranks"),
    )


def _names(notes: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names: tuple[str, ...] = converted(tuple[str, ...], notes[key], "notes", key)
    return names
