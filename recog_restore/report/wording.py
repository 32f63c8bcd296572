"""How numbers and metrics are named and printed, the same in HTML, on the terminal and in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..results import BASELINE, NO_DIFFERENCE, Difference, Result, Value

UNDEFINED = "undefined"
ABSENT = "–"

# A verdict never rests on colour alone. No sign is an arrow: an error rate that rises is worse.
ICONS = {"better": "✓", "worse": "✗", "same": "=", "unsure": "≈", "unknown": "?"}

# What stands before a difference in a table; the sign of the difference says the rest.
VERDICTS = {"better": "better", "worse": "worse", "same": "", "unsure": "n.s.", "unknown": ""}

# A rate at a threshold is no better known than the false accepts that fix the threshold.
FEW_FALSE_ACCEPTS = 30

_NARROW_SPACE = "\u202f"
_MACRO = "_macro"

# What a rate at a threshold is called in which failures count (ISO/IEC 19795-1).
_TRANSACTIONS = {"fnmr@baseline": "frr@baseline", "fmr@baseline": "far@baseline"}

# Properties of faces as they are written in a sentence; any other is called by its name.
_PROPERTIES = {"abs_yaw": "|yaw|", "compat": "published code"}
_ANGLES = ("abs_yaw", "yaw", "pitch", "roll")

# The property whose parts are drawn in the order of the run: ``8–12 px``, ``12–16 px``, ….
SIZE = "size"

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")

# What would ring, reorder the line, or not encode: control characters, bidirectional overrides, lone surrogates.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


Judgement = Literal["better", "worse", "same", "unsure", "unknown"]


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
        r"accuracy_insightface_(\d+)fold",
        Metric(
            "",
            "{0}-fold accuracy, insightface’s thresholds",
            "Acc. {0}-fold insightface",
            "Share of comparisons decided correctly, each of the {0} folds at the threshold that does best on all the "
            "others on the grid of insightface’s code: squared distances in steps of 0.01, accepted strictly below "
            "(--compat insightface). It is not the accuracy at the best threshold.",
            "higher",
        ),
    ),
    (
        "accuracy_insightface",
        Metric(
            "",
            "accuracy, insightface’s thresholds",
            "Acc. insightface",
            "Share of comparisons of one fold decided correctly at the threshold of insightface’s grid that does best "
            "on all the others.",
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
        r"tar_nearest@far=(.+)",
        Metric(
            "",
            "TAR at FAR nearest to {0}",
            "TAR@FAR≈{0}",
            "Share of mated comparisons accepted at the threshold whose share of accepted non-mated ones is nearest to "
            "the given one, and may exceed it: the rule of the published IJB-B and IJB-C tables (--compat nearest).",
            "higher",
        ),
    ),
    (
        "fnmr@baseline",
        Metric(
            "",
            "FNMR at the baseline’s threshold",
            "FNMR @base",
            "Share of mated comparisons rejected (false non-match rate) at the threshold that was set on the baseline: "
            "what a system sees that keeps its threshold.",
            "lower",
        ),
    ),
    (
        "fmr@baseline",
        Metric(
            "",
            "FMR at the baseline’s threshold",
            "FMR @base",
            "Share of non-mated comparisons accepted (false match rate) at the threshold that was set on the baseline. "
            "If it grows, the old threshold is no longer safe.",
            "lower",
        ),
    ),
    (
        "frr@baseline",
        Metric(
            "",
            "FRR at the baseline’s threshold",
            "FRR @base",
            "Share of mated comparisons rejected at the threshold that was set on the baseline, those with a face that "
            "could not be had among them (false reject rate): what a system sees that keeps its threshold. FNMR is "
            "over completed comparisons alone (--set faces.failure=exclude).",
            "lower",
        ),
    ),
    (
        "far@baseline",
        Metric(
            "",
            "FAR at the baseline’s threshold",
            "FAR @base",
            "Share of non-mated comparisons accepted at the threshold that was set on the baseline; those with a face "
            "that could not be had count, and are never accepted (false accept rate). If it grows, the old threshold "
            "is no longer safe. FMR is over completed comparisons alone (--set faces.failure=exclude).",
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
    (
        r"tpir@fpir=(.+)",
        Metric(
            "",
            "TPIR({N}, R = 1) at FPIR ≤ {0}",
            "TPIR@FPIR {0}",
            "Share of searches for enrolled subjects whose mate stands first and above the threshold (true positive "
            "identification rate), where no more than the given share of the searches for others raises an alarm "
            "(false positive identification rate). N people are enrolled; R is the rank that the mate must reach.",
            "higher",
        ),
    ),
    (
        r"fnir@fpir=(.+)",
        Metric(
            "",
            "FNIR({N}, R = 1) at FPIR ≤ {0}",
            "FNIR@FPIR {0}",
            "Share of searches for enrolled subjects whose mate does not stand first or not above the threshold (false "
            "negative identification rate), at the threshold at which no more than the given share of the searches for "
            "others raises an alarm. N people are enrolled; R is the rank that the mate must reach.",
            "lower",
        ),
    ),
    (
        r"map",
        Metric(
            "",
            "mean average precision",
            "mAP",
            "Mean over searches of the average precision: the share of mates among the places up to each mate.",
            "higher",
        ),
    ),
    (
        r"map_trapezoid_euclidean",
        Metric(
            "",
            "TinyFace’s own mAP",
            "mAP TinyFace",
            "Mean average precision as TinyFace’s evaluation has it: Euclidean distance of the features as they are "
            "given, and trapezoids below the precision-recall curve. It is not comparable with the standard mAP.",
            "higher",
        ),
    ),
)


def metric(name: str, *results: Result) -> Metric:
    """Return the metric of that name in words; an unknown one is called by its name, with no direction.

    Args:
        name: as registered.
        results: that it is of, where they are known. An error rate at a threshold in which failures to acquire count is
            FRR or FAR; over completed comparisons it is FNMR or FMR (ISO/IEC 19795-1). A rate of an open set is of
            N people enrolled.
    """
    if name.endswith(_MACRO):
        one = metric(name.removesuffix(_MACRO), *results)
        meaning = f"Mean of the parts’ {one.title}, each part counting the same whatever its number of searches."
        return Metric(name, f"macro mean {one.title}", f"{one.short} macro", meaning, one.better)
    called = _TRANSACTIONS.get(name, name) if any(map(_failures_count, results)) else name
    for pattern, words in _METRICS:
        if found := re.fullmatch(pattern, called):
            parts = found.groups()
            return Metric(
                name,
                words.title.format(*parts, N=_enrolled(results)),
                words.short.format(*parts),
                words.meaning.format(*parts),
                words.better,
            )
    return Metric(name, name, name, "")


def macro(name: str) -> str:
    """Return the name of the mean of a metric over parts of the data."""
    return name + _MACRO


def _failures_count(result: Result) -> bool:
    """Return whether failures are among the trials that rates rest on."""
    rule = result.protocol.get("settings", {}).get("faces", {}).get("failure", "iso")
    return rule != "exclude" and any(result.failed.values())


def _enrolled(results: Sequence[Result]) -> str:
    """Return N of an open set in words: the people enrolled, gallery by gallery."""
    for result in results:
        galleries = result.data.get("galleries") or {}
        sizes = [entry["gallery"] for entry in galleries.values()] or [result.data.get("gallery_subjects")]
        if all(sizes):
            return f"N = {' and '.join(map(count, sizes))}"
    return "N"


def heading(name: str, *results: Result) -> str:
    """Return the title of a metric as it begins a row or a table."""
    title = metric(name, *results).title
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


def score(number: float | None) -> str:
    """Return the score of a comparison with three decimals."""
    return UNDEFINED if number is None else f"{number:.3f}".replace("-", "−")


def rise(change: float) -> str:
    """Return a difference of scores with three decimals, signed."""
    return f"{change:+.3f}".replace("-", "−")


def chance(p: float | None) -> str:
    """Return a p-value: ``p = 0.012``, ``p < 0.001``; empty where there is none."""
    if p is None:
        return ""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def one_in(rate: float) -> str:
    """Return a small rate as ``1 in 1,000``."""
    return f"1 in {round(1 / rate):,}"


def count(number: int) -> str:
    """Return a count with thousands separated: ``6,000``."""
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """Return a count with its noun: ``1 face``, ``6,000 faces``."""
    plural = "es" if noun.endswith("ch") else "s"
    return f"{count(number)} {noun}{'' if number == 1 else plural}"


def trials(result: Result) -> str:
    """Return what is counted in this kind of protocol, in the singular."""
    return "search" if result.protocol.get("kind") == "identification" else "comparison"


def trials_counted(result: Result, number: int) -> str:
    """Return ``6,000 comparisons`` or ``548 searches``."""
    return counted(number, trials(result))


def rests_on(result: Result, value: Value) -> str:
    """Return what a value rests on in words: comparisons, searches, or the parts that it is the mean of."""
    return counted(value.n, "bin") if value.metric.endswith(_MACRO) else trials_counted(result, value.n)


def few(value: Value) -> bool:
    """Return whether a rate rests on so few false accepts that only its order of magnitude can be read."""
    return value.value is not None and value.false_accepts is not None and value.false_accepts < FEW_FALSE_ACCEPTS


def difference(value: Value | None, baseline: Value | None) -> float | None:
    """Return ``value − baseline``, or None where either is absent or undefined."""
    if value is None or baseline is None or value.value is None or baseline.value is None:
        return None
    return value.value - baseline.value


def judged(name: str, change: float | None, found: Difference | None) -> Judgement:
    """Return what a change of a metric means for recognition.

    ``better`` and ``worse`` only where it was tested and is significant, ``unknown`` where it was not tested; ``same``
    is a change that prints as 0.00.
    """
    if change is None:
        return "unknown"
    if points(change) == "0.00":
        return "same"
    if not metric(name).better or found is None:
        return "unknown"
    if found.verdict == NO_DIFFERENCE:
        return "unsure"
    return "better" if found.verdict == "better" else "worse"


def between(interval: tuple[float, float] | None) -> str:
    """Return an interval of a difference in points: ``[27.90, 34.80]``; empty where there is none."""
    return "" if interval is None else f" [{points(interval[0])}, {points(interval[1])}]".replace("+", "")


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


def untouched(result: Result) -> str:
    """Return what the faces of the baseline are: untouched, or degraded where the protocol degrades them."""
    degradation = result.protocol.get("settings", {}).get("degradation")
    if not degradation:
        return "untouched faces"
    what = "probes" if degradation.get("apply") == "probes" else "faces"
    return f"{what} degraded by {degradation.get('name', '')}, not preprocessed"


def note(result: Result) -> str:
    """Return what must be said wherever a number of this run stands: that its faces are synthetic; empty else."""
    return str(result.data.get("note") or "")


def property_words(key: str) -> str:
    """Return a property of the faces as it is written: ``|yaw|``."""
    return _PROPERTIES.get(key, key)


def is_angle(key: str) -> bool:
    """Return whether the numbers of a property measure something that a line can be drawn over."""
    return key in _ANGLES


def number(part: str) -> float | None:
    """Return the number that a part of the data is named by, None for any other name."""
    return float(part) if _NUMBER.fullmatch(part) else None


def bin_words(key: str, part: str) -> str:
    """Return a part of the data as it heads a column: ``±90°`` for ``abs_yaw`` 90, ``−45°`` for ``yaw`` -45."""
    degrees = number(part)
    if degrees is None or not is_angle(key):
        return part
    if degrees == 0:
        return "0°"
    sign = "±" if key.startswith("abs_") else "−" if degrees < 0 else "+"
    return f"{sign}{abs(degrees):g}°"


def bare(shown: str) -> str:
    """Return a printed rate without its unit, for a table whose caption names it."""
    return shown.replace(f"{_NARROW_SPACE}%", "")


def visible(text: str) -> str:
    """Return text with invisible characters written out: a file name cannot pass for another one."""
    return _UNSEEN.sub(lambda found: ascii(found[0])[1:-1], text)


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names once each, in the order in which they first come."""
    return tuple(dict.fromkeys(names))
