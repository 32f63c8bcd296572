from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import multinomial, poisson, ttest_1samp

from recog_restore.errors import ConventionError
from recog_restore.metrics import clopper_pearson, mcnemar
from recog_restore.metrics.bootstrap import SubjectBootstrap
from recog_restore.metrics.drift import impostor_drift
from recog_restore.metrics.intervals import clopper_pearson_of_rate
from recog_restore.metrics.statistics import (
    holm,
    normal_interval,
    normal_p,
    percentile_interval,
    rate_interval,
    smallest_detectable,
    verdict,
    with_two_more,
)


def test_percentile_interval_of_many_subjects_is_the_middle_95_percent() -> None:
    draws = np.linspace(0, 1, 1001)
    assert percentile_interval(draws, 10**9) == pytest.approx((0.025, 0.975), abs=1e-6)
    few, many = percentile_interval(draws, 10), percentile_interval(draws, 100)
    assert few[0] < many[0] < 0.025 < 0.975 < many[1] < few[1]
    assert np.isnan(percentile_interval([0.0, math.nan], 10)).all()


def test_expanded_interval_of_a_mean_has_students_width() -> None:
    generator = np.random.default_rng(0)
    sample = generator.normal(size=12)
    spread = sample.std() / math.sqrt(12)
    low, high = percentile_interval(sample.mean() + spread * generator.normal(size=200_000), 12)
    width = 2 * 2.201 * sample.std(ddof=1) / math.sqrt(12)
    assert high - low == pytest.approx(width, rel=0.01)
    around = normal_interval(sample.mean(), spread, 12)
    assert (sum(around) / 2, around[1] - around[0]) == pytest.approx((sample.mean(), width), rel=1e-3)


@pytest.mark.parametrize("subjects", [2, 12, 5000])
@pytest.mark.parametrize("value", [-0.3, 0.0, 0.01, 0.02])
def test_p_is_below_five_percent_just_where_the_interval_leaves_out_0(value: float, subjects: int) -> None:
    for spread in np.geomspace(1e-4, 0.1, 40).tolist():
        low, high = normal_interval(value, spread, subjects)
        assert (normal_p(value, spread, subjects) < 0.05) == (low > 0 or high < 0)


def test_normal_p_is_students_and_undefined_without_a_spread() -> None:
    assert normal_p(1.959964, 1.0, 10**9) == pytest.approx(0.05, abs=1e-6)
    # A mean of 12 numbers: the p-value of the t-test, from their standard deviation by 12.
    sample = np.random.default_rng(1).normal(0.5, size=12)
    expected = ttest_1samp(sample, 0.0).pvalue
    assert normal_p(sample.mean(), sample.std() / math.sqrt(12), 12) == pytest.approx(expected)
    assert math.isnan(normal_p(0.0, 0.0, 9))
    assert math.isnan(normal_p(math.nan, 0.1, 9))
    assert math.isnan(normal_p(0.1, math.nan, 9))
    assert math.isnan(normal_p(0.1, 0.1, 1))


def of_counts(fixed: int, broken: int, n: int) -> tuple[float, float]:
    """Return the centre and standard error of independent trials, the latter from all changes one by one."""
    change = np.array([1.0] * fixed + [-1.0] * broken + [0.0] * (n - fixed - broken))
    return with_two_more(float(change.mean()), float(change.std()) / math.sqrt(n), n)


def test_two_more_changes_are_those_of_bonett_and_price() -> None:
    for fixed, broken, n in ((0, 0, 50), (6, 1, 100), (9, 12, 40)):
        p, q = (fixed + 1) / (n + 2), (broken + 1) / (n + 2)
        centre, spread = of_counts(fixed, broken, n)
        assert centre == pytest.approx(p - q)
        assert spread == pytest.approx(math.sqrt((p + q - (p - q) ** 2) / (n + 2)), rel=0.03)


def test_the_fewest_changes_that_are_significant_are_those_of_the_exact_test() -> None:
    """Of independent trials, all to one side, and with some to the other."""
    for broken, fewest in ((0, 6), (1, 8), (2, 10)):
        for fixed in range(broken, 20):
            exact = mcnemar(fixed, broken).exact <= 0.05
            assert (normal_p(*of_counts(fixed, broken, 2000), 2000) <= 0.05) == exact == (fixed >= fewest)


def test_the_bound_of_no_change_holds_and_is_hardly_wider_than_it_must() -> None:
    """All outcomes of few independent trials, each with its probability, for many true rates."""
    for n in (20, 60):
        intervals, chance = [], []
        counts = [(f, b) for f in range(n + 1) for b in range(n + 1 - f)]
        for fixed, broken in counts:
            intervals.append(normal_interval(*of_counts(fixed, broken, n), n))
        ends = np.array(intervals)
        for gained, lost in ((0.0, 0.0), (0.02, 0.0), (0.05, 0.05), (0.1, 0.02), (0.3, 0.1)):
            chance = multinomial.pmf([(f, b, n - f - b) for f, b in counts], n, [gained, lost, 1 - gained - lost])
            held = chance[(ends[:, 0] <= gained - lost) & (gained - lost <= ends[:, 1])].sum()
            assert held >= 0.94
        none = intervals[counts.index((0, 0))]
        rule_of_three = 1 - 0.025 ** (1 / n)
        assert none[0] == -none[1]
        assert 0.6 * rule_of_three < none[1] < rule_of_three


def test_one_change_moves_the_interval_of_none_by_little() -> None:
    ends = [normal_interval(*of_counts(k, 0, 918), 918) for k in range(12)]
    widths = np.diff(ends).ravel()
    assert (np.diff(widths) > 0).all()
    assert (widths[1:] / widths[:-1]).max() < 1.25
    assert widths[0] == pytest.approx(2 * 2.77 / 918, rel=0.01)


def test_holm_equals_the_steps_done_by_hand() -> None:
    # Golden: statsmodels 0.15.0, multipletests([...], method="holm")[1]; Holm's steps by hand give the same.
    assert holm([0.9, 0.6, 0.001, 0.02, 0.02]).tolist() == pytest.approx([1.0, 1.0, 0.005, 0.08, 0.08])
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]).tolist() == [1.0, 1.0]
    assert holm([0.02]).tolist() == [0.02]
    with_none = holm([0.01, math.nan, 0.04])
    assert with_none[[0, 2]].tolist() == pytest.approx([0.02, 0.04])
    assert math.isnan(with_none[1])


def test_holm_keeps_the_error_over_all_tests() -> None:
    p = np.random.default_rng(0).uniform(size=(2000, 8))
    assert np.mean([(holm(row) <= 0.05).any() for row in p]) == pytest.approx(0.05, abs=0.015)


def test_smallest_detectable_difference_is_found_four_times_out_of_five() -> None:
    for subjects in (8, 10**9):
        smallest = smallest_detectable(0.01, 10**9, subjects)
        found = np.random.default_rng(0).normal(smallest, 0.01, 4000)
        assert np.mean([normal_p(value, 0.01, subjects) < 0.05 for value in found]) == pytest.approx(0.8, abs=0.02)
        assert smallest_detectable(0.01, 10**9, subjects, tests=10) > smallest


def test_smallest_detectable_without_any_change_is_what_changes_six_trials() -> None:
    found = smallest_detectable(0.0, 6000, 100)
    assert poisson.sf(5, found * 6000) == pytest.approx(0.8)
    assert smallest_detectable(0.0, 3, 100) == 1.0
    assert math.isnan(smallest_detectable(0.1, 0, 100))
    assert math.isnan(smallest_detectable(0.1, 10, 1))
    assert math.isnan(smallest_detectable(math.nan, 10, 100))


def test_verdict_is_that_of_the_p_value() -> None:
    assert verdict(0.2, 0.01) == "better"
    assert verdict(-0.2, 0.01) == "worse"
    assert verdict(0.2, 0.01, lower_is_better=True) == "worse"
    assert verdict(0.2, 0.06) == "no difference found"
    assert verdict(0.2, math.nan) == "no difference found"


def test_clopper_pearson_of_a_rate_equals_that_of_its_counts() -> None:
    for hits, count in ((0, 10), (3, 20), (20, 20)):
        assert clopper_pearson_of_rate(hits / count, count) == pytest.approx(clopper_pearson(hits, count).tolist())
    narrow, wide = clopper_pearson_of_rate(0.1, 200.5), clopper_pearson_of_rate(0.1, 30.2)
    assert wide[0] < narrow[0] < 0.1 < narrow[1] < wide[1]
    assert np.isnan(clopper_pearson_of_rate(0.1, 0)).all()


def test_the_interval_of_a_rate_is_that_of_as_many_independent_trials() -> None:
    spread = math.sqrt(0.1 * 0.9 / 200)
    alone = rate_interval(0.1, spread, 200, 10**9)
    assert alone == pytest.approx(clopper_pearson(20, 200).tolist())
    assert rate_interval(0.1, spread / 2, 200, 10**9) == pytest.approx(alone)  # never more trials than there are
    assert rate_interval(0.1, 2 * spread, 200, 10**9) == pytest.approx(clopper_pearson(5, 50).tolist())
    few = rate_interval(0.1, spread, 200, 10)
    assert 0 < few[0] < alone[0] < alone[1] < few[1] < 1
    assert rate_interval(0.9, spread, 200, 10) == pytest.approx((1 - few[1], 1 - few[0]))


def test_impostor_drift_names_the_most_raised() -> None:
    before = np.array([0.1, 0.2, 0.3, -np.inf, 0.0])
    after = np.array([0.3, 0.1, 0.9, 0.5, -np.inf])
    found = impostor_drift(before, after)
    assert (found.count, found.raised.tolist()) == (3, [2, 0])
    assert found.mean == pytest.approx((0.2, 1.3 / 3))
    assert found.tail == pytest.approx((np.quantile(before[:3], 0.999), np.quantile(after[:3], 0.999)))
    assert impostor_drift(before, after, most=1).raised.tolist() == [2]
    assert impostor_drift([], []).count == 0
    with pytest.raises(ConventionError, match="expected the same comparisons, got 1 before and 2 after"):
        impostor_drift([0.1], [0.1, 0.2])


def test_intervals_by_subject_cover_a_known_difference_where_those_by_search_do_not() -> None:
    """60 simulations of what ``benchmarks/coverage.py`` does 1,000 times: subjects differ, and so do their gains."""
    held = {"subjects": 0, "searches": 0}
    for seed in range(60):
        generator = np.random.default_rng(seed)
        subject = np.repeat(np.arange(60), 12)
        person, gain = generator.normal(size=(2, 60))
        noise = generator.normal(size=720)
        before = person[subject] + noise > 0
        after = 0.6 * person[subject] + 0.8 * gain[subject] + noise > 0
        for kind, name in (("subjects", subject), ("searches", np.arange(720))):
            bootstrap = SubjectBootstrap(name, draws=300, seed=seed)
            everything = np.ones(720, bool)
            drawn = bootstrap.ratio(after, everything) - bootstrap.ratio(before, everything)
            low, high = normal_interval(np.mean(after * 1.0 - before), drawn.std(), bootstrap.subjects)
            held[kind] += low <= 0 <= high
    assert held["subjects"] >= 54
    assert held["searches"] < 45


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ConventionError, match="confidence is 95; expected between 0 and 1"):
        percentile_interval([0.0, 1.0], 9, 95)
    with pytest.raises(ConventionError, match="subjects is 1; one subject says nothing about others"):
        percentile_interval([0.0, 1.0], 1)
    with pytest.raises(ConventionError, match="expected p-values from 0 to 1 in one axis"):
        holm([0.5, 1.5])


def test_no_difference_is_larger_than_all() -> None:
    assert smallest_detectable(0.5, 10, 100) == 1.0
