from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import binomtest, kstest

from recog_restore.errors import ConventionError
from recog_restore.metrics.mcnemar import mcnemar, mcnemar_by_subject


@pytest.mark.parametrize(("fixed", "broken"), [(0, 1), (4, 15), (45, 10), (300, 260), (7, 7)])
def test_exact_p_equals_scipys_binomial_test(fixed: int, broken: int) -> None:
    assert mcnemar(fixed, broken).exact == pytest.approx(binomtest(fixed, fixed + broken).pvalue, rel=1e-9)


@pytest.mark.parametrize(
    ("fixed", "broken", "exact"),
    [
        (4, 15, 0.0192108154296875),
        (45, 10, 2.0572645155203517e-06),
        (12, 30, 0.007915897334896727),
        (300, 260, 0.0992558700573967),
        (0, 5, 0.0625),
    ],
)
def test_exact_p_equals_statsmodels(fixed: int, broken: int, exact: float) -> None:
    """Golden: statsmodels 0.15.0, mcnemar([[50, fixed], [broken, 20]], exact=True).pvalue."""
    assert mcnemar(fixed, broken).exact == pytest.approx(exact, rel=1e-9)


def test_mid_p_counts_what_was_seen_by_half() -> None:
    # Fagerland, Lydersen, Laake (2013), table 1: 1 and 7 discordant pairs: exact 0.070, mid-p 0.039.
    found = mcnemar(1, 7)
    assert found.exact == pytest.approx(0.0703125)
    assert found.mid == pytest.approx(0.0390625)
    assert mcnemar(0, 5).mid == pytest.approx(0.5**5)


def test_no_change_is_p_one() -> None:
    assert mcnemar(0, 0) == mcnemar(3, 3) == mcnemar_by_subject([0, 2, -2]) == (1.0, 1.0)


def test_order_of_the_runs_does_not_matter() -> None:
    assert mcnemar(3, 9) == mcnemar(9, 3)
    assert mcnemar_by_subject([3, -1, 4]) == mcnemar_by_subject([-3, 1, -4])


def test_one_change_a_subject_is_mcnemars_test() -> None:
    for fixed, broken in ((1, 0), (4, 15), (45, 10), (700, 650)):
        gain = [1] * fixed + [-1] * broken + [0] * 5
        assert mcnemar_by_subject(gain) == pytest.approx(tuple(mcnemar(fixed, broken)), rel=1e-9)


@pytest.mark.parametrize("gain", [[5], [3, 2, -1], [4, 4, -1, 2, 0], [1, 1, 2, 2, 3, 3, -4], [9, -2, -2, -2, 1]])
def test_by_subject_equals_all_signs_tried(gain: list[int]) -> None:
    observed = abs(sum(gain))
    sums = [
        abs(sum(s * g for s, g in zip(signs, gain, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(gain))
    ]
    assert mcnemar_by_subject(gain).exact == pytest.approx(np.mean([s >= observed for s in sums]))
    assert mcnemar_by_subject(gain).mid == pytest.approx(
        np.mean([s > observed for s in sums]) + np.mean([s == observed for s in sums]) / 2
    )


def test_changes_of_one_subject_are_one_coin() -> None:
    assert mcnemar_by_subject([40]).exact == 1.0
    assert mcnemar(40, 0).exact < 1e-11


def test_permuted_labels_give_uniform_p_values() -> None:
    """Before and after exchanged at random, subject by subject: no difference by construction."""
    generator = np.random.default_rng(0)
    size = generator.integers(1, 8, size=200)
    p = [mcnemar_by_subject(size * generator.choice([-1, 1], size=200)).mid for _ in range(500)]
    assert kstest(p, "uniform").pvalue > 0.01
    assert 0.03 <= np.mean(np.array(p) <= 0.05) <= 0.07
    # Taking the comparisons for independent finds differences that are not there.
    signs = [size * generator.choice([-1, 1], size=200) for _ in range(500)]
    naive = [mcnemar(int(g[g > 0].sum()), int(-g[g < 0].sum())).mid for g in signs]
    assert np.mean(np.array(naive) <= 0.05) > 0.2


def test_what_is_no_count_is_refused() -> None:
    with pytest.raises(ConventionError, match="expected counts, got -1 fixed and 2 broken"):
        mcnemar(-1, 2)
    with pytest.raises(ConventionError, match="gain: expected integers in one axis, got float64"):
        mcnemar_by_subject([0.5])
