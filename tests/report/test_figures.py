from __future__ import annotations

import dataclasses
import itertools
import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm

from recog_restore.report import figures
from recog_restore.results import Curve, Histogram, Result


def lines(result: Result) -> list[tuple[figures.Series, Curve]]:
    return list(zip(figures.series(list(result.curves)), result.curves.values(), strict=True))


@pytest.mark.parametrize("number", [0, 1, 2, 50, 51, 5000])
def test_thinning_keeps_ends_order_and_limit(number: int) -> None:
    rng = random.Random(number)
    drawn = sorted((rng.random(), rng.random()) for _ in range(number))
    kept = figures.thin(list(range(number)), drawn, 50)
    assert len(kept) <= 50
    assert kept == sorted(set(kept))
    assert kept[:1] + kept[-1:] == ([0, number - 1] if number else [])
    if number <= 50:
        assert kept == list(range(number))


def test_thinning_leaves_no_gap_larger_than_the_line_needs() -> None:
    x = np.linspace(0, 1, 4000)
    drawn = list(zip(x, x**3, strict=True))
    kept = [drawn[i] for i in figures.thin(range(4000), drawn, 200)]
    gaps = [abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in itertools.pairwise(kept)]
    assert max(gaps) < 4 / 200


def test_the_roc_is_the_curve_without_its_zeros(make: Callable[..., Result]) -> None:
    curve = Curve((None, 0.9, 0.5, 0.1), (0.0, 0.0, 0.25, 1.0), (1.0, 0.5, 0.125, 0.0))
    (line,) = figures.roc([(figures.series(["none"])[0], curve)], 100).spec["data"]
    assert (line["x"], line["y"]) == ([0.25, 1.0], [0.875, 1.0])


def test_det_axes_are_normal_deviates() -> None:
    curve = Curve((0.9, 0.5, 0.1), (0.001, 0.02, 1.0), (0.4, 0.03, 0.0))
    figure = figures.det([(figures.series(["none"])[0], curve)], 100).spec
    (line,) = figure["data"]
    assert line["x"] == pytest.approx(norm.ppf([0.001, 0.02]), abs=1e-4)
    assert line["y"] == pytest.approx(norm.ppf([0.4, 0.03]), abs=1e-4)
    ticks = dict(zip(figure["layout"]["xaxis"]["ticktext"], figure["layout"]["xaxis"]["tickvals"], strict=True))
    assert ticks["1%"] == pytest.approx(norm.ppf(0.01), abs=1e-4)


def test_curves_without_errors_give_empty_lines_not_an_error() -> None:
    curve = Curve((0.5,), (0.0,), (0.0,))
    for draw in (figures.roc, figures.det):
        (line,) = draw([(figures.series(["none"])[0], curve)], 100).spec["data"]
        assert line["x"] == []


def test_histograms_are_shares_on_common_axes(make: Callable[..., Result]) -> None:
    result = make()
    plots = figures.histograms(result, list(result.histograms), 0.25)
    assert [plot.title for plot in plots] == ["baseline", "bicubic-down8", "clahe"]
    for plot, counts in zip(plots, result.histograms.values(), strict=True):
        mated, non_mated = plot.spec["data"]
        assert sum(mated["y"]) == pytest.approx(1, abs=1e-3)
        assert sum(mated["customdata"]) == sum(counts.mated)
        assert sum(non_mated["customdata"]) == sum(counts.non_mated)
        assert mated["x"] == plots[0].spec["data"][0]["x"]
        assert plot.spec["layout"]["yaxis"]["range"] == plots[0].spec["layout"]["yaxis"]["range"]
        assert plot.spec["layout"]["shapes"][0]["x0"] == 0.25
    assert "shapes" not in figures.histograms(result, ["none"], None)[0].spec["layout"]


def test_histograms_without_scores_are_not_drawn(make: Callable[..., Result]) -> None:
    empty = dataclasses.replace(
        make(), histograms={"none": Histogram((0, 0), (0, 0))}, histogram_edges=(-1.0, 0.0, 1.0)
    )
    assert figures.histograms(empty, ["none"], None) == ()


def test_every_line_of_a_plot_looks_different() -> None:
    looks = [(line.colour, line.dash) for line in figures.series([str(i) for i in range(37)])]
    assert len(set(looks)) == 37
    assert looks[0] == ("--text", "solid")
    runs = [(s.colour, s.dash) for run in range(6) for s in figures.run_series(run, list("abcdef"))]
    assert len(set(runs)) == 36


def test_names_cannot_be_read_as_plotlys_html_and_long_ones_are_cut() -> None:
    hits = figures.cmc([(figures.series(["<b>&amp;\u202e"])[0], (0.5, 1.0))]).spec["data"]
    assert hits[0]["name"] == r"&lt;b&gt;&amp;amp;\u202e"
    long = figures.cmc([(figures.series(["x" * 100])[0], (0.5,))]).spec["data"]
    assert long[0]["name"] == "x" * 39 + "…"


def test_the_cmc_begins_at_rank_one() -> None:
    (line,) = figures.cmc([(figures.series(["none"])[0], (0.5, 0.75, 1.0))]).spec["data"]
    assert (line["x"], line["y"]) == ([1, 2, 3], [0.5, 0.75, 1.0])


def test_points_are_shared_by_all_curves_of_a_page(make: Callable[..., Result]) -> None:
    result = make()
    assert figures.points_each([result]) == figures.MOST_POINTS
    many = [result] * 30
    assert figures.points_each(many) * len(many) * len(result.curves) * 2 <= figures.POINTS
    for line in figures.roc(lines(result), figures.points_each(many)).spec["data"]:
        assert len(line["x"]) <= figures.points_each(many)
        assert all(math.isfinite(x) for x in line["x"])
