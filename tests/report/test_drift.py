from __future__ import annotations

import dataclasses

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from recog_restore.report.drift import drifted, sentence
from recog_restore.resources import folder
from recog_restore.results import DRIFT_BINS, Drift, Drifted, ExampleFace, Result

FACE = ExampleFace("Ada/1.jpg", "data:image/webp;base64,AA==", "data:image/webp;base64,BB==")


def drift(judge: str, independent: bool, **changes: object) -> Drift:
    counts = [0] * (len(DRIFT_BINS) - 1)
    counts[-1], counts[-3] = 30, 10
    worst = (Drifted("Ada/1.jpg", 0.81, 0.4, 0.5, FACE), Drifted("Bob/1.jpg", 0.82))
    clean = {"clean_before": 0.7, "clean_after": 0.75, "towards": 1_234, "away": 5}
    values = {"n": 40, "mean": 0.95, "low": 0.83, "counts": tuple(counts), "worst": worst, **clean}
    return Drift("clahe <b>", judge, independent, **{**values, **changes})  # type: ignore[arg-type]


def result(*drifts: Drift) -> Result:
    return Result({}, {}, {}, (), (), {}, (), {}, {}, {}, drift=drifts)


def test_independent_judges_come_first_and_teachers_are_marked() -> None:
    (found,) = drifted(result(drift("teacher", False), drift("other", True)))
    assert [(j.judge, bool(j.caution)) for j in found.judges] == [("other", False), ("teacher", True)]
    assert found.alone == ""
    assert found.witness == "other"
    (first,) = found.worst
    assert first == ("cosine 0.810; to its clean original 0.400 before, 0.500 after", FACE)
    assert (found.judges[0].clean, found.judges[0].nearer) == ("0.700 → 0.750", "1,234 faces, 5 further off")


def test_a_teacher_alone_is_warned_of() -> None:
    (found,) = drifted(result(drift("teacher", False)))
    assert "No judge here is independent" in found.alone


def test_a_histogram_shows_shares_from_the_first_to_the_last_filled_bin() -> None:
    (found,) = drifted(result(drift("other", True)))
    assert found.figure.spec is not None
    (line,) = found.figure.spec["data"]
    assert line["x"] == list(DRIFT_BINS[-4:])
    assert line["y"] == [0.25, 0.0, 0.75, 0]
    assert line["customdata"] == [10, 0, 30, 0]


def test_without_a_face_there_is_nothing_to_draw() -> None:
    none = drift("other", True, n=0, mean=None, low=None, counts=(0,) * (len(DRIFT_BINS) - 1), worst=())
    (found,) = drifted(result(none))
    assert found.figure.spec is None
    assert (found.judges[0].mean, found.worst) == ("undefined", ())
    assert drifted(result()) == ()


@pytest.mark.parametrize("independent", [True, False])
def test_a_sentence_says_who_judged_and_what(independent: bool) -> None:
    words = sentence(drift("lbp", independent))
    assert "drift of 40 faces by clahe <b>, judged by lbp" in words
    assert "mean cosine 0.950, 5 % below 0.830; to the clean original 0.700 → 0.750" in words
    assert ("no independent judge" in words) != independent
    assert "clean" not in sentence(drift("lbp", True, clean_before=None, clean_after=None))


def test_what_was_left_and_where_a_cosine_lies_among_a_judges_own_scores_is_said() -> None:
    found = drift("lbp", True, left=1_200, mean_among=(0.624, 1.0), low_among=(0.05, 0.98))
    assert sentence(found).startswith("drift of 40 faces (1,200 more left as they were) by clahe")
    own = "quantile 0.62 of its mated scores, 1.00 of its non-mated"
    assert f"mean cosine 0.950 ({own}), 5 % below 0.830 (quantile 0.05" in sentence(found)


def test_the_section_shows_judges_and_faces_and_escapes_names() -> None:
    environment = Environment(
        loader=FileSystemLoader(str(folder("reports") / "templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = (
        '{% import "sections.html" as s %}{% import "drift.html" as d %}'
        '{{ d.drift(run, 2, s.heading, s.plot, s.face, "synthetic") }}'
    )
    shown = drifted(result(drift("other", True), drift("teacher", False)))
    page = environment.from_string(text).render(run={"drift": shown})
    for part in ("clahe &lt;b&gt;", "0.700 → 0.750", FACE.after, "a loss of its training used this judge", "synthetic"):
        assert part in page
    assert "<b>" not in page
    bare = dataclasses.replace(
        shown[0], worst=(), judges=tuple(dataclasses.replace(j, clean="") for j in shown[0].judges)
    )
    page = environment.from_string(text).render(run={"drift": (bare,)})
    assert "clean original" not in page
    assert "<img" not in page
