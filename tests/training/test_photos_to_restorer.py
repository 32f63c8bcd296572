"""``rr-train`` from photos to a restorer: a folder's, and Multi-PIE's by the paper's own recipes, made tiny."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from recog_restore.cli import train
from recog_restore.datasets.synthpie import attendance
from recog_restore.datasets.synthpie_tree import Part, write
from recog_restore.errors import RecordError, WeightsError
from recog_restore.networks.cards import read_card, read_restorer_card
from recog_restore.networks.weights import load_network
from recog_restore.preprocess.folder import verify
from recog_restore.training.losses import IdentityLoss
from recog_restore.training.place import Place
from recog_restore.training.plan import NetworkRecipe
from recog_restore.training.reading import read_recipe
from recog_restore.training.restorer_course import RestorerCourse, _begin, teachers
from recog_restore.training.restorer_learner import new_learner
from recog_restore.training.restorer_recipe import RestorerRecipe, Start

from .restorer import tiny_restorer
from .test_folder_pairs import NAMES, write_faces

MODELS = Path(__file__).resolve().parents[2] / "models"
FACES = (
    'embedders=["arcface-synthpie"]',
    "network.arguments.width=4",
    "network.arguments.blocks=1",
    "data.folder.layout=folder",
    "data.folder.alignment=canonical-128",
    "data.folder.people=[1, 2]",
    "start.frn=",
    "start.soup=[]",
    "validation.protocol=",
    "stages=[{steps=2, batch=2, lr=1e-3, losses={identity_part=[0.5]}}]",
)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos") / "faces"
    write_faces(folder, NAMES)
    return folder


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("multipie") / "tree"
    write(root, Part("full", attendance()[1][:1], (1,), (1,), ("24_0", "05_1"), ("07",)).names(), workers=1)
    return root


def run(recipe: str, out: Path, *changes: str) -> str:
    options = ["--out", str(out), "--cache", str(out.parent / "cache"), "--workers", "0", "--device", "cpu"]
    sets = [part for change in changes for part in ("--set", change)]
    done = CliRunner().invoke(train, [str(MODELS / recipe), *options, *sets])
    assert done.exit_code == 0, done.output
    return done.output


def of_faces(faces: Path, *changes: str) -> RestorerRecipe:
    recipe = read_recipe(MODELS / "mdfr-restore" / "recipe.toml", [*FACES, f"data.folder.root={faces}", *changes])
    assert isinstance(recipe, RestorerRecipe)
    return recipe


def test_photos_of_a_folder_make_a_restorer_with_the_recipes_rights(faces: Path, tmp_path: Path) -> None:
    said = run("mdfr-restore/recipe.toml", tmp_path / "out", *FACES, f"data.folder.root={faces}")
    judge = "onnx:mobilefacenet-arcface-ms1m-112.onnx"
    assert said.startswith(f"mdfr-restore: frn, taught by arcface-synthpie, judged by {judge}; {faces}, people 1 to 2;")
    folder = tmp_path / "out" / "mdfr-restore"
    card = read_restorer_card(folder / "card.toml")
    assert verify(folder) < 1e-4
    assert (card.task, card.blends, card.guide) == ("restore", True, "none")
    assert card.rights.weights == "research only, as the photos that they were trained on"
    assert card.origin.training_sets[0].startswith("Celebrities in Frontal-Profile (WACV 2016), people 001 to 350")
    assert (tmp_path / "out" / "samples" / "step-000002.png").is_file()


def test_vectors_of_photos_are_those_of_the_targets_as_they_are_mirrored(faces: Path, tmp_path: Path) -> None:
    recipe = of_faces(faces, "augment.flip=1.0")
    course = RestorerCourse(recipe, Place(tmp_path, tmp_path, 0), torch.device("cpu"))
    assert course.photos.words == f"3 photos of 2 people in {faces}"
    assert course.photos.endless
    batch = course.photos.dataset[[0, 1]]
    inputs = course.inputs(batch, 0, (64, 64), torch.Generator().manual_seed(0))
    mirrored = batch.targets.permute(0, 3, 1, 2).flip(3) / 255
    assert inputs[2].shape == (2, 3, 64, 64)
    assert torch.allclose(inputs[7], IdentityLoss(teachers(recipe)).targets(mirrored)[0], atol=1e-6)


def test_learner_of_photos_paints_the_probe_at_first(faces: Path, tmp_path: Path) -> None:
    course = RestorerCourse(of_faces(faces), Place(tmp_path, tmp_path, 0), torch.device("cpu"))
    inputs = course.inputs(course.photos.dataset[[0, 1]], 0, (128, 128), torch.Generator().manual_seed(0))
    painted = course.learner(0, (128, 128)).paint(inputs[0], inputs[1], inputs[4], inputs[5])  # type: ignore[operator]
    assert torch.allclose(painted.output, inputs[0], atol=1e-6)


def test_papers_stages_follow_one_another_on_a_tree_of_rendered_people(tree: Path, faces: Path, tmp_path: Path) -> None:
    network = "{width=4, blocks=1, unshuffle=4, decoder='full'}"
    common = ['embedders=["arcface-synthpie"]', f"network.arguments={network}", "keep_every=1"]
    folder = [f"data.folder.root={faces}", "data.folder.alignment=canonical-128"]
    losses = "distance='l2', reduction='paper-sum'"
    run("mdfr/mdfr-paper-frn-s.toml", tmp_path / "s", *common, *folder, one(f"losses={{{losses}, identity=1e4}}"))
    ffn = f"trains='ffn', losses={{{losses}, identity=1e4, pcd=1e4, icd=1e4}}"
    run("mdfr/mdfr-paper-ffn-s.toml", tmp_path / "f", *common, f"data.multipie.root={tree}", one(ffn))
    frn_s, ffn_s = tmp_path / "s" / "mdfr-paper-frn-s", tmp_path / "f" / "mdfr-paper-ffn-s"
    assert read_restorer_card(ffn_s / "card.toml").guide == "poses"
    assert "Multi-PIE" in read_restorer_card(ffn_s / "card.toml").rights.training_data

    begin = [f"start.frn={frn_s}", f"start.ffn={ffn_s}", f"data.multipie.root={tree}", f"teacher.arguments={network}"]
    ti = one(f"trains='ti', target='teacher', losses={{{losses}, identity=0.1, alignment=1.0}}")
    run("mdfr/mdfr-paper-frn-ti.toml", tmp_path / "t", *common, *begin, ti)
    recipe = read_recipe(MODELS / "mdfr" / "mdfr-paper-frn-ti.toml", [*common, *begin, ti])
    assert isinstance(recipe, RestorerRecipe)
    learner = RestorerCourse(recipe, Place(tmp_path, tmp_path, 0), torch.device("cpu")).learner(0, (128, 128))
    for name, place in (("frn", frn_s), ("ffn", ffn_s)):
        begun = load_network(place, read_restorer_card(place / "card.toml")).state_dict()
        assert all(torch.equal(begun[key], value) for key, value in getattr(learner, name).state_dict().items())
    ended = tmp_path / "t" / "mdfr-paper-frn-ti"
    trained = load_network(ended, read_restorer_card(ended / "card.toml")).state_dict()
    frn: Any = learner.frn
    assert any(not torch.equal(trained[key], value) for key, value in frn.state_dict().items())

    wider = dataclasses.replace(recipe, network=NetworkRecipe("frn", {"width": 6, "blocks": 1, "unshuffle": 4}))
    with pytest.raises(WeightsError, match=r"start\.frn: .*mdfr-paper-frn-s: does not fit the network"):
        _begin(new_learner(wider, recipe.stages[0], None, 128), recipe.start)


def test_papers_embedder_of_the_losses_starts_on_the_same_folder(faces: Path, tmp_path: Path) -> None:
    changes = ["network.arguments.width=0.0625", f"data.folder.root={faces}", "data.folder.alignment=canonical-128"]
    run("mdfr/mdfr-paper-identity.toml", tmp_path / "out", *changes, "stages=[{steps=1, batch=2, lr=0.1}]")
    card = read_card(tmp_path / "out" / "mdfr-paper-identity" / "card.toml")
    assert (card.network, card.dim, card.origin.training_sets) == ("iresnet50", 512, ("CASIA-WebFace",))


def one(stage: str) -> str:
    return f"stages=[{{steps=1, batch=2, lr=1e-4, {stage}}}]"


def test_weights_to_begin_with_are_a_restorers(tmp_path: Path) -> None:
    recipe = dataclasses.replace(tiny_restorer(tmp_path), start=Start(frn=str(MODELS / "arcface-synthpie")))
    learner = new_learner(recipe, recipe.stages[0], None, 128)
    with pytest.raises(RecordError, match="a card of kind .embedder.; --embedder takes it, not --pre"):
        _begin(learner, recipe.start)
