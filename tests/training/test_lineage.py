"""A restorer that begins with another's weights says who taught that one, whom it has seen, and under which rights."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from recog_restore.embed.spec import create
from recog_restore.errors import RecordError
from recog_restore.networks.cards import OriginCard, RestorerCard, RightsCard, Teacher, read_restorer_card
from recog_restore.networks.toml import card_text
from recog_restore.training.lineage import degradations, marks_of_judge, rights, seen, taught
from recog_restore.training.restorer import export_restorer
from recog_restore.training.restorer_course import RestorerCourse, _begin
from recog_restore.training.restorer_learner import new_learner
from recog_restore.training.restorer_recipe import JUDGE, Faces, PairData, RestorerRecipe, Start

from .restorer import tiny_restorer

RESEARCH = RightsCard("Apache-2.0", "research only", "photos")
RENDERED = RightsCard("Apache-2.0", "Apache-2.0", "rendered by this program; nobody's face")
PHOTOS = PairData(folder=Faces("photos"), degradation="mdfr")
CARD = RestorerCard("before", "frn", rights=RESEARCH, origin=OriginCard(training_sets=("others",)))
Begins = Callable[..., RestorerRecipe]


@pytest.fixture
def begins(tmp_path: Path) -> Begins:
    def build(frn: RestorerCard, ffn: RestorerCard | None = None, *changes: str) -> RestorerRecipe:
        folders = {}
        for key, card in {"frn": frn, "ffn": ffn}.items():
            if card is not None:
                (folder := tmp_path / key).mkdir()
                (folder / "card.toml").write_text(card_text(card), "utf-8")
                folders[key] = str(folder)
        return dataclasses.replace(tiny_restorer(tmp_path, *changes), start=Start(**folders))

    return build


def test_card_names_all_teachers_and_training_sets_once(begins: Begins, tmp_path: Path) -> None:
    arcface = create("arcface-synthpie")
    own, other = Teacher("arcface-synthpie", arcface.identity()), Teacher("other", "1" * 64)
    frn = dataclasses.replace(CARD, teachers=(other, own))
    ffn = dataclasses.replace(CARD, teachers=(other,), origin=OriginCard(training_sets=("others", "more")))
    recipe = begins(frn, ffn, "training_data=mine")
    export_restorer(recipe, "frn", new_learner(recipe, recipe.stages[0], None, 0).frn.state_dict(), tmp_path / "out")
    card = read_restorer_card(tmp_path / "out" / "card.toml")
    assert card.teachers == taught(recipe, [arcface]) == (own, other)
    assert card.origin.training_sets == seen(recipe) == ("mine", "others", "more")
    assert card.rights == RESEARCH


def test_soup_begins_with_the_mean_and_names_all_who_are_in_it(tmp_path: Path) -> None:
    recipe, states = tiny_restorer(tmp_path, "training_data=mine"), []
    for seed, name in enumerate(("one", "other")):
        learner = new_learner(dataclasses.replace(recipe, seed=seed), recipe.stages[0], None, 0)
        export_restorer(
            dataclasses.replace(recipe, training_data=name), "frn", learner.frn.state_dict(), tmp_path / name
        )
        states.append(learner.frn.state_dict())
    begun = dataclasses.replace(recipe, start=Start(frn=str(tmp_path / "one"), soup=(str(tmp_path / "other"),)))
    learner = new_learner(begun, begun.stages[0], None, 0)
    _begin(learner, begun.start)
    for name, tensor in learner.frn.state_dict().items():
        assert torch.equal(tensor, ((states[0][name] + states[1][name]) / 2).to(tensor.dtype)), name
    assert seen(begun) == ("mine", "one", "other")
    with pytest.raises(RecordError, match=r"start.soup: expected start.frn"):
        Start(soup=("other",))


@pytest.mark.parametrize(
    ("before", "changes", "expected"),
    [
        (RESEARCH, {}, RESEARCH),
        (RENDERED, {}, RENDERED),
        (RESEARCH, {"rights": RightsCard("mine")}, RightsCard("mine")),
        (RENDERED, {"data": PHOTOS, "teacher": None, "task": "restore"}, RightsCard("Apache-2.0")),
    ],
    ids=["of the first weights", "rendered", "as the recipe says", "of the photos"],
)
def test_rights_are_those_that_restrict(
    before: RightsCard, changes: dict[str, Any], expected: RightsCard, begins: Begins
) -> None:
    recipe = begins(dataclasses.replace(CARD, rights=before), None, "stages=[{steps=1}]")
    assert rights(dataclasses.replace(recipe, **changes)) == expected


def test_rights_that_differ_are_asked_for_before_the_training(begins: Begins) -> None:
    recipe = begins(CARD, dataclasses.replace(CARD, rights=RightsCard("MIT")))
    with pytest.raises(RecordError, match=r"rights: those .* in \[start\] differ; expected \[rights\] in the recipe"):
        RestorerCourse.check(recipe)


def test_degradations_are_those_of_this_training_and_of_the_first_weights(begins: Begins) -> None:
    recipe = begins(dataclasses.replace(CARD, degradations=("camera", "mdfr")), None, "stages=[{steps=1}]")
    data = dataclasses.replace(recipe.data, degradation="mdfr-down5", degraded=0.5, reduced=0.5)
    assert degradations(dataclasses.replace(recipe, data=data)) == ("mdfr", "bicubic", "camera")
    unharmed = dataclasses.replace(data, degradation="", reduced=0.5)
    assert degradations(dataclasses.replace(recipe, data=unharmed)) == ("camera", "mdfr")


def test_without_first_weights_rendered_faces_are_nobodys(tmp_path: Path) -> None:
    assert rights(tiny_restorer(tmp_path)) == RENDERED


@pytest.mark.parametrize("which", ["name", "sha256", "the recipe's own"])
def test_weights_that_a_judge_taught_are_refused(which: str, begins: Begins) -> None:
    (sha256,) = marks_of_judge() - {JUDGE}
    teacher = {"name": Teacher(JUDGE), "sha256": Teacher("renamed", sha256), "the recipe's own": Teacher("lbp")}[which]
    validation = "validation={protocol='multipie-setting2', options={part='train', train_people=3, sessions=[1]}}"
    recipe = begins(
        dataclasses.replace(CARD, teachers=(teacher,)), None, *([validation] if teacher.name == "lbp" else [])
    )
    with pytest.raises(RecordError, match=f"start.frn: before was taught by {teacher.name}, a judge, who would not"):
        RestorerCourse.check(recipe)
