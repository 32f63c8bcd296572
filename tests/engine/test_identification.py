from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recog_restore.datasets.opening import open_dataset
from recog_restore.decode import read_image
from recog_restore.embed import EMBEDDERS, Embedder
from recog_restore.engine import evaluate
from recog_restore.engine.embeddings import Settings
from recog_restore.engine.identification import search
from recog_restore.errors import DataError, UnknownName
from recog_restore.faces import FaceBatch, to_float
from recog_restore.geometry import CANONICAL_128, canonical_crop
from recog_restore.metrics import FAILED, MISS, clopper_pearson, ranks
from recog_restore.preprocess.spec import create
from recog_restore.protocol import load
from recog_restore.report.answer import answers
from recog_restore.report.bins import tables
from recog_restore.results import Result, read
from recog_restore.search import GALLERIES
from recog_restore.search import create as create_gallery
from recog_restore.store import Store
from recog_restore.templates import Pooled


@pytest.fixture(autouse=True)
def only_the_faces_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the trial on the first faces, so that what embedders have seen can be counted."""
    monkeypatch.setattr("recog_restore.engine.embeddings.check_outputs", lambda embedder, faces: None)


class Counting(Embedder):
    """LBP that counts the faces it sees."""

    def __init__(self) -> None:
        self.inner = EMBEDDERS.create("lbp")
        self.card, self.seen = self.inner.card, 0

    def identity(self) -> str:
        return self.inner.identity()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        self.seen += len(inputs)
        return self.inner.forward(inputs)


@pytest.fixture
def mine(drawn: Path, tmp_path: Path) -> Path:
    """20 people: the first image of each is enrolled, the other two, by camera 2 and 3, are searched for."""
    return listed(drawn, tmp_path / "mine", lambda name: ("", ""))


def listed(drawn: Path, root: Path, template: Any, enrolled: str = "1") -> Path:
    shutil.copytree(drawn, root)
    lines = ["path,subject,role,camera,template,media"]
    for image in sorted((root / "lfw-deepfunneled").rglob("*.jpg")):
        role = "gallery" if image.stem[-1] in enrolled else "probe"
        name, media = template(image.stem)
        path = image.relative_to(root).as_posix()
        lines.append(f"{path},{image.parent.name},{role},{image.stem[-1]},{name},{media}")
    if not any(line.split(",")[4] for line in lines[1:]):
        lines = [line.rsplit(",", 2)[0] for line in lines]
    (root / "samples.csv").write_text("\n".join(lines) + "\n")
    table = (root / "landmarks.csv").read_text().splitlines()
    (root / "landmarks.csv").write_text("\n".join([table[0], *(f"lfw-deepfunneled/{r}" for r in table[1:])]) + "\n")
    return root


def run(
    root: Path,
    store: Path,
    pre: Sequence[str] = (),
    changes: Sequence[str] = (),
    backend: str = "auto",
    embedder: Embedder | None = None,
    **options: Any,
) -> Result:
    return evaluate(
        load("csv-identification", changes),
        open_dataset("csv", root),
        embedder or EMBEDDERS.create("lbp"),
        [create(text) for text in pre],
        store=Store(store),
        settings=Settings(8, 0, "cpu", backend),
        **options,
    )


def vectors(root: Path, pre: str | None = None) -> np.ndarray:
    """Return embeddings of length 1 of every sample, one face after the other."""
    samples, embedder, found = open_dataset("csv", root).samples(), EMBEDDERS.create("lbp"), []
    for file, points in zip(samples.files, samples.landmarks, strict=True):
        face = to_float(canonical_crop(read_image(file), points)[None])
        if pre is not None:
            face = create(pre)(FaceBatch(face, torch.from_numpy(CANONICAL_128[None]).float(), ("",))).images
        found.append(embedder(face)[0].double().numpy())
    return np.stack([v / np.linalg.norm(v) for v in found])


def table(root: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    dataset = open_dataset("csv", root)
    split = dataset.split()
    return dataset.samples().table["subject"].to_numpy(str), split.gallery, split.probes


def slow_ranks(gallery: np.ndarray, probes: np.ndarray, enrolled: np.ndarray, searched: np.ndarray) -> list[int]:
    found = []
    for probe, subject in zip(probes, searched, strict=True):
        scores = [float(probe @ entry) for entry in gallery]
        best = max(s for s, name in zip(scores, enrolled, strict=True) if name == subject)
        found.append(1 + sum(s >= best for s, name in zip(scores, enrolled, strict=True) if name != subject))
    return found


def hits(result: Result, metric: str, pre: str, **where: str) -> int:
    value = result.value(metric, pre, **where)
    assert value is not None
    return round(value.value * value.n)


def test_a_search_whose_label_is_empty_is_counted_apart_and_in_no_mean_over_parts(mine: Path, tmp_path: Path) -> None:
    lines = (mine / "samples.csv").read_text().splitlines()
    assert lines[2].endswith(",2")
    lines[2] = lines[2].removesuffix("2")
    (mine / "samples.csv").write_text("\n".join(lines) + "\n")
    result = run(mine, tmp_path / "store", ["bicubic-down8"], ["breakdowns=['camera']"])
    for name in ("none", "bicubic-down8"):
        parts = {part: result.value("rank1", name, camera=part) for part in ("2", "3", "unknown")}
        assert [value.n for value in parts.values()] == [19, 20, 1]
        macro = result.value("rank1_macro", name, over="camera")
        assert (macro.n, macro.value) == (2, pytest.approx((parts["2"].value + parts["3"].value) / 2))
    change = result.difference("rank1_macro", "bicubic-down8", over="camera")
    assert change.n == 2
    assert change.difference == pytest.approx(
        result.value("rank1_macro", "bicubic-down8", over="camera").value
        - result.value("rank1_macro", "none", over="camera").value
    )
    (said,) = (table.apart for table in tables([result]) if (table.metric, table.key) == ("rank1", "camera"))
    assert said.startswith("1 search of unknown camera, in no bin and not in the macro mean: baseline ")
    assert "unknown" not in answers(result)[0].where


def test_rates_equal_a_slow_search_part_by_part_with_their_intervals(mine: Path, tmp_path: Path) -> None:
    result = run(mine, tmp_path / "store", ["bicubic-down8"], ["breakdowns=['camera']"])
    subject, gallery, probes = table(mine)
    camera = open_dataset("csv", mine).samples().table["camera"].to_numpy()[probes]
    for name, pre in (("none", None), ("bicubic-down8", "bicubic-down8")):
        found = vectors(mine, pre)
        expected = np.array(slow_ranks(found[gallery], found[probes], subject[gallery], subject[probes]))
        for k in (1, 5, 10):
            assert hits(result, f"rank{k}", name) == (expected <= k).sum()
            rates = []
            for part in (2, 3):
                value = result.value(f"rank{k}", name, camera=str(part))
                assert (value.n, round(value.value * 20)) == (20, (expected[camera == part] <= k).sum())
                assert value.interval == pytest.approx(clopper_pearson(round(value.value * 20), 20).tolist())
                assert value.method == "clopper-pearson"
                rates.append(value.value)
            macro = result.value(f"rank{k}_macro", name, over="camera")
            assert (macro.n, macro.value) == (2, pytest.approx(np.mean(rates)))
            assert (macro.interval is None) == (
                macro.value in (0, 1)
            )  # where nothing went wrong, or all, there is none
            assert macro.interval is None or macro.interval[0] <= macro.value <= macro.interval[1]
        assert result.cmc[name] == pytest.approx([(expected <= k).mean() for k in range(1, 21)])
    assert result.settings["search"] == {"backend": "exact", "exact": True, "recall": None, "device": "cpu"}
    counts = {key: result.data[key] for key in ("gallery", "probes", "gallery_subjects", "templates", "note")}
    assert counts == {"gallery": 20, "probes": 40, "gallery_subjects": 20, "templates": False, "note": ""}


@pytest.mark.parametrize("backend", sorted(set(GALLERIES) - {"exact"}))
def test_every_backend_gives_the_numbers_of_exact_on_a_small_gallery(mine: Path, tmp_path: Path, backend: str) -> None:
    pytest.importorskip("faiss", reason="needs faiss: pip install faiss-cpu")
    truth = run(mine, tmp_path / "store", faces=1)
    found = run(mine, tmp_path / "store", faces=1, backend=backend)
    assert [(v.metric, v.where, v.value) for v in found.values] == [(v.metric, v.where, v.value) for v in truth.values]
    assert [c.probe.sample for c in found.confusions] == [c.probe.sample for c in truth.confusions]
    said = found.settings["search"]
    assert (said["backend"], said["exact"]) == (backend, backend == "faiss-flat")
    if not said["exact"]:
        assert said["recall"] == 1.0
        assert (said["recall_at"], said["recall_probes"]) == (10, 40)


def pooled(rng: np.random.Generator, count: int, failed: float) -> Pooled:
    values = rng.normal(size=(count, 8)).astype(np.float32)
    enrolled = rng.random(count) > failed
    values = np.where(enrolled[:, None], values / np.linalg.norm(values, axis=1, keepdims=True), 0)
    return Pooled(values.astype(np.float32), enrolled)


@pytest.mark.parametrize("candidates", [1, 4, 60])
def test_a_search_counts_what_its_list_does_not_tell(candidates: int) -> None:
    rng = np.random.default_rng(candidates)
    gallery, probes = pooled(rng, 60, 0.2), pooled(rng, 50, 0.2)
    other = rng.choice([f"s{i}" for i in range(20)], 60).astype(object)
    subject = rng.choice(other, 50)
    index = create_gallery("exact")
    index.enroll(gallery.vectors[gallery.enrolled])
    found = search(index, gallery, probes, other, subject, candidates, "cpu")
    scores = probes.vectors @ gallery.vectors.T
    scores[~probes.enrolled] = FAILED
    scores[:, ~gallery.enrolled] = FAILED
    mate = subject[:, None] == other
    np.testing.assert_array_equal(found.ranks, ranks(scores, mate))
    best = np.where(mate, scores, FAILED)
    np.testing.assert_allclose(found.best_mate_score, best.max(axis=1), atol=1e-6)
    np.testing.assert_array_equal(found.best_mate_row, np.where(best.max(axis=1) > FAILED, best.argmax(axis=1), -1))
    best = np.where(mate, FAILED, scores)
    np.testing.assert_array_equal(found.best_impostor_row, np.where(best.max(axis=1) > FAILED, best.argmax(axis=1), -1))


def test_an_approximate_search_misses_the_mates_it_does_not_list_and_still_knows_their_score() -> None:
    class Approximate(type(create_gallery("exact"))):  # type: ignore[misc]
        exact = False

    rng = np.random.default_rng(0)
    gallery, probes = pooled(rng, 60, 0.2), pooled(rng, 50, 0.2)
    other, subject = np.arange(60).astype(str).astype(object), np.arange(50).astype(str).astype(object)
    index = Approximate()
    index.enroll(gallery.vectors[gallery.enrolled])
    found = search(index, gallery, probes, other, subject, 5, "cpu")
    scores = probes.vectors @ gallery.vectors.T
    scores[~probes.enrolled] = FAILED
    scores[:, ~gallery.enrolled] = FAILED
    expected = ranks(scores, subject[:, None] == other)
    np.testing.assert_array_equal(found.ranks, np.where(expected <= 5, expected, MISS))
    np.testing.assert_allclose(found.best_mate_score, scores[np.arange(50), np.arange(50)], atol=1e-6)
    assert ((found.best_mate_row >= 0) == (found.best_mate_score > FAILED)).all()


def test_probes_alone_are_preprocessed_where_the_protocol_says_so(mine: Path, tmp_path: Path) -> None:
    embedder = Counting()
    pre, changes = "bicubic-down8", ["preprocess=probes"]
    result = run(mine, tmp_path / "store", [pre], changes, embedder=embedder, faces=2)
    assert embedder.seen == 60 + 40
    subject, gallery, probes = table(mine)
    before, after = vectors(mine), vectors(mine, pre)
    expected = np.array(slow_ranks(before[gallery], after[probes], subject[gallery], subject[probes]))
    both = np.array(slow_ranks(after[gallery], after[probes], subject[gallery], subject[probes]))
    assert (expected != both).any()
    assert [hits(result, f"rank{k}", pre) for k in (1, 5, 10)] == [(expected <= k).sum() for k in (1, 5, 10)]
    for confusion in result.confusions:
        if confusion.preprocessor == pre:
            assert confusion.mate.before == confusion.mate.after
            assert confusion.impostor.before == confusion.impostor.after
            assert confusion.probe.before != confusion.probe.after
    assert result.protocol["settings"]["preprocess"] == "probes"


def test_preprocessing_probes_alone_leaves_the_baseline_as_it_is(mine: Path, tmp_path: Path) -> None:
    both = run(mine, tmp_path / "store", ["clahe"])
    probes = run(mine, tmp_path / "store", ["clahe"], ["preprocess=probes"])
    assert [v for v in both.values if v.preprocessor == "none"] == [
        v for v in probes.values if v.preprocessor == "none"
    ]


def test_a_gallery_image_that_failed_is_reported_once_where_only_probes_are_preprocessed(
    mine: Path, tmp_path: Path
) -> None:
    next((mine / "lfw-deepfunneled").rglob("*1.jpg")).write_bytes(b"not an image" * 20)
    result = run(mine, tmp_path / "store", ["clahe"], ["preprocess=probes"])
    assert result.failed == {"none": 1, "clahe": 1}
    assert [(f.preprocessor, f.stage) for f in result.failures] == [("none", "acquire")]
    assert result.value("rank10", "none").value <= 38 / 40  # its subject's two searches are misses
    left_out = run(mine, tmp_path / "store", ["clahe"], ["preprocess=probes", "faces.failure=exclude"])
    assert left_out.value("rank1", "clahe").n == 38


def test_confusions_are_the_worst_searches_one_per_subject(mine: Path, tmp_path: Path) -> None:
    result = run(mine, tmp_path / "store", ["bicubic-down8"], faces=3)
    subject, gallery, probes = table(mine)
    names = open_dataset("csv", mine).samples().table["sample"].to_numpy()
    for name, pre in (("none", None), ("bicubic-down8", "bicubic-down8")):
        found = vectors(mine, pre)
        worst = []
        for probe in probes.tolist():
            scores = {row: float(found[probe] @ found[row]) for row in gallery.tolist()}
            mate = max((s, row) for row, s in scores.items() if subject[row] == subject[probe])
            impostor = max((s, row) for row, s in scores.items() if subject[row] != subject[probe])
            if impostor[0] >= mate[0]:
                rank = 1 + sum(s >= mate[0] for row, s in scores.items() if subject[row] != subject[probe])
                worst.append((impostor[0] - mate[0], probe, mate[1], impostor[1], rank))
        expected, seen = [], set()
        for entry in sorted(worst, key=lambda e: -e[0]):
            if subject[entry[1]] not in seen:
                seen.add(subject[entry[1]])
                expected.append(entry)
        shown = [c for c in result.confusions if c.preprocessor == name]
        assert len(shown) == min(3, len(expected)) > 0
        for confusion, (excess, probe, mate, impostor, rank) in zip(shown, expected, strict=False):
            faces = (confusion.probe.sample, confusion.mate.sample, confusion.impostor.sample)
            assert faces == (names[probe], names[mate], names[impostor])
            assert (confusion.subject, confusion.impostor_subject) == (subject[probe], subject[impostor])
            assert confusion.impostor_score - confusion.mate_score == pytest.approx(excess, abs=1e-6)
            assert confusion.rank == rank
            assert confusion.probe.before.startswith("data:image/webp;base64,")
    assert run(mine, tmp_path / "store", faces=0).confusions == ()
    result.write(tmp_path / "result.json")
    assert read(tmp_path).numbers() == result.numbers()


def test_templates_are_pooled_and_searched_as_one(drawn: Path, tmp_path: Path) -> None:
    """Gallery: image 1 of each; probes: images 2 and 3 of each as one template of two media."""
    root = listed(drawn, tmp_path / "mine", lambda stem: (f"{stem[:-1]}{'g' if stem[-1] == '1' else 'p'}", stem[-1]))
    result = run(root, tmp_path / "store", changes=["breakdowns=['camera']"], faces=2)
    subject, gallery, probes = table(root)
    found = vectors(root)
    means = found[probes].reshape(20, 2, -1).mean(axis=1)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    expected = np.array(slow_ranks(found[gallery], means, subject[gallery], subject[probes][::2]))
    assert result.value("rank1", "none").n == 20
    assert [hits(result, f"rank{k}", "none") for k in (1, 5)] == [(expected <= k).sum() for k in (1, 5)]
    assert {k: result.data[k] for k in ("samples", "gallery", "probes", "templates")} == {
        "samples": 60,
        "gallery": 20,
        "probes": 20,
        "templates": True,
    }
    assert result.value("rank1", "none", camera="several").n == 20
    limited = run(root, tmp_path / "store", limit=5)
    assert (limited.data["probes"], limited.data["partial"]) == (5, "5 of 20 searches")
    assert limited.data["samples"] == 20 + 10


def test_of_several_templates_of_a_subject_the_best_counts(drawn: Path, tmp_path: Path) -> None:
    root = listed(drawn, tmp_path / "mine", lambda stem: (stem, ""), enrolled="12")
    result = run(root, tmp_path / "store")
    subject, gallery, probes = table(root)
    found = vectors(root)
    expected = np.array(slow_ranks(found[gallery], found[probes], subject[gallery], subject[probes]))
    assert [hits(result, f"rank{k}", "none") for k in (1, 5)] == [(expected <= k).sum() for k in (1, 5)]
    assert {k: result.data[k] for k in ("gallery", "probes", "gallery_subjects")} == {
        "gallery": 40,
        "probes": 20,
        "gallery_subjects": 20,
    }


def test_what_is_no_template_is_refused(drawn: Path, tmp_path: Path) -> None:
    root = listed(drawn, tmp_path / "some", lambda stem: (stem if stem[-1] != "2" else "", "1"))
    with pytest.raises(DataError, match=r"sample '.*2.jpg' has no template; where some samples have one, all need it"):
        run(root, tmp_path / "store")
    root = listed(drawn, tmp_path / "mixed", lambda stem: (stem[-1], "1"))
    with pytest.raises(DataError, match=r"template '1' has samples of several subjects"):
        run(root, tmp_path / "store")


def test_a_search_of_another_name_is_refused_with_the_nearest(mine: Path, tmp_path: Path) -> None:
    embedder = Counting()
    with pytest.raises(UnknownName, match="no search named 'faiss'; did you mean 'faiss-"):
        run(mine, tmp_path / "store", backend="faiss", embedder=embedder)
    assert embedder.seen == 0
