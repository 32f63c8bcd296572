from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from recog_restore.errors import ConventionError
from recog_restore.metrics import clopper_pearson


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_intervals_equal_scipys_exact_test(confidence: float) -> None:
    for count in (1, 2, 7, 30, 548):
        for hits in {0, 1, count // 3, count - 1, count}:
            expected = binomtest(hits, count).proportion_ci(confidence, "exact")
            found = clopper_pearson(hits, count, confidence)
            assert found.tolist() == pytest.approx([expected.low, expected.high], abs=1e-12)


def test_interval_of_cases_done_by_hand() -> None:
    # No hit in n: 1 - (α/2)^(1/n); all hits: its mirror. One of one covers (α/2, 1).
    assert clopper_pearson(0, 10).tolist() == pytest.approx([0, 1 - 0.025**0.1])
    assert clopper_pearson(10, 10).tolist() == pytest.approx([0.025**0.1, 1])
    assert clopper_pearson(1, 1).tolist() == pytest.approx([0.025, 1])
    # The published example: 4 of 20 (e.g. R's binom.test(4, 20)) is 0.057334 … 0.436614.
    assert clopper_pearson(4, 20).tolist() == pytest.approx([0.057334, 0.436614], abs=5e-7)


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [
        (0, 40, 0.0, 0.0880973028788024),
        (3, 57, 0.010988255898587256, 0.1461990643105235),
        (5306, 5318, 0.9960616915910628, 0.9988335134317662),
    ],
)
def test_intervals_equal_statsmodels(hits: int, count: int, low: float, high: float) -> None:
    """Golden: statsmodels 0.15.0, proportion_confint(hits, count, method="beta")."""
    assert clopper_pearson(hits, count).tolist() == pytest.approx([low, high], rel=1e-9)


@pytest.mark.parametrize("rate", [0.01, 0.3, 0.975])
def test_interval_covers_the_true_rate_as_often_as_it_says(rate: float) -> None:
    hits = np.arange(41)
    low, high = clopper_pearson(hits, 40).T
    assert binom.pmf(hits[(low <= rate) & (rate <= high)], 40, rate).sum() >= 0.95


def test_intervals_broadcast_mirror_and_are_nan_without_trials() -> None:
    found = clopper_pearson([0, 3, 5], 5)
    assert found.shape == (3, 2)
    np.testing.assert_allclose(found, 1 - clopper_pearson([5, 2, 0], 5)[:, ::-1])
    assert np.isnan(clopper_pearson(0, 0)).all()
    assert np.isnan(clopper_pearson([0, 1], [0, 1])[0]).all()


def test_what_is_no_count_is_refused() -> None:
    for hits, count in ((3, 2), (-1, 2), (0.5, 2)):
        with pytest.raises(ConventionError, match=rf"expected integers 0 <= hits <= count, got hits {hits} of {count}"):
            clopper_pearson(hits, count)
    with pytest.raises(ConventionError, match="confidence is 95; expected between 0 and 1, as 0.95"):
        clopper_pearson(1, 2, 95)
