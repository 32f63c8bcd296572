from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recog_restore import templates
from recog_restore.errors import ConventionError
from recog_restore.templates import Pooling, pool

samples = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from("abc"), st.booleans(), st.integers(0, 2**16)), min_size=1, max_size=20
)


def slow_pool(vectors: np.ndarray, template: list[int], media: list[str], valid: list[bool], number: int) -> np.ndarray:
    of_media: dict[str, list[np.ndarray]] = {}
    for vector, t, medium, there in zip(vectors, template, media, valid, strict=True):
        if t == number and there:
            of_media.setdefault(medium, []).append(vector)
    if not of_media:
        return np.zeros(vectors.shape[1])
    mean = np.mean([np.mean(v, axis=0) for v in of_media.values()], axis=0)
    return mean / np.linalg.norm(mean)


@settings(deadline=None, derandomize=True, database=None)
@given(samples)
def test_templates_equal_a_slow_loop_and_do_not_depend_on_the_order(rows: list[tuple[int, str, bool, int]]) -> None:
    names = sorted({t for t, *_ in rows})
    template = [names.index(t) for t, *_ in rows]
    media, valid = [m for _, m, *_ in rows], [v for *_, v, _ in rows]
    vectors = np.stack([np.random.default_rng(seed).normal(size=4) for *_, seed in rows])
    found = pool(vectors, template, media, valid)
    for number in range(len(names)):
        expected = slow_pool(vectors, template, media, valid, number)
        np.testing.assert_allclose(found.vectors[number], expected, atol=1e-6)
        assert found.enrolled[number] == expected.any()
    again = pool(vectors[::-1], template[::-1], media[::-1], valid[::-1])
    np.testing.assert_allclose(found.vectors, again.vectors, atol=1e-6)


def test_a_video_weighs_as_much_as_a_photograph() -> None:
    found = pool(
        np.array([[1.0, 0], [1, 0], [1, 0], [0, 1]]), [0] * 4, ["video", "video", "video", "photo"], [True] * 4
    )
    np.testing.assert_allclose(found.vectors, [[np.sqrt(0.5), np.sqrt(0.5)]], atol=1e-7)


@pytest.mark.parametrize("norm", ["keep", "unit"])
@pytest.mark.parametrize("detector", [False, True])
def test_variants_equal_a_loop_over_templates_and_media(norm: str, detector: bool, monkeypatch: Any) -> None:
    monkeypatch.setattr(templates, "_VALUES", 7 * 8)  # a template may lie in several blocks
    rng = np.random.default_rng(2)
    vectors, rows = rng.normal(size=(90, 8)) * rng.uniform(0.2, 3, (90, 1)), rng.permutation(90)[:80]
    template, media, valid = np.sort(rng.integers(0, 9, 80)), rng.integers(0, 4, 80), rng.random(80) < 0.8
    order, score = rng.permutation(80), rng.random(80)
    template = template[order]
    found = pool(vectors, template, media, valid, pooling=Pooling(norm, detector), score=score, rows=rows)  # type: ignore[arg-type]
    for number in range(9):
        total = np.zeros(8)
        for medium in range(4):
            mine = np.flatnonzero((template == number) & (media == medium) & valid)
            samples = [vectors[rows[i]] / (np.linalg.norm(vectors[rows[i]]) if norm == "unit" else 1) for i in mine]
            samples = [s * (score[i] if detector else 1) for s, i in zip(samples, mine, strict=True)]
            total += np.mean(samples, axis=0) if len(mine) else 0
        np.testing.assert_allclose(found.vectors[number], total / np.linalg.norm(total), atol=1e-6)


def test_a_length_counts_only_where_it_is_kept() -> None:
    vectors = np.array([[9.0, 0], [0, 1]])
    given = (vectors, [0, 0], ["a", "b"], [True, True])
    np.testing.assert_allclose(pool(*given, pooling=Pooling("unit")).vectors, [[np.sqrt(0.5)] * 2], atol=1e-7)
    assert pool(*given, pooling=Pooling("keep")).vectors[0, 0] > 0.99


def test_a_sample_whose_detector_score_is_unknown_is_left_out_where_scores_count() -> None:
    given = (np.eye(2), [0, 1], ["a", "b"], [True, True])
    assert pool(*given, pooling=Pooling("keep", True), score=[0.5, np.nan]).enrolled.tolist() == [True, False]
    assert pool(*given, pooling=Pooling("keep"), score=[0.5, np.nan]).enrolled.tolist() == [True, True]


def test_a_pooling_says_in_words_what_it_does() -> None:
    assert Pooling("keep", True).words() == (
        "samples of the length that the embedder gives them, multiplied by the detector's score, averaged within each "
        "medium, summed over the media, brought to length 1"
    )
    assert Pooling().words().startswith("samples of length 1, not weighted by the detector, averaged")


def test_one_sample_is_its_own_template() -> None:
    vectors = np.array([[3.0, 4], [0, -2]])
    found = pool(vectors, [1, 0], [0, 0], [True, True])
    np.testing.assert_allclose(found.vectors, [[0, -1], [0.6, 0.8]], atol=1e-7)


def test_what_failed_is_left_out_and_a_template_without_a_sample_is_not_enrolled() -> None:
    vectors = np.array([[1.0, 0], [np.nan, np.inf], [np.nan, 0], [0, 1], [0, -1]])
    found = pool(vectors, [0, 0, 1, 2, 2], [0, 1, 0, 0, 1], [True, False, False, True, True])
    assert found.enrolled.tolist() == [True, False, False]
    np.testing.assert_allclose(found.vectors, [[1, 0], [0, 0], [0, 0]])


def test_nothing_is_pooled_to_nothing() -> None:
    found = pool(np.empty((0, 3)), np.empty(0, np.int64), [], np.empty(0, bool))
    assert found.vectors.shape == (0, 3)


def test_what_is_no_template_is_refused() -> None:
    one = np.ones((1, 2))
    with pytest.raises(ConventionError, match=r"expected \(M, D\) vectors with M templates, media and booleans, got"):
        pool(one, [0, 0], [0], [True])
    with pytest.raises(ConventionError, match="expected templates as integers and valid as booleans, got <U1 and bool"):
        pool(one, ["a"], [0], [True])
    with pytest.raises(ConventionError, match="expected every number from 0 on; one of them has no sample"):
        pool(one, [1], [0], [True])
    with pytest.raises(ConventionError, match="expected 1 detector scores, got none"):
        pool(one, [0], [0], [True], pooling=Pooling("keep", True))
