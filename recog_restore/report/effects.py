"""Where a preprocessor helps, where it harms, and how many it fixes and breaks: its tested differences in words."""

from __future__ import annotations

from ..results import NO_DIFFERENCE, UNKNOWN_LABEL, Difference, Result
from .grid import OVER
from .wording import (
    between,
    bin_words,
    count,
    counted,
    heading,
    points,
    primary,
    property_words,
    trials_counted,
)

# Parts of the data that a sentence names, of each kind.
NAMED = 3

# The metric that stands for an accuracy in its parts, where folds are too small for one.
IN_PARTS = "fnmr@baseline"


def overall(result: Result, preprocessor: str) -> Difference | None:
    """Return the tested difference of the primary metric over all of the data; None where the run has none."""
    name = primary(result)
    return None if name is None else result.difference(name, preprocessor)


def by_parts(result: Result, preprocessor: str) -> tuple[Difference, ...]:
    """Return the tested differences of the first breakdown: of the primary metric, or of the FNMR in its stead.

    The part of those of whom nothing is known is left out.
    """
    found = [
        d
        for d in result.differences
        if d.preprocessor == preprocessor
        and len(d.where) == 1
        and OVER not in d.where
        and UNKNOWN_LABEL not in d.where.values()
    ]
    for name in (primary(result), IN_PARTS):
        keys = [next(iter(d.where)) for d in found if d.metric == name]
        if keys:
            return tuple(d for d in found if d.metric == name and keys[0] in d.where)
    return ()


def where(result: Result, preprocessor: str) -> str:
    """Return the parts where the preprocessor helps, harms, and neither was found: ``helps at ±60° (+31.40 [..])``."""
    parts = by_parts(result, preprocessor)
    if not parts:
        return ""
    said = []
    for verb, kind in (("helps", "better"), ("harms", "worse")):
        mine = sorted((d for d in parts if d.verdict == kind), key=lambda d: -abs(d.difference or 0.0))
        if mine:
            named = [f"{place(d)} ({points(d.difference)}{between(d.interval)})" for d in mine[:NAMED]]
            more = [f"{count(len(mine) - NAMED)} more"] if len(mine) > NAMED else []
            said.append(f"{verb} at {', '.join(named + more)}")
    open_parts = [place(d) for d in parts if d.verdict == NO_DIFFERENCE]
    if open_parts:
        named = open_parts if len(open_parts) <= NAMED else [f"{count(len(open_parts))} of {count(len(parts))} parts"]
        said.append(f"no difference found at {', '.join(named)}")
    key = next(iter(parts[0].where))
    return f"{heading(parts[0].metric, result)} over {property_words(key)}: {'; '.join(said)}."


def flips(result: Result, preprocessor: str) -> str:
    """Return how many decisions the preprocessor fixes and breaks: ``fixes 88 and breaks 12 of 5,318 searches``."""
    found = overall(result, preprocessor)
    if found is None or found.fixed is None or found.broken is None:
        return ""
    return f"Fixes {count(found.fixed)} and breaks {count(found.broken)} of {trials_counted(result, found.n)}."


def touched(result: Result, preprocessor: str) -> str:
    """Return how many faces a gate let the preprocessor touch; empty where there is no gate."""
    settings = next((p.get("settings") or {} for p in result.preprocessors if p.get("name") == preprocessor), {})
    if "gate" not in settings:
        return ""
    number = int(settings.get("touched", 0))
    return f"The gate touches {counted(number, 'face')}." if number else "The gate touches no face: nothing was tested."


def place(found: Difference) -> str:
    """Return the part of the data that a difference is about, in words; ``all`` of it."""
    return ", ".join(bin_words(key, part) for key, part in found.where.items()) or "all"
