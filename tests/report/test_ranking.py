"""The table above the sentences, where several preprocessors ran."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from recog_restore.report import html
from recog_restore.report.ranking import ranking
from recog_restore.results import Result


def test_the_best_comes_first_and_the_baseline_stands_among_them(
    make: Callable[..., Result], judged: Callable[..., Result]
) -> None:
    result = judged(make({"worst": 0.8, "bad": 0.4, "fair": 0.2}))
    found = ranking(result)
    assert found is not None
    assert found.columns[0] == "10-fold accuracy"
    assert [row.heading for row in found.rows] == ["baseline", "fair", "bad", "worst"]
    rates = {p: result.value("accuracy_10fold", p).value for p in ("none", "worst", "bad", "fair")}  # type: ignore[union-attr]
    assert sorted(rates, key=lambda p: -rates[p]) == ["none", "fair", "bad", "worst"]  # type: ignore[operator]
    change = result.difference("accuracy_10fold", "worst")
    assert change is not None
    worst = found.rows[3].cells
    assert (worst[0].word, worst[0].change) == ("worse", f"{100 * change.difference:+.2f}".replace("-", "−"))  # type: ignore[operator]
    assert (worst[1].details, worst[2].value) == (("p < 0.001",), "30, 12")
    page = html.render([result])
    assert page.index('<div class="ranking">') < page.index('<div class="answer')


def test_of_an_error_rate_the_lowest_comes_first_and_one_preprocessor_needs_no_order(
    make: Callable[..., Result],
) -> None:
    result = make({"bad": 0.4, "good": -0.2})
    errors = dataclasses.replace(result, protocol={**result.protocol, "settings": {"primary": "eer"}})
    found = ranking(errors)
    assert found is not None
    assert [row.heading for row in found.rows][-1] == "bad"
    assert ranking(make({"bad": 0.4})) is None
    assert '<div class="ranking">' not in html.render([make({"bad": 0.4})])
