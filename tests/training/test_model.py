"""The model's folder: what it may replace, and which recipe lies in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recog_restore.errors import RecordError
from recog_restore.networks.cards import read_card
from recog_restore.training.data import Photos
from recog_restore.training.loop import Trained, train
from recog_restore.training.model import train_model
from recog_restore.training.place import Place
from recog_restore.training.reading import read_recipe
from recog_restore.training.recipe import Recipe

from .conftest import TINY

Tiny = Callable[..., Recipe]
Places = Callable[..., Place]


@pytest.mark.parametrize("how", ["recipe and log of its own", "empty log", "file", "empty folder"])
def test_folder_that_no_earlier_run_wrote_is_refused_before_anything_begins(
    how: str, tiny: Tiny, place: Places, cpu: Any, stripes: Photos, tmp_path: Path
) -> None:
    recipe, foreign = tiny(), tmp_path / "out" / "tiny"
    foreign.parent.mkdir()
    if how == "file":
        foreign.write_text("precious")
    else:
        foreign.mkdir()
    if "log" in how:
        (foreign / "recipe.toml").write_text(TINY)
        (foreign / "log.csv").write_text("" if how == "empty log" else "step,loss\n1,0.5\n")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with pytest.raises(RecordError, match="out/tiny: expected nothing there, or what an earlier run of this training"):
        train_model(recipe, tmp_path / "recipe.toml", place(), cpu)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_folder_that_appears_meanwhile_is_left_alone(
    tiny: Tiny, place: Places, cpu: Any, stripes: Photos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = tmp_path / "out" / "tiny" / "precious"

    def slow(*arguments: Any) -> Trained:
        foreign.mkdir(parents=True)
        return train(*arguments)

    monkeypatch.setattr("recog_restore.training.model.train", slow)
    with pytest.raises(RecordError, match="move it away, or name another --out"):
        train_model(tiny(), tmp_path / "recipe.toml", place(), cpu)
    assert foreign.is_dir()


def test_folder_of_an_earlier_run_is_replaced(
    tiny: Tiny, place: Places, cpu: Any, stripes: Photos, tmp_path: Path
) -> None:
    recipe, file = tiny(), tmp_path / "recipe.toml"
    (folder,) = train_model(recipe, file, place(limit=4), cpu)
    first = (folder / "weights.safetensors").read_bytes()
    assert f"a trial of 4 of {recipe.steps} steps" in read_card(folder / "card.toml").title
    for _ in range(2):  # the second has nothing left to do
        assert train_model(recipe, file, place(resume=True), cpu) == (folder,)
        assert (folder / "weights.safetensors").read_bytes() != first
        assert read_card(folder / "card.toml").title == recipe.title
        assert len((folder / "log.csv").read_text().splitlines()) == 1 + recipe.steps


def test_recipe_in_the_folder_is_the_one_that_was_trained(
    tiny: Tiny, place: Places, cpu: Any, stripes: Photos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, file = tiny("stages=[{steps=1, batch=4, lr=0.01, milestones=[]}]", "seed=9"), tmp_path / "recipe.toml"

    def edited(*arguments: Any) -> Trained:
        file.write_text("name = 'other'")
        return train(*arguments)

    monkeypatch.setattr("recog_restore.training.model.train", edited)
    (folder,) = train_model(recipe, file, place(), cpu)
    assert read_recipe(folder / "recipe.toml") == recipe


def test_recipe_in_the_folder_is_the_files_text_where_that_says_all(
    tiny: Tiny, place: Places, cpu: Any, stripes: Photos, tmp_path: Path
) -> None:
    (folder,) = train_model(tiny(), tmp_path / "recipe.toml", place(limit=1), cpu)
    assert (folder / "recipe.toml").read_text() == TINY
