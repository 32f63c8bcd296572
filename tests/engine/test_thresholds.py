from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from recog_restore.engine.differences import bootstrap
from recog_restore.engine.kept import Kept
from recog_restore.engine.thresholds import FMRS, thresholds
from recog_restore.metrics import verification

PEOPLE = 50


def crossed() -> Kept:
    """50 people, 4 mated comparisons each, and every pair of people once."""
    generator = np.random.default_rng(3)
    mated = np.repeat(np.arange(PEOPLE), 4)
    a, b = np.triu_indices(PEOPLE, 1)
    first, second = np.concatenate([mated, a]), np.concatenate([mated, b])
    scores = np.where(first == second, 0.6, 0.0) + 0.15 * generator.normal(size=len(first))
    return Kept(
        kind="verification",
        protocol="drawn@1",
        fingerprint="f" * 64,
        failure="iso",
        metrics=("eer",),
        compat=(),
        preprocessors=("none",),
        first=first,
        second=second,
        subjects_known=True,
        fold=np.zeros(len(first), np.int64),
        counted={"none": np.ones(len(first), bool)},
        scores={"none": scores},
    )


def test_a_threshold_is_the_one_that_keeps_to_the_rate_within_its_interval() -> None:
    kept = crossed()
    scores, mated = kept.scores["none"], kept.mated
    found = thresholds(kept, "none", bootstrap(kept, 200))
    assert tuple(t.fmr for t in found) == FMRS
    for t in found[:2]:
        assert t.value == verification.tar_at_far(scores[mated], scores[~mated], t.fmr).threshold
        assert t.false_accepts == int((scores[~mated] >= t.value).sum())
        assert t.fnmr == pytest.approx(float((scores[mated] < t.value).mean()))
        assert t.interval[0] <= t.value <= t.interval[1]
        assert t.fnmr_interval[0] <= t.fnmr <= t.fnmr_interval[1]
        assert (t.n, t.method) == (PEOPLE * (PEOPLE - 1) // 2, "subject bootstrap")
    assert found[0].value < found[1].value


def test_a_rate_below_one_comparison_has_no_threshold() -> None:
    kept = crossed()
    found = thresholds(kept, "none", bootstrap(kept, 20))
    assert [t.value is None for t in found] == [False, False, True, True, True]
    assert {(t.n, t.interval, t.fnmr, t.method) for t in found[2:]} == {(1225, None, None, "")}


def test_without_mated_comparisons_there_is_a_threshold_but_no_fnmr() -> None:
    kept = crossed()
    alone = dataclasses.replace(kept, counted={"none": ~kept.mated})
    found = thresholds(alone, "none", bootstrap(alone, 20))[0]
    assert found.value is not None
    assert found.interval is not None
    assert (found.fnmr, found.fnmr_interval) == (None, None)


def test_a_search_has_none() -> None:
    kept = dataclasses.replace(crossed(), kind="identification")
    assert thresholds(kept, "none", bootstrap(kept, 2)) == []
