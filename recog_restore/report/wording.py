"""How numbers and metrics are named and printed, the same in HTML, on the terminal and in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ..results import BASELINE, Result, Value

UNDEFINED = "undefined"
ABSENT = "–"

# A rate at a threshold is no better known than the false accepts that fix the threshold.
FEW_FALSE_ACCEPTS = 10

_NARROW_SPACE = "\u202f"

# What would ring, reorder the line, or not encode: control characters, bidirectional overrides, lone surrogates.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Metric:
    """A metric in words.

    Attributes:
        name: as registered: ``tar@far=1e-3``.
        title: as it reads within a sentence.
        short: as it heads a narrow column.
        meaning: what it is, in one or two sentences for people who have not met it.
        better: the direction in which recognition gets better; empty where unknown.
    """

    name: str
    title: str
    short: str
    meaning: str
    better: Literal["higher", "lower", ""] = ""


_METRICS: tuple[tuple[str, Metric], ...] = (
    (
        r"accuracy_(\d+)fold",
        Metric(
            "",
            "{0}-fold accuracy",
            "Acc. {0}-fold",
            "Share of comparisons decided correctly. Each of the {0} folds is judged at the threshold that does best "
            "on all the others; the mean over folds, ± the standard deviation between them.",
            "higher",
        ),
    ),
    (
        "accuracy",
        Metric(
            "",
            "accuracy",
            "Acc.",
            "Share of comparisons of one fold decided correctly at the threshold that does best on all the others.",
            "higher",
        ),
    ),
    (
        "eer",
        Metric(
            "",
            "EER",
            "EER",
            "Equal error rate: where as many mated comparisons are rejected as non-mated ones are accepted.",
            "lower",
        ),
    ),
    (
        "auc",
        Metric(
            "",
            "AUC",
            "AUC",
            "Area under the ROC: the chance that a mated comparison scores above a non-mated one.",
            "higher",
        ),
    ),
    (
        r"tar@far=(.+)",
        Metric(
            "",
            "TAR at FAR ≤ {0}",
            "TAR@FAR {0}",
            "Share of mated comparisons accepted (true accept rate) at the threshold at which no more than the given "
            "share of the non-mated ones is (false accept rate).",
            "higher",
        ),
    ),
    (
        "fnmr@baseline",
        Metric(
            "",
            "FNMR at the baseline’s threshold",
            "FNMR @base",
            "Share of mated comparisons rejected (false non-match rate) at the threshold that was set on the untouched "
            "faces: what a system sees that keeps its threshold.",
            "lower",
        ),
    ),
    (
        "fmr@baseline",
        Metric(
            "",
            "FMR at the baseline’s threshold",
            "FMR @base",
            "Share of non-mated comparisons accepted (false match rate) at the threshold that was set on the untouched "
            "faces. If it grows, the old threshold is no longer safe.",
            "lower",
        ),
    ),
    (
        r"rank(\d+)",
        Metric(
            "",
            "rank-{0} hit rate",
            "Rank {0}",
            "Share of searches whose subject is among the {0} best-scoring subjects of the gallery.",
            "higher",
        ),
    ),
)


def metric(name: str) -> Metric:
    """Return the metric of that name in words; an unknown one is called by its name, with no direction."""
    for pattern, words in _METRICS:
        if found := re.fullmatch(pattern, name):
            parts = found.groups()
            return Metric(
                name,
                words.title.format(*parts),
                words.short.format(*parts),
                words.meaning.format(*parts),
                words.better,
            )
    return Metric(name, name, name, "")


def heading(name: str) -> str:
    """Return the title of a metric as it begins a row or a table."""
    title = metric(name).title
    return title[:1].upper() + title[1:]


def percent(rate: float | None) -> str:
    """Return a rate in 0…1 as ``99.30 %``; None is ``undefined``."""
    return UNDEFINED if rate is None else f"{100 * rate:.2f}{_NARROW_SPACE}%"


def points(difference: float | None) -> str:
    """Return a difference of rates in percentage points, signed: ``−11.18``; None is ``undefined``."""
    if difference is None:
        return UNDEFINED
    digits = f"{abs(100 * difference):.2f}"
    if float(digits) == 0:
        return "0.00"
    return f"{'−' if difference < 0 else '+'}{digits}"


def threshold(score: float | None) -> str:
    """Return a threshold with four decimals."""
    return UNDEFINED if score is None else f"{score:.4f}".replace("-", "−")


def count(number: int) -> str:
    """Return a count with thousands separated: ``6,000``."""
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """Return a count with its noun: ``1 face``, ``6,000 faces``."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def trials(result: Result) -> str:
    """Return what is counted in this kind of protocol, in the singular."""
    return "search" if result.protocol.get("kind") == "identification" else "comparison"


def trials_counted(result: Result, number: int) -> str:
    """Return ``6,000 comparisons`` or ``548 searches``."""
    noun = trials(result)
    return f"{count(number)} {noun}{'' if number == 1 else 'es' if noun == 'search' else 's'}"


def few(value: Value) -> bool:
    """Return whether a rate rests on so few false accepts that only its order of magnitude can be read."""
    return value.value is not None and value.false_accepts is not None and value.false_accepts < FEW_FALSE_ACCEPTS


def difference(value: Value | None, baseline: Value | None) -> float | None:
    """Return ``value − baseline``, or None where either is absent or undefined."""
    if value is None or baseline is None or value.value is None or baseline.value is None:
        return None
    return value.value - baseline.value


def verdict(name: str, change: float | None) -> Literal["better", "worse", "same", "unknown"]:
    """Return what a change of a metric means for recognition; ``same`` is a change that prints as 0.00."""
    if change is None:
        return "unknown"
    if points(change) == "0.00":
        return "same"
    better = metric(name).better
    if not better:
        return "unknown"
    return "better" if (change > 0) == (better == "higher") else "worse"


def preprocessors(result: Result) -> tuple[str, ...]:
    """Return the names of the preprocessors in their order; the baseline comes first."""
    named = [str(entry.get("name", "")) for entry in result.preprocessors]
    return unique([BASELINE, *named, *(value.preprocessor for value in result.values)])


def metrics(result: Result) -> tuple[str, ...]:
    """Return the names of the metrics over all of the data, in the order of the run."""
    return unique(value.metric for value in result.values if not value.where)


def protocol(result: Result) -> str:
    """Return the id of the protocol."""
    return str(result.protocol.get("id", ""))


def primary(result: Result) -> str | None:
    """Return the metric in which the answer is given: the protocol's, else the first; None without any value.

    A protocol asks for ``accuracy``, the value is called ``accuracy_10fold``: the number of folds is found in the data.
    """
    asked = str(result.protocol.get("settings", {}).get("primary", ""))
    names = metrics(result)
    for name in names:
        if asked and (name == asked or name.startswith(f"{asked}_")):
            return name
    return names[0] if names else None


def label(preprocessor: str) -> str:
    """Return the name of a preprocessor as it is shown: the untouched faces are the ``baseline``."""
    return "baseline" if preprocessor == BASELINE else preprocessor


def visible(text: str) -> str:
    """Return text with invisible characters written out: a file name cannot pass for another one."""
    return _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names once each, in the order in which they first come."""
    return tuple(dict.fromkeys(names))
