from __future__ import annotations

import numpy as np
import pytest

from recog_restore.errors import ConventionError
from recog_restore.metrics import FAILED, cells, pair_scores


def case(pairs: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    first, second = (rng.normal(size=(n, 16)).astype(np.float32) for n in (30, 50))
    row, column = rng.integers(0, 30, pairs, dtype=np.int32), rng.integers(0, 50, pairs, dtype=np.int32)
    return first, second, row, column, rng.random(30) < 0.9, rng.random(50) < 0.9


def slow(first: np.ndarray, second: np.ndarray, *rest: np.ndarray) -> list[float]:
    row, column, one, other = rest
    return [
        float(first[i].astype(float) @ second[j].astype(float)) if one[i] and other[j] else FAILED
        for i, j in zip(row, column, strict=True)
    ]


@pytest.mark.parametrize("pairs", [1, 20, 45, 48, 400, 3000])
@pytest.mark.parametrize("size", [2**26, 30 * 7, 10])
def test_scores_equal_a_slow_loop_as_cells_and_gathered(pairs: int, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "_SCORES", size)
    monkeypatch.setattr(cells, "_PAIRS", 37)
    given = case(pairs)
    found = pair_scores(*given)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, slow(*given), atol=1e-5)


def test_few_comparisons_of_many_templates_are_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: np.ndarray) -> None:
        raise AssertionError

    monkeypatch.setattr(cells, "_cells", never)
    assert len(pair_scores(*case(46))) == 46
    with pytest.raises(AssertionError):
        pair_scores(*case(47))


def test_no_comparison_has_no_score() -> None:
    first, second, _, _, one, other = case(1)
    none = np.empty(0, np.int32)
    assert pair_scores(first, second, none, none, one, other).shape == (0,)


def test_what_is_no_comparison_is_refused() -> None:
    first, second, row, column, one, other = case(5)
    with pytest.raises(ConventionError, match=r"expected as many rows as columns .* \(5,\) and \(4,\)"):
        pair_scores(first, second, row, column[:4], one, other)
    with pytest.raises(ConventionError, match="row: expected numbers from 0 to 29, got 30 to 34"):
        pair_scores(first, second, np.arange(30, 35), column, one, other)
    with pytest.raises(ConventionError, match="column: expected numbers from 0 to 49, got -1 to 3"):
        pair_scores(first, second, row, np.arange(-1, 4), one, other)
