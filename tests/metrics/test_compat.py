"""Published codes, run on the embeddings of ``hard.py``: their numbers, and ours by the same definitions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recog_restore.errors import ConventionError
from recog_restore.metrics import auc, pair_scores, tar_at_fars
from recog_restore.metrics.compat import HABITS, Habit, Table, apart, merged, zero_for_failed
from recog_restore.templates import Pooled, Pooling, pool

from .hard import Hard, hard

PUBLISHED = json.loads((Path(__file__).parent / "published.json").read_text("utf-8"))
FARS = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
VARIANTS = [(name, variant) for name, variants in PUBLISHED["1:1"].items() for variant in variants]


@pytest.fixture(scope="module")
def faces() -> Hard:
    return hard()


def pooled(faces: Hard, numbers: np.ndarray, norm: str, detector: bool, flip: bool = True) -> Pooled:
    """Pool some templates as codes do that know no failures: an image without a face is a vector 0."""
    rows = np.flatnonzero(np.isin(faces.template, numbers))
    number = np.searchsorted(np.sort(numbers), faces.template[rows])
    order = np.argsort(np.argsort(numbers))
    vectors = faces.straight + faces.flipped if flip else faces.straight
    found = pool(
        vectors[rows],
        number,
        faces.media[rows],
        np.ones(len(rows), bool),
        pooling=Pooling(norm, detector),  # type: ignore[arg-type]
        score=faces.score[rows],
    )
    return Pooled(found.vectors[order], found.enrolled[order])


def pooled_by(faces: Hard, numbers: np.ndarray, habit: Habit) -> np.ndarray:
    return pooled(faces, numbers, habit.norm, habit.detector_score).vectors


def test_the_embeddings_are_those_that_the_published_codes_were_run_on(faces: Hard) -> None:
    assert faces.digest() == PUBLISHED["sha256"]


def test_the_embeddings_are_hard(faces: Hard) -> None:
    _, images = np.unique(faces.template, return_counts=True)
    _, media = np.unique(np.unique(np.stack([faces.template, faces.media]), axis=1)[0], return_counts=True)
    assert (images.min(), media.min(), media.max()) == (1, 1, 4)
    assert images.max() > 15
    assert (faces.score == np.float32(0.1)).sum() > 100
    assert (~faces.straight.any(axis=1)).sum() > 80
    enrolled = pooled(faces, np.unique(faces.template), "keep", True).enrolled
    assert (~enrolled).sum() == 4


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_1_to_1_tables_are_the_published_codes(faces: Hard, name: str, variant: str) -> None:
    numbers = np.unique(faces.template)
    found = pooled(faces, numbers, variant.split(",")[0], "detector score" in variant, "flip" in variant)
    first, second = (np.searchsorted(numbers, a) for a in (faces.first, faces.second))
    scores = pair_scores(found.vectors, found.vectors, first, second, found.enrolled, found.enrolled)
    mated, non_mated = (zero_for_failed(scores[faces.label == label]) for label in (1, 0))
    tars = [point.tar for point in tar_at_fars(mated, non_mated, FARS, "nearest")]
    expected = PUBLISHED["1:1"][name][variant]
    np.testing.assert_allclose(tars, expected[:6], atol=1e-6)
    for area in expected[6:]:
        assert auc(mated, non_mated) == pytest.approx(area, abs=1e-6)


@pytest.mark.parametrize("name", [n for n, habit in HABITS.items() if habit.galleries == "merged"])
def test_1_to_n_tables_of_merged_galleries_are_the_published_codes(faces: Hard, name: str) -> None:
    numbers, subjects = (np.concatenate(parts) for parts in zip(*faces.galleries, strict=True))
    probes = pooled_by(faces, faces.probes[0], HABITS[name])
    agrees(merged(probes, pooled_by(faces, numbers, HABITS[name]), faces.probes[1], subjects), PUBLISHED["1:N"][name])


@pytest.mark.parametrize("name", [n for n, habit in HABITS.items() if habit.galleries == "apart"])
@pytest.mark.parametrize("gallery", [0, 1])
def test_1_to_n_tables_of_two_galleries_are_the_published_codes(faces: Hard, name: str, gallery: int) -> None:
    numbers, subjects = faces.galleries[gallery]
    probes = pooled_by(faces, faces.probes[0], HABITS[name])
    found = apart(probes, pooled_by(faces, numbers, HABITS[name]), faces.probes[1], subjects)
    agrees(found, PUBLISHED["1:N"][name][gallery])
    assert found.searches == PUBLISHED["1:N"][name][gallery]["searches"]


def agrees(found: Table, expected: dict[str, Any]) -> None:
    for ours, theirs in ((found.rank, "rank"), (found.tpir, "tpir"), (found.threshold, "threshold")):
        published = {float(key): value for key, value in expected[theirs].items()}
        assert published.keys() == ours.keys()
        np.testing.assert_allclose([ours[key] for key in published], list(published.values()), atol=1e-6)


def test_the_three_definitions_of_one_name_differ_on_the_same_features(faces: Hard) -> None:
    """What is called TPIR at 1e-1: merged, of two galleries; the third, ours, is in test_openset."""
    one = PUBLISHED["1:N"]["insightface-merged"]["tpir"]["0.1000000000"]
    other = np.mean([gallery["tpir"]["0.1"] for gallery in PUBLISHED["1:N"]["insightface-ijb-evals"]])
    assert abs(one - other) > 0.02


def test_what_the_published_codes_cannot_search_is_refused() -> None:
    one = np.eye(2, dtype=np.float32)
    with pytest.raises(
        ConventionError, match="expected exactly one gallery template of every probe's subject, as merg"
    ):
        merged(one, one, [1, 2], [1, 3])
    with pytest.raises(ConventionError, match="expected one gallery template of each subject, as IJB-B and IJB-C have"):
        apart(one, one, [1, 2], [1, 1])
    with pytest.raises(ConventionError, match="expected mated and non-mated probes, got 2 and 0"):
        apart(one, one, [1, 2], [1, 2])
