from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from recog_restore.errors import RecordError, UnknownName
from recog_restore.networks.cards import EmbedderCard
from recog_restore.training.reading import read_recipe, recipe_text
from recog_restore.training.recipe import Recipe

from .conftest import TINY

MODELS = Path(__file__).resolve().parents[2] / "models"
RECIPES = [file for file in sorted(MODELS.glob("*/recipe.toml")) if isinstance(read_recipe(file), Recipe)]


def test_recipe_has_its_steps_and_sizes(tiny: Callable[..., Recipe]) -> None:
    recipe = tiny()
    assert recipe.steps == 11
    assert [recipe.size(stage) for stage in recipe.stages] == [(32, 32), (112, 96)]


def test_a_key_is_changed_without_touching_the_others(tiny: Callable[..., Recipe]) -> None:
    recipe = tiny("data.synthpie.people=9", "head.name=arcface", "data.synthpie.web.largest_yaw=50.0")
    assert recipe.data.synthpie is not None
    assert (recipe.data.synthpie.people, recipe.data.synthpie.images) == (9, 4)
    assert recipe.data.synthpie.web.largest_yaw == 50.0
    assert recipe.head.name == "arcface"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *(
            (f"name='{name}'", "expected letters, digits")
            for name in ("", ".", "..", "/etc", "../x", "a/b", "-x", "tensorboard")
        ),
        ("name=samples", "name is 'samples'; expected letters, digits, .* writes beside it: samples, tensorboard"),
        ("name=log.csv", "name is 'log.csv'; expected letters"),
        ("epochs=3", r"recipe\.toml: unknown key 'epochs'"),
        ("data.synthpie.persons=3", r"unknown key 'data\.synthpie\.persons'; known: cached, first"),
        ("data.synthpie.people=0", "people is 0; expected at least 1"),
        ("data.synthpie.first=1", r"people 1 … 4; training people are numbers 1,000,000 … 1,999,999, disjoint"),
        ("data.synthpie.first=1999999", r"people 1,999,999 … 2,000,002; training people are"),
        ("data.synthpie.web.size=96", "web.size is 96; expected 128, the canonical crop"),
        ("data.synthpie.images=3", "images is 3, not a multiple of views, which is 2"),
        ("data.folder.root=x", "data: expected one of"),
        ("head.arguments.margins=1", "head cosface: unknown option 'margins'; did you mean 'margin'"),
        ("network.arguments.size=[64, 64]", "network.arguments.size is not for a recipe to say"),
        ("stages=[]", r"expected at least one \[\[stages\]\]"),
        ("stages=[{steps=1, size=[64, 64]}]", r"the last size is \[64, 64\]; expected that of sphereface-112x96"),
        ("stages=[{steps=0}]", "steps is 0, batch 128, lr 0.1; expected at least 1"),
        ("stages=[{steps=1, size=[8, 8]}]", "expected height and width, 16 or more each"),
        ("stages=[{steps=1, rise=1.0}]", r"stages: rise is 1\.0; expected a part of the steps, from 0 to less than 1"),
        ("stages=[{steps=1, rise=-1.0}]", r"stages: rise is -1\.0; expected"),
        ("seed=-1", "seed is -1; expected a number from 0 to 4,294,967,295"),
        ("optimizer.momentum=1.0", r"optimizer: momentum is 1\.0; expected a number from 0 to less than 1"),
        ("keep_every=0", "keep_every is 0 and log_every 1; expected at least 1 each"),
        ("average=[8, 10]", r"average is \[8, 10\]; expected steps from 0 on, in order, to the last, 11"),
        ("average=[11, 8, 11]", r"average is \[11, 8, 11\]; expected steps from 0 on, in order, to the last, 11"),
        ("average=[6, 11]", r"average is \[6, 11\]; expected steps of stages of one size"),
        (
            'validation.best="gain rank1"',
            "'gain rank1', which is a restorer's gain over untouched faces; for an embedder",
        ),
        ("people", "--set 'people': expected key=value"),
    ],
)
def test_what_is_wrong_in_a_recipe_is_named(change: str, message: str, tiny: Callable[..., Recipe]) -> None:
    with pytest.raises(RecordError, match=message):
        tiny(change)


@pytest.mark.parametrize("missing", ['name = "tiny"\n', 'title = "A tiny network"\n'])
def test_text_of_a_recipe_has_the_changes_that_it_was_read_with(missing: str, tmp_path: Path) -> None:
    file, again = tmp_path / "recipe.toml", tmp_path / "again.toml"
    file.write_text(TINY.replace(missing, ""), "utf-8")
    recipe = read_recipe(file, ["name=other", "title=", "augment.flip=0.0"])
    again.write_text(recipe_text(recipe, file), "utf-8")
    assert read_recipe(again) == recipe


def test_a_recipe_asks_for_the_best_weights_or_for_the_mean(tiny: Callable[..., Recipe]) -> None:
    with pytest.raises(RecordError, match=r"average and validation\.best: expected one of them"):
        tiny("average=[8, 11]", "validation.best=rank1")


def test_unknown_head_and_network_are_refused_with_the_nearest(tiny: Callable[..., Recipe]) -> None:
    with pytest.raises(UnknownName, match="no head named 'arcfaces'; did you mean 'arcface'"):
        tiny("head.name=arcfaces")
    with pytest.raises(UnknownName, match="no network named 'mobilenet'; did you mean 'mobilefacenet'"):
        tiny("network.name=mobilenet")


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.parent.name)
def test_recipes_of_the_package_are_valid_and_named_by_their_folder(file: Path) -> None:
    recipe = read_recipe(file)
    assert isinstance(recipe, Recipe)
    assert recipe.name == file.parent.name
    assert recipe.data.synthpie is not None
    assert 40 <= recipe.data.synthpie.web.largest_yaw <= 60
    EmbedderCard(recipe.name, recipe.network.name, input=recipe.input)


def test_there_are_four_recipes() -> None:
    names = ["arcface-synthpie", "cosface-synthpie", "sphereface-synthpie", "teacher-synthpie"]
    assert [file.parent.name for file in RECIPES] == names
