"""The ablations' recipes, made tiny: each does one step and becomes a restorer."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from recog_restore.cli import train
from recog_restore.networks.cards import read_restorer_card
from recog_restore.training.reading import read_recipe
from recog_restore.training.restorer_course import RestorerCourse

ABLATIONS = Path(__file__).resolve().parents[2] / "models" / "ablations"
NAMES = sorted(file.stem for file in ABLATIONS.glob("f*.toml"))
SMALL = "{ width = 4, blocks = 1, output = 'blend' }"
TINY = (
    "data.pairs.people=2",
    "data.pairs.moments=1",
    "data.pairs.views=4",
    "data.pairs.lights=2",
    "data.pairs.sessions=1",
    f"network={{ arguments = {SMALL} }}",
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what trains an ablation by its name, once, after those that it begins with."""
    folder = tmp_path_factory.mktemp("ablations")

    @cache
    def train_one(name: str) -> Path:
        changes = [*TINY, "start.frn="]
        if name.startswith("ffn-s"):
            changes += [f"start.ffn={train_one('frn-s')}"]
        if name.startswith("frn-ti"):
            changes += [f"teacher={{ arguments = {SMALL} }}"]
            changes += [f"start={{ frn = '{train_one('frn-s')}', ffn = '{train_one('ffn-s')}' }}"]
        recipe = folder / f"{name}.toml"
        recipe.write_text(f"extends = '{ABLATIONS / recipe.name}'\nstages = [{{ steps = 1, batch = 4 }}]\n", "utf-8")
        arguments = [recipe, "--out", folder / name, "--cache", folder / "cache"]
        options = ["--workers", "0", "--device", "cpu"]
        sets = [part for change in changes for part in ("--set", change)]
        done = CliRunner().invoke(train, [*map(str, arguments), *options, *sets])
        assert done.exit_code == 0, done.output
        return folder / name / name

    return train_one


@pytest.mark.parametrize("name", NAMES)
def test_ablation_starts_and_becomes_a_restorer_of_its_name(name: str, trained: Callable[[str], Path]) -> None:
    folder = trained(name)
    card = read_restorer_card(folder / "card.toml")
    task = "restore" if name == "frn-s" else "frontalize"
    guide = "poses" if card.network == "ffn" and name != "ffn-s-no-pnm" else "none"
    assert (card.name, card.network, card.task, card.guide) == (name, name[:3], task, guide)
    header, row = (folder / "log.csv").read_text("utf-8").splitlines()
    told = {key for key, value in zip(header.split(","), row.split(","), strict=True) if value}
    losses = {"frn-s": set(), "frn-ti": {"alignment", "passing"}, "frn-ti-no-fa": {"passing"}}
    judged = {"adversarial", "discriminators", "passing"}
    assert told & {"alignment", *judged} == losses.get(name, judged)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("frn-ti")])
def test_ablation_can_begin_with_the_weights_that_it_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ABLATIONS.parents[1])
    RestorerCourse.check(read_recipe(ABLATIONS / f"{name}.toml"))
