from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from torch import nn

from recog_restore.embed.spec import create as create_embedder
from recog_restore.engine.progress import Progress
from recog_restore.errors import RecordError
from recog_restore.training.checkpoint import load
from recog_restore.training.judging import Candidate
from recog_restore.training.loop import Trained, train
from recog_restore.training.losses import IdentityLoss, similarities
from recog_restore.training.place import Place
from recog_restore.training.restorer_course import RestorerCourse, _toned, teachers
from recog_restore.training.restorer_learner import TOLD, RestorerLearner, new_learner
from recog_restore.training.restorer_recipe import JUDGE, Tone

from .restorer import tiny_restorer
from .test_loop import Kill, Killed

Places = Callable[..., Place]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("restorer")
    RestorerCourse.fill(tiny_restorer(folder), Place(folder, folder, 0), Progress())
    return folder


@pytest.fixture
def there(tmp_path: Path, cache: Path) -> Places:
    return lambda name="out", **values: Place(tmp_path / name, cache, workers=0, **values)


@pytest.fixture(scope="module")
def whole(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained]:
    from recog_restore.training.loop import new_fabric

    out = tmp_path_factory.mktemp("whole")
    return out, train(tiny_restorer(cache), Place(out, cache, 0), new_fabric("cpu", "32-true"))


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "log.csv").open(encoding="utf-8") as file:
        return [{k: v for k, v in row.items() if k != "images_per_second"} for row in csv.DictReader(file)]


def part(state: Any, name: str) -> dict[str, torch.Tensor]:
    return {key: tensor for key, tensor in state.items() if key.startswith(f"{name}.")}


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_every_stage_logs_the_losses_that_it_has(whole: tuple[Path, Trained]) -> None:
    had = [{name for name in TOLD if row[name]} for row in rows(whole[0])]
    frn, ffn, ti = (
        {"pixel", "identity", "passing", "passed"},
        {"adversarial", "discriminators"},
        {"alignment", "passed"},
    )
    assert had == [frn] * 3 + [{"pixel", "identity"} | ffn] * 2 + [{"pixel", "identity"} | ti] * 2


def test_sheet_of_samples_is_painted_at_every_checkpoint(whole: tuple[Path, Trained]) -> None:
    sheets = sorted((whole[0] / "samples").iterdir())
    assert [file.name for file in sheets] == [f"step-{step:06d}.png" for step in (2, 3, 4, 5, 6, 7)]
    assert cv2.imread(str(sheets[0])).shape == (4 * 128, 12 * 128, 3)


# Checkpoints are kept after steps 2, 3, 4, 5, 6 and 7.
@pytest.mark.parametrize("after", [1, 3, 6])
def test_killed_and_resumed_training_goes_on_bit_for_bit(
    after: int, whole: tuple[Path, Trained], there: Places, cpu: Any, tmp_path: Path
) -> None:
    recipe = tiny_restorer(tmp_path)
    with pytest.raises(Killed):
        train(recipe, there("killed"), cpu, Kill(after))
    resumed = train(recipe, there("killed", resume=True), cpu)
    assert rows(tmp_path / "killed") == rows(whole[0])
    assert equal(dict(resumed.state), dict(whole[1].state))


def test_stage_changes_only_what_it_trains(there: Places, cpu: Any, tmp_path: Path) -> None:
    recipe, states = tiny_restorer(tmp_path), []
    for limit in (3, 5, 7):
        train(recipe, there(limit=limit, resume=limit > 3), cpu)
        found = load(tmp_path / "out")
        assert found is not None
        states.append(found.learner)
    begun = new_learner(recipe, recipe.stages[0], None, 128).state_dict()
    frn, ffn, ti = (
        {name for name in ("frn", "ffn", "pcd", "icd") if not equal(part(a, name), part(b, name))}
        for a, b in zip([begun, *states[:-1]], states, strict=True)
    )
    assert (frn, ffn, ti) == ({"frn"}, {"ffn", "pcd", "icd"}, {"frn"})


def learner_of(tmp_path: Path, stage: int, *changes: str) -> tuple[RestorerLearner, tuple[torch.Tensor, ...]]:
    recipe = tiny_restorer(tmp_path, *changes)
    identity = IdentityLoss([create_embedder("arcface-synthpie")])
    generator = torch.Generator().manual_seed(1)
    probes, clean, targets = (torch.rand(2, 3, 64, 64, generator=generator) for _ in range(3))
    points = torch.rand(2, 2, 18, 2, generator=generator) * 127
    still = torch.eye(2, 3).expand(2, 2, 3)
    inputs = (probes, clean, targets, torch.tensor([1.0, 0.0]), *points, still, *identity.targets(targets))
    return new_learner(recipe, recipe.stages[stage], identity, 128), inputs


def gradients(module: nn.Module) -> float:
    return sum(float(p.grad.abs().sum()) for p in module.parameters() if p.grad is not None)


def test_identity_reaches_the_restorer_and_not_the_embedder(tmp_path: Path) -> None:
    learner, inputs = learner_of(tmp_path, 0, "stages=[{steps=1, losses={pixel=0.0, identity=1.0}}]")
    loss, told = learner(*inputs)
    loss.backward()
    assert loss.item() == pytest.approx(told["identity"].item())
    frn: Any = learner.frn
    assert gradients(frn.encoder) > 0
    embedder: Any = create_embedder("arcface-synthpie")
    assert not any(parameter.requires_grad for parameter in embedder._network.parameters())


@pytest.mark.parametrize("care", [1.0, 3.0])
def test_passing_is_the_cross_entropy_of_the_share(tmp_path: Path, care: float) -> None:
    losses = f"{{pixel=0.0, identity=0.0, passing=2.0, passing_care={care}}}"
    learner, inputs = learner_of(tmp_path, 0, f"stages=[{{steps=1, losses={losses}}}]", "embedders=[]")
    frn: Any = learner.frn
    with torch.no_grad():
        frn.head.passing.bias.fill_(1.0)
    passed = 1 / (1 + torch.exp(torch.tensor(-1.0)))
    loss, told = learner(*inputs)
    expected = -2 * (care * passed.log() + (1 - passed).log()) / (care + 1)
    assert loss.item() == pytest.approx(float(expected), rel=1e-5)
    assert told["passed"].item() == pytest.approx(float(passed), rel=1e-5)


def test_taught_share_is_left_alone_by_the_identity_loss_which_looks_at_the_images_of_the_others(
    tmp_path: Path,
) -> None:
    learner, inputs = learner_of(tmp_path, 0, "stages=[{steps=1, losses={pixel=0.0, identity=1.0, passing=1e-9}}]")
    loss, told = learner(*inputs)
    loss.backward()
    frn: Any = learner.frn
    assert float(frn.head.passing.bias.grad.abs()) < 1e-6
    identity = IdentityLoss([create_embedder("arcface-synthpie")])
    with torch.no_grad():
        expected = identity(frn.decode(inputs[0]).image[1:], [inputs[7][1:]])  # the first one may pass
    assert told["identity"].item() == pytest.approx(expected.item(), rel=1e-4)
    all_near = (*inputs[:3], torch.ones(2), *inputs[4:])
    assert learner(*all_near)[1]["identity"].item() == 0


def test_embedders_see_the_output_moved_where_the_stage_says_so(tmp_path: Path) -> None:
    for jitter, same in ((0.0, True), (2.0, False)):
        losses = f"losses={{pixel=0.0, identity=1.0, identity_jitter={jitter}}}"
        learner, inputs = learner_of(tmp_path, 0, f"stages=[{{steps=1, {losses}}}]")
        turned = similarities(2, 5.0, torch.Generator().manual_seed(1))
        still, other = (learner(*inputs[:6], seen, inputs[7])[1]["identity"] for seen in (inputs[6], turned))
        assert (still == other) == same


def test_the_judges_and_the_generator_do_not_move_each_other(tmp_path: Path) -> None:
    only = "stages=[{steps=1, trains='ffn', losses={pixel=0.0, identity=0.0, pcd=1.0, icd=1.0}}, {steps=1}]"
    learner, inputs = learner_of(tmp_path, 0, only)
    clean, targets, points, target_points, vectors = inputs[1], inputs[2], inputs[4], inputs[5], inputs[7:]
    ffn, judges = learner.ffn, (learner.pcd, learner.icd)
    painted = learner.paint(clean, clean, points, target_points).output
    generator, own = learner._judged(painted, targets, target_points, vectors)
    generator.backward(retain_graph=True)
    assert gradients(ffn) > 0
    assert all(gradients(judge) == 0 for judge in judges)
    learner.zero_grad(set_to_none=True)
    own.backward()
    assert gradients(ffn) == 0
    assert all(gradients(judge) > 0 for judge in judges)


def test_judges_learn_at_their_own_pace(tmp_path: Path) -> None:
    learner, _ = learner_of(tmp_path, 1)
    assert {name.partition(".")[0]: learner.pace(name) for name, _ in learner.named_parameters()} == {
        "frn": 1.0,
        "ffn": 1.0,
        "pcd": 10.0,
        "icd": 10.0,
    }


def test_mirrored_pairs_have_the_mirrored_targets_vectors(there: Places, cpu: Any, tmp_path: Path) -> None:
    changes = ("augment.flip=1.0", "augment.gain=0.0", "augment.colour=0.0", "augment.noise=0.0", "data.degraded=0.0")
    recipe = tiny_restorer(tmp_path, *changes)
    course = RestorerCourse(recipe, there(), torch.device("cpu"))
    batch = course.photos.dataset[[0, 5]]
    inputs = course.inputs(batch, 0, (128, 128), torch.Generator().manual_seed(0))
    probes, clean, targets, near, _, _, _, vectors = inputs
    assert torch.equal(probes, clean)
    assert torch.equal(targets, batch.targets.permute(0, 3, 1, 2).flip(3) / 255)
    assert near.tolist() == [float(abs(yaw) <= 50) for yaw in batch.yaws.tolist()]
    expected = IdentityLoss(teachers(recipe)).targets(targets)[0]
    assert torch.allclose(vectors, expected, atol=1e-5)


def test_tone_changes_brightness_and_keeps_the_range() -> None:
    images = torch.full((64, 3, 8, 8), 0.5)
    generator = torch.Generator().manual_seed(0)
    toned = _toned(images, Tone(gain=0.2, colour=0.0, noise=0.0), generator)
    logs = (toned[:, 0, 0, 0] / 0.5).log()
    assert 0.14 < float(logs.std()) < 0.26
    assert torch.equal(toned[:, 0], toned[:, 2])
    noisy = _toned(images, Tone(gain=0.0, colour=0.0, noise=0.5), generator)
    assert 0 <= float(noisy.min()) < float(noisy.max()) <= 1


@pytest.mark.parametrize(
    ("folder", "other"), [(JUDGE, 'name = "other"'), ("arcface-synthpie", f'name = "{JUDGE}"')], ids=["weights", "name"]
)
def test_embedder_that_is_the_judge_under_another_name_is_refused(folder: str, other: str, tmp_path: Path) -> None:
    disguised = tmp_path / "disguised"
    shutil.copytree(Path(__file__).resolve().parents[2] / "models" / folder, disguised)
    card = (disguised / "card.toml").read_text("utf-8")
    (disguised / "card.toml").write_text(card.replace(f'name = "{folder}"', other, 1), "utf-8")
    recipe = tiny_restorer(tmp_path, f'embedders=["card:{disguised}"]')
    with pytest.raises(RecordError, match=f"embedders: card:.*disguised is {JUDGE}, the judge, which no loss may use"):
        teachers(recipe)


def test_judge_that_is_an_embedder_of_the_loss_is_refused(there: Places, tmp_path: Path) -> None:
    folder = Path(__file__).resolve().parents[2] / "models" / "arcface-synthpie"
    recipe = tiny_restorer(tmp_path, f"judge=card:{folder}")
    course = RestorerCourse(recipe, there(), torch.device("cpu"))
    with pytest.raises(RecordError, match="judge: card:.* is one of the embedders of the loss; take"):
        _ = course._judge


@pytest.mark.parametrize(("stage", "looks_at_the_clean_probe"), [(0, False), (1, True), (2, False)])
def test_degraded_probe_may_pass_where_the_stage_looks_at_the_clean_one(
    stage: int, looks_at_the_clean_probe: bool, there: Places, tmp_path: Path
) -> None:
    recipe = tiny_restorer(tmp_path, "data.degraded=1.0")
    course = RestorerCourse(recipe, there(), torch.device("cpu"))
    batch = course.photos.dataset[list(range(8))]
    near = course.inputs(batch, stage, (64, 64), torch.Generator().manual_seed(0))[3]
    assert bool(batch.degraded.all())
    expected = [float(abs(yaw) <= 50 and looks_at_the_clean_probe) for yaw in batch.yaws.tolist()]
    assert near.tolist() == expected
    assert 0 < sum(abs(yaw) <= 50 for yaw in batch.yaws.tolist())


@pytest.mark.parametrize(
    ("stage", "count"),
    [
        ("losses={identity=0.0}", 0),
        ("losses={identity=0.1}", 1),
        ("losses={identity=0.1}, target='probe'", 0),
        ("trains='ffn', losses={identity=0.0, icd=0.1}", 1),
        ("trains='ti', losses={identity=0.1}, target='teacher'", 0),
    ],
)
def test_embedders_see_the_targets_only_where_a_loss_asks(
    stage: str, count: int, there: Places, tmp_path: Path
) -> None:
    recipe = tiny_restorer(tmp_path, f"stages=[{{steps=1, {stage}}}, {{steps=1}}]")
    course = RestorerCourse(recipe, there(), torch.device("cpu"))
    inputs = course.inputs(course.photos.dataset[[0, 1]], 0, (64, 64), torch.Generator().manual_seed(0))
    assert len(inputs) == 7 + count
    learner = course.learner(0, (64, 64))
    loss, _ = learner(*inputs)
    assert torch.isfinite(loss)


def test_judge_sees_the_restorer_at_the_size_of_the_finished_one(there: Places, tmp_path: Path) -> None:
    course = RestorerCourse(tiny_restorer(tmp_path), there(), torch.device("cpu"))
    sides: list[int] = []

    def judge(candidate: Candidate) -> dict[str, float]:
        faces = torch.rand(1, 3, 128, 128)
        candidate._network.register_forward_pre_hook(lambda _, given: sides.append(given[0].shape[-1]))
        candidate.restore(faces, None)
        return {}

    vars(course)["_judge"] = judge
    course.validate(course.learner(0, (64, 64)), 0, (64, 64))
    assert sides == [128]
