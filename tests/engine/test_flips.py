"""Faces of turned decisions: they are the ones whose decision turned, and they are shown only where that was asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from recog_restore.datasets import Dataset
from recog_restore.datasets.opening import open_dataset
from recog_restore.decode import read_image
from recog_restore.embed import EMBEDDERS
from recog_restore.engine import evaluate
from recog_restore.engine.embeddings import Settings
from recog_restore.engine.kept import Kept, read
from recog_restore.faces import FaceBatch, to_float
from recog_restore.geometry import CANONICAL_128, canonical_crop
from recog_restore.preprocess.spec import create
from recog_restore.protocol import load
from recog_restore.results import Result
from recog_restore.store import Store

PRE = "clahe"


def run(drawn: Path, folder: Path, faces: int, protocol: str = "drawn") -> tuple[Result, Kept]:
    root = drawn
    if protocol != "drawn":
        root = folder / "people"
        shutil.copytree(drawn / "lfw-deepfunneled", root)
        shutil.copy(drawn / "landmarks.csv", root)
    question = load(protocol)
    result = evaluate(
        question,
        open_dataset(question.data.dataset, root, **question.data.options),
        EMBEDDERS.create("lbp"),
        [create(PRE)],
        store=Store(folder / "store"),
        settings=Settings(16, 0, "cpu"),
        faces=faces,
        comparisons=folder / f"{protocol}.safetensors",
    )
    return result, read(folder / f"{protocol}.safetensors")


def slow_vectors(dataset: Dataset, pre: str | None) -> np.ndarray:
    """Return embeddings of length 1 of every sample, one face after the other."""
    samples, embedder, found = dataset.samples(), EMBEDDERS.create("lbp"), []
    for file, points in zip(samples.files, samples.landmarks, strict=True):
        face = to_float(canonical_crop(read_image(file), points)[None])
        if pre is not None:
            face = create(pre)(FaceBatch(face, torch.from_numpy(CANONICAL_128[None]).float(), ("",))).images
        found.append(embedder(face)[0].double().numpy())
    return np.stack([v / np.linalg.norm(v) for v in found])


@pytest.fixture(scope="module")
def compared(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Kept]:
    return run(drawn, tmp_path_factory.mktemp("compared"), 2)


def test_turned_comparisons_crossed_the_baselines_threshold(compared: tuple[Result, Kept]) -> None:
    result, kept = compared
    (harm,) = result.harm
    flips = result.flips
    assert flips
    assert harm.threshold is not None
    for flip in flips:
        before, after = (score >= harm.threshold for score in flip.score)
        assert (before == flip.mated, after == flip.mated) == ((False, True) if flip.kind == "fixed" else (True, False))
        assert len(flip.faces) == (3 if flip.mated else 2)
        assert all(face.before.startswith("data:image/webp") and face.after != face.before for face in flip.faces)
        row = np.flatnonzero(kept.scores[PRE] == flip.score[1])
        assert flip.score[0] in kept.scores["none"][row]
    for kind in ("fixed", "broken"):
        changes = [abs(f.score[1] - f.score[0]) for f in flips if f.kind == kind]
        assert changes == sorted(changes, reverse=True)
        assert len(changes) <= 2


def test_nearest_impostor_of_a_turned_comparison_is_that_of_all_faces(
    compared: tuple[Result, Kept], drawn: Path
) -> None:
    result, _ = compared
    samples = open_dataset("drawn", drawn)
    table = samples.samples().table
    names, subjects = table["sample"].tolist(), table["subject"].to_numpy()
    vectors = [slow_vectors(samples, pre) for pre in (None, PRE)]
    mated = [flip for flip in result.flips if flip.mated]
    assert mated
    for flip in mated:
        row = names.index(flip.faces[0].sample)
        others = np.flatnonzero(subjects != subjects[row])
        scores = [of[others] @ of[row] for of in vectors]
        assert flip.impostor_score == pytest.approx([s.max() for s in scores])
        nearest = others[scores[0 if flip.kind == "fixed" else 1].argmax()]
        assert flip.faces[2].sample == names[nearest]
        assert flip.subjects == (subjects[row], subjects[nearest])
    assert {flip.impostor_score for flip in result.flips if not flip.mated} <= {None}


def test_raised_impostors_are_named_and_the_first_of_them_pictured(compared: tuple[Result, Kept]) -> None:
    (harm,) = compared[0].harm
    assert len(harm.raised) > 2
    assert [bool(raised.first.after) for raised in harm.raised] == [True, True] + [False] * (len(harm.raised) - 2)
    assert all(raised.first.sample and raised.after > raised.before for raised in harm.raised)


def test_without_faces_nobody_is_shown(drawn: Path, tmp_path: Path) -> None:
    result, _ = run(drawn, tmp_path, 0)
    assert (result.flips, result.examples) == ((), ())
    assert not [face for r in result.harm[0].raised for face in (r.first, r.second) if face.before or face.after]


def test_a_turned_search_shows_probe_mate_and_the_impostor_that_was_first(drawn: Path, tmp_path: Path) -> None:
    result, kept = run(drawn, tmp_path, 3, "folder-identification")
    assert result.flips
    for flip in result.flips:
        assert flip.rank is not None
        assert flip.impostor_score is not None
        lost = 0 if flip.kind == "fixed" else 1
        assert flip.rank[1 - lost] == 1 < flip.rank[lost]
        assert flip.impostor_score[lost] >= flip.score[lost]
        assert flip.impostor_score[1 - lost] < flip.score[1 - lost]
        probe, mate, impostor = (face.sample.rsplit("/", 1)[0] for face in flip.faces)
        assert (probe, mate, impostor) == (flip.subjects[0], flip.subjects[0], flip.subjects[1])
        assert probe != impostor
    (harm,) = result.harm
    counts = [int(((kept.ranks["none"] == 1) < (kept.ranks[PRE] == 1)).sum()), harm.fixed]
    assert counts[0] == counts[1]
    assert result.thresholds == ()


def test_thresholds_of_a_run_stand_in_its_result(compared: tuple[Result, Kept]) -> None:
    result, _ = compared
    assert {t.preprocessor for t in result.thresholds} == {"none", PRE}
    assert {(t.value, t.n) for t in result.thresholds} == {(None, 60)}  # too few for 1 in 100


def test_one_sided_differences_are_those_of_mixed_embeddings(drawn: Path, tmp_path: Path) -> None:
    result, _ = run(drawn, tmp_path, 0)
    both = result.difference("fnmr@baseline", PRE)
    (probe,) = (d for d in result.sides["probe"] if d.metric == "fnmr@baseline")
    (gallery,) = (d for d in result.sides["gallery"] if d.metric == "fnmr@baseline")
    assert both is not None
    assert {d.metric for d in result.sides["probe"]} == {"accuracy_10fold", "fnmr@baseline", "fmr@baseline"}
    assert probe.n == gallery.n == both.n
    samples = open_dataset("drawn", drawn)
    vectors = {name: slow_vectors(samples, pre) for name, pre in (("none", None), (PRE, PRE))}
    pairs = samples.pairs()
    threshold = result.harm[0].threshold
    before = (vectors["none"][pairs.first] * vectors["none"][pairs.second]).sum(axis=1) >= threshold
    for found, names in ((probe, ("none", PRE)), (gallery, (PRE, "none"))):
        scores = (vectors[names[0]][pairs.first] * vectors[names[1]][pairs.second]).sum(axis=1)
        after = scores >= threshold
        assert found.fixed == int((pairs.mated & ~before & after).sum())
        assert found.broken == int((pairs.mated & before & ~after).sum())
        assert found.difference == pytest.approx(
            float((before & pairs.mated).sum() - (after & pairs.mated).sum()) / found.n
        )


def test_a_protocol_that_preprocesses_probes_alone_has_no_sides(drawn: Path, tmp_path: Path) -> None:
    result, _ = run(drawn, tmp_path, 0, "folder-identification")
    assert {d.metric for d in result.sides["gallery"]} == {"rank1"}
    question = load("drawn", ["preprocess=probes"])
    alone = evaluate(
        question,
        open_dataset("drawn", drawn),
        EMBEDDERS.create("lbp"),
        [create(PRE)],
        store=Store(tmp_path / "store"),
        settings=Settings(16, 0, "cpu"),
        faces=0,
    )
    assert alone.sides == {}
