from __future__ import annotations

import dataclasses
from collections.abc import Callable

from recog_restore.report.untested import untested
from recog_restore.results import Curve, Result


def said(result: Result) -> str:
    return "\n".join(untested(result))


def test_what_any_run_leaves_open_is_said(make: Callable[..., Result]) -> None:
    text = said(make())
    assert "Other recognizers than mobilefacenet-arcface-ms1m-112" in text
    assert "Other faces than the 4,281 people of lfw." in text
    assert "nobody was searched for among many" in text


def test_a_closed_set_says_nothing_about_strangers(poses: Callable[..., Result]) -> None:
    text = said(poses())
    assert "every search here has its mate there (a closed set)" in text
    assert "the 137 people of synthpie" in text
    assert "Preprocessing the gallery as well: only the other side was preprocessed." in text


def test_an_open_set_has_tested_strangers(poses: Callable[..., Result]) -> None:
    curve = Curve((0.5,), (0.1,), (0.2,))
    assert "closed set" not in said(dataclasses.replace(poses(), det={"none": {"": curve}}))


def test_the_rule_of_three_bounds_the_rates_that_can_be_seen(make: Callable[..., Result]) -> None:
    result = make()
    assert "rule of three" not in said(result)
    counted = dataclasses.replace(result, data={**result.data, "non_mated": 3000})
    assert "False match rates below 1 in 1,000: with 3,000 non-mated comparisons" in said(counted)


def test_groups_are_open_unless_the_run_was_broken_down_by_them(
    make: Callable[..., Result], poses: Callable[..., Result]
) -> None:
    assert "nothing was broken down" in said(make(breakdown=False))
    assert "Other groups than by |yaw|, yaw, illumination, session:" in said(poses())
    assert "Other groups than by yaw:" in said(make())  # folds are no groups of people


def test_a_partial_run_and_both_sides_are_named(make: Callable[..., Result], judged: Callable[..., Result]) -> None:
    result = judged(make(partial="--limit 500"))
    settings = {**result.protocol["settings"], "preprocess": "both"}
    both = dataclasses.replace(
        result,
        protocol={**result.protocol, "settings": settings},
        data={**result.data, "alignment": "landmarks"},
    )
    assert "alone" not in said(both)
    text = said(dataclasses.replace(both, sides={}))
    assert "other parts than: --limit 500" in text
    assert "Preprocessing one face of a pair alone: both sides were preprocessed." in text
    assert "found and aligned once, before any preprocessor" in text
    assert "set on the comparisons that it judges here" in text


def test_a_baseline_alone_leaves_nothing_open_about_preprocessing(make: Callable[..., Result]) -> None:
    text = said(make({}))
    assert "preprocess" not in text
