from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from recog_restore.errors import ConventionError, UndefinedMetric
from recog_restore.metrics import MISS, average_precision, mate_places, mean_average_precision

places = st.lists(st.integers(1, 40), min_size=1, max_size=8, unique=True)


def walk(where: list[int]) -> float:
    """Walk down a list of 40, as the Oxford Buildings' program does, adding up trapezoids."""
    total, seen, recall_before, precision_before = 0.0, 0, 0.0, 1.0
    for place in range(1, 41):
        seen += place in where
        recall, precision = seen / len(where), seen / place
        total += (recall - recall_before) * (precision_before + precision) / 2
        recall_before, precision_before = recall, precision
    return total


@given(places)
def test_the_trapezoid_equals_a_walk_down_the_list(where: list[int]) -> None:
    found = average_precision(where, [0] * len(where), 1, "trapezoid")
    assert found[0] == pytest.approx(walk(where), abs=1e-12)


@given(places)
def test_the_standard_one_is_scikit_learns(where: list[int]) -> None:
    truth = np.isin(np.arange(1, 41), where)
    found = average_precision(where, [0] * len(where), 1)
    assert found[0] == pytest.approx(average_precision_score(truth, -np.arange(40)), abs=1e-12)
    assert average_precision(where, [0] * len(where), 1, "trapezoid")[0] <= found[0] + 1e-12


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ([1], 1.0),
        ([2], 0.25),
        ([1, 2, 3], 1.0),
        ([1, 3, 7], 0.6547619047619047),
        ([4, 5, 9, 30], 0.21501436781609196),
        ([2, 3, 17, 40, 41], 0.23670115513372328),
    ],
)
def test_the_trapezoid_is_that_of_tinyfaces_public_evaluation(where: list[int], expected: float) -> None:
    """``compute_AP`` of zzzzz314314/tinyface-continuous-representation 6945028, models/evaluate_tinyface_utils.py.

    A translation of the data set's MATLAB code; run on the list 1 … 50 with the mates at these places.
    """
    assert average_precision(where, [0] * len(where), 1, "trapezoid")[0] == pytest.approx(expected, abs=1e-12)


def test_a_mate_that_cannot_be_found_counts_and_adds_nothing() -> None:
    assert average_precision([1, MISS], [0, 0], 1).tolist() == [0.5]
    assert average_precision([MISS], [0], 1, "trapezoid").tolist() == [0.0]


def test_a_search_without_a_mate_is_nan_and_left_out_of_the_mean() -> None:
    assert np.isnan(average_precision([1], [1], 2)[0])
    assert mean_average_precision([1, 2], [1, 2], 3) == 0.75
    with pytest.warns(UndefinedMetric, match="there are no mated searches"):
        assert math.isnan(mean_average_precision([], [], 3))


def test_another_rule_and_other_lengths_are_refused() -> None:
    with pytest.raises(ConventionError, match="rule is 'area'; expected 'standard' or 'trapezoid'"):
        average_precision([1], [0], 1, "area")  # type: ignore[arg-type]
    with pytest.raises(ConventionError, match=r"expected a search for each place, got shapes \(2,\) and \(1,\)"):
        average_precision([1, 2], [0], 1)


def slow_places(
    probes: np.ndarray, gallery: np.ndarray, who: np.ndarray, enrolled: np.ndarray, valid: np.ndarray, measure: str
) -> list[tuple[int, int]]:
    found = []
    for number, probe in enumerate(probes):
        if measure == "euclidean":
            score = [-float(np.linalg.norm(probe.astype(float) - entry)) for entry in gallery]
        else:
            score = [float(probe @ entry) for entry in gallery]
        # Best first, non-mates first among equals; failed ones stand nowhere.
        listed = sorted((-s, enrolled[i] == who[number], i) for i, s in enumerate(score) if valid[i])
        for place, (_, mate, _) in enumerate(listed, 1):
            if mate:
                found.append((number, place))
        found += [(number, MISS) for i in range(len(gallery)) if enrolled[i] == who[number] and not valid[i]]
    return sorted(found)


@pytest.mark.parametrize("measure", ["cosine", "euclidean"])
def test_places_equal_sorted_lists_with_ties_failures_and_several_mates(measure: str) -> None:
    rng = np.random.default_rng(1)
    probes, gallery = (rng.integers(-2, 3, (n, 4)).astype(np.float32) for n in (30, 60))  # few values: many ties
    who, enrolled = rng.integers(0, 12, 30), rng.integers(0, 14, 60)
    valid = rng.random(60) < 0.9
    place, search = mate_places(probes, gallery, who, enrolled, np.ones(30, bool), valid, measure)  # type: ignore[arg-type]
    assert sorted(zip(search.tolist(), place.tolist(), strict=True)) == slow_places(
        probes, gallery, who, enrolled, valid, measure
    )
    assert (np.diff(search) >= 0).all()


def test_lengths_count_for_the_euclidean_distance_alone() -> None:
    gallery = np.array([[0.5, 0.5], [9.0, 0.1]], np.float32)
    probe, valid = np.array([[1.0, 0.0]], np.float32), np.ones(2, bool)
    assert mate_places(probe, gallery, ["a"], ["a", "b"], valid[:1], valid, "euclidean")[0].tolist() == [1]
    assert mate_places(probe, gallery, ["a"], ["a", "b"], valid[:1], valid, "cosine")[0].tolist() == [2]


def test_the_mates_of_a_failed_probe_cannot_be_found() -> None:
    one, valid = np.array([[1.0, 0.0]], np.float32), np.ones(1, bool)
    assert mate_places(one, one, ["a"], ["a"], ~valid, valid)[0].tolist() == [MISS]
