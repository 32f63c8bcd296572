"""One offline HTML file from results: the answer first, then everything it rests on.

Nothing is fetched: plotly, style, script, plots and faces are in the file, and its content security policy forbids
everything else, also a script that is not this one. All text from results is escaped by Jinja.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from ..errors import ResultError
from ..resources import folder
from ..results import BASELINE, Failure, Result
from . import figures, wording
from .answer import Answer, answers, caveat
from .faces import Gallery, gallery, room_each
from .figures import Figure
from .grid import Breakdown, Row, breakdowns, overall, side_by_side
from .wording import Metric, metric, metrics, preprocessors

# Bytes: of a page, and of the faces in it.
LIMIT = 6_000_000
FACES = 800_000

FAILURES_LISTED = 200
ROWS_LISTED = 200


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
    """What the page shows of one result."""

    label: str
    result: Result
    preprocessors: tuple[str, ...]
    answers: tuple[Answer, ...]
    caveat: str
    facts: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    plots: tuple[Figure, ...]
    histograms: tuple[Figure, ...]
    threshold: str
    breakdowns: tuple[Breakdown, ...]
    gallery: Gallery
    reasons: tuple[Reason, ...]
    failures: tuple[Failure, ...]
    configuration: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    meanings: tuple[Meaning, ...]
    rule: str


@dataclass(frozen=True)
class Comparison:
    """Runs of one protocol side by side: notes on what differs besides, the table, and the curves in one plot."""

    protocol: str
    title: str
    runs: tuple[Run, ...]
    notes: tuple[str, ...]
    metrics: tuple[tuple[str, tuple[Row, ...]], ...]
    plots: tuple[Figure, ...]


def render(results: Sequence[Result], title: str | None = None) -> str:
    """Return the page of one result, or of several side by side; the same results give the same page.

    Args:
        results: in the order in which they are to be shown; results of different protocols never share a table.
        title: of the page; by default the title of the protocol.

    Raises:
        ResultError: there is no result, or the page would be larger than ``LIMIT`` even without faces.
    """
    if not results:
        raise ResultError("expected at least one result to report on, got none")
    page = _page(results, title, FACES)
    excess = len(page.encode()) - LIMIT
    if excess > 0:
        page = _page(results, title, max(0, FACES - excess))
    if (size := len(page.encode())) > LIMIT:
        raise ResultError(
            f"the report of {len(results)} results would have {size:,} bytes, more than {LIMIT:,}; "
            "report on fewer of them at a time"
        )
    return page


def write(results: Sequence[Result], path: Path, title: str | None = None) -> None:
    """Write ``render(results, title)``, whole or not at all.

    Raises:
        ResultError: as ``render``, or the file cannot be written.
    """
    page = render(results, title)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(page, "utf-8", newline="\n")
        os.replace(temporary, path)
    except OSError as error:
        raise ResultError(f"{path}: the report cannot be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _page(results: Sequence[Result], title: str | None, faces: int) -> str:
    labels = _labels(results)
    points, room = figures.points_each(results), room_each(results, faces)
    runs = tuple(_run(result, label, points, room) for result, label in zip(results, labels, strict=True))
    comparisons = _comparisons(runs, points) if len(runs) > 1 else ()
    plotly, script = get_plotlyjs(), _text("report.js")
    return (
        _environment()
        .get_template("report.html")
        .render(
            title=title or _title(results),
            runs=runs,
            comparisons=comparisons,
            plotly=Markup(plotly),
            script=Markup(script),
            script_hashes=[_hash(plotly), _hash(script)],
            contents=_contents(runs),
            baseline=BASELINE,
            rows_listed=ROWS_LISTED,
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # `tojson` writes <, >, & and ' as \u003c …: nothing in it can end the script element.
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return environment


def _visible(entry: Any) -> Any:
    return wording.visible(entry) if isinstance(entry, str) and not isinstance(entry, Markup) else entry


def _text(name: str) -> str:
    return (folder("reports") / "templates" / name).read_text("utf-8")


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _title(results: Sequence[Result]) -> str:
    titles = wording.unique(str(r.protocol.get("title") or r.protocol.get("id", "")) for r in results)
    return titles[0] if len(titles) == 1 else f"{len(results)} runs of {len(titles)} protocols"


def _labels(results: Sequence[Result]) -> list[str]:
    names = [str(result.embedder.get("name", "")) for result in results]
    return names if len(results) == 1 else [f"Run {i} · {name}" for i, name in enumerate(names, start=1)]


def _contents(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Return anchor and text of what the page has below the answer."""
    if len(runs) > 1:
        return [("comparison", "Side by side"), *((f"run{i}", run.label) for i, run in enumerate(runs, start=1))]
    run = runs[0]
    parts = [
        ("metrics", "Metrics", run.rows),
        ("curves", "Curves", run.plots or run.histograms),
        ("breakdowns", "Parts of the data", run.breakdowns),
        ("faces", "Faces", run.gallery.groups or run.gallery.left_out),
        ("failures", "Failures", True),
        ("configuration", "Configuration", True),
        ("definitions", "What is what", True),
    ]
    return [(anchor, text) for anchor, text, present in parts if present]


def _run(result: Result, label: str, points: int, room: int) -> Run:
    names, threshold = preprocessors(result), _baseline_threshold(result)
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
        plots=_plots([(lines, result)], points),
        histograms=figures.histograms(result, names, threshold),
        threshold="" if threshold is None else wording.threshold(threshold),
        breakdowns=breakdowns(result),
        gallery=gallery(result, room),
        reasons=tuple(Reason(*key, n) for key, n in reasons.most_common()),
        failures=result.failures[:FAILURES_LISTED],
        configuration=_configuration(result),
        meanings=_meanings(result),
        rule=_rule(result),
    )


def _plots(runs: Sequence[tuple[Sequence[figures.Series], Result]], points: int) -> tuple[Figure, ...]:
    """Return ROC and DET, or the CMC: of what these results have, in one plot each."""
    named = [
        (line, name, result) for lines, result in runs for line, name in zip(lines, preprocessors(result), strict=True)
    ]
    curves = [(line, result.curves[name]) for line, name, result in named if name in result.curves]
    hits = [(line, result.cmc[name]) for line, name, result in named if name in result.cmc]
    verification = (figures.roc(curves, points), figures.det(curves, points)) if curves else ()
    return (*verification, *((figures.cmc(hits),) if hits else ()))


def _comparisons(runs: Sequence[Run], points: int) -> tuple[Comparison, ...]:
    comparisons = []
    for protocol in wording.unique(_protocol(run.result) for run in runs):
        same = [(i, run) for i, run in enumerate(runs) if _protocol(run.result) == protocol]
        lines = [(figures.run_series(i, run.preprocessors), run.result) for i, run in same]
        results = tuple(run.result for _, run in same)
        comparisons.append(
            Comparison(
                protocol=protocol,
                title=str(results[0].protocol.get("title", "")),
                runs=tuple(run for _, run in same),
                notes=_differences(results),
                metrics=side_by_side(results),
                plots=_plots(lines, points) if len(same) > 1 else (),
            )
        )
    return tuple(comparisons)


def _differences(results: Sequence[Result]) -> tuple[str, ...]:
    """Return what else than embedder and preprocessors differs between runs of one protocol, in words."""
    notes = []
    if _differ(result.data.get("fingerprint") for result in results):
        notes.append("The runs are not on the same data: their fingerprints differ.")
    if _differ(result.data.get("partial") or "" for result in results):
        notes.append("The runs do not use the same part of the data: at least one is partial.")
    settings = [dict(_flat(result.protocol.get("settings", {}))) for result in results]
    keys = [key for key in wording.unique(k for s in settings for k in s) if _differ(s.get(key) for s in settings)]
    if keys:
        notes.append(f"Settings of the protocol differ: {', '.join(keys)}.")
    return tuple(notes)


def _differ(entries: Any) -> bool:
    return len(set(map(str, entries))) > 1


def _protocol(result: Result) -> str:
    return str(result.protocol.get("id", ""))


def _baseline_threshold(result: Result) -> float | None:
    value = result.value("fnmr@baseline", BASELINE)
    return value.threshold if value else None


def _facts(result: Result) -> tuple[tuple[str, str], ...]:
    """Return what ran on what, short: the whole of it is in the configuration."""
    entries = {
        "Protocol": _protocol(result),
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


def _rule(result: Result) -> str:
    return str(result.settings.get("failure") or "")


def _configuration(result: Result) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return everything the result says of how it was made, as named lists of key and text."""
    parts: list[tuple[str, Mapping[str, Any]]] = [
        ("Protocol", result.protocol),
        ("Data", result.data),
        ("Recognizer", result.embedder),
        *((_part(str(entry.get("name", ""))), entry) for entry in result.preprocessors),
        ("Settings", result.settings),
        ("Provenance", result.provenance),
        ("Seconds", {key: f"{seconds:,.2f}" for key, seconds in result.seconds.items()}),
    ]
    return tuple((name, tuple(_flat(entries))) for name, entries in parts if entries)


def _part(preprocessor: str) -> str:
    return "Baseline" if preprocessor == BASELINE else f"Preprocessor {preprocessor}"


def _flat(entry: Any, key: str = "") -> list[tuple[str, str]]:
    """Return nested mappings as pairs of a dotted key and a text; lists of scalars are one text."""
    if isinstance(entry, Mapping) and entry:
        return [pair for k, v in entry.items() for pair in _flat(v, f"{key}.{k}" if key else str(k))]
    if isinstance(entry, (list, tuple)) and any(isinstance(e, (Mapping, list, tuple)) for e in entry):
        return [pair for i, e in enumerate(entry) for pair in _flat(e, f"{key}[{i}]")]
    return [(key, _shown(entry))]


def _shown(entry: Any) -> str:
    if entry is None or entry == "" or entry in ({}, [], ()):
        return wording.ABSENT
    if isinstance(entry, bool):
        return "yes" if entry else "no"
    if isinstance(entry, (list, tuple)):
        return ", ".join(map(str, entry))
    return str(entry)
