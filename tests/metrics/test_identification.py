from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import top_k_accuracy_score

from recog_restore.errors import ConventionError, UndefinedMetric
from recog_restore.metrics import FAILED, MISS, cmc, rank_k, ranks, ranks_blocked, ranks_listed

# Few distinct values make ties; every probe gets at least the mate in column 0.
searches = st.integers(1, 6).flatmap(
    lambda g: st.lists(
        st.lists(
            st.tuples(st.sampled_from([FAILED, -0.5, 0.0, 0.25, 0.5, 1.0]), st.booleans()), min_size=g, max_size=g
        ),
        min_size=1,
        max_size=8,
    )
)


def split(rows: list[list[tuple[float, bool]]]) -> tuple[np.ndarray, np.ndarray]:
    scores = np.array([[s for s, _ in row] for row in rows])
    mate = np.array([[m for _, m in row] for row in rows])
    mate[:, 0] = True
    return scores, mate


def slow_rank(scores: list[float], mate: list[bool]) -> int:
    best = max(s for s, m in zip(scores, mate, strict=True) if m)
    if best == -math.inf:
        return MISS
    # Sort by falling score, non-mates first among equals, and look where the first mate stands; its fellow mates
    # cannot stand before it.
    listed = sorted(zip(scores, mate, strict=True), key=lambda entry: (-entry[0], entry[1]))
    return [m for _, m in listed].index(True) + 1


def unit(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    x = rng.normal(size=(n, d)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@given(searches)
def test_ranks_equal_the_place_in_a_sorted_list(rows: list[list[tuple[float, bool]]]) -> None:
    scores, mate = split(rows)
    assert ranks(scores, mate).tolist() == [
        slow_rank(s, m) for s, m in zip(scores.tolist(), mate.tolist(), strict=True)
    ]


def test_ranks_of_cases_done_by_hand() -> None:
    scores = [[0.9, 0.5, 0.1], [0.5, 0.5, 0.5], [0.1, 0.9, 0.8], [FAILED, 0.2, 0.3], [FAILED, FAILED, FAILED]]
    mate = [[1, 0, 0], [0, 1, 0], [1, 0, 1], [1, 0, 0], [0, 0, 1]]
    assert ranks(scores, np.array(mate, bool)).tolist() == [1, 3, 2, MISS, MISS]


def test_failed_non_mate_never_stands_before_the_mate() -> None:
    assert ranks([[FAILED, -1e30]], [[False, True]]).tolist() == [1]


@given(searches)
def test_ranks_survive_a_monotone_transform_and_a_permuted_gallery(rows: list[list[tuple[float, bool]]]) -> None:
    scores, mate = split(rows)
    expected = ranks(scores, mate)
    bent = np.where(scores > FAILED, 3 * scores**3 + scores - 7, FAILED)
    np.testing.assert_array_equal(ranks(bent, mate), expected)
    np.testing.assert_array_equal(ranks(scores[:, ::-1], mate[:, ::-1]), expected)


@given(searches, st.sampled_from([FAILED, -0.5, 0.0, 0.25, 0.5, 1.0, 2.0]))
def test_a_distractor_never_improves_a_rank(rows: list[list[tuple[float, bool]]], score: float) -> None:
    scores, mate = split(rows)
    more = np.column_stack([scores, np.full(len(scores), score)])
    assert (ranks(more, np.column_stack([mate, np.zeros(len(mate), bool)])) >= ranks(scores, mate)).all()


@given(searches, st.sampled_from([FAILED, -0.5, 0.0, 0.25, 0.5, 1.0, 2.0]))
def test_another_template_of_the_mate_never_worsens_a_rank(rows: list[list[tuple[float, bool]]], score: float) -> None:
    scores, mate = split(rows)
    more = np.column_stack([scores, np.full(len(scores), score)])
    assert (ranks(more, np.column_stack([mate, np.ones(len(mate), bool)])) <= ranks(scores, mate)).all()


@pytest.mark.parametrize("k", [1, 2, 5, 19])
def test_rank_k_equals_scikit_learn_where_nobody_is_enrolled_twice_and_nothing_ties(k: int) -> None:
    rng = np.random.default_rng(k)
    probes, gallery = unit(rng, 200, 4), unit(rng, 20, 4)
    subject = rng.integers(0, 20, 200)
    found = ranks_blocked(probes, gallery, subject, np.arange(20), np.ones(200, bool), np.ones(20, bool))
    expected = top_k_accuracy_score(subject, probes @ gallery.T, k=k, labels=np.arange(20))
    assert rank_k(found.ranks, k) == pytest.approx(expected, abs=1e-12)


def test_ranks_refuse_a_probe_without_mate() -> None:
    with pytest.raises(ConventionError, match=r"mate\[1\]: the probe has no mate in the gallery of a closed set"):
        ranks([[0.5, 0.1], [0.5, 0.1]], [[True, False], [False, False]])


def test_ranks_refuse_nan_and_other_shapes() -> None:
    with pytest.raises(ConventionError, match=r"scores\[0, 1\] is nan"):
        ranks([[0.5, math.nan]], [[True, False]])
    with pytest.raises(ConventionError, match=r"mate: expected \(1, 2\) booleans, got \(2,\) bool"):
        ranks([[0.5, 0.1]], [True, False])
    with pytest.raises(ConventionError, match=r"scores: expected an array of 2 axes, got shape \(2,\)"):
        ranks([0.5, 0.1], [True, False])


def test_no_probe_has_no_rank() -> None:
    assert ranks(np.empty((0, 3)), np.empty((0, 3), bool)).shape == (0,)


def test_arguments_are_not_written_to() -> None:
    scores, mate = np.array([[0.5, 0.1]]), np.array([[True, False]])
    rng = np.random.default_rng(0)
    probes, gallery = unit(rng, 4, 8), unit(rng, 5, 8)
    valid = np.array([True, False, True, True, True])
    for array in (scores, mate, probes, gallery, valid):
        array.setflags(write=False)
    ranks(scores, mate)
    ranks_blocked(probes, gallery, [0, 1, 2, 3], [0, 1, 2, 3, 4], valid[:4], valid)


@pytest.mark.parametrize("block", [1, 7, 1024])
def test_blocked_ranks_equal_ranks_of_the_whole_matrix(block: int) -> None:
    rng = np.random.default_rng(block)
    probes, gallery = unit(rng, 50, 16), unit(rng, 80, 16)
    gallery_subject = np.array([f"s{i}" for i in rng.integers(0, 20, 80)])
    probe_subject = rng.choice(gallery_subject, 50)
    probe_valid, gallery_valid = rng.random(50) > 0.1, rng.random(80) > 0.2
    found = ranks_blocked(probes, gallery, probe_subject, gallery_subject, probe_valid, gallery_valid, block)
    scores = probes.astype(np.float64) @ gallery.T.astype(np.float64)
    scores[~probe_valid] = FAILED
    scores[:, ~gallery_valid] = FAILED
    mate = probe_subject[:, None] == gallery_subject
    np.testing.assert_array_equal(found.ranks, ranks(scores, mate))
    np.testing.assert_allclose(found.best_mate_score, np.where(mate, scores, FAILED).max(axis=1), atol=1e-6)
    np.testing.assert_allclose(found.best_impostor_score, np.where(mate, FAILED, scores).max(axis=1), atol=1e-6)
    assert (found.ranks == MISS).any()
    masked = {"mate": np.where(mate, scores, FAILED), "impostor": np.where(mate, FAILED, scores)}
    for rows, table in ((found.best_mate_row, masked["mate"]), (found.best_impostor_row, masked["impostor"])):
        np.testing.assert_array_equal(rows, np.where(table.max(axis=1) > FAILED, table.argmax(axis=1), -1))


@pytest.mark.parametrize("k", [1, 3, 12, 80])
def test_lists_tell_the_ranks_that_the_whole_gallery_gives_or_say_that_they_do_not(k: int) -> None:
    rng = np.random.default_rng(k)
    scores = rng.integers(0, 25, (60, 80)).astype(np.float32)  # many ties
    gallery_subject = np.array([f"s{i}" for i in rng.integers(0, 30, 80)])
    probe_subject = rng.choice(gallery_subject, 60)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    found, told = ranks_listed(np.take_along_axis(scores, order, 1), order, probe_subject, gallery_subject)
    mate = probe_subject[:, None] == gallery_subject
    expected = ranks(scores, mate)
    np.testing.assert_array_equal(found.ranks[told], expected[told])
    np.testing.assert_array_equal(found.best_mate_score[told], np.where(mate, scores, FAILED).max(axis=1)[told])
    np.testing.assert_array_equal(found.best_impostor_score[told], np.where(mate, FAILED, scores).max(axis=1)[told])
    assert (found.ranks >= expected)[found.ranks == MISS].all()
    assert told.all() if k == 80 else not told.all()


def test_list_of_a_case_done_by_hand() -> None:
    scores = np.array([[0.9, 0.8, 0.7], [0.9, 0.8, 0.8], [0.9, 0.8, -np.inf], [0.9, 0.8, 0.7]], np.float32)
    rows = np.array([[4, 1, 0], [4, 0, 1], [4, 1, -1], [0, 1, 2]])
    found, told = ranks_listed(scores, rows, ["a", "a", "a", "x"], ["x", "a", "x", "a", "b"])
    assert found.ranks.tolist() == [2, 3, 2, 1]  # the tie counts against the second
    assert found.best_mate_row.tolist() == [1, 1, 1, 0]
    assert found.best_impostor_row.tolist() == [4, 4, 4, 1]
    assert told.tolist() == [True, False, True, True]


def test_failed_embedding_may_hold_anything() -> None:
    probes = np.array([[1, 0], [np.nan, np.nan]], np.float32)
    gallery = np.array([[1, 0], [np.inf, 0], [0, 1]], np.float32)
    found = ranks_blocked(probes, gallery, ["a", "a"], ["a", "b", "c"], [True, False], [True, False, True])
    assert found.ranks.tolist() == [1, MISS]
    assert found.best_mate_score.tolist() == [1, FAILED]
    assert found.best_impostor_score.tolist() == [0, FAILED]
    assert found.best_mate_row.tolist() == [0, -1]
    assert found.best_impostor_row.tolist() == [2, -1]


def test_gallery_of_mates_alone_has_no_impostor() -> None:
    one = np.ones((1, 1), np.float32)
    assert ranks_blocked(one, one, [3], [3], [True], [True]).best_impostor_score.tolist() == [FAILED]


def test_no_probe_is_no_search() -> None:
    none, one = np.ones((0, 1), np.float32), np.ones((1, 1), np.float32)
    assert ranks_blocked(none, one, np.empty(0, np.int64), [3], np.empty(0, bool), [True]).ranks.shape == (0,)


def test_blocked_search_refuses_what_it_cannot_rank() -> None:
    one, valid = np.ones((1, 1), np.float32), [True]
    with pytest.raises(ConventionError, match=r"probe_subject\[0\] is eve, who is not in the gallery of a closed set"):
        ranks_blocked(one, one, ["eve"], ["ann"], valid, valid)
    with pytest.raises(ConventionError, match=r"gallery\[0\]: expected an embedding of length 1, got 2"):
        ranks_blocked(one, 2 * one, ["ann"], ["ann"], valid, valid)
    with pytest.raises(ConventionError, match=r"probe\[0\]: expected an embedding of length 1, got nan"):
        ranks_blocked(np.nan * one, one, ["ann"], ["ann"], valid, valid)
    with pytest.raises(ConventionError, match="probe: expected 1 subjects and as many booleans"):
        ranks_blocked(one, one, ["ann"], ["ann"], [1], valid)
    with pytest.raises(ConventionError, match="probes have 1 dimensions, the gallery has 2"):
        ranks_blocked(one, np.array([[1.0, 0.0]]), ["ann"], ["ann"], valid, valid)
    with pytest.raises(ConventionError, match=r"probe: expected \(N, D\) floating point embeddings"):
        ranks_blocked(np.ones((1, 1), int), one, ["ann"], ["ann"], valid, valid)
    with pytest.raises(ConventionError, match="block is 0; expected at least 1"):
        ranks_blocked(one, one, ["ann"], ["ann"], valid, valid, block=0)


@given(st.lists(st.one_of(st.integers(1, 12), st.just(MISS)), min_size=1, max_size=30), st.integers(1, 15))
def test_cmc_is_rank_k_at_every_rank(found: list[int], max_rank: int) -> None:
    curve = cmc(found, max_rank)
    assert curve.shape == (max_rank,)
    assert curve.tolist() == pytest.approx([sum(r <= k for r in found) / len(found) for k in range(1, max_rank + 1)])
    assert [rank_k(found, k) for k in range(1, max_rank + 1)] == curve.tolist()
    assert cmc(found * 2, max_rank).tolist() == pytest.approx(curve.tolist())


def test_rates_of_no_probe_are_nan() -> None:
    with pytest.warns(UndefinedMetric, match="there are no probes"):
        assert np.isnan(cmc([], 3)).tolist() == [True] * 3
    with pytest.warns(UndefinedMetric, match="there are no probes"):
        assert math.isnan(rank_k([], 1))


def test_ranks_count_from_one() -> None:
    with pytest.raises(ConventionError, match="ranks: expected integers from 1"):
        rank_k([0, 1], 1)
    with pytest.raises(ConventionError, match="ranks: expected integers from 1 in one axis, got float64"):
        cmc([1.0], 1)
    with pytest.raises(ConventionError, match="k is 0; ranks count from 1"):
        rank_k([1], 0)
    with pytest.raises(ConventionError, match="max_rank is 0; ranks count from 1"):
        cmc([1], 0)
