"""What a card says where its preprocessor is used."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from recog_restore.report import html
from recog_restore.report.cards import card_words, left, made_for
from recog_restore.results import Result


def test_the_tested_range_and_whom_it_paints_for_are_one_sentence() -> None:
    assert made_for("sharp faces", taught=True) == "Tested on: sharp faces; paints for a recognizer, not for the eye."
    assert made_for("", taught=True) == "Paints for a recognizer, not for the eye."
    assert made_for("", taught=False) == ""


def test_the_report_says_it_and_how_many_faces_were_left_as_they_were(make: Callable[..., Result]) -> None:
    result = make({"mdfr": 0.1, "clahe": 0.2})
    named = {entry["name"]: entry for entry in result.preprocessors}
    named["mdfr"]["card"] |= {"tested_range": "rendered <b>faces", "teachers": [{"name": "t", "sha256": ""}]}
    result = dataclasses.replace(result, seen=7701, unchanged={"mdfr": 1200, "clahe": 0})
    words = "Tested on: rendered <b>faces; paints for a recognizer, not for the eye. "
    words += "Left 1,200 faces of 7,701 as they were."
    assert card_words(result, "mdfr") == words
    assert card_words(result, "clahe") == left(result, "clahe") == ""
    assert words.replace("<b>", "&lt;b&gt;") in html.render([result])
    assert left(dataclasses.replace(result, unchanged={"mdfr": 1}), "mdfr") == "Left 1 face of 7,701 as it was."
