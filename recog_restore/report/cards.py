"""What the card of a preprocessor says of what it is for, wherever it is used."""

from __future__ import annotations

from ..results import Result
from .wording import count, counted

FOR_RECOGNIZERS = "paints for a recognizer, not for the eye"


def made_for(tested_range: str, taught: bool) -> str:
    """Return in one sentence what a preprocessor was tested on and whom it was trained to please; empty if unknown.

    Args:
        tested_range: of its card.
        taught: whether a loss of its training used a recognizer.
    """
    said = [f"tested on: {tested_range}" if tested_range else "", FOR_RECOGNIZERS if taught else ""]
    words = "; ".join(filter(None, said))
    return words and f"{words[:1].upper()}{words[1:]}."


def card_words(result: Result, preprocessor: str) -> str:
    """Return what the card of a run's preprocessor says, and how many faces it left as they were; empty: nothing."""
    card = next((p.get("card") or {} for p in result.preprocessors if p.get("name") == preprocessor), {})
    words = made_for(str(card.get("tested_range") or ""), bool(card.get("teachers")))
    return " ".join(filter(None, (words, left(result, preprocessor))))


def left(result: Result, preprocessor: str) -> str:
    """Return how many faces a preprocessor left as they were; empty where it left none, or the run does not say."""
    number = result.unchanged.get(preprocessor, 0)
    was = "it was" if number == 1 else "they were"
    return f"Left {counted(number, 'face')} of {count(result.seen)} as {was}." if number else ""
