"""What the recipes that come with the package promise, beyond being valid."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from recog_restore.networks.cards import read_restorer_card
from recog_restore.networks.toml import toml_text
from recog_restore.networks.weights import build_network, fit
from recog_restore.protocol import load
from recog_restore.records import plain
from recog_restore.training.reading import read_recipe
from recog_restore.training.recipe import Recipe
from recog_restore.training.restorer_recipe import RestorerRecipe

MODELS = Path(__file__).resolve().parents[2] / "models"


ALL = [file for file in sorted(MODELS.glob("*/*.toml")) if file.name not in ("card.toml", "common.toml")]


@pytest.mark.parametrize("file", ALL, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_recipe_is_the_same_when_it_is_written_out(file: Path, tmp_path: Path) -> None:
    recipe = read_recipe(file)
    (tmp_path / "recipe.toml").write_text(toml_text(plain(recipe)), "utf-8")
    assert read_recipe(tmp_path / "recipe.toml") == recipe


def restorer(file: str) -> RestorerRecipe:
    recipe = read_recipe(MODELS / file)
    assert isinstance(recipe, RestorerRecipe)
    return recipe


RESTORE = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "recipe"]


@pytest.mark.parametrize("file", RESTORE)
def test_mdfr_restore_validates_on_people_whom_it_is_not_trained_on(file: str) -> None:
    recipe = restorer(f"mdfr-restore/{file}.toml")
    assert recipe.data.folder is not None
    first, last = recipe.validation.options["people"]
    assert recipe.data.folder.layout == "cfp"
    assert recipe.data.folder.people[1] < first < last
    protocol = load(recipe.validation.protocol)
    assert protocol.data.dataset == "cfp"
    assert protocol.degradation is not None
    assert (protocol.degradation.name, protocol.degradation.apply) == (recipe.data.degradation, "probes")


@pytest.mark.parametrize("file", RESTORE)
def test_mdfr_restore_is_for_research_only_and_adds_to_its_input(file: str) -> None:
    recipe = restorer(f"mdfr-restore/{file}.toml")
    assert recipe.rights is not None
    assert recipe.rights.weights.startswith("research only")
    gated = file in RESTORE[3:]
    assert recipe.network.arguments["output"] == ("gated" if gated else "residual")
    assert bool(recipe.stages[0].losses.passing) == gated
    assert recipe.task == "restore"
    assert recipe.judge not in recipe.embedders


@pytest.mark.parametrize(
    ("before", "after"),
    [
        *[(f"mdfr-restore/{before}", f"mdfr-restore/{after}") for before, after in pairwise(RESTORE[:-1])],
        ("mdfr/first", "mdfr/second"),
        ("mdfr/second", "mdfr/third"),
        ("mdfr/third", "mdfr/fourth"),
        ("mdfr/fourth", "mdfr/fifth"),
        ("mdfr/fifth", "mdfr/sixth"),
    ],
)
def test_training_goes_on_from_the_one_before(before: str, after: str) -> None:
    earlier, later = restorer(f"{before}.toml"), restorer(f"{after}.toml")
    assert later.start.frn == f"runs/train-{earlier.name}/{earlier.name}"
    old, new = (build_network(one.network.name, one.network.arguments, one.name) for one in (earlier, later))
    fit(new, new.begun_as(old.state_dict()), after)  # type: ignore[operator]
    assert later.seed != earlier.seed or later.data != earlier.data


@pytest.mark.parametrize(("name", "files"), [("mdfr", ["fourth", "sixth"]), ("mdfr-restore", ["sixth", "seventh"])])
def test_the_last_training_begins_with_the_mean_of_two(name: str, files: list[str]) -> None:
    recipe, *earlier = (restorer(f"{name}/{file}.toml") for file in ("recipe", *files))
    assert [recipe.start.frn, *recipe.start.soup] == [f"runs/train-{one.name}/{one.name}" for one in earlier]


@pytest.mark.parametrize("name", ["mdfr", "mdfr-ffn", "mdfr-restore"])
def test_recipe_ships_beside_its_weights(name: str) -> None:
    recipe, card = restorer(f"{name}/recipe.toml"), read_restorer_card(MODELS / name / "card.toml")
    assert (recipe.name, recipe.network.name, recipe.task) == (card.name, card.network, card.task)
    assert (recipe.title, recipe.tested_range, dict(recipe.network.arguments)) == (
        card.title,
        card.tested_range,
        dict(card.arguments),
    )
    assert card.measured


@pytest.mark.parametrize("name", ["frn-s", "ffn-s", "frn-ti"])
def test_papers_recipe_has_the_papers_numbers(name: str) -> None:
    recipe = restorer(f"mdfr/mdfr-paper-{name}.toml")
    (stage,) = recipe.stages
    losses = stage.losses
    assert recipe.name == f"mdfr-paper-{name}"
    assert recipe.size(stage) == (128, 128)
    assert (stage.batch, stage.lr, losses.distance, losses.reduction) == (8, 1e-4, "l2", "paper-sum")
    assert (recipe.optimizer.name, recipe.optimizer.momentum) == ("adamw", 0.5)
    assert stage.lr * recipe.discriminator_pace == pytest.approx(1e-3)
    assert losses.pixel == 1
    stated = {"frn-s": (1e4, 0, 0, 0), "ffn-s": (1e4, 1e4, 1e4, 0), "frn-ti": (0.1, 0, 0, 1)}
    assert (losses.identity, losses.pcd, losses.icd, losses.alignment) == stated[name]
    assert (stage.trains, stage.target) == {
        "frn-s": ("frn", "frontal"),
        "ffn-s": ("ffn", "frontal"),
        "frn-ti": ("ti", "teacher"),
    }[name]
    assert not recipe.validation.protocol


def test_papers_recipes_fit_together() -> None:
    frn, ffn, ti = (restorer(f"mdfr/mdfr-paper-{name}.toml") for name in ("frn-s", "ffn-s", "frn-ti"))
    assert ti.generators == {"frn": frn.network, "ffn": ffn.network}
    assert ti.start.frn == f"runs/train-{frn.name}/{frn.name}"
    assert ti.start.ffn == f"runs/train-{ffn.name}/{ffn.name}"
    assert ti.data.multipie == ffn.data.multipie
    identity = read_recipe(MODELS / "mdfr/mdfr-paper-identity.toml")
    assert isinstance(identity, Recipe)
    assert {*frn.embedders, *ffn.embedders, *ti.embedders} == {f"card:runs/train-{identity.name}/{identity.name}"}
    assert frn.data.folder is not None
    assert identity.data.folder is not None
    assert frn.data.folder.root == identity.data.folder.root
