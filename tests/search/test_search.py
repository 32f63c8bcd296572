from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recog_restore.errors import ConventionError, ExtraMissing, UnknownName
from recog_restore.search import AUTO, GALLERIES, Found, create, faiss_index, measure, recall
from recog_restore.search.exact import Exact, NumpyProducts, TorchProducts

EXACT = ("exact", "faiss-flat")


def made(name: str) -> Any:
    if name.startswith("faiss"):
        pytest.importorskip("faiss", reason="needs faiss: pip install faiss-cpu")
    return create(name)


def whole_numbers(rng: np.random.Generator, count: int, width: int) -> np.ndarray:
    """Vectors whose products are exact in any order of summing, and often equal."""
    return rng.integers(-2, 3, (count, width)).astype(np.float32)


def unit(rng: np.random.Generator, count: int, width: int) -> np.ndarray:
    x = rng.normal(size=(count, width)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def slow_search(gallery: np.ndarray, probes: np.ndarray, k: int) -> Found:
    scores, rows = [], []
    for probe in probes.tolist():
        listed = sorted(
            (-sum(a * b for a, b in zip(probe, g, strict=True)), row) for row, g in enumerate(gallery.tolist())
        )
        listed = [*listed[:k], *[(np.inf, -1)] * (k - len(listed))]
        scores.append([-s for s, _ in listed])
        rows.append([row for _, row in listed])
    return Found(np.array(scores, np.float32), np.array(rows))


def small_tiles(kind: str) -> NumpyProducts | TorchProducts:
    products = NumpyProducts() if kind == "numpy" else TorchProducts("cpu")
    products.shape = (3, 5)
    return products


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@given(st.integers(0, 2**16), st.integers(1, 7), st.integers(1, 40), st.integers(1, 12))
def test_exact_lists_what_a_slow_loop_lists(kind: str, seed: int, probes: int, rows: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    gallery, searched = whole_numbers(rng, rows, 3), whole_numbers(rng, probes, 3)
    index = Exact(products=small_tiles(kind))
    index.enroll(gallery)
    found, expected = index.search(searched, k), slow_search(gallery, searched, k)
    np.testing.assert_array_equal(found.scores, expected.scores)
    np.testing.assert_array_equal(found.rows, expected.rows)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize("order", ["rising", "falling", "equal"])
def test_exact_lists_the_best_of_a_gallery_in_any_order(kind: str, order: str) -> None:
    value = {"rising": np.arange(50), "falling": -np.arange(50), "equal": np.ones(50)}[order]
    index = Exact(products=small_tiles(kind))
    index.enroll(value.astype(np.float32)[:, None])
    found = index.search(np.ones((4, 1), np.float32), 3)
    assert found.rows.tolist() == [[49, 48, 47] if order == "rising" else [0, 1, 2]] * 4


@pytest.mark.parametrize("k", [1, 10, 300])
def test_flat_equals_exact_up_to_ties(k: int) -> None:
    rng = np.random.default_rng(k)
    gallery, probes = whole_numbers(rng, 300, 6), whole_numbers(rng, 40, 6)
    flat, truth = made("faiss-flat"), Exact()
    flat.enroll(gallery)
    truth.enroll(gallery)
    found, expected = flat.search(probes, k), truth.search(probes, k)
    np.testing.assert_array_equal(found.scores, expected.scores)
    above = expected.scores > expected.scores[:, -1:]  # which rows share the last score is faiss's choice
    np.testing.assert_array_equal(found.rows[above], expected.rows[above])
    scores = probes @ gallery.T
    np.testing.assert_array_equal(np.take_along_axis(scores, found.rows, 1), found.scores)
    assert all(len(set(rows)) == k for rows in found.rows.tolist())


@pytest.mark.parametrize("name", EXACT)
def test_a_permuted_gallery_is_searched_the_same(name: str) -> None:
    rng = np.random.default_rng(3)
    gallery, probes, order = unit(rng, 500, 16), unit(rng, 20, 16), rng.permutation(500)
    one, other = made(name), made(name)
    one.enroll(gallery)
    other.enroll(gallery[order])
    np.testing.assert_array_equal(one.search(probes, 5).rows, order[other.search(probes, 5).rows])


@pytest.mark.parametrize("name", list(GALLERIES))
def test_every_gallery_keeps_the_contract(name: str) -> None:
    rng = np.random.default_rng(0)
    gallery, probes = unit(rng, 400, 8), unit(rng, 30, 8)
    index = made(name)
    assert (index.name, index.exact, index.device) == (name, name in EXACT, "cpu")
    index.enroll(gallery)
    found = index.search(probes, 7)
    assert (found.scores.dtype, found.rows.dtype, found.scores.shape) == (np.float32, np.int64, (30, 7))
    assert (np.diff(found.scores, axis=1) <= 0).all()
    np.testing.assert_allclose(found.scores, np.einsum("pd,pkd->pk", probes, gallery[found.rows]), atol=1e-6)
    assert index.search(gallery, 1).rows.ravel().tolist() == list(range(400))
    assert index.search(probes[:0], 3).rows.shape == (0, 3)
    index.enroll(gallery[:2].astype(np.float64))  # in place of what was there
    few = index.search(probes, 4)
    assert (few.rows[:, 2:] == -1).all()
    assert np.isneginf(few.scores[:, 2:]).all()
    assert sorted(few.rows[0, :2].tolist()) == [0, 1]
    index.enroll(gallery[:0])
    assert (index.search(probes, 2).rows == -1).all()


@pytest.mark.parametrize("name", [*GALLERIES, "torch"])
def test_arrays_that_are_read_only_are_searched_and_not_written_to(name: str) -> None:
    gallery = unit(np.random.default_rng(0), 100, 8)
    gallery.setflags(write=False)
    index = Exact(products=TorchProducts("cpu")) if name == "torch" else made(name)
    index.enroll(gallery)
    assert index.search(gallery[:3], 1).rows.ravel().tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", list(GALLERIES))
def test_recall_of_a_gallery_is_measured_against_the_truth(name: str) -> None:
    rng = np.random.default_rng(1)
    gallery = unit(rng, 3000, 16)
    index = made(name)
    index.enroll(gallery)
    found = measure(index, gallery, unit(rng, 1100, 16))
    assert (found.at, found.probes) == (10, 1000)
    assert found.recall == 1.0 if index.exact else 0.3 < found.recall <= 1.0
    assert measure(index, gallery[:4], gallery[:2])[1:] == (4, 2)


def test_recall_of_cases_done_by_hand() -> None:
    truth = Found(np.array([[0.9, 0.5]], np.float32), np.array([[3, 4]]))
    for scores, share in (([0.9, 0.5], 1.0), ([0.9, 0.4], 0.5), ([0.5, 0.5], 1.0), ([-np.inf, -np.inf], 0.0)):
        assert recall(Found(np.array([scores], np.float32), np.array([[7, 8]])), truth) == share
    with pytest.raises(ConventionError, match=r"expected lists of one shape, got \(0, 2\) and \(1, 2\)"):
        recall(Found(np.empty((0, 2), np.float32), np.empty((0, 2), np.int64)), truth)


def test_auto_is_exact_on_the_device() -> None:
    assert isinstance(create(AUTO), Exact)
    assert create(AUTO, "cuda").device == "cuda"  # nothing is copied there before something is enrolled


def test_what_cannot_be_searched_is_refused() -> None:
    index = Exact()
    with pytest.raises(ConventionError, match=r"gallery: expected \(N, D\) floating point vectors, got \(3,\) int64"):
        index.enroll(np.arange(3))
    with pytest.raises(ConventionError, match=r"gallery\[1\] is not finite; failed faces are left out of a search"):
        index.enroll(np.array([[0.0], [np.nan]]))
    index.enroll(np.ones((3, 2), np.float32))
    with pytest.raises(ConventionError, match="probes have 1 dimensions, the gallery has 2"):
        index.search(np.ones((1, 1), np.float32), 1)
    with pytest.raises(ConventionError, match=r"probes\[0\] is not finite"):
        index.search(np.full((1, 2), -np.inf, np.float32), 1)
    with pytest.raises(ConventionError, match="k is 0; expected at least 1"):
        index.search(np.ones((1, 2), np.float32), 0)
    with pytest.raises(UnknownName, match="no search named 'exakt'; did you mean 'exact'"):
        create("exakt")


@pytest.mark.parametrize("name", sorted(set(GALLERIES) - {"exact"}))
def test_without_faiss_the_way_out_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(
        ExtraMissing, match=r"needs faiss, which is not installed: pip install .* or take --search exact"
    ):
        create(name)


class FakeIndex:
    """Flat, and remembers where it was put."""

    def __init__(self, width: int) -> None:
        self.vectors = np.empty((0, width), np.float32)
        self.gpus: list[int] = []
        self.sharded = False

    def add(self, vectors: np.ndarray) -> None:
        self.vectors = vectors

    def search(self, probes: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        scores = probes @ self.vectors.T
        rows = np.argsort(-scores, axis=1)[:, :k]
        return np.take_along_axis(scores, rows, 1), rows


def fake_faiss(gpus: int) -> SimpleNamespace:
    def to_gpus(index: FakeIndex, co: Any, gpus: list[int]) -> FakeIndex:
        index.gpus, index.sharded = gpus, co.shard
        return index

    return SimpleNamespace(
        get_num_gpus=lambda: gpus,
        IndexFlatIP=FakeIndex,
        GpuMultipleClonerOptions=lambda: SimpleNamespace(shard=False),
        index_cpu_to_gpus_list=to_gpus,
    )


@pytest.mark.parametrize(
    ("visible", "device", "free", "gpus", "sharded"),
    [
        (0, "cuda", 1e9, [], False),
        (2, "cpu", 1e9, [], False),
        (1, "cuda", 1.0, [0], False),
        (3, "cuda", 1e9, [0, 1, 2], False),
        (3, "cuda", 200.0, [0, 1, 2], True),
        (3, "cuda:1", 1.0, [1], False),
    ],
)
def test_flat_takes_the_gpus_that_faiss_sees_and_deals_out_what_does_not_fit_one(
    visible: int, device: str, free: float, gpus: list[int], sharded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a stand-in for faiss: no GPU is needed, and none is tested."""
    monkeypatch.setitem(sys.modules, "faiss", fake_faiss(visible))
    monkeypatch.setattr(faiss_index, "_smallest_memory", lambda gpus: free)
    index = create("faiss-flat", device)
    assert index.device == (device if gpus else "cpu")
    vectors = unit(np.random.default_rng(0), 20, 4)
    index.enroll(vectors)
    assert (index._index.gpus, index._index.sharded) == (gpus, sharded)
    assert index.search(vectors, 1).rows.ravel().tolist() == list(range(20))
    if gpus:
        index.enroll(np.ones((3000, 4), np.float32))
        with pytest.raises(ConventionError, match="k is 2049; faiss lists at most 2048 candidates on a GPU"):
            index.search(vectors, 2049)


def test_gpus_that_torch_does_not_see_have_no_known_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert faiss_index._smallest_memory([0]) == 0
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda gpu: ([30, 10, 20][gpu], 100))
    assert faiss_index._smallest_memory([0, 2]) == 20
