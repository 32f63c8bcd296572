"""``rr-train`` from a recipe to an embedder, with rendered people."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from recog_restore.cli import train
from recog_restore.embed.convert import verify
from recog_restore.embed.spec import create
from recog_restore.networks.cards import read_card

from .command import FILES, trained
from .conftest import TINY

VALIDATION = """
[validation]
protocol = "multipie-setting2"
options = { part = "train", train_people = 3, sessions = [1], probes_per_person = 3 }
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    done = trained(folder, "half = true\n" + TINY + VALIDATION, "--set", "data.synthpie.images=2")
    assert done.output.startswith(
        "tiny: sphereface20, cosface head, 112×96 RGB, (x − 127.5) / 127.5; SynthPIE, 4 people"
    )
    return folder / "out"


def test_folder_is_an_embedder_whose_goldens_hold(out: Path) -> None:
    folder = out / "tiny"
    assert {file.name for file in folder.iterdir()} == FILES
    assert verify(folder) < 1e-4
    card = read_card(folder / "card.toml")
    assert (card.name, card.title, card.dim, card.flip) == ("tiny", "A tiny network", 8, "sum")
    assert card.arguments == {"dim": 8, "width": 0.0625, "size": [112, 96]}
    assert "4 rendered people from number 1,000,000" in card.origin.training_sets[0]
    assert create(f"card:{folder}").card.name == "tiny"


def test_half_precision_halves_the_file(out: Path) -> None:
    parameters = read_card(out / "tiny" / "card.toml").weights.parameters
    assert (out / "tiny" / "weights.safetensors").stat().st_size < 3 * parameters


def test_validation_is_by_the_protocol_and_over_yaw(out: Path) -> None:
    header, row = (out / "tiny" / "validation.csv").read_text().splitlines()
    assert header.startswith("step,rank1,rank1 abs_yaw=0")
    assert row.startswith("11,")


def test_only_the_cache_is_filled_when_asked(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(TINY, "utf-8")
    arguments = [tmp_path / "recipe.toml", "--out", tmp_path / "out", "--cache", tmp_path / "cache", "--workers", "0"]
    changes = ["--set", "data.synthpie.people=1", "--set", "data.synthpie.images=2"]
    done = CliRunner().invoke(train, [*map(str, arguments), *changes, "--render-only"])
    assert done.exit_code == 0, done.output
    assert [file.name for file in (tmp_path / "cache").rglob("*.npy")] == ["1000000.npy"]
    assert not (tmp_path / "out").exists()


def test_wrong_recipe_is_one_line_and_exit_2(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("nam = 1\n" + TINY, "utf-8")
    done = CliRunner().invoke(train, [str(tmp_path / "recipe.toml")])
    assert done.exit_code == 2
    assert "unknown key 'nam'; did you mean 'name'" in done.output
    assert CliRunner().invoke(train, [str(tmp_path / "absent.toml")]).exit_code == 2


def test_help_loads_no_torch() -> None:
    code = "from recog_restore.cli import train; train(['-h'], standalone_mode=False)"
    code += "; import sys; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--limit-steps" in done.stdout
    assert done.stdout.endswith("False\n")


@pytest.fixture
def people(drawn: Path, tmp_path: Path) -> Path:
    """Return a folder of four drawn people, with landmarks.csv; may be written to."""
    for person in sorted((drawn / "lfw-deepfunneled").iterdir())[:4]:
        shutil.copytree(person, tmp_path / "people" / person.name)
    shutil.copy(drawn / "landmarks.csv", tmp_path / "people")
    return tmp_path / "people"


def test_a_training_does_not_go_on_with_other_photos(people: Path, tmp_path: Path) -> None:
    folder = re.sub(r"\[data\.synthpie\].*?(?=\n\[)", f'[data.folder]\nroot = "{people}"\n', TINY, flags=re.DOTALL)
    (people / "Person_002" / "Person_002_0001.jpg").write_bytes(b"")
    done = trained(tmp_path, folder, "--limit-steps", "1")
    assert "1 of 12 photos left out, 'Person_002/Person_002_0001.jpg' for one: empty file" in done.output
    (people / "Person_003" / "Person_003_0001.jpg").unlink()
    arguments = ["recipe.toml", "--out", "out", "--cache", "cache", "--workers", "0", "--device", "cpu", "--resume"]
    again = CliRunner().invoke(
        train, [str(tmp_path / a) if a in ("recipe.toml", "out", "cache") else a for a in arguments]
    )
    assert again.exit_code == 2
    assert "holds a training on other photos: since step 1 some were added, removed or changed" in again.output
