"""Plots as plain plotly specifications.

Colours are names of the style sheet's variables (``--series-1``, ``--text``): the page's script fills them in, so that
a plot follows the theme. Curves are thinned for drawing only; no number is read from them.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from ..results import Curve, Histogram, Result, Value
from .wording import (
    bin_words,
    heading,
    is_angle,
    label,
    metric,
    number,
    percent,
    property_words,
    rests_on,
    unique,
    visible,
)

# Points of all curves of a page together: they share what the file may weigh.
POINTS = 12_000
MOST_POINTS, FEWEST_POINTS = 400, 40
LONGEST_NAME = 40

_SERIES = 6
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_RATES = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.4)
_NAMED_TICKS = 9
_DECADES = range(-8, 1)
_RANKS = tuple(step * 10**k for k in range(7) for step in (1, 2, 5))
_PROBIT = NormalDist().inv_cdf


@dataclass(frozen=True)
class Figure:
    """A plot: what it is called, what it shows in words (for those who do not see it), and its specification.

    Without a specification there is nothing to draw, and the words say why.
    """

    title: str
    words: str
    spec: dict[str, Any] | None


@dataclass(frozen=True)
class Series:
    """One line of a plot: its name, colour (a variable of the style sheet) and dash."""

    name: str
    colour: str
    dash: str


def series(names: Sequence[str]) -> tuple[Series, ...]:
    """Return 37 different pairs of colour and dash for preprocessors, the baseline first and in the colour of text."""
    return tuple(
        Series(
            label(name),
            f"--series-{(i - 1) % _SERIES + 1}" if i else "--text",
            _DASHES[(i + (i - 1) // _SERIES) % len(_DASHES)] if i else "solid",
        )
        for i, name in enumerate(names)
    )


def run_series(run: int, names: Sequence[str]) -> tuple[Series, ...]:
    """Return colour and dashes of one of several runs: one of six colours by its index, solid for its baseline."""
    colour = f"--series-{run % _SERIES + 1}"
    return tuple(
        Series(f"Run {run + 1} · {label(name)}", colour, _DASHES[i % len(_DASHES)]) for i, name in enumerate(names)
    )


def points_each(results: Sequence[Result]) -> int:
    """Return how many points a curve may have on a page of these results."""
    drawn = sum(len(result.curves) + sum(map(len, result.det.values())) for result in results) * (
        2 if len(results) > 1 else 1
    )
    return max(FEWEST_POINTS, min(MOST_POINTS, POINTS // max(1, drawn)))


def roc(curves: Sequence[tuple[Series, Curve]], points: int) -> Figure:
    """Return the ROC: true accept rate over false match rate, the latter on a logarithmic axis."""
    lines, lowest = [], 1.0
    for line, curve in curves:
        at = [(f, 1 - m) for f, m in zip(curve.fmr, curve.fnmr, strict=True) if f > 0 and math.isfinite(m)]
        at = thin(at, [(math.log10(x) / 5, y) for x, y in at], points)
        lowest = min([lowest, *(y for _, y in at)])
        lines.append(
            _line(line, at)
            | {"hovertemplate": "FMR %{x:.3~%}, true accept rate %{y:.2%}<extra>%{fullData.name}</extra>"}
        )
    layout = plain("False match rate (FMR)", "True accept rate (1 − FNMR)")
    layout["xaxis"] |= {
        "type": "log",
        "tickvals": [10.0**k for k in _DECADES],
        "ticktext": [f"{100 * 10.0**k:g}%" for k in _DECADES],
    }
    layout["yaxis"] |= {"tickformat": ".4~%", "range": [_short(max(0.0, lowest - 0.05)), 1.01]}
    words = "True accept rate over false match rate (logarithmic). Up and to the left is better."
    return _drawn("ROC", words, lines, layout, "no threshold with a false match has a true accept rate")


def det(curves: Sequence[tuple[Series, Curve]], points: int) -> Figure:
    """Return the DET plot: both error rates on normal-deviate axes."""
    lines, low = [], 0.4
    for line, curve in curves:
        rates = [(f, m) for f, m in zip(curve.fmr, curve.fnmr, strict=True) if 0 < f < 1 and 0 < m < 1]
        at = [(round(_PROBIT(f), 4), round(_PROBIT(m), 4)) for f, m in rates]
        kept = thin(list(zip(at, rates, strict=True)), [(x / 5, y / 5) for x, y in at], points)
        low = min([low, *(min(f, m) for _, (f, m) in kept)])
        lines.append(
            _line(line, [where for where, _ in kept])
            | {
                "customdata": [[_short(f), _short(m)] for _, (f, m) in kept],
                "hovertemplate": "FMR %{customdata[0]:.3~%}, FNMR %{customdata[1]:.2%}<extra>%{fullData.name}</extra>",
            }
        )
    layout = plain("False match rate (FMR)", "False non-match rate (FNMR)")
    ticks = {
        "tickvals": [round(_PROBIT(rate), 4) for rate in _RATES],
        "ticktext": [f"{100 * rate:g}%" for rate in _RATES],
        "range": [round(_PROBIT(max(low, 1e-7)) - 0.1, 4), round(_PROBIT(0.6), 4)],
    }
    layout["xaxis"] |= ticks
    layout["yaxis"] |= ticks
    end = round(_PROBIT(0.6), 4)
    layout["shapes"] = [rule(x0=-6, y0=-6, x1=end, y1=end)]
    words = (
        "Detection error trade-off: false non-match rate over false match rate, both on normal-deviate axes. Down and "
        "to the left is better; the dotted diagonal crosses each curve at its equal error rate."
    )
    return _drawn("DET", words, lines, layout, "no threshold makes errors of both kinds")


def open_det(curves: Sequence[tuple[Series, Curve]], points: int, gallery: str) -> Figure:
    """Return the DET plot of searches in one gallery: FNIR over FPIR, both on logarithmic axes, as NIST draws it."""
    lines, lowest = [], 0.5
    for line, curve in curves:
        at = [(f, m) for f, m in zip(curve.fmr, curve.fnmr, strict=True) if f > 0 and m > 0]
        at = thin(at, [(math.log10(x) / 5, math.log10(y) / 3) for x, y in at], points)
        lowest = min([lowest, *(y for _, y in at)])
        lines.append(
            _line(line, at) | {"hovertemplate": "FPIR %{x:.3~%}, FNIR %{y:.2%}<extra>%{fullData.name}</extra>"}
        )
    layout = plain("False positive identification rate (FPIR)", "False negative identification rate (FNIR)")
    for axis in ("xaxis", "yaxis"):
        layout[axis] |= {
            "type": "log",
            "tickvals": [10.0**k for k in _DECADES],
            "ticktext": [f"{100 * 10.0**k:g}%" for k in _DECADES],
        }
    layout["yaxis"] |= {"range": [_short(math.log10(lowest) - 0.1), 0.02]}
    where = f" in gallery {visible(gallery)}" if gallery else ""
    words = (
        f"Searches{where}: share of those for enrolled subjects that miss over the share of those for others that "
        "raise an alarm (both logarithmic). Down and to the left is better."
    )
    title = f"FNIR over FPIR, gallery {visible(gallery)}" if gallery else "FNIR over FPIR"
    return _drawn(title, words, lines, layout, "no threshold makes errors of both kinds")


def histograms(result: Result, names: Sequence[str], threshold: float | None) -> tuple[Figure, ...]:
    """Return one plot of the scores of mated and non-mated comparisons per preprocessor, all on the same axes.

    Args:
        result: with ``histogram_edges``.
        names: the preprocessors.
        threshold: the baseline's threshold, drawn into each of them; None draws nothing.
    """
    edges = result.histogram_edges
    present = [(name, result.histograms[name]) for name in names if name in result.histograms]
    filled = [i for _, h in present for i, n in enumerate(zip(h.mated, h.non_mated, strict=True)) if any(n)]
    if not filled:
        return ()
    first, last = min(filled), max(filled)
    top = max(share for _, h in present for counts in (h.mated, h.non_mated) for share in _shares(counts))
    return tuple(_histogram(name, h, edges, (first, last), top, threshold) for name, h in present)


def cmc(hits: Sequence[tuple[Series, tuple[float, ...], int]]) -> Figure:
    """Return the CMC: the share of searches whose subject is among the first so many.

    Args:
        hits: of each line the hit rate at rank 1, 2, … and the number of searches (0: unknown).
    """
    lines, lowest = [], 1.0
    last = max((len(rates) for _, rates, _ in hits), default=1)
    for line, rates, searches in hits:
        at = [(rank, rate) for rank, rate in enumerate(rates, start=1) if math.isfinite(rate)]
        lowest = min([lowest, *(rate for _, rate in at)])
        counts = [f": {round(rate * searches):,} of {searches:,} searches" if searches else "" for _, rate in at]
        lines.append(
            _line(line, at)
            | {
                "mode": "lines+markers" if last <= 20 else "lines",
                "customdata": counts,
                "hovertemplate": "rank %{x}, %{y:.2%}%{customdata}<extra>%{fullData.name}</extra>",
            }
        )
    layout = plain("Rank", "Hit rate")
    if last <= 20:
        layout["xaxis"] |= {"range": [0.5, last + 0.5], "dtick": 1}
    else:
        ticks = [rank for rank in _RANKS if rank <= last]
        ends = [round(math.log10(0.93), 4), round(math.log10(last * 1.07), 4)]
        layout["xaxis"] |= {"type": "log", "range": ends, "tickvals": ticks, "ticktext": [f"{r:,}" for r in ticks]}
    layout["yaxis"] |= {"tickformat": ".4~%", "range": _zoomed(lowest)}
    words = (
        "Cumulative match characteristic: share of searches whose subject is among the first so many of the gallery"
        f"{'' if last <= 20 else ' (ranks on a logarithmic axis)'}. Up is better; the axis begins near the lowest rate."
    )
    return _drawn("CMC", words, lines, layout, "no search has a rank")


def over(result: Result, drawn: Sequence[tuple[Series, Sequence[Value]]], name: str, key: str) -> Figure:
    """Return a metric over the parts of a property, with the 95 % intervals as bands.

    Parts of angles lie where their numbers do, others side by side in the order in which they come.

    Args:
        result: one of those drawn, for what is counted.
        drawn: of each line its values, each of one part.
        name, key: metric and property.
    """
    place = _places(unique(v.where[key] for _, values in drawn for v in values), key)
    bands, lines, rates = [], [], []
    for line, values in drawn:
        at = sorted(((place[v.where[key]], v.value, v) for v in values if v.value is not None), key=lambda p: p[0])
        sure = [(x, v.interval) for x, _, v in at if v.interval is not None]
        rates += [rate for _, rate, _ in at] + [end for _, ends in sure for end in ends]
        lines.append(
            _line(line, [(x, rate) for x, rate, _ in at])
            | {
                "mode": "lines+markers",
                "legendgroup": line.name,
                "customdata": [
                    [legend(bin_words(key, v.where[key])), _between(v), rests_on(result, v)] for _, _, v in at
                ],
                "hovertemplate": "%{customdata[0]}: %{y:.2%}%{customdata[1]}<br>%{customdata[2]}"
                "<extra>%{fullData.name}</extra>",
            }
        )
        if len(sure) > 1:
            bands.append(_band(line, sure))
    layout = plain(property_words(key), heading(name, result))
    ticks = sorted(place, key=lambda part: place[part])
    named = ticks if len(ticks) <= _NAMED_TICKS else ticks[::2]
    layout["xaxis"] |= {
        "tickvals": [place[t] for t in named],
        "ticktext": [legend(bin_words(key, t)) for t in named],
    }
    lower = metric(name).better == "lower"
    ends = _zoomed_out(max(rates, default=1.0)) if lower else _zoomed(min(rates, default=1.0))
    layout["yaxis"] |= {"tickformat": ".4~%", "range": ends}
    words = f"{heading(name, result)} over {property_words(key)}"
    words += "; the bands are the 95 % intervals of the values." if bands else "."
    return _drawn(words.split(";")[0].rstrip("."), words, [*bands, *lines], layout, "no part has a value")


def thin(items: Sequence[Any], drawn: Sequence[tuple[float, float]], most: int) -> list[Any]:
    """Return the items whose drawn place differs from the last kept one, first and last always, at most ``most``.

    Args:
        items: in the order of the line.
        drawn: where each is drawn, in parts of the plot: (x, y), differences of 1 being the whole plot.
        most: the limit; the step grows until it is met.
    """
    if len(items) <= most:
        return list(items)
    step = 1 / most
    while True:
        kept, last = [0], drawn[0]
        for i, place in enumerate(drawn[1:-1], start=1):
            if abs(place[0] - last[0]) + abs(place[1] - last[1]) >= step:
                kept.append(i)
                last = place
        if len(kept) < most:
            return [items[i] for i in (*kept, len(items) - 1)]
        step *= 1.25


def _histogram(
    name: str, counts: Histogram, edges: Sequence[float], span: tuple[int, int], top: float, threshold: float | None
) -> Figure:
    first, last = span
    x = [_short(edge) for edge in edges[first : last + 2]]
    kinds = (("mated", counts.mated, "--mated", "solid"), ("non-mated", counts.non_mated, "--non-mated", "dash"))
    lines = []
    for kind, bins, colour, dash in kinds:
        y = [_short(share) for share in _shares(bins)[first : last + 1]]
        lines.append(
            {
                "type": "scatter",
                "name": f"{kind} ({sum(bins):,})",
                "x": x,
                "y": [*y, 0],
                "customdata": [*bins[first : last + 1], 0],
                "line": {"shape": "hv", "color": colour, "dash": dash, "width": 1.5},
                "fill": "tozeroy",
                "fillcolor": f"{colour}-fill",
                "hovertemplate": "score from %{x:.3f}: %{customdata:,} (%{y:.2%})<extra>%{fullData.name}</extra>",
            }
        )
    layout = plain("Score", "Share of comparisons")
    layout["yaxis"] |= {"tickformat": ".3~%", "range": [0, _short(top * 1.05)]}
    layout["height"] = 320
    if threshold is not None:
        layout["shapes"] = [rule(x0=threshold, x1=threshold, y0=0, y1=1, yref="paper")]
    words = f"Histograms of the scores of mated and of non-mated comparisons: {label(name)}."
    return Figure(label(name), words, {"data": lines, "layout": layout})


def _drawn(title: str, words: str, lines: list[dict[str, Any]], layout: dict[str, Any], none: str) -> Figure:
    """Return the figure, saying which lines have no point; without any point, words alone, saying why there is none."""
    empty = [str(line["name"]) for line in lines if not line["x"]]
    if len(empty) == len(lines):
        return Figure(title, f"Nothing to draw: {none}.", None)
    if empty:
        words += f" Not drawn, because {none}: {', '.join(map(html.unescape, empty))}."
    return Figure(title, words, {"data": lines, "layout": layout})


def _band(line: Series, sure: Sequence[tuple[float, tuple[float, float]]]) -> dict[str, Any]:
    """Return the closed area between the ends of intervals, one thing with its line in the legend."""
    edge = [*((x, ends[0]) for x, ends in sure), *((x, ends[1]) for x, ends in reversed(sure))]
    return _line(line, edge) | {
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": line.colour,
        "opacity": 0.16,
        "legendgroup": line.name,
        "showlegend": False,
        "hoverinfo": "skip",
    }


def _between(value: Value) -> str:
    if value.interval is None:
        return ""
    low, high = map(percent, value.interval)
    return f" (95 %: {low} to {high})"


def _zoomed(lowest: float) -> list[float]:
    """Return the ends of an axis of rates that shows what lies above the lowest one."""
    margin = max(0.01, 0.05 * (1 - lowest))
    return [_short(max(-0.02, lowest - margin)), _short(1 + margin / 2)]


def _zoomed_out(highest: float) -> list[float]:
    """Return the ends of an axis of rates of error that shows what lies below the highest one."""
    margin = max(0.005, 0.05 * highest)
    return [_short(-margin / 2), _short(min(1.02, highest + margin))]


def _places(parts: Sequence[str], key: str) -> dict[str, float]:
    numbers = [number(part) for part in parts]
    if is_angle(key):
        return {part: n for part, n in zip(parts, numbers, strict=True) if n is not None}
    return {part: float(i) for i, part in enumerate(parts)}


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [n / total if total else 0.0 for n in counts]


def _line(line: Series, at: Sequence[tuple[float, float]]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": legend(line.name),
        "x": [_short(x) for x, _ in at],
        "y": [_short(y) for _, y in at],
        "line": {"color": line.colour, "dash": line.dash, "width": 2},
    }


def legend(name: str) -> str:
    """Return a name as plotly shows it letter for letter: it reads a subset of HTML in every text."""
    clean = visible(name)
    return html.escape(clean if len(clean) <= LONGEST_NAME else clean[: LONGEST_NAME - 1] + "…", quote=False)


def plain(x: str, y: str) -> dict[str, Any]:
    """Return the layout that all plots begin with; colours are the style sheet's."""
    axis = {"gridcolor": "--grid", "linecolor": "--grid", "zeroline": False, "automargin": True}
    return {
        "height": 400,
        "margin": {"l": 56, "r": 12, "t": 32, "b": 84},
        "paper_bgcolor": "--paper",
        "plot_bgcolor": "--paper",
        "font": {"color": "--text", "size": 12},
        "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
        "showlegend": True,
        "hoverlabel": {"namelength": -1},
        "xaxis": axis | {"title": {"text": x}},
        "yaxis": axis | {"title": {"text": y}},
    }


def rule(**ends: Any) -> dict[str, Any]:
    """Return a dotted line between two ends."""
    return {"type": "line", "line": {"color": "--muted", "width": 1, "dash": "dot"}, **ends}


def _short(number: float) -> float:
    return float(f"{number:.5g}")
