"""Protocols: TOML into frozen records that say what is compared and what is measured, never how it is computed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

from .errors import RecordError, ResourceMissing
from .records import Name, Range, Seed, build, changed, merged, nearest, read_toml
from .resources import folder, names
from .spec import refuse_code

Failure = Literal["iso", "exclude"]
_Count = Annotated[int, Range(0)]

Compat = Literal[
    "insightface", "nearest", "insightface-merged", "insightface-ijb-evals", "keras-insightface", "adaface"
]

# Of ``fnmr@baseline``, where a protocol does not say it.
BASELINE_FMR = 1e-3

# What the failure rule does, in the words that go into a result.
FAILURE_WORDS: dict[str, str] = {
    "iso": "a failed face never matches: a mated comparison or search is a miss, a non-mated one a correct non-match",
    "exclude": "comparisons and searches with a failed face are left out of every rate, as some published codes do",
}

_METRICS = {
    "verification": r"accuracy|eer|auc|tar@far=1e-[1-9]|tar_nearest@far=1e-[1-9]|fnmr@baseline",
    "identification": r"rank[1-9]\d*|tpir@fpir=1e-[1-9]|fnir@fpir=1e-[1-9]|map|map_trapezoid_euclidean",
}


@dataclass(frozen=True)
class Source:
    """Where the protocol was published, and what its images allow."""

    paper: str = ""
    url: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Expect:
    """Counts of the whole list on disk; a list that differs stops the run before it computes. 0 expects nothing."""

    comparisons: _Count = 0
    mated: _Count = 0
    folds: _Count = 0
    gallery: _Count = 0
    probes: _Count = 0


@dataclass(frozen=True)
class Data:
    """Which data set, with which of its reader's options, and which of its folds (from 1; None: all).

    ``stand_in`` is the data set that is taken where nobody has said where the first one is; it takes the same options.
    """

    dataset: str
    options: dict[str, Any] = field(default_factory=dict)
    folds: tuple[int, ...] | None = None
    expect: Expect = field(default_factory=Expect)
    stand_in: str = ""

    def __post_init__(self) -> None:
        if self.folds is not None and not self.folds:
            raise RecordError("data.folds is empty: expected at least one fold, from 1; leave it out for all of them")


@dataclass(frozen=True)
class Degradation:
    """A named degradation of the aligned crop: of all faces, or only of probes (the second face of a pair)."""

    name: str
    apply: Literal["all", "probes"] = "all"
    seed: Seed = 0


@dataclass(frozen=True)
class Faces:
    """How a face that cannot be had is scored."""

    failure: Failure = "iso"


@dataclass(frozen=True)
class Templates:
    """How the samples of a template become one vector; ``templates.Pooling`` says what each choice does.

    Flip fusion is the embedder's, and stands on its card.
    """

    norm: Literal["keep", "unit"] = "unit"
    detector_score: bool = False


@dataclass(frozen=True)
class Protocol:
    """One question.

    Attributes:
        name, version: every result carries ``name@version``; the version rises whenever a number could change.
        kind: ``verification`` compares pairs, ``identification`` searches probes in galleries. With a metric at an FPIR
            the set is open: who is searched for need not be enrolled.
        metrics: ``accuracy`` (k-fold), ``eer``, ``auc``, ``tar@far=1e-3``, ``tar_nearest@far=1e-3`` (the rule of the
            published tables), ``fnmr@baseline``; ``rank1``, ``rank5``, …, ``tpir@fpir=1e-2``, ``fnir@fpir=1e-2``,
            ``map`` and TinyFace's ``map_trapezoid_euclidean``.
        primary: the metric the answer is given in.
        preprocess: whose faces a preprocessor sees: all (``both``), or those that are searched for, or stand second in
            a pair, alone (``probes``).
        baseline_fmr: the false match rate for which ``fnmr@baseline`` sets the threshold, on the untouched faces.
        breakdowns: label columns of the data set by which the metrics are repeated.
        compat: other people's definitions, in place of ours and under names of their own: ``insightface`` (threshold
            grid, strict <; ``accuracy_insightface_10fold``), ``nearest`` (nearest FAR; ``tar_nearest@far=1e-3``); of
            templates also ``insightface-merged``, ``insightface-ijb-evals``, ``keras-insightface`` and ``adaface``,
            beside ours.
        templates: how they are pooled. A verification with it compares templates; a search pools wherever the data set
            has templates, by default as ``Templates()`` says.
    """

    name: Name
    version: Annotated[int, Range(1, 999_999)]
    kind: Literal["verification", "identification"]
    title: str
    data: Data
    metrics: tuple[str, ...]
    primary: str
    source: Source = field(default_factory=Source)
    faces: Faces = field(default_factory=Faces)
    degradation: Degradation | None = None
    preprocess: Literal["both", "probes"] = "both"
    baseline_fmr: float = BASELINE_FMR
    breakdowns: tuple[str, ...] = ()
    compat: tuple[Compat, ...] = ()
    templates: Templates | None = None

    def __post_init__(self) -> None:
        if "nearest" in self.compat:  # another definition has another name
            object.__setattr__(self, "metrics", tuple(dict.fromkeys(map(_nearest, self.metrics))))
            object.__setattr__(self, "primary", _nearest(self.primary))
        for metric in self.metrics:
            if not re.fullmatch(_METRICS[self.kind], metric):
                known = _METRICS[self.kind].replace("|", ", ").replace("[1-9]\\d*", "K").replace("[1-9]", "K")
                raise RecordError(f"metrics: no {self.kind} metric {metric!r}; known: {known}")
        if self.primary not in self.metrics:
            raise RecordError(f"primary is {self.primary!r}; expected one of metrics: {', '.join(self.metrics)}")
        if not 0 < self.baseline_fmr < 1:
            raise RecordError(f"baseline_fmr is {self.baseline_fmr}; expected a rate, more than 0 and less than 1")

    @property
    def open_set(self) -> bool:
        """Whether people are searched for who may not be enrolled."""
        return any("@fpir" in metric for metric in self.metrics)

    @property
    def id(self) -> str:
        """``name@version``."""
        return f"{self.name}@{self.version}"


def _nearest(metric: str) -> str:
    return re.sub("^tar@", "tar_nearest@", metric)


def known() -> list[str]:
    """Return the names of the protocols that come with the package."""
    return names("protocols", ".toml")


def load(name: str, changes: Iterable[str] = (), trust_code: bool = False) -> Protocol:
    """Return a protocol by name, or from a file if the name ends in ``.toml``.

    Args:
        name: ``lfw``, or ``./mine.toml``.
        changes: ``key=value`` each, key dotted, value as in TOML: ``data.folds=[1, 2]``, ``faces.failure="worst"``.
        trust_code: the file may name ``python:`` code, which runs when the protocol does; the changes always may.

    Raises:
        ResourceMissing: there is no such protocol; the message has the nearest one.
        RecordError: a key or value is not right, or names code; the message has the file and the key.
    """
    values = _resolved(name, ())
    if not trust_code:
        refuse_code(values, str(_file(name)))
    for change in changes:
        values = changed(values, change)
    return build(Protocol, values, str(_file(name)))


def _resolved(name: str, chain: tuple[str, ...]) -> dict[str, Any]:
    if name in chain:
        raise RecordError(f"{chain[0]}: 'extends' goes in a circle: {' → '.join((*chain, name))}")
    values = read_toml(_file(name))
    parent = values.pop("extends", None)
    if parent is None:
        return values
    if not isinstance(parent, str):
        raise RecordError(f"{name}: extends is {parent!r}; expected the name of a protocol")
    if parent.endswith(".toml"):
        parent = str(Path(name).parent / parent)
    return merged(_resolved(parent, (*chain, name)), values)


def _file(name: str) -> Path | Traversable:
    if name.endswith(".toml"):
        return Path(name)
    if name not in known():
        raise ResourceMissing(f"no protocol named {name!r}; {nearest(name, known())} (a file's name ends in .toml)")
    return folder("protocols") / f"{name}.toml"
