from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from recog_restore.embed.spec import create
from recog_restore.engine import evaluate
from recog_restore.engine.domains import feature_map
from recog_restore.engine.embeddings import Embeddings, Settings
from recog_restore.errors import RecordError
from recog_restore.protocol import load
from recog_restore.store import Store

PEOPLE, PROBES = ("ann", "bob", "cid", "eve"), 20


def plan(probes: int = len(PEOPLE) * PROBES) -> Any:
    """One gallery job for each person, and then the probes, person by person."""
    subject = np.array([*PEOPLE, *np.repeat(PEOPLE, PROBES)], dtype=object)
    jobs = np.arange(len(PEOPLE), len(PEOPLE) + probes)
    return SimpleNamespace(probes=jobs, column=lambda name, rows: subject[rows], protocol=SimpleNamespace(id="x@1"))


def embeddings(shift: float = 0.0, failed: tuple[int, ...] = ()) -> Embeddings:
    """Return noisy directions of their person, all turned by a shift; the gallery's are of other lengths."""
    rng = np.random.default_rng(0)
    owner = np.array([*range(len(PEOPLE)), *np.repeat(range(len(PEOPLE)), PROBES)])
    vectors = 4 * np.eye(8)[owner] + 0.3 * rng.normal(size=(len(owner), 8)) + shift * np.eye(8)[7]
    status = np.full(len(owner), "", dtype=object)
    status[list(failed)] = "gone"
    return Embeddings(vectors.astype(np.float32), status, status.copy())


def test_probes_of_a_person_lie_together_and_domains_apart() -> None:
    found = feature_map(plan(), {"none": embeddings(), "other": embeddings(shift=30.0)}, people=3)
    assert len(set(found.subjects)) == 3
    assert all(found.subjects.count(name) == 12 for name in set(found.subjects))
    places = {name: np.array(points) for name, points in found.places.items()}
    together = np.concatenate(list(places.values()))
    assert together.shape == (72, 2)
    assert together.min() == 0
    assert together.max() == 1
    away = np.linalg.norm(together[:, None] - together, axis=2) + 9 * np.eye(72)
    nearest = away.argmin(axis=1)
    assert np.array_equal(nearest < 36, np.arange(72) < 36)
    subjects = np.array(found.subjects * 2)
    assert (subjects[nearest] == subjects).mean() > 0.95


def test_map_is_the_same_when_it_is_made_again() -> None:
    found = {"none": embeddings(), "other": embeddings(shift=3.0)}
    assert feature_map(plan(), found, 2) == feature_map(plan(), found, 2)


def test_probe_that_failed_somewhere_is_left_out_everywhere() -> None:
    bobs = tuple(range(len(PEOPLE) + PROBES, len(PEOPLE) + 2 * PROBES))
    found = feature_map(plan(), {"none": embeddings(), "other": embeddings(failed=bobs[1:])}, people=9)
    assert found.subjects.count("bob") == 1
    assert {len(points) for points in found.places.values()} == {len(found.subjects)} == {3 * 12 + 1}


def test_hardly_any_probes_are_refused() -> None:
    with pytest.raises(
        RecordError, match="--domains: x@1 has 2 probes that no preprocessor failed on; expected at least"
    ):
        feature_map(plan(probes=2), {"none": embeddings()}, 5)


def test_pairs_have_no_probes_to_map(tmp_path: Any) -> None:
    options = {"store": Store(tmp_path), "settings": Settings(8, 0, "cpu"), "domains": 5}
    with pytest.raises(RecordError, match="--domains 5: lfw@1 compares pairs; expected an identification, with probes"):
        evaluate(load("lfw"), cast("Any", None), create("lbp"), **options)  # before the data set is looked at
