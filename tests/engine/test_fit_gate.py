"""A gate is learned where touching helps, and only from whom it may see."""

from __future__ import annotations

import numpy as np
import pytest

from recog_restore.embed import EMBEDDERS
from recog_restore.engine.benefit import Benefit
from recog_restore.engine.fit_gate import describe, fit_gate
from recog_restore.errors import DataError
from recog_restore.preprocess import PREPROCESSORS
from recog_restore.preprocess.learned import Learned

PEOPLE, EACH = 120, 5


def faces(
    seed: int, effect: float, cross_over: float = 30.0, noise: float = 0.3
) -> tuple[Benefit, dict[str, np.ndarray]]:
    """Return faces of 10 to 60 px; touching helps below the cross-over, and harms above it."""
    generator = np.random.default_rng(seed)
    count = PEOPLE * EACH
    size = generator.uniform(10, 60, count)
    gain = effect * np.tanh((cross_over - size) / 5) + noise * generator.normal(size=count)
    facts = {"size": size, "yaw": generator.uniform(0, 90, count), "drift": generator.uniform(0, 1, count)}
    return Benefit(np.arange(count), np.repeat(np.arange(PEOPLE), EACH), gain), facts


def fit(found: Benefit, facts: dict[str, np.ndarray]) -> Learned:
    names = [f"p{i}" for i in np.unique(found.subject)]
    return fit_gate(found, facts, PREPROCESSORS.create("clahe"), EMBEDDERS.create("lbp"), names, "p@1", "drawn")


def opened(learned: Learned, facts: dict[str, np.ndarray]) -> np.ndarray:
    odds = learned.odds(facts)
    return np.zeros(len(odds), bool) if learned.cut is None else odds > learned.cut


def test_a_gate_finds_where_touching_helps_on_faces_it_never_saw() -> None:
    learned = fit(*faces(0, effect=0.2))
    unseen, facts = faces(1, effect=0.2)
    touched = opened(learned, facts)
    assert (touched == (facts["size"] < 30)).mean() > 0.9
    assert unseen.gain[touched].sum() > 0.8 * unseen.gain[facts["size"] < 30].sum()
    assert unseen.gain[touched].sum() > unseen.gain.sum()
    heaviest = max(learned.terms, key=lambda term: abs(term.weight))
    assert (heaviest.measure, heaviest.weight < 0) == ("size", True)
    assert describe(learned).startswith("it touches")


def test_a_gate_stays_shut_where_touching_only_harms() -> None:
    learned = fit(*faces(0, effect=0.2, cross_over=-10))
    assert learned.cut is None
    assert learned.fitted.share == learned.fitted.gain == 0.0
    assert "the gate stays shut" in describe(learned)


def test_a_gate_opens_for_all_where_touching_always_helps() -> None:
    learned = fit(*faces(0, effect=0.3, cross_over=100))
    _, facts = faces(1, effect=0.3)
    assert opened(learned, facts).mean() > 0.97


def test_a_gate_seldom_opens_for_chance() -> None:
    shut = [fit(*faces(seed, effect=0.0)).cut is None for seed in range(12)]
    assert sum(shut) >= 8


def test_the_same_faces_give_the_same_gate() -> None:
    assert fit(*faces(3, effect=0.1)) == fit(*faces(3, effect=0.1))


def test_a_measure_that_is_unknown_of_some_faces_is_learned_from_the_others() -> None:
    found, facts = faces(0, effect=0.2)
    facts["size"][::4] = np.nan
    _, unseen = faces(1, effect=0.2)
    assert (opened(fit(found, facts), unseen) == (unseen["size"] < 30)).mean() > 0.85


def test_too_little_to_learn_from_is_an_error_with_the_way_out() -> None:
    found, facts = faces(0, effect=0.2)
    few = Benefit(*(array[:15] for array in found))
    with pytest.raises(DataError, match="15 faces of 3 subjects are too few to learn a gate from; at least 20"):
        fit(few, facts)
    with pytest.raises(DataError, match="the faces do not differ in size: there is nothing to learn a gate from"):
        fit(found, {"size": np.full(len(found.jobs), 40.0)})
