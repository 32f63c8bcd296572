"""How far each preprocessor moves faces: cosines before to after by judge, their histogram, the faces moved most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..results import DRIFT_BINS, Drift, ExampleFace, Result
from .figures import Figure, legend, plain
from .wording import count, counted, score, unique

_TAUGHT = "a loss of its training used this judge"
_ALONE = (
    "No judge here is independent: every one of them was used by a loss of the training, and flatters it. "
    "Name another embedder with --judge."
)
_SERIES = 6


@dataclass(frozen=True)
class Judged:
    """One judge's row: who, whether it is independent, and its numbers in words.

    Attributes:
        judge: its name.
        caution: why it is no independent judge; empty where it is one.
        faces: how many were touched and could be had.
        left: how many a gate spared or the preprocessor left as they were; empty: none.
        mean, low: of the cosines between before and after.
        mean_among, low_among: where these lie among the judge's own scores; empty where that is not known.
        clean: cosine to the clean original before and after; empty where there is none.
        nearer: how many faces came nearer to it, and how many went further off.
    """

    judge: str
    caution: str
    faces: str
    left: str
    mean: str
    mean_among: str
    low: str
    low_among: str
    clean: str
    nearer: str


@dataclass(frozen=True)
class Drifting:
    """What the page shows of the drift of one preprocessor.

    Attributes:
        preprocessor: its name.
        judges: the independent ones first.
        alone: that there is no independent one, in words; else empty.
        figure: the histogram of the cosines, one line per judge.
        witness: in whose eyes the faces moved most.
        worst: what stands below each of them, and its pictures.
    """

    preprocessor: str
    judges: tuple[Judged, ...]
    alone: str
    figure: Figure
    witness: str
    worst: tuple[tuple[str, ExampleFace], ...]


def drifted(result: Result) -> tuple[Drifting, ...]:
    """Return one entry per preprocessor whose drift the run measured."""
    found = []
    for name in unique(d.preprocessor for d in result.drift):
        mine = sorted((d for d in result.drift if d.preprocessor == name), key=lambda d: not d.independent)
        found.append(
            Drifting(
                preprocessor=name,
                judges=tuple(map(_judged, mine)),
                alone="" if mine[0].independent else _ALONE,
                figure=_histogram(name, mine),
                witness=mine[0].judge,
                worst=tuple(
                    (f"cosine {score(d.cosine)}{_to_clean(d.clean_before, d.clean_after)}", d.face)
                    for d in mine[0].worst
                    if d.face is not None
                ),
            )
        )
    return tuple(found)


def sentence(drift: Drift) -> str:
    """Return the drift in one line, for the terminal."""
    who = drift.judge if drift.independent else f"{drift.judge} (no independent judge: {_TAUGHT})"
    said = _judged(drift)
    left = f" ({said.left})" if said.left else ""
    mean, low = (f" ({among})" if among else "" for among in (said.mean_among, said.low_among))
    words = f"drift of {said.faces}{left} by {drift.preprocessor}, judged by {who}: "
    words += f"mean cosine {said.mean}{mean}, 5 % below {said.low}{low}"
    return f"{words}; to the clean original {said.clean}" if said.clean else words


def _judged(drift: Drift) -> Judged:
    clean = nearer = ""
    if drift.clean_before is not None and drift.clean_after is not None:
        clean = f"{score(drift.clean_before)} → {score(drift.clean_after)}"
        nearer = f"{count(drift.towards or 0)} faces, {count(drift.away or 0)} further off"
    return Judged(
        judge=drift.judge,
        caution="" if drift.independent else _TAUGHT,
        faces=counted(drift.n, "face"),
        left=f"{count(drift.left)} more left as they were" if drift.left else "",
        mean=score(drift.mean),
        mean_among=_among(drift.mean_among),
        low=score(drift.low),
        low_among=_among(drift.low_among),
        clean=clean,
        nearer=nearer,
    )


def _among(shares: tuple[float, float] | None) -> str:
    """Return where a cosine lies among the judge's own scores: as its quantile of both kinds."""
    return "" if shares is None else f"quantile {shares[0]:.2f} of its mated scores, {shares[1]:.2f} of its non-mated"


def _to_clean(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return ""
    return f"; to its clean original {score(before)} before, {score(after)} after"


def _histogram(name: str, drifts: list[Drift]) -> Figure:
    filled = [i for d in drifts for i, n in enumerate(d.counts) if n]
    title = f"Drift by {name}"
    if not filled:
        return Figure(title, "Nothing to draw: no face could be had before and after.", None)
    first, last = min(filled), max(filled)
    lines: list[dict[str, Any]] = []
    for i, drift in enumerate(drifts):
        total = max(1, sum(drift.counts))
        counts = drift.counts[first : last + 1]
        lines.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": legend(f"{drift.judge}{'' if drift.independent else ' (teacher)'}"),
                "x": list(DRIFT_BINS[first : last + 2]),
                "y": [*(round(n / total, 5) for n in counts), 0],
                "customdata": [*counts, 0],
                "line": {
                    "shape": "hv",
                    "color": f"--series-{i % _SERIES + 1}",
                    "dash": "solid" if drift.independent else "dot",
                    "width": 1.5,
                },
                "hovertemplate": "cosine from %{x:.2f}: %{customdata:,} (%{y:.1%})<extra>%{fullData.name}</extra>",
            }
        )
    layout = plain("Cosine between a face before and after", "Share of faces")
    layout["yaxis"] |= {"tickformat": ".3~%", "rangemode": "tozero"}
    layout["height"] = 320
    words = (
        "Histogram of the cosines between the embeddings of each face before and after: 1 is untouched; a face that "
        "lies where the cosines of different people lie has lost who it was."
    )
    return Figure(title, words, {"data": lines, "layout": layout})
