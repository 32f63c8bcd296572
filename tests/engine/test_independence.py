"""What a run says of whom its networks have seen, and the warnings that follow from it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from torch import Tensor

from recog_restore.datasets import Samples
from recog_restore.datasets.mark import Mark, write_mark
from recog_restore.datasets.opening import open_dataset
from recog_restore.embed import EMBEDDERS, Embedder
from recog_restore.engine.independence import cautions, kind_of_faces, statement
from recog_restore.engine.plan import Plan
from recog_restore.networks.cards import OriginCard, Teacher, read_card, read_restorer_card, shipped
from recog_restore.preprocess import Preprocessor
from recog_restore.preprocess.card import described
from recog_restore.preprocess.spec import create
from recog_restore.protocol import load


class Restorer(Preprocessor):
    """Restores nothing, under the card of a shipped restorer."""

    def __init__(self, name: str, **changes: Any) -> None:
        super().__init__()
        self.card = dataclasses.replace(
            described(read_restorer_card(shipped("restorer")[name] / "card.toml")), **changes
        )

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        return images


def judge(name: str = "cosface-synthpie", origin: OriginCard | None = None) -> Embedder:
    embedder = EMBEDDERS.create("lbp")
    card = read_card(shipped("embedder")[name] / "card.toml") if origin is None else embedder.card
    embedder.card = dataclasses.replace(card, name=name, origin=origin or card.origin)
    return embedder


def plan(protocol: str, *changes: str, dataset: str = "", subjects: tuple[str, ...] = ("1", "2")) -> Plan:
    question = load(protocol, [*changes, *([f"data.dataset={dataset}"] if dataset else [])])
    table = pd.DataFrame({"sample": list(subjects), "subject": list(subjects)})
    found = object.__new__(Plan)
    object.__setattr__(found, "protocol", question)
    object.__setattr__(found, "samples", Samples(table, tuple(map(Path, subjects)), None, "landmarks"))
    return found


def warned(tested: Plan, name: str, faces: str, embedder: Embedder, **changes: Any) -> list[str]:
    dataset = open_dataset("synthpie", None)
    dataset.faces = faces  # type: ignore[assignment]
    return cautions(tested, dataset, [embedder], [Restorer(name, **changes)])


OUTSIDE = judge("mobilefacenet", OriginCard())


def test_a_restorer_of_rendered_faces_warns_before_photographs_and_the_other_way_round() -> None:
    (said,) = warned(plan("lfw"), "mdfr", "photographed", OUTSIDE)
    assert said.startswith("mdfr is outside of its tested range (rendered faces only, real ones become somebody else")
    assert said.endswith("the faces of lfw are photographs, as far as is known")
    assert warned(plan("lfw"), "mdfr-restore", "photographed", OUTSIDE) == []
    assert warned(plan("multipie-setting2"), "mdfr", "rendered", OUTSIDE) == []
    (said,) = warned(plan("multipie-setting2", dataset="synthpie"), "mdfr-restore", "rendered", OUTSIDE)
    assert "outside of its tested range" in said
    assert said.endswith("the faces of synthpie are rendered")
    assert warned(plan("lfw"), "mdfr", "photographed", OUTSIDE, origin=OriginCard()) == []  # nothing is known


def test_a_recognizer_that_knows_rendered_faces_alone_warns_before_photographs() -> None:
    dataset = open_dataset("synthpie", None)
    dataset.faces = "photographed"
    (said,) = cautions(plan("lfw"), dataset, [judge()], [])
    assert said.startswith("cosface-synthpie has only seen rendered faces, and the faces of lfw are photographs")


@pytest.mark.parametrize(
    ("degradation", "warns"), [("mdfr", True), ("mdfr-down5", True), ("bicubic-down3", True), ("gfrnet", False)]
)
def test_a_run_under_the_training_degradation_says_so(degradation: str, warns: bool) -> None:
    tested = plan("lfw-lq", f"degradation.name={degradation}")
    found = warned(tested, "mdfr-restore", "photographed", OUTSIDE)
    assert bool(found) == warns
    assert all(f"was trained under the degradation of this run, {degradation}" in text for text in found)


def test_an_inside_judge_is_named_although_no_loss_used_it() -> None:
    (said,) = warned(plan("multipie-setting2", dataset="synthpie"), "mdfr", "rendered", judge())
    assert said == (
        "cosface-synthpie learned from 1,500 of the same rendered people as mdfr, sphereface-synthpie, "
        "teacher-synthpie, arcface-synthpie; judge mdfr with a recognizer from outside as well"
    )
    assert warned(plan("multipie-setting2", dataset="synthpie"), "mdfr", "rendered", judge("arcface-synthpie")) == []


def test_the_statement_names_training_people_teachers_selection_overlap_and_tested_people() -> None:
    chain = create("clahe+gamma")
    found = statement(
        plan("lfw", subjects=("Ann", "Bob", "Cid")), [OUTSIDE, judge()], [chain, Restorer("mdfr-restore")]
    )
    text = "\n".join(found)
    assert found[0] == "Recognizer mobilefacenet does not say whom it has seen."
    assert found[1] == "Judge cosface-synthpie learned from SynthPIE 3: 1,500 rendered people from number 1,000,000."
    assert found[2].startswith("Preprocessor mdfr-restore learned from Celebrities in Frontal-Profile")
    assert (
        "its losses used mobilefacenet-casia, its weights were chosen by mobilefacenet-arcface-ms1m-112, on" in found[2]
    )
    assert "108 of the training people of mdfr-restore are in LFW's list by name." in found
    assert found[-1] == (
        "Tested: 3 people of lfw; nobody has compared them with the training people but where that is said."
    )
    assert "clahe" not in text


@pytest.mark.parametrize(
    ("subjects", "among"),
    [
        (("1", "346"), "none of them is a training person"),
        (("1", "1000000"), "cosface-synthpie, mdfr-ffn learned from some of them"),
    ],
)
def test_rendered_people_are_compared_by_number(subjects: tuple[str, ...], among: str) -> None:
    tested = plan("multipie-setting2", dataset="synthpie", subjects=subjects)
    last = statement(tested, [judge()], [Restorer("mdfr-ffn")])[-1]
    assert last.startswith("Tested: 2 people of synthpie, rendered by the program that rendered the training faces of")
    assert last.endswith(f"; {among}.")


def test_a_mimic_has_the_faces_of_its_source(tmp_path: Path) -> None:
    dataset = open_dataset("folder", tmp_path)
    assert kind_of_faces(dataset) == "photographed"
    write_mark(tmp_path, Mark("IJB-C", "synthpie; SynthPIE (small)", {}))
    assert kind_of_faces(dataset) == "rendered"
    assert kind_of_faces(open_dataset("synthpie", None)) == "rendered"


def test_teachers_that_do_not_ship_are_named_and_not_looked_into() -> None:
    stranger = Restorer("mdfr", teachers=(Teacher("somebody"),), origin=OriginCard())
    (said,) = (text for text in statement(plan("lfw"), [judge()], [stranger]) if text.startswith("Preprocessor"))
    assert said == "Preprocessor mdfr does not say whom it has seen, its losses used somebody."
