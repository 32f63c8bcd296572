"""Runs with gates, fusions, a fitted gate and a drift meter, on drawn faces."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recog_restore.datasets.drawn import draw
from recog_restore.datasets.opening import open_dataset
from recog_restore.embed import EMBEDDERS
from recog_restore.embed.spec import create as create_embedder
from recog_restore.engine import evaluate
from recog_restore.engine.drifting import Meter
from recog_restore.engine.embeddings import Settings
from recog_restore.engine.part import halves
from recog_restore.engine.piping import Piping
from recog_restore.engine.plan import Plan, make
from recog_restore.errors import RecordError
from recog_restore.preprocess.classical import Clahe
from recog_restore.preprocess.gate import create as gate
from recog_restore.preprocess.learned import read
from recog_restore.preprocess.spec import create
from recog_restore.protocol import load
from recog_restore.results import Result
from recog_restore.results import read as read_result
from recog_restore.store import Store

DEGRADED = "degradation={name='bicubic-down4'}"


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 40 drawn people with 2 images each."""
    return draw(tmp_path_factory.mktemp("drawn") / "faces", people=40, images=2)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


def run(root: Path, store: Store, pre: list[str], changes: tuple[str, ...] = (), **options: Any) -> Result:
    question = load("drawn", ["metrics=['eer', 'fnmr@baseline']", "primary=eer", *changes])
    return evaluate(
        question,
        open_dataset("drawn", root),
        EMBEDDERS.create("lbp"),
        [create(text) for text in pre],
        store=store,
        settings=Settings(16, 0, "cpu"),
        faces=1,
        **options,
    )


def plan(root: Path) -> Plan:
    return make(load("drawn"), open_dataset("drawn", root), limit=None, allow_missing=False)


def of(result: Result, name: str) -> list[object]:
    return [dataclasses.replace(v, preprocessor="") for v in result.values if v.preprocessor == name]


def test_a_gate_that_never_opens_is_the_baseline_and_one_that_always_does_is_no_gate(faces: Path, store: Store) -> None:
    gates = (None, gate("size<0"), gate("size>0"))
    result = run(faces, store, ["clahe"], piping=Piping(gates))
    assert [p["name"] for p in result.preprocessors] == ["none", "clahe", "clahe if size<0", "clahe if size>0"]
    assert of(result, "clahe if size<0") == of(result, "none")
    assert of(result, "clahe if size>0") == of(result, "clahe") != of(result, "none")
    shut = [d for d in result.differences if d.preprocessor == "clahe if size<0"]
    assert shut
    assert {(d.difference, d.verdict) for d in shut} == {(0.0, "no difference found")}
    assert [p["settings"].get("touched") for p in result.preprocessors] == [None, None, 0, 80]


def test_the_faces_shown_of_a_shut_gate_are_untouched(faces: Path, store: Store) -> None:
    result = run(faces, store, ["bicubic-down8"], piping=Piping((None, gate("size<0"))))
    assert any(f.before != f.after for e in result.examples if e.preprocessor == "bicubic-down8" for f in e.faces)
    assert not [e for e in result.examples if e.preprocessor == "bicubic-down8 if size<0"]


def test_the_size_of_a_degraded_face_is_what_is_left_of_it(faces: Path, store: Store) -> None:
    piping = Piping((gate("size<9"), gate("size<8")))  # 35.24 px between the eyes of the crop, a fourth of it 8.81
    result = run(faces, store, ["clahe"], (DEGRADED,), piping=piping)
    assert [p["settings"].get("touched") for p in result.preprocessors] == [None, 80, 0]


def test_fusions_stand_beside_each_other_and_each_has_a_threshold_of_its_own(faces: Path, store: Store) -> None:
    fusions = ("replace", "mean", "norm-weighted", "max-score")
    result = run(
        faces,
        store,
        ["bicubic-down8"],
        ("metrics=['tar@far=1e-1']", "primary='tar@far=1e-1'"),
        piping=Piping(fusions=fusions),
    )
    named = [p["name"] for p in result.preprocessors]
    assert named == ["none", "bicubic-down8", *(f"bicubic-down8, fused by {f}" for f in fusions[1:])]
    values = [result.value("tar@far=1e-1", name) for name in named]
    assert len({value.threshold for value in values[:4] if value}) == 4
    non_mated = result.data["non_mated"]
    assert all(value and value.false_accepts / non_mated <= 0.1 for value in values)


def test_a_quality_is_measured_once_and_kept(faces: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(faces, store, ["clahe"], piping=Piping((gate("quality<300"),)))
    touched = first.preprocessors[1]["settings"]["touched"]
    assert 0 < touched < 80
    monkeypatch.setattr("recog_restore.preprocess.quality.Sharpness.__call__", None)
    again = run(faces, store, ["clahe"], piping=Piping((gate("quality<300"),)))
    assert again.numbers() == first.numbers()


def test_parts_share_no_subject_and_no_comparison_is_lost_where_folds_are_apart(faces: Path) -> None:
    whole = plan(faces)
    dev, test = halves(whole, seed=0)
    subjects = [set(part.plan.samples.table["subject"]) for part in (dev, test)]
    assert not subjects[0] & subjects[1]
    assert len(dev.plan.mated) + len(test.plan.mated) == len(whole.mated)
    for part in (dev, test):
        smaller = part.plan
        kept = [(whole.samples.table["sample"][r]) for r in part.samples]
        assert kept == smaller.samples.table["sample"].tolist()
        pairs = zip(smaller.column("sample", smaller.first), smaller.column("sample", smaller.second), strict=True)
        originals = set(zip(whole.column("sample", whole.first), whole.column("sample", whole.second), strict=True))
        assert set(pairs) <= originals
        assert np.array_equal(
            smaller.mated, smaller.column("subject", smaller.first) == smaller.column("subject", smaller.second)
        )
    assert halves(whole, seed=0)[0].jobs.tolist() == dev.jobs.tolist()
    assert halves(whole, seed=1)[0].jobs.tolist() != dev.jobs.tolist()


def test_of_few_folds_people_are_drawn_so_that_each_part_has_folds(faces: Path) -> None:
    whole = plan(faces)
    whole = dataclasses.replace(whole, fold=np.minimum(whole.fold, 2))
    assert all(len(np.unique(part.plan.fold)) > 1 for part in halves(whole, seed=0))


def test_where_folds_share_subjects_people_are_drawn_and_mixed_comparisons_are_in_neither_part(faces: Path) -> None:
    whole = plan(faces)
    whole = dataclasses.replace(whole, fold=np.arange(len(whole.fold)) % 2)
    dev, test = halves(whole, seed=0)
    subjects = [set(part.plan.samples.table["subject"]) for part in (dev, test)]
    assert not subjects[0] & subjects[1]
    assert 0 < len(dev.plan.mated) + len(test.plan.mated) < len(whole.mated)


def test_a_fit_reports_test_people_only_and_the_gate_is_warned_of_on_its_own_people(
    faces: Path, store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "gate.json"
    result = run(faces, store, ["clahe"], (DEGRADED,), piping=Piping(fit=file))
    names = [p["name"] for p in result.preprocessors]
    assert names == ["none", "clahe", f"clahe if learned:{file}"]
    assert "subjects that the gate was not fitted on" in result.data["partial"]
    assert result.data["comparisons"] < len(plan(faces).mated)
    assert result.data["subjects"] + len(read(file).fitted.subjects) == 40
    assert "the gate " in result.settings["gate"]
    assert not any("flatter" in w for w in result.warnings)
    later = run(faces, store, ["clahe"], (DEGRADED,), piping=Piping((gate(f"learned:{file}"),)))
    shared = len(read(file).fitted.subjects)
    assert [w for w in later.warnings if f"was fitted on {shared} of the 40 subjects of this run" in w]
    again = run(faces, store, ["clahe"], (DEGRADED,), piping=Piping(fit=file))
    assert again.numbers() == result.numbers()


def test_what_cannot_be_gated_is_refused_before_anything_is_computed(faces: Path, tmp_path: Path) -> None:
    nothing = Store(tmp_path / "store")
    with pytest.raises(RecordError, match="learns the gate of one preprocessor; expected one --pre, got clahe, gamma"):
        run(faces, nothing, ["clahe", "gamma"], piping=Piping(fit=tmp_path / "g"))
    with pytest.raises(RecordError, match="expected one --pre, got none"):
        run(faces, nothing, [], piping=Piping(fit=tmp_path / "g"))
    with pytest.raises(RecordError, match="are about what a preprocessor does; name one with --pre"):
        run(faces, nothing, [], piping=Piping((gate("size<9"),)))
    with pytest.raises(RecordError, match="there is no folder"):
        run(faces, nothing, ["clahe"], piping=Piping(fit=tmp_path / "no" / "g"))
    assert not (tmp_path / "store").exists()


def test_drift_is_measured_by_every_judge_and_from_the_clean_original(
    faces: Path, store: Store, tmp_path: Path
) -> None:
    other = EMBEDDERS.create("lbp")
    other.card = dataclasses.replace(other.card, name="other", flip="sum")
    meter = Meter((other, EMBEDDERS.create("lbp")), tmp_path / "drift.csv")
    result = run(faces, store, ["clahe", "none,strength=0"], (DEGRADED,), meter=meter)
    assert [(d.preprocessor, d.judge) for d in result.drift] == [
        (name, judge) for judge in ("lbp", "other") for name in ("clahe", "none,strength=0")
    ]
    assert [(d.n, d.left) for d in result.drift] == [(80, 0), (0, 80)] * 2
    assert all(d.independent for d in result.drift)
    still = result.drift[1]
    assert (still.mean, still.low, still.mean_among, still.towards, still.away) == (None, None, None, 0, 0)
    assert result.unchanged == {"clahe": 0, "none,strength=0": 80}
    assert result.drift[0].mean < 0.999
    assert result.drift[0].clean_before is not None
    mated, non_mated = result.drift[0].mean_among
    assert 0 <= mated < non_mated <= 1
    assert result.drift[0].worst[0].face.before != result.drift[0].worst[0].face.after
    with (tmp_path / "drift.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 1 + 4 * 80
    result.write(tmp_path / "result.json")
    assert read_result(tmp_path).drift == result.drift
    assert "drift" not in {w.split()[0] for w in result.warnings}


def test_several_judges_see_the_faces_of_one_restoring(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judges, restored = [EMBEDDERS.create("lbp"), EMBEDDERS.create("lbp")], []
    for judge, flip in zip(judges, ("sum", "mean"), strict=True):
        judge.card = dataclasses.replace(judge.card, name=flip, flip=flip)
    monkeypatch.setattr(Clahe, "__call__", lambda self, batch: restored.append(len(batch)) or batch)
    result = run(faces, Store(tmp_path), ["clahe"], meter=Meter(tuple(judges)))
    assert [drift.judge for drift in result.drift] == ["lbp", "sum", "mean"]
    assert restored.count(16) == 2 * 80 // 16  # once for the embedder of the run, once for all judges


def test_without_a_degradation_there_is_no_clean_original(faces: Path, store: Store) -> None:
    (drift,) = run(faces, store, ["clahe"], meter=Meter()).drift
    assert (drift.clean_before, drift.clean_after) == (None, None)
    assert run(faces, store, ["clahe"]).drift == ()
    assert run(faces, store, [], meter=Meter()).drift == ()


def test_two_judges_of_one_name_are_refused() -> None:
    with pytest.raises(RecordError, match="two judges have one name"):
        Meter((EMBEDDERS.create("lbp"), EMBEDDERS.create("lbp")))
    namesake = create_embedder("arcface-synthpie")
    namesake.card = dataclasses.replace(namesake.card, name="lbp")
    with pytest.raises(RecordError, match="lbp is the name of the run's embedder too, which is another one"):
        Meter((namesake,)).beside(EMBEDDERS.create("lbp"))
