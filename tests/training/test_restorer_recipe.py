from __future__ import annotations

from pathlib import Path

import pytest

from recog_restore.errors import RecordError, UnknownName
from recog_restore.training.reading import read_recipe
from recog_restore.training.restorer_recipe import JUDGE, RestorerRecipe

from .restorer import tiny_restorer

MODELS = Path(__file__).resolve().parents[2] / "models"
RECIPES = sorted(file for file in MODELS.glob("*/recipe.toml") if 'kind = "restorer"' in file.read_text("utf-8"))


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
        ("stages=[{steps=1, trains='ffn'}]", "expected one that trains the FRN"),
        ("stages=[{steps=1, size=[64, 64]}]", r"the last size is \[64, 64\]; expected \[128, 128\]"),
        ("stages=[{steps=1, losses={pcd=1.0}}]", "pcd and icd judge the FFN; expected trains = 'ffn'"),
        ("stages=[{steps=1, losses={alignment=1.0}}]", "alignment is with the frozen FFN; expected trains = 'ti'"),
        ("stages=[{steps=1, losses={identity_part=0.0}}]", r"identity_part is 0\.0; expected more than 0, at most 1"),
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


def test_stage_with_a_teacher_needs_one(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('kind="restorer"\nname="x"\nnetwork={name="frn"}\nstages=[{steps=1, trains="ti"}]\n')
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
    assert recipe.judge == JUDGE
    assert recipe.validation.options["part"] == "train"


def test_there_is_a_recipe() -> None:
    assert "mdfr" in [file.parent.name for file in RECIPES]
