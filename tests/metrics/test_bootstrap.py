from __future__ import annotations

import itertools

import numpy as np
import pytest

from recog_restore.errors import ConventionError
from recog_restore.metrics import accuracy_kfold, auc, eer, tar_at_far
from recog_restore.metrics.bootstrap import SubjectBootstrap, subject_weights
from recog_restore.metrics.bootstrap_curves import (
    accuracy_kfold_draws,
    auc_draws,
    eer_draws,
    tar_at_far_draws,
    threshold_draws,
)

DRAWS = 40


@pytest.fixture
def comparisons() -> tuple[SubjectBootstrap, np.ndarray]:
    """30 people, 200 mated and 400 non-mated comparisons with ties and failures."""
    generator = np.random.default_rng(0)
    first = generator.integers(30, size=600)
    second = np.where(np.arange(600) < 200, first, (first + generator.integers(1, 30, 600)) % 30)
    scores = np.round(generator.normal(size=600) + 1.5 * (first == second), 1)
    scores[[3, 500]] = -np.inf
    return SubjectBootstrap(first, second, DRAWS), scores


def copies(bootstrap: SubjectBootstrap, draw: int) -> np.ndarray:
    """Return each comparison's number as often as a resampling that copies subjects would hold it."""
    weight = bootstrap.weights[:, draw].astype(int)
    times = []
    for a, b in zip(bootstrap.first.tolist(), bootstrap.second.tolist(), strict=True):
        times.append(weight[a] if a == b else weight[a] * weight[b])
    return np.repeat(np.arange(len(times)), times)


def test_weights_are_how_often_each_subject_was_drawn() -> None:
    weights = subject_weights(50, 200, seed=3)
    assert weights.shape == (50, 200)
    assert (weights.sum(axis=0) == 50).all()
    assert weights.mean() == 1
    assert weights.var() == pytest.approx(1 - 1 / 50, rel=0.1)
    np.testing.assert_array_equal(weights, subject_weights(50, 200, seed=3))
    assert (weights != subject_weights(50, 200, seed=4)).any()


@pytest.mark.parametrize("far", [0.0, 0.01, 0.1, 0.9, 1.0])
def test_tar_at_far_equals_an_explicit_resampling(comparisons: tuple[SubjectBootstrap, np.ndarray], far: float) -> None:
    bootstrap, scores = comparisons
    found = tar_at_far_draws(bootstrap, scores, far)
    for draw in range(DRAWS):
        rows = copies(bootstrap, draw)
        mated = bootstrap.within[rows]
        assert found[draw] == tar_at_far(scores[rows[mated]], scores[rows[~mated]], far).tar


@pytest.mark.parametrize("far", [0.0, 0.01, 0.1, 0.9, 1.0])
def test_thresholds_keep_to_the_target_and_no_lower_score_does(
    comparisons: tuple[SubjectBootstrap, np.ndarray], far: float
) -> None:
    bootstrap, scores = comparisons
    found, tar = threshold_draws(bootstrap, scores, far), tar_at_far_draws(bootstrap, scores, far)
    for draw in range(DRAWS):
        rows = copies(bootstrap, draw)
        mated = bootstrap.within[rows]
        genuine, impostor = scores[rows[mated]], scores[rows[~mated]]
        assert (impostor >= found[draw]).mean() <= far
        assert (genuine >= found[draw]).mean() == pytest.approx(tar[draw])
        lower = scores[np.isfinite(scores) & (scores < found[draw])]
        if len(lower):
            assert (impostor >= lower.max()).mean() > far
    assert np.isnan(threshold_draws(SubjectBootstrap(np.arange(9), draws=3), np.zeros(9), 0.1)).all()


def test_eer_and_auc_equal_an_explicit_resampling(comparisons: tuple[SubjectBootstrap, np.ndarray]) -> None:
    bootstrap, scores = comparisons
    equal, area = eer_draws(bootstrap, scores), auc_draws(bootstrap, scores)
    for draw in range(DRAWS):
        rows = copies(bootstrap, draw)
        mated = bootstrap.within[rows]
        genuine, impostor = scores[rows[mated]], scores[rows[~mated]]
        assert equal[draw] == pytest.approx(eer(genuine, impostor).value, abs=1e-12)
        assert area[draw] == pytest.approx(auc(genuine, impostor), abs=1e-12)


@pytest.mark.parametrize("compat", ["", "insightface"])
@pytest.mark.parametrize("decimals", [1, 9])
def test_accuracy_over_folds_equals_an_explicit_resampling(
    comparisons: tuple[SubjectBootstrap, np.ndarray], compat: str, decimals: int
) -> None:
    """With ties and without, failures among them, and without the comparisons that do not count."""
    bootstrap, scores = comparisons
    generator = np.random.default_rng(3)
    scores = np.where(np.isfinite(scores), np.round(np.tanh(scores + generator.normal(size=600)), decimals), scores)
    fold, counted = generator.integers(5, size=600), generator.uniform(size=600) < 0.9
    found = accuracy_kfold_draws(bootstrap, scores, bootstrap.within, fold, counted, compat=compat)
    for draw in range(DRAWS):
        rows = copies(bootstrap, draw)
        rows = rows[counted[rows]]
        expected = accuracy_kfold(scores[rows], bootstrap.within[rows], fold[rows], compat).mean
        assert found[draw] == pytest.approx(expected, abs=1e-12)


def test_accuracy_of_a_draw_without_a_fold_is_nan() -> None:
    """Of two folds with one person each, a draw has both or one of them alone."""
    bootstrap = SubjectBootstrap([0, 0, 1, 1], [0, 1, 1, 0], 50)
    found = accuracy_kfold_draws(bootstrap, np.ones(4), bootstrap.within, np.array([0, 0, 1, 1]))
    np.testing.assert_array_equal(np.isnan(found), (bootstrap.weights == 0).any(axis=0))


def test_ratio_equals_an_explicit_resampling(comparisons: tuple[SubjectBootstrap, np.ndarray]) -> None:
    bootstrap, scores = comparisons
    counted = np.arange(600) % 3 > 0
    for hit in (scores > 1, scores <= 1):
        found = bootstrap.ratio(hit & counted, counted)
        for draw in range(DRAWS):
            rows = copies(bootstrap, draw)
            assert found[draw] == pytest.approx(hit[rows][counted[rows]].mean())


def test_damped_weights_lie_between_one_and_the_product(comparisons: tuple[SubjectBootstrap, np.ndarray]) -> None:
    bootstrap, scores = comparisons
    mated, hit = bootstrap.within, scores > 1
    for damping in (0.0, 0.6):
        found = bootstrap.ratio(hit, np.ones(600, bool), damping)
        top = tar_at_far_draws(bootstrap, scores, 0.1, damping=damping)
        for draw in range(DRAWS):
            w = bootstrap.weights[:, draw]
            product = w[bootstrap.first] * w[bootstrap.second]
            weight = np.where(mated, w[bootstrap.first], 1 + damping * (product - 1))
            assert found[draw] == pytest.approx(weight[hit].sum() / weight.sum())
            total = weight[~mated].sum()
            allowed = [s for s in np.unique(scores) if weight[~mated & (scores >= s)].sum() / total <= 0.1]
            accepted = mated & (scores > max(scores[~mated & (scores < min(allowed))]))
            assert top[draw] == pytest.approx(weight[accepted].sum() / weight[mated].sum())


def test_scores_that_are_kept_back_at_first_are_taken_in_where_a_draw_needs_them() -> None:
    """One person has all the highest impostor scores: where she is drawn often, the threshold lies far below."""
    first, second = map(np.array, zip(*itertools.combinations(range(150), 2), strict=True))
    first, second = np.append(first, np.arange(150)), np.append(second, np.arange(150))
    scores = np.where((first == 0) & (second != 0), 2.0, 0.0) + np.linspace(0, 1, len(first))
    bootstrap = SubjectBootstrap(first, second, DRAWS)
    found = tar_at_far_draws(bootstrap, scores, 0.001)
    for draw in range(DRAWS):
        rows = copies(bootstrap, draw)
        mated = bootstrap.within[rows]
        assert found[draw] == tar_at_far(scores[rows[mated]], scores[rows[~mated]], 0.001).tar


def test_tables_of_pairs_and_lists_of_pairs_sum_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(1)
    first = generator.integers(12, size=500)
    second = (first + generator.integers(0, 12, 500)) % 12
    values = generator.normal(size=500)
    table = SubjectBootstrap(first, second, DRAWS)
    assert table._dense(400)
    whole, squares = table.sums(values), table._squares(values)
    monkeypatch.setattr("recog_restore.metrics.bootstrap._CELLS", 0)
    assert not table._dense(400)
    np.testing.assert_allclose(table.sums(values), whole)
    np.testing.assert_allclose(table._squares(values), squares)


def test_variance_is_the_dyadic_one() -> None:
    """The slow sum over all pairs of comparisons that share a subject."""
    generator = np.random.default_rng(2)
    first = generator.integers(15, size=80)
    second = (first + generator.integers(1, 15, 80)) % 15
    bootstrap = SubjectBootstrap(first, second, 2)
    x = generator.normal(size=80)
    ends = [{a, b} for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    slow = sum(x[i] * x[j] for i in range(80) for j in range(80) if ends[i] & ends[j])
    both, once = bootstrap._squares(x)
    assert both - once == pytest.approx(slow)


def test_damping_is_one_third_of_the_variance_where_nobody_meets_twice() -> None:
    lone = SubjectBootstrap(np.arange(0, 80, 2), np.arange(1, 80, 2), 2)
    assert lone.damping(np.random.default_rng(0).normal(size=40)) == pytest.approx(np.sqrt(1 / 3))
    assert SubjectBootstrap(np.arange(9), draws=2).damping(np.ones(9)) == 1
    first, second = map(np.array, zip(*itertools.combinations(range(200), 2), strict=True))
    person = np.random.default_rng(0).normal(size=200)
    assert SubjectBootstrap(first, second, 2).damping(person[first] + person[second]) > 0.95


def test_comparisons_are_worth_no_more_than_their_number() -> None:
    alone = SubjectBootstrap(np.arange(100), draws=2)
    hit, everything = np.arange(100) < 30, np.ones(100, bool)
    assert alone.worth(hit, everything) == pytest.approx(100)
    # Ten subjects, each always or never found: as good as ten trials.
    together = SubjectBootstrap(np.repeat(np.arange(10), 10), draws=2)
    assert together.worth(hit, everything) == pytest.approx(10)
    assert together.worth(np.zeros(100, bool), everything) == 10
    apart = SubjectBootstrap(np.arange(0, 40, 2), np.arange(1, 40, 2), 2)
    assert apart.worth(np.zeros(20, bool), np.ones(20, bool)) == 20


def test_changes_come_together_as_often_as_they_do_and_as_wrong_decisions_do_while_there_are_none() -> None:
    subject, everything = np.repeat(np.arange(50), 20), np.ones(1000, bool)
    bootstrap, right = SubjectBootstrap(subject, draws=2), np.ones(1000, bool)
    assert bootstrap.together(right, right, everything) == 1
    # Two people with ten wrong decisions each, before and after: ten come together, less what a mean takes away.
    wrong = (subject < 2) & (np.arange(1000) % 20 < 10)
    usual = bootstrap.together(~wrong, ~wrong, everything)
    assert usual == pytest.approx(1000 / bootstrap.worth(wrong, everything)) == pytest.approx(9.8, abs=0.2)
    one = bootstrap.together(~wrong, ~wrong & (np.arange(1000) != 999), everything)
    assert 0.6 * usual < one < usual
    # One change each of five people: with more of them they are seen to come one by one.
    alone = (np.arange(1000) % 20 == 19) & (subject >= 45)
    assert 1 < bootstrap.together(~wrong, ~wrong & ~alone, everything) < one
    assert bootstrap.together(right, right, np.zeros(1000, bool)) == 1


def test_a_draw_without_comparisons_is_nan() -> None:
    bootstrap = SubjectBootstrap(np.array([0, 1]), draws=200)
    counted = np.array([True, False])
    found = bootstrap.ratio(counted, counted)
    absent = bootstrap.weights[0] == 0
    assert absent.any()
    np.testing.assert_array_equal(np.isnan(found), absent)
    assert np.isnan(tar_at_far_draws(bootstrap, np.zeros(2), 0.1)).all()


def test_what_is_no_list_of_comparisons_is_refused(comparisons: tuple[SubjectBootstrap, np.ndarray]) -> None:
    with pytest.raises(ConventionError, match=r"expected the two subjects of at least one comparison, got \(0,\)"):
        SubjectBootstrap(np.zeros(0, int))
    with pytest.raises(ConventionError, match=r"two subjects .* got \(3,\) and \(2,\)"):
        SubjectBootstrap(np.zeros(3, int), np.zeros(2, int))
    with pytest.raises(ConventionError, match="draws is 1; an interval needs at least 2"):
        SubjectBootstrap(np.zeros(3, int), draws=1)
    bootstrap, scores = comparisons
    with pytest.raises(ConventionError, match="far is 2; expected a rate from 0 to 1"):
        tar_at_far_draws(bootstrap, scores, 2)
    with pytest.raises(ConventionError, match="scores: expected one for each of 600 comparisons, got 5"):
        auc_draws(bootstrap, scores[:5])
