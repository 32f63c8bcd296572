"""Gates and fusions on embeddings made by hand; no image is looked at."""

from __future__ import annotations

import numpy as np
import pytest

from recog_restore.engine.embeddings import Embeddings
from recog_restore.engine.facts import cosines, drift
from recog_restore.engine.pipelines import FUSION_WORDS, Fusion, apply, fused, measures, pipelines
from recog_restore.engine.score import compare
from recog_restore.preprocess import PREPROCESSORS
from recog_restore.preprocess.gate import create
from recog_restore.testing import sample_faces

COUNT, DIM = 30, 8


def embeddings(seed: int, failed: tuple[int, ...] = (), stage: str = "preprocess") -> Embeddings:
    vectors = np.random.default_rng(seed).normal(size=(COUNT, DIM)).astype(np.float32)
    status, where = np.full(COUNT, "", object), np.full(COUNT, "", object)
    for row in failed:
        vectors[row], status[row], where[row] = 0, "broken", stage
    return Embeddings(vectors, status, where)


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.sqrt((vector.astype(np.float64) ** 2).sum())


@pytest.mark.parametrize("fusion", list(FUSION_WORDS))
def test_fused_scores_equal_a_slow_loop(fusion: Fusion) -> None:
    raw, done = embeddings(0), embeddings(1)
    first, second = np.arange(15), np.arange(15, 30)
    found = compare(fused(raw, done, fusion), first, second)
    for i, (a, b) in enumerate(zip(first, second, strict=True)):
        x, y = [raw.vectors[j].astype(np.float64) for j in (a, b)], [done.vectors[j].astype(np.float64) for j in (a, b)]
        expected = {
            "replace": unit(y[0]) @ unit(y[1]),
            "mean": unit(unit(x[0]) + unit(y[0])) @ unit(unit(x[1]) + unit(y[1])),
            "norm-weighted": unit(x[0] + y[0]) @ unit(x[1] + y[1]),
            "max-score": max(unit(x[0]) @ unit(x[1]), unit(y[0]) @ unit(y[1])),
        }[fusion]
        assert found[i] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("fusion", list(FUSION_WORDS))
def test_fusing_a_face_with_itself_changes_no_bit(fusion: Fusion) -> None:
    raw = embeddings(0, failed=(3,), stage="acquire")
    first, second = np.arange(15), np.arange(15, 30)
    assert np.array_equal(compare(fused(raw, raw, fusion), first, second), compare(raw, first, second))


@pytest.mark.parametrize("fusion", ["mean", "norm-weighted", "max-score"])
def test_where_one_face_failed_the_other_stands_for_both(fusion: Fusion) -> None:
    raw, done = embeddings(0, failed=(1, 2), stage="acquire"), embeddings(1, failed=(0, 2))
    found = fused(raw, done, fusion)
    assert found.valid.tolist() == [row != 2 for row in range(COUNT)]
    assert (found.status[2], found.stage[2]) == ("broken", "acquire")
    alone = compare(found, np.array([0, 1]), np.array([0, 1]))
    np.testing.assert_allclose(alone, 1.0, atol=1e-6)
    assert compare(found, np.array([2]), np.array([5])).tolist() == [-np.inf]
    assert compare(found, np.array([0]), np.array([1]))[0] == pytest.approx(
        unit(raw.vectors[0]) @ unit(done.vectors[1]), abs=1e-6
    )


def test_replacing_keeps_a_failure_a_failure() -> None:
    assert not fused(embeddings(0), embeddings(1, failed=(0,)), "replace").valid[0]


def test_two_embeddings_that_cancel_each_other_are_a_failure() -> None:
    raw = embeddings(0)
    found = fused(raw, Embeddings(-raw.vectors, raw.status, raw.stage), "mean")
    assert not found.valid.any()
    assert set(found.status) == {"the two embeddings cancel each other"}


def test_a_gated_face_keeps_its_original_and_a_face_nobody_touches_is_never_gated() -> None:
    baseline, clahe = PREPROCESSORS.create("none"), PREPROCESSORS.create("clahe")
    raw, done = embeddings(0, failed=(4,), stage="embed"), embeddings(1, failed=(5, 21))
    size = np.arange(COUNT, dtype=float)
    piped = pipelines([baseline, clahe], [create("size<20")])
    assert [p.name for p in piped] == ["none", "clahe if size<20"]
    whole, gated = (apply(p, {"none": raw, "clahe": done}, {"size": size}, touched=10) for p in piped)
    assert whole.embeddings is raw
    assert gated.touched.tolist() == [row < 10 for row in range(COUNT)]
    np.testing.assert_array_equal(gated.embeddings.vectors[10:], raw.vectors[10:])
    np.testing.assert_array_equal(gated.embeddings.vectors[:10], done.vectors[:10])
    assert [row for row in range(COUNT) if not gated.embeddings.valid[row]] == [5]
    assert gated.settings()["gate"] == "size < 20"
    assert gated.settings()["touched"] == 10
    assert gated.card.name == "clahe if size<20"


def test_a_gate_by_drift_sees_what_the_preprocessor_did() -> None:
    baseline, clahe = PREPROCESSORS.create("none"), PREPROCESSORS.create("clahe")
    raw, done = embeddings(0), embeddings(1, failed=(7,))
    moved = drift(raw, done)
    _, gated = pipelines([baseline, clahe], [create("drift<0.9")])
    found = apply(gated, {"none": raw, "clahe": done}, {}, COUNT)
    assert found.touched.tolist() == [bool(x < 0.9) for x in moved]
    assert 0 < found.touched.sum() < COUNT
    assert not found.touched[7]


def test_drift_is_one_less_the_cosine_and_unknown_where_a_face_failed() -> None:
    raw, done = embeddings(0), embeddings(1, failed=(3,))
    expected = [
        1 - unit(x) @ unit(y) for x, y in zip(raw.vectors, np.where(done.vectors, done.vectors, 1), strict=True)
    ]
    expected[3] = np.nan
    np.testing.assert_allclose(drift(raw, done), expected, atol=1e-6)
    np.testing.assert_allclose(cosines(raw, raw), 1.0, atol=1e-12)


def test_every_gate_and_fusion_is_a_pipeline_of_its_own_once() -> None:
    baseline, clahe, gamma = (PREPROCESSORS.create(name) for name in ("none", "clahe", "gamma"))
    found = pipelines([baseline, clahe, gamma], [None, create("yaw>45"), None], ["replace", "mean"])
    assert [p.name for p in found] == [
        "none",
        *("clahe", "clahe, fused by mean", "clahe if yaw>45", "clahe if yaw>45, fused by mean"),
        *("gamma", "gamma, fused by mean", "gamma if yaw>45", "gamma if yaw>45, fused by mean"),
    ]
    assert measures(found) == ["yaw"]


def test_a_pipeline_shows_what_its_preprocessor_makes_of_a_face() -> None:
    baseline, clahe = PREPROCESSORS.create("none"), PREPROCESSORS.create("clahe")
    _, gated = pipelines([baseline, clahe], [create("size<20")], ["mean"])
    found = apply(gated, {"none": embeddings(0), "clahe": embeddings(1)}, {"size": np.arange(COUNT) * 1.0}, COUNT)
    faces = sample_faces()
    assert (found(faces).images == clahe(faces).images).all()
    assert (found.restore(faces.images, None) == clahe(faces).images).all()
    assert "gate: size < 20; fusion: mean of unit embeddings" in found.card.title
