"""FFN, alone and as a teacher: what it is told, what it paints, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from recog_restore.embed.spec import create as create_embedder
from recog_restore.engine.progress import Progress
from recog_restore.networks.cards import read_restorer_card
from recog_restore.networks.heatmaps import heatmaps
from recog_restore.preprocess.poses import poses
from recog_restore.preprocess.spec import create
from recog_restore.testing import sample_faces
from recog_restore.training.judging import Candidate
from recog_restore.training.losses import IdentityLoss, pixel_loss
from recog_restore.training.model import train_model
from recog_restore.training.place import Place
from recog_restore.training.reading import read_recipe
from recog_restore.training.restorer import export_restorer
from recog_restore.training.restorer_course import RestorerCourse
from recog_restore.training.restorer_learner import RestorerLearner, new_learner
from recog_restore.training.restorer_recipe import RestorerRecipe

from .restorer import tiny_restorer

ALONE = """
kind = "restorer"
name = "tiny-ffn"
keep_every = 1
network = { name = "ffn", arguments = { width = 4, blocks = 1, unshuffle = 2 } }
data = { pairs = { people = 2, moments = 2, views = 2, lights = 1 } }
optimizer = { name = "adamw" }
judge = "lbp"

[validation]
protocol = "multipie-setting2"
options = { part = "train", train_people = 3, sessions = [1], probes_per_person = 3 }
best = "rank1"

[[stages]]
trains = "ffn"
steps = 1
batch = 2
lr = 0.001
losses = { identity = 0.0, pcd = 0.1 }
"""


def inputs(*, near: float = 0.0) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    probes, clean, targets = (torch.rand(2, 3, 64, 64, generator=generator) for _ in range(3))
    points = torch.rand(2, 2, 18, 2, generator=generator) * 127
    return probes, clean, targets, torch.full((2,), near), *points, torch.eye(2, 3).expand(2, 2, 3)


def learner_of(tmp_path: Path, stage: int, *changes: str) -> RestorerLearner:
    recipe = tiny_restorer(tmp_path, *changes)
    identity = IdentityLoss([create_embedder("arcface-synthpie")])
    return new_learner(recipe, recipe.stages[stage], identity, 128)


@pytest.mark.parametrize(("target", "stage"), [("probe", 0), ("teacher", 1)])
def test_frn_learns_the_stages_target_and_its_identity(target: str, stage: int, tmp_path: Path) -> None:
    stages = "stages=[{steps=1, target='probe', losses={identity=0.5}}, {steps=1}]"
    if target == "teacher":
        stages = "stages=[{steps=1}, {steps=1, trains='ti', target='teacher', losses={identity=0.5}}]"
    learner = learner_of(tmp_path, stage, stages, 'network.arguments.output="image"')
    given = inputs()
    probes, clean, _, _, points, target_points, _ = given
    frn: Any = learner.frn
    ffn: Any = learner.ffn
    wanted = clean if target == "probe" else ffn(clean, heatmaps(points, 64), heatmaps(target_points, 64))
    identity = IdentityLoss([create_embedder("arcface-synthpie")])
    with torch.no_grad():
        painted = frn(probes)
        vectors = identity.targets(wanted)
        expected = pixel_loss(painted, wanted, "l1"), identity(painted, vectors)
    stale = torch.zeros_like(vectors[0])  # of the frontal targets: not looked at
    loss, told = learner(*given, stale)
    assert told["pixel"].item() == pytest.approx(expected[0].item(), rel=1e-4)
    assert told["identity"].item() == pytest.approx(expected[1].item(), rel=1e-4)
    loss.backward()
    assert all(parameter.grad is None for parameter in ffn.parameters())


def test_without_pnm_neither_network_nor_judge_knows_a_pose(tmp_path: Path) -> None:
    only = "stages=[{steps=1, trains='ffn', losses={identity=0.0, pcd=1.0}}, {steps=1}]"
    given = inputs()
    moved = (*given[:4], given[4] + 20, given[5] - 20)
    vector = torch.zeros(2, 128)
    blind = learner_of(tmp_path, 0, only, "teacher.arguments.pose=none")
    assert torch.equal(blind(*given, vector)[0], blind(*moved, vector)[0])
    told = learner_of(tmp_path, 0, only)
    assert not torch.equal(told(*given, vector)[0], told(*moved, vector)[0])


def test_candidate_is_told_what_the_finished_teacher_is_told(tmp_path: Path) -> None:
    recipe = tiny_restorer(tmp_path)
    learner = new_learner(recipe, recipe.stages[1], None, 128)
    ffn: Any = learner.ffn
    assert learner.generator is ffn
    faces = sample_faces()
    assert faces.landmarks is not None
    with torch.no_grad():
        candidate = Candidate(ffn, 128).restore(faces.images, faces.landmarks)
        expected = ffn(faces.images, *poses(len(faces), faces.landmarks, 128))
    torch.testing.assert_close(candidate, expected, atol=1e-5, rtol=1e-4)
    folder = tmp_path / "exported"
    export_restorer(recipe, "ffn", ffn.state_dict(), folder)
    torch.testing.assert_close(create(f"card:{folder}")(faces).images, expected, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(("pose", "guide"), [("residual", "poses"), ("none", "none")])
def test_ffn_alone_is_trained_judged_and_exported_under_the_recipes_name(
    pose: str, guide: str, tmp_path: Path, cpu: Any, place: Callable[..., Place]
) -> None:
    file = tmp_path / "recipe.toml"
    file.write_text(ALONE, "utf-8")
    recipe = read_recipe(file, [f"network.arguments.pose={pose}"])
    assert isinstance(recipe, RestorerRecipe)
    where = place()
    RestorerCourse.fill(recipe, where, Progress())
    (folder,) = train_model(recipe, file, where, cpu)
    assert folder == where.out / "tiny-ffn"
    card = read_restorer_card(folder / "card.toml")
    assert (card.name, card.network, card.guide) == ("tiny-ffn", "ffn", guide)
    assert sorted(path.name for path in where.out.glob("best*")) == ["best.safetensors"]
    assert len((folder / "validation.csv").read_text().splitlines()) == 2
    assert create(f"card:{folder}")(sample_faces()).images.shape == (4, 3, 128, 128)
