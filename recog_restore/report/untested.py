"""What a run does not tell, in plain language: numbers that are read beyond what was tested mislead."""

from __future__ import annotations

from ..results import BASELINE, Result
from .grid import OVER
from .wording import count, one_in, preprocessors, property_words, trials, unique

# Upper 95 % limit of a rate of which no case was seen in n: 3 / n (Hanley, Lippman-Hand, JAMA 249, 1983).
_RULE_OF_THREE = 3

# What stands in ``where`` and is no property of people or pictures.
_NO_GROUPS = ("fold", "gallery", "compat", OVER)


def untested(result: Result) -> tuple[str, ...]:
    """Return one sentence per question that the run leaves open, the widest first."""
    compared = any(p != BASELINE for p in preprocessors(result))
    sentences = [_recognizers(result), _people(result), _task(result), _rates(result), _groups(result)]
    if compared:
        sentences += [_sides(result), _alignment(result), _thresholds(result)]
    return tuple(filter(None, sentences))


def _recognizers(result: Result) -> str:
    name = result.embedder.get("name") or "the one that was used"
    return f"Other recognizers than {name}: what helps one may harm another."


def _people(result: Result) -> str:
    data = result.data
    people = data.get("gallery_subjects") if trials(result) == "search" else data.get("subjects")
    who = f"the {count(people)} {'person' if people == 1 else 'people'} of " if people else ""
    words = f"Other faces than {who}{data.get('dataset') or 'this data set'}"
    if data.get("partial"):
        words += f", and of it other parts than: {data['partial']}"
    return f"{words}. The intervals are for people like these, photographed like these."


def _task(result: Result) -> str:
    if result.det:
        return ""  # of an open set
    if trials(result) == "search":
        return (
            "People who are not in the gallery: every search here has its mate there (a closed set), so nothing is "
            "known about false alarms."
        )
    return "Searching a gallery: faces were compared in pairs, and nobody was searched for among many."


def _rates(result: Result) -> str:
    n = result.data.get("non_mated")
    if not n:
        return ""
    return (
        f"False match rates below {one_in(_RULE_OF_THREE / n)}: with {count(n)} non-mated comparisons not even none "
        "at all would show them (rule of three)."
    )


def _groups(result: Result) -> str:
    keys = unique(key for value in result.values for key in value.where if key not in _NO_GROUPS)
    if not keys:
        return (
            "Whether some are harmed more than others: nothing was broken down, by pose, size, light, age, sex or skin "
            "tone. --by LABEL does it, for every label that the data set has."
        )
    by = ", ".join(map(property_words, keys))
    return f"Other groups than by {by}: who is harmed among those is open. --by LABEL names a label of the data set."


def _sides(result: Result) -> str:
    rule = result.protocol.get("settings", {}).get("preprocess")
    if result.sides:
        return ""
    if trials(result) == "search":
        both, one = "Preprocessing the probes alone", "Preprocessing the gallery as well"
    else:
        both, one = "Preprocessing one face of a pair alone", "Preprocessing both faces of a pair"
    if rule == "probes":
        return f"{one}: only the other side was preprocessed. --set preprocess=both does it."
    return f"{both}: both sides were preprocessed. --set preprocess=probes does it." if rule == "both" else ""


def _alignment(result: Result) -> str:
    if result.data.get("alignment") != "landmarks":
        return ""
    return (
        "What a detector makes of preprocessed faces: every face was found and aligned once, before any preprocessor."
    )


def _thresholds(result: Result) -> str:
    if not any(harm.threshold is not None for harm in result.harm):
        return ""
    return (
        "Thresholds that were chosen on other people: the baseline’s threshold was set on the comparisons that it "
        "judges here."
    )
