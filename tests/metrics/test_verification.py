from __future__ import annotations

import itertools
import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from recog_restore.errors import ConventionError, UndefinedMetric
from recog_restore.metrics import (
    FAILED,
    Eer,
    OperatingPoint,
    accuracy_kfold,
    auc,
    eer,
    histogram,
    rates_at,
    roc,
    sketch,
    tar_at_far,
    tar_at_fars,
    thin,
)

EXACT = 1e-9

# A coarse grid makes ties between and within the two kinds; failures come with it.
score = st.one_of(st.integers(-8, 8).map(lambda i: i / 8), st.just(FAILED), st.floats(-1, 1, width=32))
some = st.lists(score, min_size=1, max_size=30).map(np.array)
finite = st.lists(st.integers(-8, 8).map(lambda i: i / 8), min_size=1, max_size=30).map(np.array)


def simulated(n_mated: int, n_non_mated: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(0.6, 0.15, n_mated).clip(-1, 1), rng.normal(0.05, 0.1, n_non_mated).clip(-1, 1)


def accepted(scores: np.ndarray, threshold: float) -> int:
    return sum(1 for s in scores if s >= threshold and s > -math.inf)


def joined(mated: np.ndarray, non_mated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.r_[np.ones(len(mated), bool), np.zeros(len(non_mated), bool)], np.r_[mated, non_mated]


# ── ROC ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("decimals", [1, 2, 16])
def test_roc_equals_scikit_learn(decimals: int) -> None:
    mated, non_mated = (s.round(decimals) for s in simulated(300, 900))
    fpr, tpr, threshold = roc_curve(*joined(mated, non_mated), drop_intermediate=False)
    ours = roc(mated, non_mated)
    np.testing.assert_allclose(ours.fmr, fpr, rtol=0, atol=EXACT)
    np.testing.assert_allclose(1 - ours.fnmr, tpr, rtol=0, atol=EXACT)
    np.testing.assert_array_equal(ours.threshold, threshold)


@given(some, some)
def test_roc_equals_counting_at_every_distinct_score(mated: np.ndarray, non_mated: np.ndarray) -> None:
    curve = roc(mated, non_mated)
    thresholds = [math.inf, *sorted({s for s in [*mated, *non_mated] if s > -math.inf}, reverse=True)]
    assert curve.threshold.tolist() == thresholds
    assert curve.fmr.tolist() == [accepted(non_mated, t) / len(non_mated) for t in thresholds]
    assert curve.fnmr.tolist() == [(len(mated) - accepted(mated, t)) / len(mated) for t in thresholds]


def test_roc_of_a_case_done_by_hand() -> None:
    curve = roc([0.9, 0.5, FAILED], [0.5, 0.1, 0.1, FAILED])
    assert curve.threshold.tolist() == [math.inf, 0.9, 0.5, 0.1]
    assert curve.fmr.tolist() == [0, 0, 1 / 4, 3 / 4]
    assert curve.fnmr.tolist() == [1, 2 / 3, 1 / 3, 1 / 3]


@given(some, some)
def test_roc_does_not_depend_on_the_order(mated: np.ndarray, non_mated: np.ndarray) -> None:
    curve, again = roc(mated, non_mated), roc(mated[::-1], np.roll(non_mated, 3))
    for name in ("threshold", "fmr", "fnmr"):
        np.testing.assert_array_equal(getattr(curve, name), getattr(again, name))


def test_roc_of_duplicated_data_is_the_same() -> None:
    mated, non_mated = simulated(50, 80)
    once, twice = roc(mated, non_mated), roc(np.tile(mated, 2), np.tile(non_mated, 2))
    np.testing.assert_array_equal(once.threshold, twice.threshold)
    np.testing.assert_allclose(once.fmr, twice.fmr, rtol=0, atol=EXACT)
    np.testing.assert_allclose(once.fnmr, twice.fnmr, rtol=0, atol=EXACT)


def test_roc_keeps_scores_that_differ_only_in_float64() -> None:
    assert len(roc([0.5, 0.5 + 1e-12], np.array([0.5 - 1e-12])).threshold) == 4


def test_rates_of_the_roc_are_nan_without_scores_of_their_kind() -> None:
    with pytest.warns(UndefinedMetric, match="there are no mated scores"):
        curve = roc([], [0.1, 0.2])
    assert np.isnan(curve.fnmr).all()
    assert curve.fmr.tolist() == [0, 0.5, 1]
    with pytest.warns(UndefinedMetric, match="there are no non-mated scores"):
        curve = roc([0.1], [])
    assert np.isnan(curve.fmr).all()


def test_thinned_curve_keeps_ends_is_a_subset_and_repeats() -> None:
    curve = roc(*simulated(3000, 60_000))
    small, again = thin(curve, 200), thin(curve, 200)
    assert 100 < len(small.threshold) <= 200
    place = np.searchsorted(-curve.threshold, -small.threshold)
    np.testing.assert_array_equal(curve.fmr[place], small.fmr)
    np.testing.assert_array_equal(curve.fnmr[place], small.fnmr)
    assert {0, len(curve.threshold) - 1} <= set(place.tolist())
    np.testing.assert_array_equal(small.threshold, again.threshold)


def test_thinned_curve_holds_the_best_corner_at_the_lowest_rates() -> None:
    curve = roc(*simulated(3000, 60_000))
    small = thin(curve, 100)
    lowest = curve.fmr[curve.fmr > 0].min()
    assert lowest in small.fmr
    assert small.fnmr[small.fmr == lowest].min() == curve.fnmr[curve.fmr == lowest].min()
    lowest = curve.fnmr[curve.fnmr > 0].min()
    assert small.fmr[small.fnmr == lowest].min() == curve.fmr[curve.fnmr == lowest].min()


@given(some, some, st.integers(2, 40))
def test_thinned_curve_never_exceeds_the_points_asked_for(
    mated: np.ndarray, non_mated: np.ndarray, points: int
) -> None:
    assert len(thin(roc(mated, non_mated), points).threshold) <= points


def test_short_curve_is_thinned_to_itself() -> None:
    curve = roc([0.5], [0.1])
    assert thin(curve, 10) is curve


def test_undefined_curve_can_be_thinned() -> None:
    with pytest.warns(UndefinedMetric):
        curve = roc([], np.linspace(0, 1, 100))
    assert len(thin(curve, 50).threshold) <= 50


def test_thin_refuses_fewer_points_than_ends() -> None:
    with pytest.raises(ConventionError, match="points is 1; a curve needs at least its 2 ends"):
        thin(roc([0.5], [0.1]), 1)


# ── EER, AUC ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def slow_eer(mated: np.ndarray, non_mated: np.ndarray) -> float:
    before = (Fraction(0), Fraction(1))
    for t in sorted({s for s in [*mated, *non_mated] if s > -math.inf}, reverse=True):
        fmr = Fraction(accepted(non_mated, t), len(non_mated))
        fnmr = 1 - Fraction(accepted(mated, t), len(mated))
        if fmr >= fnmr:
            gap, gap_before = fmr - fnmr, before[1] - before[0]
            return float(before[0] + (fmr - before[0]) * gap_before / (gap_before + gap))
        before = (fmr, fnmr)
    return math.nan


@given(some, some)
def test_eer_equals_a_walk_down_the_thresholds(mated: np.ndarray, non_mated: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetric)
        found = eer(mated, non_mated).value
    np.testing.assert_allclose(found, slow_eer(mated, non_mated), rtol=0, atol=EXACT)


def test_eer_of_cases_done_by_hand() -> None:
    assert eer([0.9, 0.8], [0.2, 0.1]).value == 0.0
    assert eer([0.1, 0.2], [0.8, 0.9]).value == 1.0
    crossing = eer([0.9, 0.7, 0.3], [0.8, 0.2, 0.1])  # from (0.7: 1/3, 1/3) on
    assert crossing.value == pytest.approx(1 / 3)
    assert crossing.threshold == 0.7
    # One tie: from (inf: 0, 1) straight to (0.5: 1, 0); the crossing is half way and the threshold the finite one.
    assert eer([0.5], [0.5]) == Eer(0.5, 0.5)


def test_eer_interpolates_rates_and_threshold() -> None:
    # (0.8: FMR 0, FNMR 1/2) to (0.4: FMR 1, FNMR 0): they meet at a third of the way.
    point = eer([0.8, 0.4], [0.4, 0.4])
    assert point.value == pytest.approx(1 / 3)
    assert point.threshold == pytest.approx(0.8 - 0.4 / 3)


def test_eer_is_nan_where_failures_keep_the_rates_apart() -> None:
    with pytest.warns(UndefinedMetric, match="so many comparisons failed that FMR and FNMR never meet"):
        assert math.isnan(eer([FAILED, FAILED, 0.5], [FAILED, FAILED, 0.1]).value)


@pytest.mark.parametrize("decimals", [1, 16])
def test_auc_equals_scikit_learn(decimals: int) -> None:
    mated, non_mated = (s.round(decimals) for s in simulated(400, 700))
    assert auc(mated, non_mated) == pytest.approx(roc_auc_score(*joined(mated, non_mated)), abs=EXACT)


@given(some, some)
def test_auc_counts_wins_and_half_ties(mated: np.ndarray, non_mated: np.ndarray) -> None:
    wins = sum((m > n) + (m == n) / 2 for m in mated for n in non_mated)
    assert auc(mated, non_mated) == pytest.approx(wins / (len(mated) * len(non_mated)), abs=EXACT)


@given(some, some)
def test_auc_of_exchanged_kinds_is_the_complement(mated: np.ndarray, non_mated: np.ndarray) -> None:
    assert auc(mated, non_mated) + auc(non_mated, mated) == pytest.approx(1, abs=EXACT)


@given(finite, finite)
def test_rank_based_rates_survive_a_monotone_transform(mated: np.ndarray, non_mated: np.ndarray) -> None:
    def bend(scores: np.ndarray) -> np.ndarray:
        return np.exp(3 * scores) - 5

    assert auc(mated, non_mated) == auc(bend(mated), bend(non_mated))
    assert eer(mated, non_mated).value == eer(bend(mated), bend(non_mated)).value
    for far in (0.0, 0.1, 0.5, 1.0):
        assert tar_at_far(mated, non_mated, far).tar == tar_at_far(bend(mated), bend(non_mated), far).tar


@pytest.mark.parametrize("metric", [lambda m, n: eer(m, n).value, auc])
@pytest.mark.parametrize(("mated", "non_mated"), [([], [0.1]), ([0.1], []), ([], [])])
def test_eer_and_auc_are_nan_without_scores(metric: object, mated: list[float], non_mated: list[float]) -> None:
    with pytest.warns(UndefinedMetric, match="there are no"):
        assert math.isnan(metric(mated, non_mated))  # type: ignore[operator]


# ── TAR@FAR ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(some, some, st.one_of(st.floats(0, 1), st.integers(0, 30).map(lambda i: i / 30)))
def test_tar_at_far_is_the_best_of_all_thresholds_that_keep_to_the_target(
    mated: np.ndarray, non_mated: np.ndarray, far: float
) -> None:
    point = tar_at_far(mated, non_mated, far)
    candidates = {*mated, *non_mated, *(np.nextafter(s, math.inf) for s in non_mated), math.inf} - {-math.inf}
    allowed = [t for t in candidates if accepted(non_mated, t) / len(non_mated) <= far]
    assert point.tar == max(accepted(mated, t) for t in allowed) / len(mated)
    assert point.far_achieved <= far
    assert point.true_accepts == accepted(mated, point.threshold)
    assert point.false_accepts == accepted(non_mated, point.threshold)
    if point.false_accepts:
        observed = [t for t in {*mated, *non_mated} - {-math.inf} if accepted(non_mated, t) / len(non_mated) <= far]
        assert point.threshold == min(observed)


def test_tar_at_far_of_a_case_done_by_hand() -> None:
    mated, non_mated = [0.9, 0.6, 0.5, 0.3], [0.7, 0.5, 0.4, 0.2, 0.1, 0.1, 0.0, FAILED, FAILED, FAILED]
    assert tar_at_far(mated, non_mated, 0.1) == OperatingPoint(0.6, 2, 1, 4, 10, 0.1)
    assert tar_at_far(mated, non_mated, 0.2) == OperatingPoint(0.5, 3, 2, 4, 10, 0.2)
    assert tar_at_far(mated, non_mated, 1.0) == OperatingPoint(0.0, 4, 7, 4, 10, 1.0)


def test_tie_across_the_target_is_rejected_whole() -> None:
    point = tar_at_far([0.9, 0.5], [0.5, 0.5, 0.1, 0.1], 0.25)
    assert (point.tar, point.false_accepts) == (0.5, 0)
    assert point.threshold == np.nextafter(0.5, 1)


def test_no_false_accept_is_left_below_one_over_n() -> None:
    point = tar_at_far([0.8, 0.7], [0.7, 0.1, 0.2], 0.1)
    assert point == OperatingPoint(float(np.nextafter(0.7, 1)), 1, 0, 2, 3, 0.1)


def test_threshold_above_float32_scores_also_rejects_them_in_float32() -> None:
    mated, non_mated = np.float32([0.8, 0.7]), np.float32([0.7, 0.1])
    threshold = tar_at_far(mated, non_mated, 0.0).threshold
    assert threshold == np.nextafter(np.float32(0.7), np.float32(1))
    assert (mated >= np.float32(threshold)).tolist() == [True, False]
    assert rates_at(mated, non_mated, threshold).false_accepts == 0


def test_mixed_precision_is_compared_exactly() -> None:
    top = np.float32(0.7)
    mated = np.array([np.nextafter(float(top), 1)])
    assert tar_at_far(mated, np.array([top]), 0.0).tar == 1.0


@pytest.mark.parametrize(("accepts", "n"), [(29, 100), (3, 30), (1, 10_000), (7, 700), (57, 100)])
def test_target_that_is_a_whole_number_of_accepts_is_reached(accepts: int, n: int) -> None:
    assert tar_at_far([2.0 * n], np.arange(n), accepts / n).false_accepts == accepts


def slow_nearest(mated: np.ndarray, non_mated: np.ndarray, far: float) -> tuple[float, float, float]:
    fpr, tpr, threshold = (np.flipud(a) for a in roc_curve(*joined(mated, non_mated)))
    _, index = min(zip(abs(fpr - far), range(len(fpr)), strict=True))
    return fpr[index], tpr[index], threshold[index]


@given(finite, finite, st.one_of(st.floats(0, 1), st.integers(0, 20).map(lambda i: i / 20)))
def test_nearest_rule_equals_the_published_code_on_scikit_learns_roc(
    mated: np.ndarray, non_mated: np.ndarray, far: float
) -> None:
    point = tar_at_far(mated, non_mated, far, compat="nearest")
    fpr, tpr, threshold = slow_nearest(mated, non_mated, far)
    assert point.far_achieved == pytest.approx(fpr, abs=EXACT)
    assert point.tar == pytest.approx(tpr, abs=EXACT)
    assert point.threshold == threshold


@pytest.mark.parametrize("decimals", [1, 2, 3, 16])
@pytest.mark.parametrize("compat", ["", "nearest"])
def test_several_targets_at_once_are_each_alone_and_as_scikit_learn_has_them(decimals: int, compat: str) -> None:
    """Long lists, of which only the top is sorted, with ties and with long runs that scikit-learn drops."""
    for seed in range(10):
        mated, non_mated = (s.round(decimals) for s in simulated(1 + 20 * seed, 3000, seed))
        targets = [1e-1, 1e-4, 1e-3, 1e-2, 0.0]
        found = tar_at_fars(mated, non_mated, targets, compat)  # type: ignore[arg-type]
        assert found == [tar_at_far(mated, non_mated, far, compat) for far in targets]  # type: ignore[arg-type]
        if compat:
            expected = [slow_nearest(mated, non_mated, far)[:2] for far in targets]
            np.testing.assert_allclose([(p.far_achieved, p.tar) for p in found], expected, rtol=0, atol=EXACT)


def test_nearest_rule_may_exceed_the_target_and_the_default_never_does() -> None:
    mated, non_mated = simulated(2000, 5000, seed=3)
    targets = np.geomspace(1e-3, 0.3, 40)
    near = [tar_at_far(mated, non_mated, far, "nearest").far_achieved for far in targets]
    kept = [tar_at_far(mated, non_mated, far).far_achieved for far in targets]
    assert any(np.array(near) > targets)
    assert all(np.array(kept) <= targets)


def test_tar_is_nan_without_mated_and_the_threshold_too_without_non_mated_scores() -> None:
    with pytest.warns(UndefinedMetric, match="there are no mated scores"):
        point = tar_at_far([], [0.1, 0.2], 0.5)
    assert math.isnan(point.tar)
    assert math.isnan(point.fnmr)
    assert (point.threshold, point.far_achieved) == (0.2, 0.5)
    with pytest.warns(UndefinedMetric, match="there are no non-mated scores"):
        point = tar_at_far([0.5], [], 0.5)
    assert all(math.isnan(v) for v in (point.threshold, point.tar, point.far_achieved))


@pytest.mark.parametrize("far", [-0.1, 1.5, math.nan])
def test_target_outside_the_unit_interval_is_refused(far: float) -> None:
    with pytest.raises(ConventionError, match="expected a rate from 0 to 1"):
        tar_at_far([0.5], [0.1], far)


def test_unknown_compat_is_refused() -> None:
    with pytest.raises(ConventionError, match="expected '' or 'nearest'"):
        tar_at_far([0.5], [0.1], 0.1, compat="closest")  # type: ignore[arg-type]
    with pytest.raises(ConventionError, match="expected '' or 'insightface'"):
        accuracy_kfold([0.5, 0.1], [True, False], [0, 1], compat="bob")  # type: ignore[arg-type]


# ── rates at a threshold ─────────────────────────────────────────────────────────────────────────────────────────────


@given(some, some, st.one_of(st.integers(-8, 8).map(lambda i: i / 8), st.just(-math.inf), st.just(math.inf)))
def test_rates_at_a_threshold_are_counts(mated: np.ndarray, non_mated: np.ndarray, threshold: float) -> None:
    point = rates_at(mated, non_mated, threshold)
    assert point.true_accepts == accepted(mated, threshold)
    assert point.false_accepts == accepted(non_mated, threshold)
    assert point.fnmr == (len(mated) - point.true_accepts) / len(mated)
    assert point.far_target is None


def test_failure_is_accepted_at_no_threshold() -> None:
    for scores in (np.array([FAILED, -1e300]), np.float32([FAILED, -3e38])):
        point = rates_at(scores, scores, -math.inf)
        assert (point.true_accepts, point.false_accepts) == (1, 1)
        assert rates_at(scores, scores, math.inf).true_accepts == 0


def test_nan_threshold_is_refused() -> None:
    with pytest.raises(ConventionError, match="threshold is nan"):
        rates_at([0.5], [0.1], math.nan)


def test_fnmr_is_nan_without_mated_scores() -> None:
    with pytest.warns(UndefinedMetric, match="there are no mated scores"):
        assert math.isnan(rates_at([], [0.1], 0.5).fnmr)


# ── accuracy over folds ──────────────────────────────────────────────────────────────────────────────────────────────


def slow_exact(scores: np.ndarray, mated: np.ndarray, fold: np.ndarray) -> tuple[list[float], list[float]]:
    per_fold, thresholds = [], []
    for held_out in sorted(set(fold.tolist())):
        rest = fold != held_out
        known = sorted({s for s in scores[rest].tolist()})
        candidates = [-math.inf, math.inf]
        candidates += [b if a == -math.inf else a + (b - a) / 2 for a, b in itertools.pairwise(known)]

        def accuracy(threshold: float, which: np.ndarray) -> float:
            right = [(s >= threshold and s > -math.inf) == m for s, m in zip(scores[which], mated[which], strict=True)]
            return sum(right) / len(right)

        best = max(candidates, key=lambda t: (accuracy(t, rest), t))
        per_fold.append(accuracy(best, ~rest))
        thresholds.append(best)
    return per_fold, thresholds


def slow_insightface(scores: np.ndarray, mated: np.ndarray, fold: np.ndarray) -> tuple[list[float], list[float]]:
    grid, per_fold, chosen = np.arange(0, 4, 0.01), [], []
    distance = [math.inf if s == -math.inf else max(0.0, 2 - 2 * s) for s in scores.tolist()]
    for held_out in sorted(set(fold.tolist())):
        counts = []
        for threshold in grid:
            right = [(d < threshold) == m for d, m, f in zip(distance, mated, fold, strict=True) if f != held_out]
            counts.append(sum(right))
        threshold = grid[int(np.argmax(counts))]
        right = [(d < threshold) == m for d, m, f in zip(distance, mated, fold, strict=True) if f == held_out]
        per_fold.append(sum(right) / len(right))
        chosen.append(1 - threshold / 2)
    return per_fold, chosen


comparisons = st.lists(st.tuples(score, st.booleans(), st.integers(0, 3)), min_size=2, max_size=40).filter(
    lambda rows: len({f for _, _, f in rows}) > 1
)


@given(comparisons)
def test_exact_accuracy_equals_trying_every_threshold(rows: list[tuple[float, bool, int]]) -> None:
    scores, mated, fold = (np.array(column) for column in zip(*rows, strict=True))
    found = accuracy_kfold(scores, mated, fold)
    per_fold, thresholds = slow_exact(scores, mated, fold)
    assert found.per_fold == pytest.approx(per_fold, abs=EXACT)
    assert found.thresholds == pytest.approx(thresholds, abs=EXACT)
    assert found.mean == pytest.approx(np.mean(per_fold), abs=EXACT)
    assert found.std == pytest.approx(np.std(per_fold), abs=EXACT)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("decimals", [2, 16])
def test_insightface_accuracy_equals_its_loop_over_the_grid(seed: int, decimals: int) -> None:
    rng = np.random.default_rng(seed)
    mated, fold = rng.random(200) < 0.5, rng.integers(0, 4, 200)
    scores = np.where(mated, rng.normal(0.5, 0.2, 200), rng.normal(0.1, 0.2, 200)).clip(-1, 1).round(decimals)
    scores[rng.integers(0, 200, 5)] = FAILED
    found = accuracy_kfold(scores, mated, fold, compat="insightface")
    per_fold, thresholds = slow_insightface(scores, mated, fold)
    assert found.per_fold == pytest.approx(per_fold, abs=EXACT)
    assert found.thresholds == pytest.approx(thresholds, abs=EXACT)


@pytest.mark.parametrize("seed", range(5))
def test_exact_and_grid_differ_by_at_most_a_few_of_lfws_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mated = np.tile(np.repeat([True, False], 300), 10)
    scores = np.where(mated, rng.normal(0.62, 0.12, 6000), rng.normal(0.03, 0.08, 6000)).clip(-1, 1)
    fold = np.repeat(np.arange(10), 600)
    exact, grid = (accuracy_kfold(scores, mated, fold, compat=c) for c in ("", "insightface"))  # type: ignore[arg-type]
    assert abs(exact.mean - grid.mean) * 6000 <= 3.5
    assert exact.mean > 0.99


def test_accuracy_of_a_case_done_by_hand() -> None:
    # Fold 0 is judged at the middle of fold 1's 0.2 and 0.6, fold 1 at the middle of fold 0's 0.5 and 0.9.
    found = accuracy_kfold(
        [0.9, 0.5, 0.1, 0.6, 0.2, FAILED], [True, False, False, True, False, True], [0, 0, 0, 1, 1, 1]
    )
    assert found.thresholds == pytest.approx((0.4, 0.7))
    assert found.per_fold == (2 / 3, 1 / 3)


def test_of_equally_accurate_thresholds_the_largest_is_taken() -> None:
    # On fold 1 both 0.35 (accept 0.4 and more) and 0.85 are right twice of three.
    found = accuracy_kfold([0.5, 0.4, 0.8, 0.9, 0.3], [True, True, False, True, False], [0, 1, 1, 1, 1])
    assert found.thresholds[0] == pytest.approx(0.85)


def test_threshold_between_a_failure_and_a_score_is_the_score() -> None:
    found = accuracy_kfold([0.3, FAILED, 0.2, 0.4], [True, False, True, True], [0, 1, 1, 1])
    assert found.thresholds[0] == 0.2


def test_threshold_of_folds_of_one_kind_accepts_all_or_none() -> None:
    found = accuracy_kfold([0.3, 0.2, 0.4, 0.1], [True, True, False, False], [0, 0, 1, 1])
    assert found.thresholds == (math.inf, -math.inf)
    assert found.mean == 0.0


def test_threshold_between_neighbouring_floats_separates_them() -> None:
    low, high = 0.5, float(np.nextafter(0.5, 1))
    found = accuracy_kfold([low, high, low, high], [False, True, False, True], [0, 0, 1, 1])
    assert found.mean == 1.0


@given(comparisons)
def test_accuracy_does_not_depend_on_the_order(rows: list[tuple[float, bool, int]]) -> None:
    for compat in ("", "insightface"):
        forward, backward = (
            accuracy_kfold(*(np.array(c) for c in zip(*r, strict=True)), compat=compat)  # type: ignore[arg-type]
            for r in (rows, rows[::-1])
        )
        assert forward == backward


def test_accuracy_of_one_fold_is_nan() -> None:
    with pytest.warns(UndefinedMetric, match="needs 2 folds, got 1"):
        found = accuracy_kfold([0.5, 0.1], [True, False], [0, 0])
    assert math.isnan(found.mean)
    assert found.per_fold == ()


def test_accuracy_refuses_what_is_not_a_comparison_each() -> None:
    with pytest.raises(ConventionError, match=r"mated: expected \(2,\) booleans, got \(2,\) int64"):
        accuracy_kfold([0.5, 0.1], [1, 0], [0, 1])
    with pytest.raises(ConventionError, match=r"fold: expected \(2,\) integers, got \(3,\)"):
        accuracy_kfold([0.5, 0.1], [True, False], [0, 1, 1])


def test_insightface_refuses_scores_that_are_not_cosines() -> None:
    with pytest.raises(ConventionError, match=r"scores\[1\] is 37; compat 'insightface' expects cosines"):
        accuracy_kfold([0.5, 37.0], [True, False], [0, 1], compat="insightface")


# ── histogram ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_histogram_equals_numpys_and_leaves_failures_out() -> None:
    mated, non_mated = simulated(500, 900)
    edges, first, second = histogram(np.append(mated, FAILED), non_mated, bins=20)
    np.testing.assert_array_equal(first, np.histogram(mated, edges)[0])
    np.testing.assert_array_equal(second, np.histogram(non_mated, edges)[0])
    assert (first.sum(), second.sum()) == (500, 900)
    assert (edges[0], edges[-1]) == (non_mated.min(), mated.max())


def test_given_edges_are_shared_and_lose_no_score() -> None:
    edges, first, second = histogram([0.0, 0.5, 1.0, 7.0], [-3.0, 0.49], bins=[0.0, 0.5, 1.0])
    assert edges.tolist() == [0.0, 0.5, 1.0]
    assert (first.tolist(), second.tolist()) == ([1, 3], [2, 0])


def test_histogram_of_one_value_or_of_failures_alone_has_bins() -> None:
    assert histogram([0.5], [0.5], bins=2)[0].tolist() == [0.0, 0.5, 1.0]
    edges, first, second = histogram([FAILED], [], bins=4)
    assert (edges[0], edges[-1], first.sum(), second.sum()) == (-1, 1, 0, 0)


def test_histogram_refuses_edges_that_do_not_rise() -> None:
    with pytest.raises(ConventionError, match="each above the one before"):
        histogram([0.5], [0.1], bins=[0.0, 0.0, 1.0])
    with pytest.raises(ConventionError, match="bins is 0; expected at least 1"):
        histogram([0.5], [0.1], bins=0)


# ── Sketch ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(some, some, st.integers(2, 40))
def test_a_sketch_has_points_of_the_whole_curve_and_both_its_ends(
    mated: np.ndarray, non_mated: np.ndarray, points: int
) -> None:
    whole, drawn = roc(mated, non_mated), sketch(mated, non_mated, points)
    there = {t: (fmr, fnmr) for t, fmr, fnmr in zip(whole.threshold, whole.fmr, whole.fnmr, strict=True)}
    assert 1 <= len(drawn.threshold) <= points
    assert (np.diff(drawn.threshold) < 0).all()
    for threshold, fmr, fnmr in zip(drawn.threshold, drawn.fmr, drawn.fnmr, strict=True):
        assert there[threshold] == (fmr, fnmr)
    assert (drawn.threshold[0], drawn.threshold[-1]) == (math.inf, whole.threshold[-1])


def test_a_sketch_is_near_the_curve_everywhere() -> None:
    mated, non_mated = simulated(3000, 200_000)
    whole, drawn = roc(mated, non_mated), sketch(mated, non_mated, 300)
    for far in np.geomspace(1e-5, 1, 60):
        exact, near = (c.fnmr[np.searchsorted(c.fmr, far, side="right") - 1] for c in (whole, drawn))
        assert exact <= near <= exact + 0.03


def test_a_sketch_needs_two_points() -> None:
    with pytest.raises(ConventionError, match="points is 1; a curve needs at least its 2 ends"):
        sketch([0.5], [0.1], 1)


# ── every function ───────────────────────────────────────────────────────────────────────────────────────────────────

FUNCTIONS = {
    "roc": roc,
    "eer": eer,
    "auc": auc,
    "histogram": histogram,
    "tar_at_far": lambda m, n: tar_at_far(m, n, 0.1),
    "nearest": lambda m, n: tar_at_far(m, n, 0.1, "nearest"),
    "rates_at": lambda m, n: rates_at(m, n, 0.5),
    "sketch": lambda m, n: sketch(m, n, 10),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nan_is_refused_with_its_index(name: str) -> None:
    with pytest.raises(ConventionError, match=r"mated\[1\] is nan; expected a finite score, or -inf"):
        FUNCTIONS[name]([0.5, math.nan], [0.1])
    with pytest.raises(ConventionError, match=r"non_mated\[2\] is inf"):
        FUNCTIONS[name]([0.5], [0.1, 0.2, math.inf])
    with pytest.raises(ConventionError, match=r"expected an array of 1 axes, got shape \(1, 2\)"):
        FUNCTIONS[name]([[0.5, 0.1]], [0.1])
    with pytest.raises(ConventionError, match="expected floating point scores, got <U1"):
        FUNCTIONS[name](["a"], [0.1])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arguments_are_not_written_to(name: str) -> None:
    mated, non_mated = simulated(40, 60)
    mated.setflags(write=False)
    non_mated.setflags(write=False)
    FUNCTIONS[name](mated, non_mated)


def test_a_million_comparisons_take_no_loop() -> None:
    mated, non_mated = simulated(20_000, 1_000_000)
    point = tar_at_far(mated.astype(np.float32), non_mated.astype(np.float32), 1e-4)
    assert point.false_accepts == 100
    assert rates_at(mated.astype(np.float32), non_mated.astype(np.float32), point.threshold).false_accepts == 100
