"""Numbers as labels: bins whose edges are round, so that they can be read, compared and typed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ..results import UNKNOWN_LABEL

SIZE, YAW = "size", "yaw"

# What is measured in one unit on every data set has the same bins on every data set, the last one open.
FIXED: dict[str, tuple[tuple[float, ...], str]] = {
    SIZE: ((0, 8, 12, 16, 24, 32, 48, 64, 96), " px"),  # between the eyes
    YAW: ((0, 15, 30, 45, 60, 75), "°"),  # to either side
}

_FINEST = 6  # powers of ten below the spread of the values, for the edges of any other bin

Floats = NDArray[np.float64]


def binned(values: Floats, column: str) -> NDArray[np.object_]:
    """Return (N,) the bin of each value: ``45–120``, and ``unknown`` where it is not finite.

    Sizes and angles have fixed bins. Others are cut near their quartiles, at numbers as round as the values allow: at
    multiples of 1, 2 or 5 times a power of ten.

    Args:
        values: (N,).
        column: what they are.
    """
    known = np.isfinite(values)
    label = np.full(len(values), UNKNOWN_LABEL, dtype=object)
    if known.any():
        starts, unit = FIXED[column] if column in FIXED else (_starts(values[known]), "")
        place = np.searchsorted(starts, values[known], side="right") - 1
        label[known] = np.array(_names(starts, unit), dtype=object)[place]
    return label


def _starts(values: Floats) -> tuple[float, ...]:
    """Return where the bins start, the first at −inf; of values that are all the same, the value."""
    lowest = float(values.min())
    above = values[values > lowest]
    if not len(above):
        return (lowest,)
    cuts = np.unique(np.quantile(values, (0.25, 0.5, 0.75)))
    cuts = cuts[cuts > lowest] if cuts[-1] > lowest else np.array([above.min()])
    fewest = _fewest(values, cuts) / 2
    for step in _steps(float(np.ptp(values))):
        edges = np.unique([float(f"{step * round(cut / step):.12g}") for cut in cuts.tolist()])
        if len(edges) == len(cuts) and _fewest(values, edges) >= fewest:
            return -np.inf, *edges.tolist()
    return -np.inf, *cuts.tolist()


def _fewest(values: Floats, edges: Floats) -> int:
    """Return how many values the emptiest bin between those edges has."""
    return int(np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1).min())


def _steps(spread: float) -> Iterator[float]:
    """Yield 5, 2 and 1 times falling powers of ten, from the spread of the values on; nothing where there is none."""
    if spread > 0:
        power = int(np.floor(np.log10(spread)))
        for exponent, digit in itertools.product(range(power, power - _FINEST, -1), (5, 2, 1)):
            yield float(f"{digit}e{exponent}")


def _names(starts: Sequence[float], unit: str) -> list[str]:
    ends = [np.format_float_positional(start, trim="-") for start in starts]
    names = [f"{a}–{b}{unit}" if a != "-inf" else f"< {b}{unit}" for a, b in itertools.pairwise(ends)]
    return [*names, f"≥ {ends[-1]}{unit}"]
