"""Gates, fusions and what touching is worth, in searches."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recog_restore.datasets import Samples
from recog_restore.datasets.drawn import draw
from recog_restore.datasets.opening import open_dataset
from recog_restore.embed import EMBEDDERS
from recog_restore.engine import evaluate
from recog_restore.engine.acquire import Jobs
from recog_restore.engine.benefit import benefit, logistic
from recog_restore.engine.embeddings import Embeddings, Settings
from recog_restore.engine.identification import search_both
from recog_restore.engine.part import halves
from recog_restore.engine.piping import Piping
from recog_restore.engine.plan import Plan, make
from recog_restore.engine.score import compare
from recog_restore.errors import DataError
from recog_restore.metrics import MISS, ranks
from recog_restore.preprocess.gate import create as gate
from recog_restore.preprocess.spec import create
from recog_restore.protocol import load
from recog_restore.results import Result
from recog_restore.store import Store
from recog_restore.templates import Pooled

PEOPLE = 24


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 24 drawn people: the first image of each is enrolled, the other two are searched for."""
    root = tmp_path_factory.mktemp("mine")
    draw(root / "drawn", people=PEOPLE, images=3)
    shutil.move(root / "drawn" / "lfw-deepfunneled", root / "faces")
    lines = ["path,subject,role"]
    for image in sorted((root / "faces").rglob("*.jpg")):
        role = "gallery" if image.stem.endswith("1") else "probe"
        lines.append(f"faces/{image.parent.name}/{image.name},{image.parent.name},{role}")
    (root / "samples.csv").write_text("\n".join(lines) + "\n")
    head, *rows = (root / "drawn" / "landmarks.csv").read_text().splitlines()
    (root / "landmarks.csv").write_text("\n".join([head, *(f"faces/{row}" for row in rows)]) + "\n")
    return root


def run(root: Path, store: Path, piping: Piping, *changes: str) -> Result:
    return evaluate(
        load("csv-identification", changes),
        open_dataset("csv", root),
        EMBEDDERS.create("lbp"),
        [create("clahe")],
        store=Store(store),
        settings=Settings(16, 0, "cpu"),
        faces=0,
        piping=piping,
    )


def plan(root: Path, *changes: str) -> Plan:
    return make(load("csv-identification", changes), open_dataset("csv", root), limit=None, allow_missing=False)


@pytest.mark.parametrize("side", ["both", "probes"])
def test_a_shut_gate_is_the_baseline_in_searches_and_every_fusion_runs(mine: Path, tmp_path: Path, side: str) -> None:
    piping = Piping((None, gate("yaw>999")), ("replace", "mean", "norm-weighted", "max-score"))
    result = run(mine, tmp_path, piping, f"preprocess={side}")
    assert len(result.preprocessors) == 9
    untouched = [v.value for v in result.values if v.preprocessor == "none"]
    for fusion in ("", ", fused by mean", ", fused by norm-weighted", ", fused by max-score"):
        name = f"clahe if yaw>999{fusion}"
        assert [v.value for v in result.values if v.preprocessor == name] == untouched
        assert {(d.difference, d.verdict) for d in result.differences if d.preprocessor == name} == {
            (0.0, "no difference found")
        }


def test_a_gate_is_not_learned_from_a_dozen_people(mine: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="24 faces of 12 subjects are too few to learn a gate from"):
        run(mine, tmp_path, Piping(fit=tmp_path / "gate.json"))
    assert not (tmp_path / "gate.json").exists()


def pooled(seed: int, count: int) -> Pooled:
    vectors = np.random.default_rng(seed).normal(size=(count, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    enrolled = np.ones(count, bool)
    enrolled[3] = False
    return Pooled(np.where(enrolled[:, None], vectors, 0).astype(np.float32), enrolled)


def test_the_larger_of_two_scores_gives_the_ranks_of_a_slow_count() -> None:
    gallery, probes = (pooled(0, 15), pooled(1, 15)), (pooled(2, 40), pooled(3, 40))
    enrolled, searched = (
        np.array([f"p{i}" for i in range(15)], object),
        np.array([f"p{i % 15}" for i in range(40)], object),
    )
    found = search_both((gallery[0], probes[0]), (gallery[1], probes[1]), enrolled, searched)
    for i in range(40):
        both = [[float(p.vectors[i] @ g.vectors[j]) for j in range(15)] for g, p in zip(gallery, probes, strict=True)]
        scores = [-np.inf if 3 in (i, j) else max(both[0][j], both[1][j]) for j in range(15)]
        mate = enrolled == searched[i]
        expected = ranks(np.array([scores]), mate[None])[0]
        assert found.ranks[i] == expected
        if expected != MISS:
            assert found.best_mate_row[i] == i % 15
            others = [s if j != i % 15 else -np.inf for j, s in enumerate(scores)]
            assert found.best_impostor_row[i] == int(np.argmax(others))
            assert found.best_impostor_score[i] == pytest.approx(max(others), abs=1e-6)
    assert found.best_mate_row[18] == -1  # its mate failed


def test_each_half_searches_its_own_people_among_its_own_people(mine: Path) -> None:
    whole = plan(mine)
    parts = halves(whole, seed=0)
    subjects = [set(part.plan.samples.table["subject"]) for part in parts]
    assert not subjects[0] & subjects[1]
    assert len(subjects[0] | subjects[1]) == PEOPLE
    for part in parts:
        smaller = part.plan
        assert len(smaller.probes) == 2 * len(smaller.gallery)
        names = [whole.samples.table["sample"][row] for row in whole.jobs.row[part.jobs]]
        assert names == smaller.column("sample", np.arange(len(smaller.jobs))).tolist()
        assert sorted(set(smaller.probe_template.tolist())) == list(range(len(smaller.probes)))


def moved(whole: Plan, better: np.ndarray) -> tuple[Embeddings, Embeddings]:
    """Return noisy embeddings, and such that are nearer to the person where it is said, and noisier elsewhere."""
    generator = np.random.default_rng(0)
    people = generator.normal(size=(PEOPLE, 16))
    subject = np.unique(whole.column("subject", np.arange(len(whole.jobs))).astype(str), return_inverse=True)[1]
    noise = generator.normal(size=(len(subject), 16))
    blank = np.full(len(subject), "", object)
    raw = (people[subject] + 0.8 * noise).astype(np.float32)
    done = (people[subject] + np.where(better, 0.1, 3.0)[:, None] * noise).astype(np.float32)
    return Embeddings(raw, blank, blank), Embeddings(done, blank, blank)


@pytest.mark.parametrize("side", ["both", "probes"])
def test_touching_is_worth_something_where_it_helps_and_less_than_nothing_where_it_harms(mine: Path, side: str) -> None:
    whole = plan(mine, f"preprocess={side}")
    better = np.arange(len(whole.jobs)) % 2 == 0
    found = benefit(whole, *moved(whole, better))
    assert set(found.jobs.tolist()) == set(whole.probes.tolist())
    helped = better[found.jobs]
    assert np.median(found.gain[helped]) > 0 > np.median(found.gain[~helped])
    nothing = benefit(whole, moved(whole, better)[0], moved(whole, better)[0])
    assert not nothing.gain.any()


def test_the_gains_of_two_faces_add_up_to_the_change_of_their_comparison() -> None:
    generator = np.random.default_rng(1)
    count = 60
    first, second = np.arange(0, count, 2), np.arange(1, count, 2)
    subject = np.arange(count) // 2
    mated = np.arange(count // 2) % 2 == 0
    names = np.where(mated.repeat(2), subject, np.arange(count) + 100).astype(str)
    table = pd.DataFrame({"sample": np.arange(count).astype(str), "subject": names})
    none = np.empty(0, np.int64)
    whole = Plan(
        load("drawn"),
        Samples(table, (b"",) * count, None, "arcface-112"),
        Jobs(np.arange(count), np.zeros(count, bool)),
        *(count, first, second, mated, np.zeros(count // 2, np.int64), none, none, none, none, {}, ""),
    )
    blank = np.full(count, "", object)
    raw, done = (Embeddings(generator.normal(size=(count, 8)).astype(np.float32), blank, blank) for _ in range(2))
    found = benefit(whole, raw, done)
    before, after = compare(raw, first, second), compare(done, first, second)
    slope, offset = logistic(before, mated)
    sign = np.where(mated, 1.0, -1.0)
    change = [np.logaddexp(0, -sign * (slope * s + offset)) for s in (before, after)]
    np.testing.assert_allclose(found.gain[first] + found.gain[second], change[0] - change[1], atol=1e-9)
