"""The drift meter: what it measures, what it writes, and when it warns."""

from __future__ import annotations

import csv
import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from recog_restore.embed import EMBEDDERS, Embedder
from recog_restore.engine.drift import (
    COLUMNS,
    DriftMeter,
    Moved,
    independent,
    most_drifted,
    no_witness,
    summary,
    write_csv,
)
from recog_restore.engine.drifting import own_scores
from recog_restore.engine.embeddings import Embeddings
from recog_restore.errors import DataError
from recog_restore.faces import to_float, to_uint8
from recog_restore.networks.cards import Teacher
from recog_restore.preprocess import PREPROCESSORS, Preprocessor
from recog_restore.results import DRIFT_BINS
from recog_restore.testing import sample_faces

SAMPLES = ["a", "b", "c", "d"]


def moved(**changes: object) -> Moved:
    values: dict[str, object] = {
        "preprocessor": "clahe",
        "judge": "lbp",
        "independent": True,
        "samples": tuple(SAMPLES),
        "touched": np.array([True, True, True, True]),
        "cosine": np.array([0.9, np.nan, -0.2, 0.9]),
        "clean_before": np.array([0.5, np.nan, 0.5, 0.5]),
        "clean_after": np.array([0.6, np.nan, 0.1, 0.5]),
    }
    return Moved(**{**values, **changes})  # type: ignore[arg-type]


def taught(by: list[Teacher]) -> Preprocessor:
    """Return a preprocessor whose card names its teachers."""
    preprocessor = PREPROCESSORS.create("clahe")
    preprocessor.card = dataclasses.replace(preprocessor.card, teachers=tuple(by))
    return preprocessor


def test_the_meter_measures_what_a_slow_loop_measures() -> None:
    judge, preprocessor = EMBEDDERS.create("lbp"), PREPROCESSORS.create("bicubic-down8")
    clean = to_uint8(sample_faces().images)
    before = to_uint8(PREPROCESSORS.create("gamma")(sample_faces()).images)
    after = to_uint8(preprocessor(sample_faces().replace(images=to_float(before))).images)
    meter = DriftMeter(preprocessor, [judge], most=2)
    meter.add(SAMPLES[:3], before[:3], after[:3], clean[:3])
    meter.add(SAMPLES[3:], before[3:], after[3:], clean[3:])
    sheet = meter.sheet()
    assert sheet is not None
    (found,) = meter.moved()
    rows = most_drifted(found, 2)
    np.testing.assert_array_equal(sheet, np.concatenate([np.hstack([before[i], after[i]]) for i in rows]))
    assert (found.preprocessor, found.judge, found.independent) == ("bicubic-down8", "lbp", True)
    assert found.samples == tuple(SAMPLES)
    for i in range(4):
        x, y, z = (judge(to_float(crops[i : i + 1]))[0].double().numpy() for crops in (before, after, clean))
        for number, (u, v) in ((found.cosine, (x, y)), (found.clean_before, (x, z)), (found.clean_after, (y, z))):
            assert number is not None
            assert number[i] == pytest.approx(u @ v / np.sqrt((u @ u) * (v @ v)), abs=1e-6)


def test_without_clean_originals_nothing_is_said_of_them() -> None:
    crops = to_uint8(sample_faces().images)
    meter = DriftMeter(PREPROCESSORS.create("none"), [EMBEDDERS.create("lbp")])
    meter.add(SAMPLES, crops, 255 - crops)
    (found,) = meter.moved()
    drift = summary(found)
    assert drift.n == 4
    assert (drift.clean_before, drift.clean_after, drift.towards, drift.away) == (None, None, None, None)


def test_a_meter_that_saw_nothing_says_so() -> None:
    meter = DriftMeter(PREPROCESSORS.create("none"), [EMBEDDERS.create("lbp")], most=3)
    assert meter.sheet() is None
    drift = summary(meter.moved()[0])
    assert (drift.n, drift.mean, drift.low, sum(drift.counts), drift.worst) == (0, None, None, 0, ())


def test_a_summary_counts_every_face_that_could_be_had_and_names_those_moved_most() -> None:
    drift = summary(moved(), most=2)
    assert drift.n == sum(drift.counts) == 3
    assert drift.mean == pytest.approx((0.9 + 0.9 - 0.2) / 3)
    assert drift.counts[DRIFT_BINS.index(-0.2)] == 1
    assert drift.counts[DRIFT_BINS.index(0.9)] == 2
    assert (drift.towards, drift.away) == (1, 1)
    assert drift.clean_before == pytest.approx(0.5)
    assert [(d.sample, d.cosine, d.clean_after) for d in drift.worst] == [("c", -0.2, 0.1), ("a", 0.9, 0.6)]
    assert most_drifted(moved(), 9) == [2, 0, 3]


def test_faces_that_were_not_touched_are_counted_and_are_in_no_other_number() -> None:
    crops = to_uint8(sample_faces().images)
    after = crops.copy()
    after[2] = 255 - after[2]
    meter = DriftMeter(PREPROCESSORS.create("none"), [EMBEDDERS.create("lbp")], most=4)
    meter.add(SAMPLES, crops, after, crops)
    (found,) = meter.moved()
    assert found.touched.tolist() == [False, False, True, False]
    assert meter.sheet().shape == (128, 256, 3)  # type: ignore[union-attr]
    drift = summary(found)
    assert (drift.n, drift.left, sum(drift.counts)) == (1, 3, 1)
    assert drift.mean == drift.low == pytest.approx(float(found.cosine[2]))
    assert drift.mean < 0.95
    assert drift.clean_before == pytest.approx(1.0)
    assert [d.sample for d in drift.worst] == ["c"]


def test_a_cosine_lies_where_a_slow_count_of_the_judges_own_scores_has_it() -> None:
    rng = np.random.default_rng(0)
    people = np.repeat(np.array(["a", "b", "c", "d"], object), 5)
    centres = {name: rng.normal(size=8) for name in "abcd"}
    vectors = np.stack([centres[name] + rng.normal(size=8) for name in people]).astype(np.float32)
    vectors[3] = 0
    status = np.array(["" if i != 3 else "not an image" for i in range(20)], object)
    found = own_scores(people, np.arange(20), Embeddings(vectors, status, status))
    assert found is not None
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    pairs = {True: [], False: []}  # type: dict[bool, list[float]]
    for i, j in itertools.combinations(np.flatnonzero(status == "").tolist(), 2):
        pairs[people[i] == people[j]].append(float(unit[i] @ unit[j]))
    np.testing.assert_allclose(np.sort(found.mated), np.sort(pairs[True]), atol=1e-6)
    np.testing.assert_allclose(np.sort(found.non_mated), np.sort(pairs[False]), atol=1e-6)
    drift = summary(moved(scores=found))
    assert drift.low_among == (np.mean(found.mated <= drift.low), np.mean(found.non_mated <= drift.low))
    assert own_scores(np.full(20, "", object), np.arange(20), Embeddings(vectors, status, status)) is None
    assert own_scores(people, np.zeros(20, np.int64), Embeddings(vectors, status, status)) is None  # one sample


def test_every_face_stands_in_the_table_and_what_is_unknown_is_empty(tmp_path: Path) -> None:
    write_csv([moved(), moved(judge="other", independent=False, clean_before=None, clean_after=None)], tmp_path / "d")
    with (tmp_path / "d").open(newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == COLUMNS
    assert rows[1] == ["clahe", "lbp", "yes", "a", "yes", "0.900000", "0.500000", "0.600000"]
    assert rows[2] == ["clahe", "lbp", "yes", "b", "yes", "", "", ""]
    assert rows[5] == ["clahe", "other", "no", "a", "yes", "0.900000", "", ""]
    assert len(rows) == 9
    with pytest.raises(DataError, match="the drift cannot be written"):
        write_csv([moved()], tmp_path / "nowhere" / "d")


@pytest.mark.parametrize("known_by", ["name", "weights"])
def test_a_teacher_is_no_independent_judge(known_by: str) -> None:
    judge: Embedder = EMBEDDERS.create("lbp")
    teacher = Teacher("lbp", "x") if known_by == "name" else Teacher("of old", judge.identity())
    assert not independent(taught([teacher]), judge)
    assert independent(taught([Teacher("another", "y")]), judge)
    assert independent(PREPROCESSORS.create("clahe"), judge)


def test_a_preprocessor_whose_only_judge_is_its_teacher_is_warned_of() -> None:
    teacher, other = moved(judge="teacher", independent=False), moved(judge="other")
    assert no_witness([teacher, other]) == []
    (warning,) = no_witness([teacher, moved(preprocessor="gamma")])
    assert warning == (
        "the drift of clahe has no independent judge: a loss of its training used teacher; "
        "name another embedder with --judge"
    )
