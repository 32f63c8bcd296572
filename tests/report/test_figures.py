from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from recog_restore.report import figures, run
from recog_restore.results import Curve, Histogram, Result, Value


def lines(result: Result) -> list[tuple[figures.Series, Curve]]:
    return list(zip(figures.series(list(result.curves)), result.curves.values(), strict=True))


def drawn(figure: figures.Figure) -> list[dict[str, Any]]:
    assert figure.spec is not None
    return list(figure.spec["data"])


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
    (line,) = drawn(figures.roc([(figures.series(["none"])[0], curve)], 100))
    assert (line["x"], line["y"]) == ([0.25, 1.0], [0.875, 1.0])


def test_det_axes_are_normal_deviates() -> None:
    curve = Curve((0.9, 0.5, 0.1), (0.001, 0.02, 1.0), (0.4, 0.03, 0.0))
    figure = figures.det([(figures.series(["none"])[0], curve)], 100).spec
    (line,) = figure["data"]
    assert line["x"] == pytest.approx(norm.ppf([0.001, 0.02]), abs=1e-4)
    assert line["y"] == pytest.approx(norm.ppf([0.4, 0.03]), abs=1e-4)
    ticks = dict(zip(figure["layout"]["xaxis"]["ticktext"], figure["layout"]["xaxis"]["tickvals"], strict=True))
    assert ticks["1%"] == pytest.approx(norm.ppf(0.01), abs=1e-4)


def test_the_open_set_det_has_fnir_over_fpir_on_logarithmic_axes_without_their_zeros() -> None:
    curve = Curve((None, 0.9, 0.5, 0.1), (0.0, 0.001, 0.02, 1.0), (1.0, 0.4, 0.03, 0.0))
    figure = figures.open_det([(figures.series(["none"])[0], curve)], 100, "G1")
    assert figure.title == "FNIR over FPIR, gallery G1"
    assert "in gallery G1" in figure.words
    (line,) = drawn(figure)
    assert (line["x"], line["y"]) == ([0.001, 0.02], [0.4, 0.03])
    assert figure.spec is not None
    axes = figure.spec["layout"]
    assert axes["xaxis"]["type"] == axes["yaxis"]["type"] == "log"
    assert dict(zip(axes["xaxis"]["ticktext"], axes["xaxis"]["tickvals"], strict=True))["1%"] == 0.01
    low, high = axes["yaxis"]["range"]
    assert -2 < low < math.log10(0.03)
    assert 0 < high < 0.1


def test_the_open_set_det_of_a_single_gallery_names_none_and_of_several_each() -> None:
    curve = Curve((0.9, 0.5), (0.001, 0.02), (0.4, 0.03))
    assert figures.open_det([(figures.series(["none"])[0], curve)], 100, "").title == "FNIR over FPIR"
    shown = figures.open_det([(figures.series(["none"])[0], curve)], 100, "G\u202e1")
    assert shown.title == r"FNIR over FPIR, gallery G\u202e1"
    assert r"in gallery G\u202e1" in shown.words


def test_a_page_has_an_open_set_det_for_each_gallery_with_a_line_for_each_preprocessor(
    search: Callable[..., Result],
) -> None:
    result, curve = search(), Curve((0.9, 0.5), (0.001, 0.02), (0.4, 0.03))
    names = [entry["name"] for entry in result.preprocessors]
    found = dataclasses.replace(result, det={name: {"G1": curve, "G2": curve} for name in names})
    plots = [plot for plot in run.plots([(figures.series(names), found)], 100) if plot.title.startswith("FNIR")]
    assert [plot.title for plot in plots] == ["FNIR over FPIR, gallery G1", "FNIR over FPIR, gallery G2"]
    assert [line["name"] for line in drawn(plots[0])] == ["baseline", *names[1:]]
    assert figures.points_each([found] * 20) * 20 * 2 * len(names) * 2 <= figures.POINTS


def test_curves_without_errors_are_words_instead_of_an_empty_plot() -> None:
    curve = Curve((0.5,), (0.0,), (0.0,))
    draw_open = functools.partial(figures.open_det, gallery="")
    draws = (
        (figures.roc, "no threshold with a false match"),
        *((d, "errors of both kinds") for d in (figures.det, draw_open)),
    )
    for draw, why in draws:
        figure = draw([(figures.series(["none"])[0], curve)], 100)
        assert figure.spec is None
        assert figure.words.startswith("Nothing to draw: ")
        assert why in figure.words


def test_a_line_without_points_is_named_in_words() -> None:
    errs, none = Curve((0.9, 0.5), (0.001, 0.02), (0.4, 0.03)), Curve((0.5,), (0.0,), (0.0,))
    figure = figures.det(list(zip(figures.series(["none", "a & b"]), (errs, none), strict=True)), 100)
    assert drawn(figure)
    assert figure.words.endswith("Not drawn, because no threshold makes errors of both kinds: a & b.")


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
    hits = drawn(figures.cmc([(figures.series(["<b>&amp;\u202e"])[0], (0.5, 1.0), 2)]))
    assert hits[0]["name"] == r"&lt;b&gt;&amp;amp;\u202e"
    long = drawn(figures.cmc([(figures.series(["x" * 100])[0], (0.5,), 2)]))
    assert long[0]["name"] == "x" * 39 + "…"


def test_the_cmc_begins_at_rank_one_and_counts_its_hits() -> None:
    (line,) = drawn(figures.cmc([(figures.series(["none"])[0], (0.5, 0.75, 1.0), 2000)]))
    assert (line["x"], line["y"]) == ([1, 2, 3], [0.5, 0.75, 1.0])
    assert line["customdata"] == [": 1,000 of 2,000 searches", ": 1,500 of 2,000 searches", ": 2,000 of 2,000 searches"]
    (line,) = drawn(figures.cmc([(figures.series(["none"])[0], (0.5,), 0)]))
    assert line["customdata"] == [""]


def test_the_cmc_is_zoomed_to_its_lowest_rate_and_logarithmic_when_long() -> None:
    short = figures.cmc([(figures.series(["none"])[0], (0.98, 0.99), 100)]).spec
    long = figures.cmc([(figures.series(["none"])[0], (0.9,) * 50, 100)]).spec
    assert short is not None
    assert long is not None
    low, high = short["layout"]["yaxis"]["range"]
    assert 0.95 < low < 0.98
    assert 1 < high < 1.02
    assert long["layout"]["xaxis"]["type"] == "log"
    assert long["layout"]["xaxis"]["ticktext"] == ["1", "2", "5", "10", "20", "50"]


def test_rank_1_over_yaw_has_a_line_and_a_band_per_preprocessor(poses: Callable[..., Result]) -> None:
    result = poses({"mdfr": 0.2})
    over, signed, cmc = run.plots([(figures.series(["none", "mdfr"]), result)], 100)
    assert [figure.title for figure in (over, signed, cmc)] == [
        "Rank-1 hit rate over |yaw|",
        "Rank-1 hit rate over yaw",
        "CMC",
    ]
    bands, lines = drawn(over)[:2], drawn(over)[2:]
    for name, band, line in zip(("none", "mdfr"), bands, lines, strict=True):
        values = [
            (float(v.where["abs_yaw"]), v)
            for v in result.values
            if v.metric == "rank1" and v.preprocessor == name and "abs_yaw" in v.where
        ]
        values.sort(key=lambda entry: entry[0])
        assert line["x"] == [x for x, _ in values]
        assert line["y"] == pytest.approx([v.value for _, v in values], rel=1e-4)
        ends = [v.interval for _, v in values if v.interval]
        assert band["y"] == pytest.approx([low for low, _ in ends] + [high for _, high in ends][::-1], rel=1e-4)
        assert band["x"] == line["x"] + line["x"][::-1]
        assert (band["legendgroup"], band["showlegend"]) == (line["legendgroup"], False)
        assert [entry[2] for entry in line["customdata"]] == [f"{v.n:,} searches" for _, v in values]
    assert lines[1]["customdata"][6][0] == "±90°"


def test_errors_over_sizes_stand_in_the_order_of_the_run_on_an_axis_from_zero(make: Callable[..., Result]) -> None:
    parts = ("8–12 px", "12–16 px", "≥ 96 px")
    values = tuple(
        Value("fnmr@baseline", name, 0.3 / (i + 1), 500, {"size": part}, interval=(0.2 / (i + 1), 0.4 / (i + 1)))
        for name in ("none", "mdfr")
        for i, part in enumerate(parts)
    )
    result = dataclasses.replace(make({"mdfr": 0.1}), values=values, curves={})
    (figure,) = run.plots([(figures.series(["none", "mdfr"]), result)], 100)
    assert figure.title == "FRR at the baseline’s threshold over size"
    assert [line["x"] for line in drawn(figure)[2:]] == [[0, 1, 2]] * 2
    assert figure.spec is not None
    layout = figure.spec["layout"]
    assert layout["xaxis"]["ticktext"] == list(parts)
    low, high = layout["yaxis"]["range"]
    assert low < 0 < 0.4 < high < 0.45
    assert drawn(figure)[2]["customdata"][0][0] == "8–12 px"


def test_a_property_with_a_part_that_is_no_number_is_not_drawn(make: Callable[..., Result]) -> None:
    result = make({"mdfr": 0.1})
    assert [f.title for f in run.plots([(figures.series(["none", "mdfr"]), result)], 100)] == ["ROC", "DET"]


def test_parts_without_a_value_leave_a_gap_and_without_intervals_there_is_no_band(
    search: Callable[..., Result],
) -> None:
    values = [Value("rank1", "none", rate, 10, {"abs_yaw": yaw}) for yaw, rate in (("0", 0.9), ("15", None))]
    result = dataclasses.replace(search(), values=tuple(values))
    (line,) = drawn(figures.over(result, [(figures.series(["none"])[0], values)], "rank1", "abs_yaw"))
    assert (line["x"], line["y"]) == ([0.0], [0.9])
    assert figures.over(result, [(figures.series(["none"])[0], values[1:])], "rank1", "abs_yaw").spec is None


def test_points_are_shared_by_all_curves_of_a_page(make: Callable[..., Result]) -> None:
    result = make()
    assert figures.points_each([result]) == figures.MOST_POINTS
    many = [result] * 30
    assert figures.points_each(many) * len(many) * len(result.curves) * 2 <= figures.POINTS
    for line in drawn(figures.roc(lines(result), figures.points_each(many))):
        assert len(line["x"]) <= figures.points_each(many)
        assert all(math.isfinite(x) for x in line["x"])
