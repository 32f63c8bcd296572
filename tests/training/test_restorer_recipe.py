from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recog_restore.errors import RecordError, UnknownName
from recog_restore.records import plain
from recog_restore.training.reading import read_recipe, recipe_text
from recog_restore.training.restorer_recipe import JUDGE, Pairs, RestorerRecipe

from .restorer import tiny_restorer

MODELS = Path(__file__).resolve().parents[2] / "models"
RECIPES = [file for file in sorted(MODELS.glob("*/recipe.toml")) if isinstance(read_recipe(file), RestorerRecipe)]


def test_recipe_has_its_stages(tmp_path: Path) -> None:
    recipe = tiny_restorer(tmp_path)
    assert [stage.trains for stage in recipe.stages] == ["frn", "ffn", "ti"]
    assert [recipe.size(stage) for stage in recipe.stages] == [(64, 64), (64, 64), (128, 128)]
    assert recipe.data.pairs.probes == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("kind=embeder", "kind is 'embeder'; did you mean 'embedder'"),
        (f'embedders=["{JUDGE}"]', f"embedders: {JUDGE} is the judge: where a loss used it, nobody independent"),
        ('embedders=["lbp"]', "embedders: lbp is the judge"),
        ("embedders=[]", r"losses\.identity: expected embedders = \['arcface-synthpie'\], or identity = 0"),
        ("network.name=mobilefacenet", "network.name is 'mobilefacenet'; expected 'frn', or 'ffn' for an FFN alone"),
        ("teacher.name=frn", "teacher.name is 'frn'; expected 'ffn'"),
        ("stages=[{steps=1, size=[64, 96]}, {steps=1}]", r"size is \[64, 96\]; expected height and width alike"),
        (
            "stages=[{steps=1, size=[40, 40]}, {steps=1}]",
            r"size is \[40, 40\]; .* alike, and multiples of 32 \(frn\), 32 \(ffn\)",
        ),
        ("stages=[{steps=1, trains='ffn'}]", "expected one that trains the FRN"),
        ("stages=[{steps=1, size=[64, 64]}]", r"the last size is \[64, 64\]; expected \[128, 128\]"),
        ("stages=[{steps=1, losses={pcd=1.0}}]", "pcd and icd judge the FFN; expected trains = 'ffn'"),
        ("stages=[{steps=1, losses={alignment=1.0}}]", "alignment is with the frozen FFN; expected trains = 'ti'"),
        (
            "stages=[{steps=1, losses={identity_part=[0.0]}}]",
            r"identity_part is \[0\.0\]; expected numbers of more than 0",
        ),
        ("stages=[{steps=1, losses={identity_part=[1.0, 0.5]}}]", "one number, or one for each of 1 embedders, got 2"),
        ("data.pairs.people=0", r"data\.pairs\.people is 0; expected at least 1"),
        ("data.pairs.first=346", r"data\.pairs: people 346 … 347; training people are numbers 1,000,000"),
        (
            "data.pairs.density=[1.0, 2.0]",
            r"density is \[1\.0, 2\.0\]; expected 7 numbers, none negative and not all 0",
        ),
        ("data.pair.people=1", r"unknown key 'data\.pair'; did you mean 'pairs'"),
    ],
)
def test_what_is_wrong_in_a_recipe_is_named(change: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=message):
        tiny_restorer(tmp_path, change)


def test_mean_is_of_stages_that_train_the_same(tmp_path: Path) -> None:
    stages = "stages=[{steps=2, trains='ffn', losses={identity=0.0}}, {steps=2}]"
    with pytest.raises(RecordError, match=r"average is \[1, 4\]; expected steps of stages that train the same network"):
        tiny_restorer(tmp_path, stages, "average=[1, 4]")
    assert tiny_restorer(tmp_path, stages, "average=[3, 4]").average == (3, 4)


def test_judge_of_identities_needs_an_embedder(tmp_path: Path) -> None:
    stages = "{steps=1, trains='ffn', losses={identity=0.0, icd=1.0}}, {steps=1, losses={identity=0.0}}"
    with pytest.raises(RecordError, match=r"expected embedders = .*, or identity = 0 and icd = 0"):
        tiny_restorer(tmp_path, "embedders=[]", f"stages=[{stages}]")


def test_stage_with_a_teacher_needs_one(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    lines = 'kind="restorer"', 'name="x"', 'network={name="frn"}', 'stages=[{steps=1, trains="ti"}]', "data={pairs={}}"
    recipe.write_text("\n".join(lines))
    with pytest.raises(RecordError, match="'ffn' and 'ti' need an FFN; expected"):
        read_recipe(recipe, ['embedders=["arcface-synthpie"]'])


def test_unknown_degradation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="no degradation named 'mdfl'"):
        tiny_restorer(tmp_path, "data.degradation=mdfl")


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.parent.name)
def test_recipes_of_the_package_are_valid_and_leave_the_judge_alone(file: Path) -> None:
    recipe = read_recipe(file)
    assert isinstance(recipe, RestorerRecipe)
    assert recipe.name == file.parent.name
    if recipe.data.pairs is not None:
        assert recipe.judge == JUDGE
        assert recipe.validation.options["part"] == "train"


def test_there_is_a_recipe() -> None:
    assert "mdfr" in [file.parent.name for file in RECIPES]


def test_what_ships_is_what_a_stage_trains(tmp_path: Path) -> None:
    assert tiny_restorer(tmp_path).ships == {"frn": "tiny-restorer", "ffn": "tiny-restorer-ffn"}
    assert tiny_restorer(tmp_path, "stages=[{steps=1}]").ships == {"frn": "tiny-restorer"}
    alone = read_recipe(MODELS / "mdfr-ffn" / "recipe.toml")
    assert isinstance(alone, RestorerRecipe)
    assert alone.ships == {"ffn": "mdfr-ffn"}
    assert alone.generators == {"ffn": alone.network}


def test_recipe_that_extends_another_says_only_what_differs(tmp_path: Path) -> None:
    whole = tiny_restorer(tmp_path)
    (tmp_path / "below").mkdir()
    file = tmp_path / "below" / "other.toml"
    file.write_text(
        'extends = "../restorer.toml"\nname = "other"\nnetwork = { arguments = { width = 8 } }\n'
        "stages = [{}, { losses = { icd = 0.0 } }, {}, { steps = 5, batch = 3 }]\n"
    )
    recipe = read_recipe(file, ["seed=9"])
    assert isinstance(recipe, RestorerRecipe)
    assert (recipe.name, recipe.seed, recipe.title) == ("other", 9, whole.title)
    assert recipe.network.arguments == {**whole.network.arguments, "width": 8}
    assert recipe.stages[0] == whole.stages[0]
    assert recipe.stages[1].losses.pcd == whole.stages[1].losses.pcd
    assert recipe.stages[1].losses.icd == 0
    assert [stage.steps for stage in recipe.stages] == [3, 2, 2, 5]
    again = tmp_path / "again.toml"
    again.write_text(recipe_text(read_recipe(file), file), "utf-8")
    assert read_recipe(again, ["seed=9"]) == recipe
    again.write_text(recipe_text(recipe, file), "utf-8")
    assert read_recipe(again) == recipe
    assert recipe_text(whole, tmp_path / "restorer.toml") == (tmp_path / "restorer.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('extends = "b.toml"', "a.toml: 'extends' goes in a circle: .*a.toml → .*b.toml → .*a.toml"),
        ("extends = 1", "a.toml: extends is 1; expected the file of a recipe, as seen from this one's folder"),
    ],
)
def test_extends_that_leads_nowhere_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(text)
    (tmp_path / "b.toml").write_text('extends = "a.toml"')
    with pytest.raises(RecordError, match=message):
        read_recipe(tmp_path / "a.toml")


ABLATIONS = sorted((MODELS / "ablations").glob("f*.toml"))


@pytest.mark.parametrize("file", ABLATIONS, ids=lambda file: file.stem)
def test_ablations_are_valid_short_and_on_the_same_photos(file: Path) -> None:
    recipe = read_recipe(file)
    assert isinstance(recipe, RestorerRecipe)
    assert recipe.name == file.stem
    assert (recipe.steps, recipe.data.pairs) == (400, Pairs(people=600))
    assert list(recipe.ships) == [file.stem[:3]]
    assert recipe.judge == JUDGE
    assert not recipe.validation.protocol


def test_ablations_differ_in_what_they_leave_out() -> None:
    recipes = {file.stem: plain(read_recipe(file)) for file in ABLATIONS}
    differing = {
        ("ffn-s", "ffn-s-pc"): ("network", "arguments", "pose"),
        ("ffn-s", "ffn-s-no-pnm"): ("network", "arguments", "pose"),
        ("ffn-s", "ffn-s-no-icd"): ("stages", "losses", "icd"),
        ("ffn-s", "ffn-s-no-pcd"): ("stages", "losses", "pcd"),
        ("frn-ti", "frn-ti-no-fa"): ("stages", "losses", "alignment"),
    }
    for (whole, part), path in differing.items():
        assert _differences(recipes[whole], recipes[part]) == {("name",), ("title",), path}


def _differences(one: Any, other: Any) -> set[tuple[str, ...]]:
    """Return the dotted keys at which two plain values differ; places in lists do not count."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = {*one, *other}
        return {(key, *rest) for key in keys for rest in _differences(one.get(key), other.get(key))}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return {path for pair in zip(one, other, strict=True) for path in _differences(*pair)}
    return set() if one == other else {()}
