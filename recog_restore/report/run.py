"""What a page shows of one result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..results import BASELINE, Failure, Result
from . import figures
from .answer import Answer, answers, caveat
from .configuration import Entries, configuration
from .faces import Gallery, gallery
from .figures import Figure
from .grid import Breakdown, Row, breakdowns, overall
from .wording import Metric, metric, metrics, preprocessors, threshold

FAILURES_LISTED = 200


@dataclass(frozen=True)
class Reason:
    """How many faces failed in one preprocessor's run at one stage for one reason."""

    preprocessor: str
    stage: str
    reason: str
    count: int


@dataclass(frozen=True)
class Meaning:
    """What metrics that differ only in their operating point mean."""

    titles: tuple[str, ...]
    names: tuple[str, ...]
    meaning: str
    better: str


@dataclass(frozen=True)
class Run:
    """What the page shows of one result.

    Attributes:
        label: what it is called among several.
        caveat: what it does not say about the certainty of its differences.
        facts: what ran on what, in short.
        threshold: the baseline's, which the histograms show; empty where there is none.
        rule: what is done with failed faces, in words.
    """

    label: str
    result: Result
    preprocessors: tuple[str, ...]
    answers: tuple[Answer, ...]
    caveat: str
    facts: Entries
    rows: tuple[Row, ...]
    plots: tuple[Figure, ...]
    histograms: tuple[Figure, ...]
    threshold: str
    breakdowns: tuple[Breakdown, ...]
    gallery: Gallery
    reasons: tuple[Reason, ...]
    failures: tuple[Failure, ...]
    configuration: tuple[tuple[str, Entries], ...]
    meanings: tuple[Meaning, ...]
    rule: str


def show(result: Result, label: str, points: int, room: int) -> Run:
    """Return what is shown of a result.

    Args:
        result: with undefined values as None.
        label: what it is called among several.
        points: the most points a curve may have.
        room: the characters that its faces may take.
    """
    names, at = preprocessors(result), _baseline_threshold(result)
    lines = figures.series(names)
    reasons = Counter((f.preprocessor, f.stage, f.reason) for f in result.failures)
    return Run(
        label=label,
        result=result,
        preprocessors=names,
        answers=answers(result),
        caveat=caveat(result),
        facts=_facts(result),
        rows=overall(result),
        plots=plots([(lines, result)], points),
        histograms=figures.histograms(result, names, at),
        threshold="" if at is None else threshold(at),
        breakdowns=breakdowns(result),
        gallery=gallery(result, room),
        reasons=tuple(Reason(*key, n) for key, n in reasons.most_common()),
        failures=result.failures[:FAILURES_LISTED],
        configuration=configuration(result),
        meanings=_meanings(result),
        rule=str(result.protocol.get("failure") or ""),
    )


def plots(runs: Sequence[tuple[Sequence[figures.Series], Result]], points: int) -> tuple[Figure, ...]:
    """Return ROC and DET, or the CMC: of what these results have, in one plot each."""
    named = [
        (line, name, result) for lines, result in runs for line, name in zip(lines, preprocessors(result), strict=True)
    ]
    curves = [(line, result.curves[name]) for line, name, result in named if name in result.curves]
    hits = [(line, result.cmc[name]) for line, name, result in named if name in result.cmc]
    verification = (figures.roc(curves, points), figures.det(curves, points)) if curves else ()
    return (*verification, *((figures.cmc(hits),) if hits else ()))


def _baseline_threshold(result: Result) -> float | None:
    value = result.value("fnmr@baseline", BASELINE)
    return value.threshold if value else None


def _facts(result: Result) -> Entries:
    """Return what ran on what, short: the whole of it is in the configuration."""
    entries = {
        "Protocol": result.protocol.get("id", ""),
        "Data set": result.data.get("dataset", ""),
        "Recognizer": result.embedder.get("name", ""),
        "Its input": result.embedder.get("words", ""),
    }
    return tuple((key, str(entry)) for key, entry in entries.items() if entry)


def _meanings(result: Result) -> tuple[Meaning, ...]:
    known: dict[str, list[Metric]] = {}
    for words in map(metric, metrics(result)):
        if words.meaning:
            known.setdefault(words.meaning, []).append(words)
    return tuple(
        Meaning(tuple(m.title for m in same), tuple(m.name for m in same), meaning, same[0].better)
        for meaning, same in known.items()
    )
