"""Bins that a person would choose, and those of whom nothing is known."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from recog_restore.engine.binning import binned
from recog_restore.engine.score import in_order

RNG = np.random.default_rng(0)


def bins(values: object, column: str = "quality") -> dict[str, int]:
    labels = binned(np.asarray(values, float), column)
    counts = Counter(labels.tolist())
    return {name: counts[name] for name in in_order(labels)}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (RNG.lognormal(4.6, 1, 5000), ["< 50", "50–100", "100–200", "≥ 200"]),
        (abs(RNG.normal(0, 1, 5000)) * 0.24, ["< 0.1", "0.1–0.2", "0.2–0.3", "≥ 0.3"]),
        (RNG.normal(0, 1, 1000), ["< -1", "-1–0", "0–1", "≥ 1"]),
        (RNG.integers(1950, 2020, 500), ["< 1960", "1960–1980", "1980–2000", "≥ 2000"]),
        ([1.23456, 2.34567, 3.45678, 4.56789], ["< 2", "2–3", "3–4", "≥ 4"]),
        ([0.0] * 90 + [0.31, 0.62, 0.93, 0.7], ["< 0.5", "≥ 0.5"]),
        ([2.0, 2.0, math.nan, 2.0, math.inf], ["≥ 2", "unknown"]),
        ([math.nan] * 4, ["unknown"]),
    ],
)
def test_edges_are_round_and_no_bin_is_nearly_empty(values: object, expected: list[str]) -> None:
    found = bins(values)
    assert list(found) == expected
    known = [count for name, count in found.items() if name != "unknown"]
    assert len(known) < 4 or min(known) >= sum(known) / 8


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        (
            "yaw",
            [0.00793, 2.39, 14.9, 15, 44, 80, math.nan],
            {"0–15°": 3, "15–30°": 1, "30–45°": 1, "≥ 75°": 1, "unknown": 1},
        ),
        ("size", [7.99, 8, 100], {"0–8 px": 1, "8–12 px": 1, "≥ 96 px": 1}),
    ],
)
def test_sizes_and_angles_have_the_same_bins_everywhere(
    column: str, values: list[float], expected: dict[str, int]
) -> None:
    assert bins(values, column) == expected
