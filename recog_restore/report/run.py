"""What a page shows of one result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..results import BASELINE, UNKNOWN_LABEL, Failure, Result
from . import bins, figures
from .answer import Answer, answers, caveat
from .configuration import Entries, configuration
from .domains import Domains, domains
from .drift import Drifting, drifted
from .effects import IN_PARTS
from .faces import Gallery, gallery
from .figures import Figure
from .forest import forest
from .grid import Breakdown, Row, Values, breakdowns, overall
from .harm import Harmed, harmed
from .ranking import Ranking, ranking
from .thresholds import thresholds, why_none
from .untested import untested
from .wording import (
    SIZE,
    Metric,
    count,
    counted,
    is_angle,
    metric,
    metrics,
    note,
    number,
    percent,
    preprocessors,
    primary,
    threshold,
    trials,
    unique,
    untouched,
)

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
        note: what must be said wherever one of its numbers stands.
        untouched: what the faces of the baseline are.
        ranking: several preprocessors in the order of the primary metric.
        caveat: what it does not say about the certainty of its differences.
        facts: what ran on what, in short.
        threshold: the baseline's, which the histograms show; empty where there is none.
        harm: whom each preprocessor harms at the baseline's threshold.
        drift: how far each preprocessor moves faces.
        thresholds: to deploy with, one row per false match rate.
        no_thresholds: why there are none.
        untested: what the run does not tell.
        rule: what is done with failed faces, in words.
    """

    label: str
    note: str
    untouched: str
    result: Result
    preprocessors: tuple[str, ...]
    ranking: Ranking | None
    answers: tuple[Answer, ...]
    caveat: str
    facts: Entries
    rows: tuple[Row, ...]
    bins: tuple[bins.Table, ...]
    plots: tuple[Figure, ...]
    histograms: tuple[Figure, ...]
    threshold: str
    breakdowns: tuple[Breakdown, ...]
    harm: tuple[Harmed, ...]
    drift: tuple[Drifting, ...]
    thresholds: tuple[Row, ...]
    no_thresholds: str
    untested: tuple[str, ...]
    domains: Domains | None
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
    lines, tables = figures.series(names), bins.tables([result])
    reasons = Counter((f.preprocessor, f.stage, f.reason) for f in result.failures)
    return Run(
        label=label,
        note=note(result),
        untouched=untouched(result),
        result=result,
        preprocessors=names,
        ranking=ranking(result),
        answers=answers(result),
        caveat=caveat(result),
        facts=_facts(result),
        rows=overall(result),
        bins=tables,
        plots=(*_forest(result, lines, names), *plots([(lines, result)], points)),
        histograms=figures.histograms(result, names, at),
        threshold="" if at is None else threshold(at),
        breakdowns=breakdowns(result, {(table.metric, table.key) for table in tables}),
        harm=harmed(result),
        drift=drifted(result),
        thresholds=thresholds(result),
        no_thresholds=why_none(result),
        untested=untested(result),
        domains=domains(result),
        gallery=gallery(result, room),
        reasons=tuple(Reason(*key, n) for key, n in reasons.most_common()),
        failures=result.failures[:FAILURES_LISTED],
        configuration=configuration(result),
        meanings=_meanings(result),
        rule=str(result.protocol.get("failure") or ""),
    )


def plots(runs: Sequence[tuple[Sequence[figures.Series], Result]], points: int) -> tuple[Figure, ...]:
    """Return ROC and DET, or the CMC, and the primary metric (or the FNMR) over angles and sizes: what there is."""
    named = [
        (line, name, result) for lines, result in runs for line, name in zip(lines, preprocessors(result), strict=True)
    ]
    curves = [(line, result.curves[name]) for line, name, result in named if name in result.curves]
    verification = (figures.roc(curves, points), figures.det(curves, points)) if curves else ()
    hits = [(line, result.cmc[name], _searches(result, name)) for line, name, result in named if name in result.cmc]
    return (*verification, *_over_parts(named), *_open_dets(named, points), *((figures.cmc(hits),) if hits else ()))


def _open_dets(named: Sequence[tuple[figures.Series, str, Result]], points: int) -> tuple[Figure, ...]:
    galleries = unique(gallery for _, name, result in named for gallery in result.det.get(name, {}))
    return tuple(
        figures.open_det(
            [(line, det[gallery]) for line, name, result in named if gallery in (det := result.det.get(name, {}))],
            points,
            gallery,
        )
        for gallery in galleries
    )


def _forest(result: Result, lines: Sequence[figures.Series], names: Sequence[str]) -> tuple[Figure, ...]:
    drawn = forest(result, [(line, name) for line, name in zip(lines, names, strict=True) if name != BASELINE])
    return (drawn,) if drawn else ()


def _over_parts(named: Sequence[tuple[figures.Series, str, Result]]) -> tuple[Figure, ...]:
    results = list({id(result): result for _, _, result in named}.values())
    found = []
    for (metric_name, key), parts in _lines(results).items():
        drawn = []
        for line, name, result in named:
            values = Values(result)
            known = [values.get(metric_name, name, ((key, part),)) for part in parts]
            drawn.append((line, [value for value in known if value is not None]))
        found.append(figures.over(results[0], drawn, metric_name, key))
    return tuple(found)


def _lines(results: Sequence[Result]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return what can be drawn over angles and sizes: metric and property, with at least two parts in their order."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for result in results:
        for value in result.values:
            if len(value.where) == 1 and value.metric in (primary(result), IN_PARTS):
                ((key, part),) = value.where.items()
                if part != UNKNOWN_LABEL:
                    found.setdefault((value.metric, key), {})[part] = None
    return {
        (name, key): tuple(parts)
        for (name, key), parts in found.items()
        if len(parts) > 1 and (key == SIZE or (is_angle(key) and all(number(part) is not None for part in parts)))
    }


def _searches(result: Result, preprocessor: str) -> int:
    value = result.value("rank1", preprocessor)
    return value.n if value else 0


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
        **(_searched(result) if trials(result) == "search" else {}),
    }
    return tuple((key, str(entry)) for key, entry in entries.items() if entry)


def _searched(result: Result) -> dict[str, str]:
    """Return what is searched in what, how, and what of it is preprocessed."""
    data, search = result.data, result.settings.get("search") or {}
    gallery, probes, subjects = (data.get(key) for key in ("gallery", "probes", "gallery_subjects"))
    enrolled = counted(gallery, "template" if data.get("templates") else "face") if gallery else ""
    if enrolled and subjects:
        enrolled += f" of {counted(subjects, 'subject')}"
    unit = "template" if data.get("templates") else "face"
    rule = result.protocol.get("settings", {}).get("preprocess")
    return {
        "Gallery": enrolled,
        "Probes": counted(probes, unit) if probes else "",
        "What is preprocessed": {"probes": "probes only, not the gallery", "both": "probes and gallery"}.get(rule, ""),
        "Search": _backend(search),
    }


def _backend(search: Mapping[str, Any]) -> str:
    """Return the search backend, and what an approximate one misses."""
    backend, recall, at = str(search.get("backend") or ""), search.get("recall"), search.get("recall_at")
    if not backend or search.get("exact"):
        return backend if backend in ("", "exact") else f"{backend}, exact"
    if recall is None:
        return f"{backend}, approximate: recall unknown"
    listed = f" of the {count(at)} best" if at else ""
    return f"{backend}, approximate: lists {percent(recall)}{listed} of the exact search"


def _meanings(result: Result) -> tuple[Meaning, ...]:
    known: dict[str, list[Metric]] = {}
    for words in (metric(name, result) for name in metrics(result)):
        if words.meaning:
            known.setdefault(words.meaning, []).append(words)
    return tuple(
        Meaning(tuple(m.title for m in same), tuple(m.name for m in same), meaning, same[0].better)
        for meaning, same in known.items()
    )
