"""The result of a run: strict JSON, versioned, and the only thing a report reads.

``values`` is a flat list that loads as a data frame; the untouched baseline stands under ``"preprocessor": "none"``,
rates are in 0…1. Everything but ``provenance`` and ``seconds`` is the same, byte for byte, when a run is repeated.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from .errors import RecordError, ResultError
from .files import read_regular, write_whole
from .records import Range, build, plain, shortened

SCHEMA = 1
BASELINE = "none"
NO_DIFFERENCE = "no difference found"

# The part of those of whom a breakdown's property is not known; it counts in no mean over parts.
UNKNOWN_LABEL = "unknown"

# The reason of a failure to acquire where no face was found in the image.
NOT_DETECTED = "no landmarks: the face was not found"

_Rate = Annotated[float, Range(0, 1 + 1e-9)]  # a mean of rates may be off by its rounding

# The only addresses that a page may hold: nothing is fetched, nothing is run (an SVG could).
_IMAGE = re.compile(r"data:image/(?:png|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}")

# Edges of the bins of ``Drift.counts``: the cosines from −1 to 1, a twentieth each.
DRIFT_BINS = tuple(round(i / 20, 2) for i in range(-20, 21))


def _forget_undefined(record: object, numbers: Sequence[str], intervals: Sequence[str] = ()) -> None:
    """Put None in the place of numbers, and of intervals with an end, that are not finite: strict JSON has no NaN."""
    for name in (*numbers, *intervals):
        found = getattr(record, name)
        if found is not None and not all(map(math.isfinite, (found,) if name in numbers else found)):
            object.__setattr__(record, name, None)


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
        method: how the interval was had: ``subject bootstrap``, ``clopper-pearson`` (independent searches),
            ``clopper-pearson, by subject`` (few errors, for as many independent trials as the dependent ones are
            worth), each followed by ``, subjects unknown`` where that is so; "" where there is none.
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
        _forget_undefined(self, ("value", "std", "threshold"), ("interval",))
        if self.threshold == -sys.float_info.max:  # accepts everything that did not fail
            object.__setattr__(self, "threshold", None)
        if self.interval is None:
            object.__setattr__(self, "method", "")


@dataclass(frozen=True)
class Difference:
    """What a preprocessor changes about one metric on the same comparisons; what is not finite becomes None.

    Attributes:
        metric, preprocessor, where: as of a value.
        against: what it is compared with: ``none``, the untouched baseline.
        difference: of the values, signed; None where one is undefined.
        n: the comparisons or searches it rests on.
        interval: 95 % confidence interval of the difference.
        method: how the interval was had, as of a value; ``identical scores`` where nothing moved at all.
        p: two-sided, of the hypothesis of no difference; below 0.05 just where the interval does not hold 0.
        p_holm: corrected (Holm) over the preprocessors of the run and the parts of the breakdown.
        correction: over what, as ``3 preprocessors and 7 parts``; empty for a single test, where ``p_holm`` is ``p``.
        test: how ``p`` was had: as the interval.
        fixed, broken: decisions that became right, and wrong; None for a metric that decides nothing (EER, AUC).
        smallest_detectable: the difference that a run like this finds with 80 % power.
        verdict: ``better`` or ``worse`` (for recognition) where ``p_holm`` is at most 0.05, or ``no difference found``.
    """

    metric: str
    preprocessor: str
    against: str
    difference: float | None
    n: int
    where: dict[str, str] = field(default_factory=dict)
    interval: tuple[float, float] | None = None
    method: str = ""
    p: float | None = None
    p_holm: float | None = None
    correction: str = ""
    test: str = ""
    fixed: int | None = None
    broken: int | None = None
    smallest_detectable: float | None = None
    verdict: str = NO_DIFFERENCE

    def __post_init__(self) -> None:
        _forget_undefined(self, ("difference", "p", "p_holm", "smallest_detectable"), ("interval",))
        if self.interval is None:
            object.__setattr__(self, "method", "")


@dataclass(frozen=True)
class ExampleFace:
    """One face of an example; images are ``data:`` addresses of 128×128 crop before and after, or "" (not shown)."""

    sample: str
    before: str
    after: str

    def __post_init__(self) -> None:
        for name in ("before", "after"):
            image = getattr(self, name)
            if image and not (_IMAGE.fullmatch(image) and len(image.partition(",")[2]) % 4 == 0):
                raise RecordError(
                    f"{name} is {shortened(image)}; expected data:image/png, jpeg or webp in base64, or nothing"
                )


@dataclass(frozen=True)
class Raised:
    """Two faces of different people whose score rose, and the score before and after."""

    first: ExampleFace
    second: ExampleFace
    before: float
    after: float


@dataclass(frozen=True)
class Harm:
    """What a preprocessor does to a system that keeps the threshold of the untouched baseline.

    Attributes:
        preprocessor: its name.
        threshold: the baseline's, at a nominal FMR; None for an identification, where a decision is rank 1.
        fixed, broken: mated comparisons (or searches) decided rightly only after, and only before.
        false_matches_gone, false_matches_new: non-mated comparisons likewise; None for an identification.
        impostors: the non-mated comparisons (or best impostors of searches) whose scores follow.
        impostor_mean, impostor_tail: their mean, and their quantile 0.999, before and after.
        raised: the impostors whose score rose most.
    """

    preprocessor: str
    threshold: float | None
    fixed: int
    broken: int
    false_matches_gone: int | None
    false_matches_new: int | None
    impostors: int
    impostor_mean: tuple[float | None, float | None]
    impostor_tail: tuple[float | None, float | None]
    raised: tuple[Raised, ...] = ()

    def __post_init__(self) -> None:
        _forget_undefined(self, ("threshold",))
        for name in ("impostor_mean", "impostor_tail"):
            known = tuple(x if x is not None and math.isfinite(x) else None for x in getattr(self, name))
            object.__setattr__(self, name, known)


@dataclass(frozen=True)
class Drifted:
    """A face that a preprocessor moved far: its cosine before to after, and of both to its clean original."""

    sample: str
    cosine: float
    clean_before: float | None = None
    clean_after: float | None = None
    face: ExampleFace | None = None


@dataclass(frozen=True)
class Drift:
    """How far a preprocessor moves faces, in the eyes of one embedder.

    Attributes:
        preprocessor, judge: their names.
        independent: false where a loss of the preprocessor's training used the judge.
        n: the faces that were touched and could be had before and after; all numbers but ``left`` are of them.
        left: the faces that a gate spared, or that the preprocessor left as they were.
        mean, low: of the cosine between a face before and after, and its quantile 0.05; None without faces.
        mean_among, low_among: where these lie among the judge's own scores of two untouched faces: the shares of the
            mated and of the non-mated ones that are not above; None where the people are not known.
        counts: of the cosines in the bins of ``DRIFT_BINS``.
        clean_before, clean_after: mean cosine to the clean original; None where there is none.
        towards, away: the faces that came nearer to it, and that went further off.
        worst: the faces that moved most, the most first.
    """

    preprocessor: str
    judge: str
    independent: bool
    n: int
    mean: float | None
    low: float | None
    counts: tuple[int, ...]
    clean_before: float | None = None
    clean_after: float | None = None
    towards: int | None = None
    away: int | None = None
    worst: tuple[Drifted, ...] = ()
    left: int = 0
    mean_among: tuple[float, float] | None = None
    low_among: tuple[float, float] | None = None


@dataclass(frozen=True)
class Threshold:
    """From which score on a system accepts to keep to a false match rate.

    Attributes:
        preprocessor: in front of the recognizer.
        fmr: the false match rate to keep to.
        value: the threshold; None where there are fewer than ``1 / fmr`` non-mated comparisons to tell it from.
        n: the non-mated comparisons.
        false_accepts: of them, at the threshold.
        interval: 95 % confidence interval of the threshold, derived again for every draw of the subjects.
        fnmr, fnmr_interval: the mated comparisons that are rejected there.
        method: how the intervals were had, as of a value.
    """

    preprocessor: str
    fmr: float
    value: float | None
    n: int
    false_accepts: int | None = None
    interval: tuple[float, float] | None = None
    fnmr: float | None = None
    fnmr_interval: tuple[float, float] | None = None
    method: str = ""

    def __post_init__(self) -> None:
        _forget_undefined(self, ("value", "fnmr"), ("interval", "fnmr_interval"))


@dataclass(frozen=True)
class Flip:
    """A decision that a preprocessor turned, at the threshold of the untouched baseline or at rank 1.

    Attributes:
        preprocessor: its name.
        kind: ``fixed`` became right, ``broken`` became wrong.
        mated: whether both faces of the comparison are one subject's; true for a search.
        score: of the comparison, or with the best mate; before and after.
        impostor_score: of the best impostor of a search, or the first face's with the nearest one of all faces of the
            run, before and after; None for a comparison of different people, of templates or of nameless faces.
        rank: of the mate, before and after; None for a comparison.
        subjects: where there is an impostor: whose decision it is, and who the impostor is.
        faces: of the comparison, or the probe and its best mate; then the impostor that was nearest when the decision
            was wrong.
    """

    preprocessor: str
    kind: str
    mated: bool
    score: tuple[float, float]
    faces: tuple[ExampleFace, ...]
    impostor_score: tuple[float, float] | None = None
    rank: tuple[int, int] | None = None
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Curve:
    """Error rates over falling thresholds: J points each."""

    threshold: tuple[float | None, ...]
    fmr: tuple[_Rate, ...]
    fnmr: tuple[_Rate, ...]


@dataclass(frozen=True)
class Histogram:
    """Counts of scores of mated and non-mated comparisons in the bins of ``Result.histogram_edges``."""

    mated: tuple[int, ...]
    non_mated: tuple[int, ...]


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
        values, differences, harm, thresholds: see ``Value``, ``Difference``, ``Harm`` and ``Threshold``.
        sides: differences where only the ``probe`` (the second face of a pair) or only the ``gallery`` is preprocessed.
        curves, histograms, cmc: by preprocessor; ``cmc`` is the hit rate at rank 1, 2, …, the galleries' mean.
        det: by preprocessor and gallery ("" for a single one), of searches in an open set: ``fmr`` is FPIR, ``fnmr``
            FNIR.
        histogram_edges: bin edges shared by all histograms.
        seen: faces that preprocessors may see.
        unchanged: by preprocessor, how many of these it left as they were: their embeddings are the same, bit for bit.
        failed: faces that could not be had, by preprocessor (those of the files themselves counted in each).
        unenrolled: templates that failed to enrol, by preprocessor: none of their faces could be had, or those cancel
            each other; empty where each face stands for itself.
        confusions: the worst searches of every preprocessor, the worst first, one per subject.
        flips: decisions that a preprocessor turned, those whose score changed most first.
        drift: how far each preprocessor moves faces, by judge, where it was measured.
        domains: a map of features, where one was asked for.
        independence: whom its networks have seen, who taught them and by whom they were chosen, in sentences.
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
    seen: int = 0
    unchanged: dict[str, int] = field(default_factory=dict)
    unenrolled: dict[str, int] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    histogram_edges: tuple[float, ...] = ()
    histograms: dict[str, Histogram] = field(default_factory=dict)
    cmc: dict[str, tuple[_Rate, ...]] = field(default_factory=dict)
    det: dict[str, dict[str, Curve]] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    differences: tuple[Difference, ...] = ()
    harm: tuple[Harm, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    sides: dict[str, tuple[Difference, ...]] = field(default_factory=dict)
    flips: tuple[Flip, ...] = ()
    drift: tuple[Drift, ...] = ()
    domains: FeatureMap | None = None
    independence: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    schema: int = SCHEMA

    def value(self, metric: str, preprocessor: str, **where: str) -> Value | None:
        """Return the value of that name, or None where the run has none."""
        for value in self.values:
            if (value.metric, value.preprocessor, value.where) == (metric, preprocessor, where):
                return value
        return None

    def difference(self, metric: str, preprocessor: str, **where: str) -> Difference | None:
        """Return the difference of that name to the baseline, or None where the run has none."""
        for found in self.differences:
            if (found.metric, found.preprocessor, found.where) == (metric, preprocessor, where):
                return found
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
        values = json.loads(read_regular(file).decode("utf-8"))
    except FileNotFoundError:
        raise ResultError(f"{file}: no such result; rr-eval writes one into its --out folder") from None
    except OSError as error:
        raise ResultError(f"{file}: cannot be read: {error.strerror}") from None
    except RecursionError:
        raise ResultError(f"{file}: not a result: nested too deeply") from None
    except ValueError as error:  # of JSON, of UTF-8, or of a number of thousands of digits
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
