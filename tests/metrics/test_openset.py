from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recog_restore.errors import ConventionError, UndefinedMetric
from recog_restore.metrics import FAILED, MISS, det, hit_scores, ranks_blocked, tpir_at_fpir
from recog_restore.metrics.compat import HABITS
from recog_restore.metrics.openset import FEW_ALARMS, OpenPoint

from .hard import hard
from .test_compat import pooled_by

scores = st.sampled_from([FAILED, -0.5, 0.0, 0.25, 0.5, 0.75, 1.0])
mated = st.lists(st.tuples(scores, st.lists(scores, min_size=1, max_size=5)), min_size=1, max_size=8)
strangers = st.lists(st.lists(scores, min_size=1, max_size=5), min_size=1, max_size=8)
targets = st.sampled_from([0.0, 0.1, 0.125, 0.25, 0.5, 0.9, 1.0])


def slow(found: list[tuple[float, list[float]]], others: list[list[float]], at: float) -> tuple[int, int]:
    """Go through the candidate lists one by one."""
    hits = alarms = 0
    for mate, impostors in found:
        first = all(mate > other for other in impostors)
        hits += first and mate > FAILED and mate >= at
    for candidates in others:
        alarms += any(score > FAILED and score >= at for score in candidates)
    return hits, alarms


def numbers(found: list[tuple[float, list[float]]]) -> np.ndarray:
    ranks = [1 + sum(i >= m for i in others) if m > FAILED else MISS for m, others in found]
    return hit_scores(ranks, [m for m, _ in found])


@given(mated, strangers, targets)
def test_tpir_is_the_best_of_all_thresholds_that_keep_to_the_target(
    found: list[tuple[float, list[float]]], others: list[list[float]], fpir: float
) -> None:
    point = tpir_at_fpir(numbers(found), [max(s) for s in others], fpir)
    everything = {s for m, i in found for s in (m, *i)} | {s for i in others for s in i} | {math.inf}
    best = 0
    for at in everything:
        hits, alarms = slow(found, others, at)
        if alarms / len(others) <= fpir:
            best = max(best, hits)
    assert point.hits == best
    assert (point.hits, point.alarms) == slow(found, others, point.threshold)
    assert point.fpir <= fpir
    assert point.fnir == pytest.approx(1 - point.tpir)


@given(mated, strangers)
def test_every_point_of_the_det_is_what_its_threshold_does(
    found: list[tuple[float, list[float]]], others: list[list[float]]
) -> None:
    curve = det(numbers(found), [max(s) for s in others])
    for threshold, fpir, fnir in zip(curve.threshold, curve.fmr, curve.fnmr, strict=True):
        hits, alarms = slow(found, others, threshold)
        assert fpir == alarms / len(others)
        assert fnir == pytest.approx(1 - hits / len(found))


def test_a_case_done_by_hand() -> None:
    """Four mated searches: found at .9 and .6, an impostor before the mate at .8, a failed probe. Ten strangers."""
    hits = hit_scores([1, 1, 2, MISS], [0.9, 0.6, 0.8, FAILED])
    tops = [0.95, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0, FAILED]
    assert tpir_at_fpir(hits, tops, 0.0) == OpenPoint(np.nextafter(0.95, 1), 0, 0, 4, 10, 0.0)
    assert tpir_at_fpir(hits, tops, 0.1) == OpenPoint(0.9, 1, 1, 4, 10, 0.1)
    assert tpir_at_fpir(hits, tops, 0.29) == OpenPoint(0.7, 1, 2, 4, 10, 0.29)
    point = tpir_at_fpir(hits, tops, 0.3)
    assert (point.threshold, point.tpir, point.fnir, point.fpir) == (0.6, 0.5, 0.5, 0.3)


def test_an_impostor_with_the_mates_score_stands_before_it() -> None:
    assert hit_scores([1 + 1], [0.5]).tolist() == [FAILED]


def test_fpir_counts_searches_and_not_comparisons() -> None:
    """One stranger who looks like everybody is one alarm, however many candidates exceed the threshold."""
    gallery = np.eye(3, dtype=np.float32)
    probes = np.array([[1, 1, 1], [1, 0, 0]], np.float32) / np.sqrt([[3], [1]], dtype=np.float32)
    valid = np.ones(3, bool)
    found = ranks_blocked(probes, gallery, ["x", "a"], ["a", "b", "c"], valid[:2], valid, open_set=True)
    assert found.ranks.tolist() == [MISS, 1]
    assert found.best_mate_row.tolist() == [-1, 0]
    point = tpir_at_fpir(hit_scores(found.ranks[1:], found.best_mate_score[1:]), found.best_impostor_score[:1], 1.0)
    assert (point.alarms, point.n_non_mated) == (1, 1)


def test_a_search_in_an_open_set_is_that_in_the_closed_one_where_there_is_a_mate() -> None:
    rng = np.random.default_rng(5)
    probes, gallery = (rng.normal(size=(n, 8)).astype(np.float32) for n in (40, 12))
    probes, gallery = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (probes, gallery))
    who, enrolled = rng.integers(0, 20, 40), np.arange(12)
    valid = rng.random(40) < 0.9
    found = ranks_blocked(probes, gallery, who, enrolled, valid, np.ones(12, bool), open_set=True)
    known = who < 12
    closed = ranks_blocked(probes[known], gallery, who[known], enrolled, valid[known], np.ones(12, bool))
    for whole, part in zip(found, closed, strict=True):
        assert np.array_equal(whole[known], part)
    tops = np.where(valid, (probes @ gallery.T).max(axis=1), FAILED)
    np.testing.assert_allclose(found.best_impostor_score[~known], tops[~known], rtol=1e-6)


@pytest.mark.parametrize(("alarms", "few"), [(FEW_ALARMS - 1, True), (FEW_ALARMS, False)])
def test_fewer_than_ten_alarms_are_few(alarms: int, few: bool) -> None:
    assert OpenPoint(0.5, 1, alarms, 10, 100, 0.1).few is few


def test_rates_without_searches_are_nan() -> None:
    with pytest.warns(UndefinedMetric, match="there are no non-mated scores"):
        point = tpir_at_fpir([0.5], [], 0.1)
    assert math.isnan(point.tpir)
    assert math.isnan(point.fnir)
    assert math.isnan(point.fpir)
    with pytest.warns(UndefinedMetric, match="there are no mated scores"):
        point = tpir_at_fpir([], [0.5], 0.1)
    assert math.isnan(point.tpir)


def test_a_target_that_is_no_rate_is_refused() -> None:
    with pytest.raises(ConventionError, match="far is 2; expected a rate from 0 to 1"):
        tpir_at_fpir([0.5], [0.5], 2)


def test_ours_is_the_two_gallery_code_but_for_its_strict_threshold_and_rounding() -> None:
    """``ijb_evals`` takes the ⌊N·far⌋-th top score and accepts above it: one alarm fewer than the target allows."""
    faces, habit = hard(), HABITS["insightface-ijb-evals"]
    published = json.loads((Path(__file__).parent / "published.json").read_text("utf-8"))["1:N"][
        "insightface-ijb-evals"
    ]
    probes = pooled_by(faces, faces.probes[0], habit)
    for (templates, subjects), theirs in zip(faces.galleries, published, strict=True):
        gallery = pooled_by(faces, templates, habit)
        there, enrolled = (v.any(axis=1) for v in (probes, gallery))
        found = ranks_blocked(probes, gallery, faces.probes[1], subjects, there, enrolled, open_set=True)
        known = np.isin(faces.probes[1], subjects)
        hits = hit_scores(found.ranks[known], found.best_mate_score[known])
        for fpir in (1e-2, 1e-1):
            ours = tpir_at_fpir(hits, found.best_impostor_score[~known], fpir)
            assert ours.alarms == int(fpir * ours.n_non_mated)
            assert abs(ours.tpir - theirs["tpir"][str(fpir)]) <= 2 / ours.n_mated
