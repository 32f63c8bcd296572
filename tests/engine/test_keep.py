"""Subjects as numbers: who is one person where names are known, unknown, or contradict the list."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from recog_restore.datasets import Samples, Split
from recog_restore.engine.acquire import Jobs
from recog_restore.engine.keep import keep
from recog_restore.engine.kept import Kept
from recog_restore.engine.plan import Plan
from recog_restore.engine.score import Scored
from recog_restore.metrics import MISS, Ranked
from recog_restore.protocol import load

NONE = np.empty(0, np.int64)


def plan(subjects: list[str], pairs: list[tuple[int, int, bool]], kind: str = "lfw", by: str = "age") -> Plan:
    names = [f"{i}.jpg" for i in range(len(subjects))]
    samples = Samples(
        pd.DataFrame({"sample": names, "subject": subjects, "age": ["9", "10", "9", "30", "30", "9"][: len(names)]}),
        tuple(Path(name) for name in names),
    )
    first, second, mated = (np.array(column) for column in zip(*pairs, strict=True)) if pairs else (NONE,) * 3
    return Plan(
        protocol=dataclasses.replace(load(kind), breakdowns=(by,)),
        samples=samples,
        jobs=Jobs(np.arange(len(names)), np.zeros(len(names), bool)),
        touched=len(names),
        first=first.astype(np.int64),
        second=second.astype(np.int64),
        mated=mated.astype(bool),
        fold=np.zeros(len(first), np.int64),
        gallery=NONE,
        probes=NONE,
        gallery_template=NONE,
        probe_template=NONE,
        galleries={},
        partial="",
    )


def kept(made: Plan) -> Kept:
    scores = np.linspace(0, 1, len(made.mated))
    return keep(made, Scored(scores={"none": scores}, counted={"none": np.ones(len(scores), bool)}), "f" * 64)


PAIRS = [(0, 1, True), (0, 2, False), (2, 3, True), (1, 3, False), (4, 5, False)]


def test_names_become_numbers_that_are_equal_for_mated_comparisons_alone() -> None:
    found = kept(plan(["a", "a", "b", "b", "c", "d"], PAIRS))
    assert found.subjects_known
    assert found.mated.tolist() == [True, False, True, False, False]
    assert found.first[0] == found.first[1] == found.first[3]
    assert found.second[1] == found.first[2] == found.second[3]
    assert len({*found.first.tolist(), *found.second.tolist()}) == 4


def test_without_names_faces_that_mated_comparisons_join_are_one_subject() -> None:
    found = kept(plan([""] * 6, PAIRS))
    assert not found.subjects_known
    named = kept(plan(["a", "a", "b", "b", "c", "d"], PAIRS))
    pairs = [list(zip(k.first.tolist(), k.second.tolist(), strict=True)) for k in (found, named)]
    alike = [[a == b for pair in p for a in pair for other in p for b in other] for p in pairs]
    assert alike[0] == alike[1]


def test_where_the_list_contradicts_the_names_the_list_counts() -> None:
    found = kept(plan(["a", "x", "b", "b", "a", "a"], PAIRS))  # 0 and 1 are mated, 4 and 5 are not
    assert found.mated.tolist() == [True, False, True, False, False]
    assert found.first[0] == found.second[0]
    assert found.first[4] != found.second[4]


def test_labels_are_numbered_in_the_order_of_the_breakdown() -> None:
    found = kept(plan(["a", "a", "b", "b", "c", "d"], PAIRS))
    numbers, names = found.labels["age"]
    assert names == ("9", "10 / 30", "10 / 9", "30 / 9")
    assert [names[number] for number in numbers] == ["10 / 9", "9", "30 / 9", "10 / 30", "30 / 9"]


def test_a_search_is_of_one_subject_and_keeps_rank_and_both_scores() -> None:
    made = plan(["a", "b", "a", "b", "b", "a"], [], "csv-identification", by="age")
    made = dataclasses.replace(
        made,
        gallery=np.array([0, 1]),
        probes=np.array([2, 3, 4, 5]),
        gallery_template=np.array([0, 1]),
        probe_template=np.array([0, 1, 1, 2]),
        galleries={"": Split(np.array([0, 1]), np.array([0, 1, 2]))},
    )
    ranked = Ranked(
        np.array([1, MISS, 2]),
        np.array([0.5, -np.inf, 0.25], np.float32),
        np.array([0, -1, 0]),
        np.array([0.25, 0.5, 0.75], np.float32),
        np.array([1, 0, 1]),
    )
    scored = Scored(ranked={"none": ranked}, counted={"none": np.ones(3, bool)})
    found = keep(made, scored, "f" * 64)
    assert found.mated.all()
    assert found.first.tolist() == [0, 1, 0]
    assert found.ranks["none"].tolist() == [1, MISS, 2]
    assert found.scores["none"].tolist() == [0.5, -np.inf, 0.25]
    assert found.impostor_scores["none"].dtype == np.float64
    numbers, names = found.labels["age"]
    assert [names[number] for number in numbers] == ["9", "30", "9"]


def searched(galleries: dict[str, Split], metrics: tuple[str, ...]) -> Kept:
    """Three searches for a, b and c, each among some of three enrolled faces of a, b and c."""
    made = plan(["a", "b", "c", "a", "b", "c"], [], "csv-identification")
    made = dataclasses.replace(
        made,
        protocol=dataclasses.replace(made.protocol, metrics=metrics, primary=metrics[0]),
        gallery=np.arange(3),
        probes=np.arange(3, 6),
        gallery_template=np.arange(3),
        probe_template=np.arange(3),
        galleries=galleries,
    )
    none = Ranked.misses(3)
    return keep(made, Scored(ranked={"none": none}, counted={"none": np.ones(3, bool)}), "f" * 64)


def test_in_an_open_set_a_search_for_nobody_enrolled_has_no_mate() -> None:
    found = searched({"": Split(np.array([0, 1]), np.arange(3))}, ("tpir@fpir=1e-1",))
    assert found.mates is not None
    assert found.mated.tolist() == [True, True, False]
    assert found.galleries is None


def test_of_several_galleries_a_search_belongs_to_the_one_that_has_its_mate() -> None:
    found = searched({"1": Split(np.array([0, 2]), np.arange(3)), "2": Split(np.array([1]), np.arange(3))}, ("rank1",))
    assert found.galleries is not None
    assert found.galleries[0].tolist() == [0, 1, 0]
    assert found.galleries[1] == ("1", "2")
    assert found.metrics == ("rank1",)


def test_a_search_with_a_mate_in_two_galleries_has_no_statistics() -> None:
    found = searched({"1": Split(np.array([0]), np.arange(3)), "2": Split(np.arange(3), np.arange(3))}, ("rank1",))
    assert found.metrics == ()
