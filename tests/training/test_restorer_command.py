"""``rr-train`` from a recipe to a restorer, with rendered people."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from recog_restore.cli import train
from recog_restore.faces import FaceBatch
from recog_restore.networks.cards import read_restorer_card
from recog_restore.preprocess.folder import verify
from recog_restore.preprocess.spec import create
from recog_restore.testing import sample_faces
from recog_restore.training import best

from .command import FILES, trained
from .restorer import TINY_RESTORER

VALIDATION = """
[validation]
protocol = "multipie-setting2"
options = { part = "train", train_people = 3, sessions = [1], probes_per_person = 3 }
every = 2
best = "rank1"
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    done = trained(folder, "half = true\n" + TINY_RESTORER + VALIDATION)
    assert done.output.startswith(
        "tiny-restorer: frn, taught by arcface-synthpie, judged by lbp; SynthPIE, 2 people × 4 probes; 7 steps on"
    )
    assert re.search(r"validation at step 2: rank1 [01]\.\d{4}, none rank1 [01]\.\d{4}\n", done.stderr)
    for name in ("tiny-restorer", "tiny-restorer-ffn"):
        assert f"use it with --pre card:{folder / 'out' / name}\n" in done.output
    return folder / "out"


def test_folder_is_a_restorer_whose_goldens_hold(out: Path) -> None:
    folder = out / "tiny-restorer"
    assert {file.name for file in folder.iterdir()} == FILES
    assert verify(folder) < 1e-4
    card = read_restorer_card(folder / "card.toml")
    assert (card.name, card.title, card.task, card.size) == ("tiny-restorer", "A tiny restorer", "frontalize", 128)
    assert [teacher.name for teacher in card.teachers] == ["arcface-synthpie"]
    assert "2 rendered people from number 1,000,000, degraded by mdfr" in card.origin.training_sets[0]
    faces = FaceBatch(torch.rand(1, 3, 128, 128))
    assert not torch.equal(create(f"card:{folder}")(faces).images, faces.images)


def test_validation_has_the_candidates_numbers_beside_the_untouched_ones(out: Path) -> None:
    header, *rows = (out / "validation.csv").read_text().splitlines()
    names = header.split(",")
    assert names[:2] == ["step", "rank1"]
    assert "none rank1" in names
    assert [row.split(",")[0] for row in rows] == ["2", "4", "6", "7"]  # the FFN after step 4
    untouched = {row.split(",")[names.index("none rank1")] for row in rows}
    assert len(untouched) == 1


def test_mean_of_the_weights_becomes_the_restorer_and_is_validated(tmp_path: Path) -> None:
    validation = VALIDATION.replace('best = "rank1"\n', "").replace("every = 2", "every = 0")
    done = trained(tmp_path, "average = [6, 7]\n" + TINY_RESTORER + validation)
    assert re.search(r"mean of the weights: rank1 [01]\.\d{4}, none rank1 [01]\.\d{4}\n", done.stderr)
    states = [load_file(tmp_path / "out" / f"average-00000{step}.safetensors") for step in (6, 7)]
    for name, tensor in load_file(tmp_path / "out" / "tiny-restorer" / "weights.safetensors").items():
        assert torch.allclose(tensor, sum(state[f"frn.{name}"] for state in states) / 2, atol=1e-6), name  # type: ignore[arg-type]
    assert not all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())


def test_weights_are_those_that_validation_liked_best(out: Path) -> None:
    rows = [row.split(",") for row in (out / "validation.csv").read_text().splitlines()[1:]]
    teacher = best.load(out, "ffn")
    assert teacher is not None
    assert (teacher.step, teacher.number) == (4, float(rows.pop(1)[1]))
    kept = best.load(out)
    assert kept is not None
    assert kept.number == max(float(row[1]) for row in rows)
    assert kept.step == next(int(row[0]) for row in rows if float(row[1]) == kept.number)


def test_number_that_validation_does_not_give_is_refused(out: Path) -> None:
    arguments = [out.parent / "recipe.toml", "--out", out.parent / "other", "--cache", out.parent / "cache"]
    changes = ["--set", "validation.best=rank", "--workers", "0", "--device", "cpu"]
    done = CliRunner().invoke(train, [*map(str, arguments), *changes])
    assert done.exit_code == 2
    assert "validation.best is 'rank', and validation gives no such number; did you mean 'rank1'" in done.output


def test_trained_teacher_is_a_restorer_of_its_own_that_is_told_poses(out: Path) -> None:
    folder = out / "tiny-restorer-ffn"
    assert verify(folder) < 1e-4
    card = read_restorer_card(folder / "card.toml")
    assert (card.name, card.network, card.guide, card.task, card.blends) == (
        "tiny-restorer-ffn",
        "ffn",
        "poses",
        "frontalize",
        False,
    )
    assert card.title == "FFN, which turns a face to frontal by its landmarks: the teacher of tiny-restorer"
    assert [teacher.name for teacher in card.teachers] == ["arcface-synthpie"]
    faces = sample_faces()
    one, other = create(f"card:{folder}"), create(f"card:{folder}")
    assert torch.equal(one(faces).images, other(faces).images)
    assert faces.landmarks is not None
    moved = faces.replace(landmarks=faces.landmarks + torch.tensor([8.0, 0.0]))
    assert not torch.equal(one(faces).images, one(moved).images)


def test_weights_of_the_teacher_are_those_that_validation_liked_best(out: Path) -> None:
    kept, stored = best.load(out, "ffn"), load_file(out / "tiny-restorer-ffn" / "weights.safetensors")
    assert kept is not None
    for name, tensor in stored.items():
        assert torch.equal(tensor.float(), kept.state[f"ffn.{name}"].to(tensor.dtype).float())
