"""The answer of a run in one sentence per preprocessor."""

from __future__ import annotations

from dataclasses import dataclass

from ..results import BASELINE, NOT_DETECTED, Difference, Result, Value
from . import effects
from .bins import binned
from .cards import card_words
from .effects import overall
from .grid import Values
from .wording import (
    ICONS,
    between,
    bin_words,
    chance,
    count,
    counted,
    difference,
    judged,
    metric,
    percent,
    points,
    preprocessors,
    primary,
    property_words,
    trials,
    trials_counted,
    untouched,
)

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Answer:
    """What one preprocessor does to the primary metric.

    Attributes:
        preprocessor: its name.
        verdict: ``better``, ``worse``, ``same``, ``unsure`` (no difference found) or ``unknown``, for recognition.
        icon: the verdict as a character.
        points: the signed difference to the baseline in percentage points.
        sentence: what follows the name: ``lowers 10-fold accuracy from …``.
        spread: what the run says of how sure the two values are; empty where it says nothing.
        where: in which parts it helps and harms, or gains and loses most; empty where the run has none.
        flips: how many decisions it fixes and breaks, and how many faces its gate touches; empty where the run does not
            say.
        card: what its card says of what it is for, and how many faces it left as they were.
    """

    preprocessor: str
    verdict: str
    icon: str
    points: str
    sentence: str
    spread: str
    where: str = ""
    flips: str = ""
    card: str = ""


def answers(result: Result) -> tuple[Answer, ...]:
    """Return one answer per preprocessor; of a run without any, what the baseline reaches; () without values."""
    name = primary(result)
    if name is None:
        return ()
    before = result.value(name, BASELINE)
    others = [p for p in preprocessors(result) if p != BASELINE]
    if not others:
        return (_baseline(result, name, before),)
    return tuple(_answer(result, name, before, result.value(name, p), p) for p in others)


def caveat(result: Result) -> str:
    """Return what the run does not say about the certainty of its differences; empty where it has none."""
    name, others = primary(result), [p for p in preprocessors(result) if p != BASELINE]
    if name is None or not others:
        return ""
    if all(overall(result, p) for p in others):
        return (
            "Better and worse are said only where the 95 % interval of the difference excludes 0 and its p-value, "
            "corrected over the parts of a breakdown, is at most 0.05; people, not comparisons, count as independent."
        )
    compared = [result.value(name, p) for p in (BASELINE, *others)]
    if any(value is None or value.interval is None for value in compared):
        return "No interval was computed: this run does not tell whether these differences could be chance."
    if trials(result) == "search":
        return (
            "The intervals are of the values; the differences carry no paired test: "
            "this run does not tell whether they could be chance."
        )
    return "The intervals are of the values; the differences themselves were not tested for significance."


def _baseline(result: Result, name: str, before: Value | None) -> Answer:
    reached = percent(before.value) if before else "no value"
    sentence = (
        f"(the baseline: {untouched(result)}) reaches {metric(name, result).title} {reached} over "
        f"{trials_counted(result, before.n if before else 0)}; {_failed(result, BASELINE)}. "
        "No preprocessor was compared."
    )
    return Answer(BASELINE, "unknown", "•", "", sentence, "")


def _answer(result: Result, name: str, before: Value | None, after: Value | None, preprocessor: str) -> Answer:
    change = difference(after, before)
    found = overall(result, preprocessor)
    kind, title = judged(name, change, found), metric(name, result).title
    failed = _failed(result, preprocessor)
    if before is None or after is None or change is None:
        sides = ("the baseline", before), ("this preprocessor", after)
        lacking = " and ".join(side for side, value in sides if value is None or value.value is None)
        sentence = (
            f"cannot be judged: {title} is {'absent or ' if None in (before, after) else ''}undefined for {lacking}"
        )
        card = card_words(result, preprocessor)
        return Answer(preprocessor, kind, ICONS[kind], "", f"{sentence}; {failed}.", "", card=card)
    over = f"over {trials_counted(result, after.n)}"
    if before.n != after.n:
        over += f" ({count(before.n)} in the baseline)"
    if found is not None and found.difference is not None and abs(found.difference - change) > _ROUNDING:
        change, over = found.difference, f"over the {trials_counted(result, found.n)} that both have"
        kind = judged(name, change, found)
    if change == 0:
        sentence = f"leaves {title} unchanged at {percent(after.value)} {over}; {failed}."
    elif points(change) == "0.00":
        sentence = f"leaves {title} at {percent(after.value)}: a difference below 0.01 points {over}; {failed}."
    elif found is not None and kind == "unsure":
        sentence = (
            f"makes no significant difference: {title} goes from {percent(before.value)} to {percent(after.value)}, "
            f"{points(change)}{between(found.interval)} points{_chance(found)} {over}{_detectable(found)}; {failed}."
        )
    else:
        verb = "raises" if change > 0 else "lowers"
        sentence = (
            f"{verb} {title} from {percent(before.value)} to {percent(after.value)}: "
            f"{points(change)}{between(found.interval) if found else ''} points{_chance(found)} {over}; {failed}."
        )
    where = effects.where(result, preprocessor) or _where(result, name, preprocessor)
    flips = " ".join(filter(None, (effects.flips(result, preprocessor), effects.touched(result, preprocessor))))
    spread, card = _spread(before, after), card_words(result, preprocessor)
    return Answer(preprocessor, kind, ICONS[kind], points(change), sentence, spread, where, flips, card)


def _chance(found: Difference | None) -> str:
    """Return the p-value of a difference, and over what it is corrected, in words."""
    if found is None or found.p_holm is None:
        return ""
    return f" ({chance(found.p_holm)}{f', corrected over {found.correction}' if found.correction else ''})"


def _detectable(found: Difference) -> str:
    """Return what difference the test would detect, in words."""
    smallest = found.smallest_detectable
    if smallest is None:
        return ""
    return f"; this test would detect ±{100 * smallest:.2f} points (80 % power)"


def _where(result: Result, name: str, preprocessor: str) -> str:
    """Return the bins with the largest gain and the largest loss, of the first property that has bins."""
    key, parts = next(((key, parts) for (m, key), parts in binned([result]).items() if m == name), ("", ()))
    values, found = Values(result), []
    for part in parts:
        before, after = (values.get(name, p, ((key, part),)) for p in (BASELINE, preprocessor))
        if (change := difference(after, before)) is not None:
            found.append((change, part))
    if not found:
        return ""
    (most, gains), (least, loses) = (choose(found, key=lambda entry: entry[0]) for choose in (max, min))
    gained = f"most gained at {bin_words(key, gains)} ({points(most)})" if points(most)[0] == "+" else "nothing gained"
    lost = f"most lost at {bin_words(key, loses)} ({points(least)})" if points(least)[0] == "−" else "nothing lost"
    return f"Over {property_words(key)}: {gained}, {lost}."


def _failed(result: Result, preprocessor: str) -> str:
    """Return how many faces could not be had, and at which step: ``1 face could not be detected``."""
    failed = result.failed.get(preprocessor, 0)
    acquired = [f for f in result.failures if f.preprocessor == BASELINE and f.stage == "acquire"]
    undetected = sum(f.reason == NOT_DETECTED for f in acquired)
    unread = len(acquired) - undetected
    later = max(0, failed - len(acquired))
    steps = [
        (undetected, "could not be detected"),
        (unread, "could not be read or aligned"),
        (later, "failed" if preprocessor == BASELINE else f"failed in {preprocessor}"),
    ]
    return ", ".join(f"{counted(n, 'face')} {what}" for n, what in steps if n) or "0 faces failed"


def _spread(before: Value, after: Value) -> str:
    words = []
    if before.interval and after.interval:
        words.append(
            f"95 % intervals: {percent(before.interval[0])} to {percent(before.interval[1])} in the baseline, "
            f"{percent(after.interval[0])} to {percent(after.interval[1])} after."
        )
    if before.std is not None and after.std is not None:
        words.append(
            f"Standard deviation between folds: {100 * before.std:.2f} points in the baseline, "
            f"{100 * after.std:.2f} after."
        )
    return " ".join(words)
