from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from recog_restore.engine.progress import Progress
from recog_restore.errors import DataError, RecordError, StoreError
from recog_restore.training import best, tensor_file
from recog_restore.training.checkpoint import load, save
from recog_restore.training.course import learning
from recog_restore.training.data import Photos
from recog_restore.training.embedder_course import EmbedderCourse
from recog_restore.training.loop import Trained, new_fabric, train
from recog_restore.training.place import Place
from recog_restore.training.recipe import Recipe

Tiny = Callable[..., Recipe]
Places = Callable[..., Place]


class Killed(Exception):
    pass


class Kill(Progress):
    """Kills a training after some steps."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def advance(self, steps: int = 1) -> None:
        if steps:
            self._left -= 1
        if self._left < 0:
            raise Killed


def losses(out: Path) -> list[tuple[str, ...]]:
    with (out / "log.csv").open(encoding="utf-8") as file:
        return [(row["step"], row["loss"], row["accuracy"], row["lr"]) for row in csv.DictReader(file)]


def same(one: Trained, other: Trained) -> bool:
    return one.size == other.size and all(torch.equal(one.state[key], other.state[key]) for key in one.state)


@pytest.fixture(params=["sgd", "adamw"])
def whole(
    request: pytest.FixtureRequest, tiny: Tiny, place: Places, cpu: Any, stripes: Photos
) -> tuple[Recipe, Trained]:
    recipe = tiny(f"optimizer.name={request.param}")
    return recipe, train(recipe, place("whole"), cpu)


def test_every_step_is_logged_once_with_its_rate(whole: tuple[Recipe, Trained], tmp_path: Path) -> None:
    rows = losses(tmp_path / "whole")
    assert [int(row[0]) for row in rows] == list(range(1, 12))
    assert float(rows[0][3]) < float(rows[1][3])
    assert whole[1].size == (112, 96)
    assert len(list((tmp_path / "whole" / "tensorboard").iterdir())) == 1


# Checkpoints are kept after steps 4, 6 (the end of the first stage), 8 and 11.
@pytest.mark.parametrize("after", [2, 5, 6, 7, 10])
def test_killed_and_resumed_training_goes_on_bit_for_bit(
    after: int, whole: tuple[Recipe, Trained], place: Places, cpu: Any, tmp_path: Path
) -> None:
    recipe, expected = whole
    with pytest.raises(Killed):
        train(recipe, place("killed"), cpu, Kill(after))
    resumed = train(recipe, place("killed", resume=True), cpu)
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    assert same(resumed, expected)


def test_limited_training_is_the_beginning_of_the_whole_and_can_be_gone_on_with(
    tiny: Tiny, place: Places, cpu: Any, stripes: Photos, tmp_path: Path
) -> None:
    expected = train(tiny(), place("whole"), cpu)
    part = train(tiny(), place("part", limit=3), cpu)
    assert part.size == (32, 32)
    assert losses(tmp_path / "part") == losses(tmp_path / "whole")[:3]
    assert same(train(tiny(), place("part", resume=True), cpu), expected)
    assert losses(tmp_path / "part") == losses(tmp_path / "whole")


def test_result_is_the_mean_of_the_weights_after_the_named_steps_killed_or_not(
    tiny: Tiny, place: Places, cpu: Any, stripes: Photos
) -> None:
    steps, recipe = (8, 10, 11), tiny("average=[8, 10, 11]")
    found = [train(tiny(), place(str(step), limit=step), cpu).state for step in steps]
    whole = train(recipe, place("whole"), cpu)
    for name, tensor in whole.state.items():
        expected = sum(state[name].double() for state in found) / 3 if tensor.is_floating_point() else found[-1][name]
        assert torch.allclose(tensor.double(), torch.as_tensor(expected).double(), atol=1e-6), name
    assert not same(whole, Trained(found[-1], whole.size))
    with pytest.raises(Killed):
        train(recipe, place("killed"), cpu, Kill(9))
    assert same(train(recipe, place("killed", resume=True), cpu), whole)
    assert same(train(recipe, place("short", limit=7), cpu), train(tiny(), place("last", limit=7), cpu))
    (place().out.parent / "whole" / "average-000010.safetensors").unlink()
    with pytest.raises(StoreError, match=r"average-000010\.safetensors: no such file; the mean needs it"):
        train(recipe, place("whole", resume=True), cpu)


def test_the_weights_that_it_begins_with_may_be_in_the_mean(
    tiny: Tiny, place: Places, cpu: Any, stripes: Photos
) -> None:
    stage = "stages=[{ steps = 11, batch = 4, lr = 0.05 }]"
    recipe, same_size = tiny("average=[0, 11]", stage), tiny(stage)
    whole, last = train(recipe, place("whole"), cpu), train(same_size, place("last"), cpu)
    first = tensor_file.read(place("whole").out / "average-000000.safetensors", lambda tensors, _: tensors)
    assert first is not None
    for name, tensor in whole.state.items():
        if tensor.is_floating_point():
            assert torch.allclose(tensor, (first[name] + last.state[name]) / 2, atol=1e-6), name
    short = train(same_size, place("short-last", limit=7), cpu)
    assert same(train(recipe, place("short", limit=7), cpu), short)


def test_training_that_stands_further_than_the_limit_is_left_alone(
    tiny: Tiny, place: Places, cpu: Any, stripes: Photos
) -> None:
    train(tiny(), place(), cpu)
    with pytest.raises(RecordError, match="out stands at step 11 already; expected --limit-steps of at least that"):
        train(tiny(), place(resume=True, limit=4), cpu)


def test_finished_training_resumes_to_the_same_weights(tiny: Tiny, place: Places, cpu: Any, stripes: Photos) -> None:
    expected = train(tiny(), place(), cpu)
    assert same(train(tiny(), place(resume=True), cpu), expected)


def test_number_of_workers_does_not_matter(
    tiny: Tiny, place: Places, cpu: Any, stripes: Photos, tmp_path: Path
) -> None:
    with_none = train(tiny(), place("none"), cpu)
    with_two = train(tiny(), Place(tmp_path / "two", tmp_path / "cache", workers=2), cpu)
    assert same(with_none, with_two)


def test_other_random_numbers_drawn_meanwhile_do_not_matter(
    tiny: Tiny, place: Places, cpu: Any, stripes: Photos
) -> None:
    expected = train(tiny(), place("a"), cpu)
    torch.manual_seed(123)
    assert same(train(tiny(), place("b"), cpu), expected)


def test_another_seed_is_another_training(tiny: Tiny, place: Places, cpu: Any, stripes: Photos) -> None:
    assert not same(train(tiny(), place("a"), cpu), train(tiny("seed=6"), place("b"), cpu))


def test_loss_falls(tiny: Tiny, place: Places, cpu: Any, stripes: Photos, tmp_path: Path) -> None:
    stages = "stages=[{steps=40, size=[32, 32], batch=8, lr=0.003}, {steps=1, batch=4, lr=1e-6}]"
    train(tiny(stages, "network.name=iresnet18", "input.crop=arcface-112", "optimizer.name=adamw"), place(), cpu)
    found = [float(row[1]) for row in losses(tmp_path / "out")]
    assert sum(found[30:40]) < 0.6 * sum(found[:10])


def test_training_is_not_written_over_by_mistake(tiny: Tiny, place: Places, cpu: Any, stripes: Photos) -> None:
    train(tiny(), place(limit=1), cpu)
    with pytest.raises(
        RecordError, match="out stands at step 1 of a training; --resume goes on with it, or name another"
    ):
        train(tiny(), place(), cpu)
    was = tiny()
    words = f"head.name was '{was.head.name}' and is 'arcface'; seed was {was.seed} and is 6; title was '{was.title}'"
    with pytest.raises(RecordError, match=f"another recipe: {words} and is 'other', and 1 more; name another --out"):
        train(tiny("seed=6", "head.name=arcface", "title=other", "training_data=faces"), place(resume=True), cpu)


def test_out_that_is_a_file_is_refused(tiny: Tiny, place: Places, cpu: Any, stripes: Photos) -> None:
    place().out.write_text("mine")
    with pytest.raises(StoreError, match=r"out: expected a folder to write to, or nothing yet: File exists"):
        train(tiny(), place(), cpu)
    assert place().out.read_text() == "mine"


def test_loss_that_is_not_finite_ends_the_training(tiny: Tiny, place: Places, cpu: Any, stripes: Photos) -> None:
    with pytest.raises(RecordError, match=r"tiny: the loss is (nan|inf) at step \d+; lower stages\.lr"):
        train(tiny('stages=[{steps=9, batch=4, lr=1e20, schedule="cosine"}]', "optimizer.clip=0"), place(), cpu)


def test_batch_larger_than_the_data_is_refused(tiny: Tiny, place: Places, cpu: Any, stripes: Photos) -> None:
    with pytest.raises(DataError, match="a batch is 64 photos, and there are only 16: stripes"):
        train(tiny("stages=[{steps=1, batch=64}]"), place(), cpu)


def test_half_precision_trains_on_a_cpu(tiny: Tiny, place: Places, stripes: Photos) -> None:
    trained = train(tiny(), place(limit=2), new_fabric("cpu", "bf16-mixed"))
    assert {tensor.dtype for tensor in trained.part("network").values()} == {torch.float32}


def test_half_precision_computes_in_it_and_does_not_round_what_it_is_given() -> None:
    class Told(torch.nn.Linear):
        def forward(self, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            told["places"], told["dtype"] = places, super().forward(places).dtype
            return places, places

    told: dict[str, Any] = {}
    places = torch.tensor([[100.3, 0.1]])
    new_fabric("cpu", "bf16-mixed").setup(Told(2, 1))(places)
    assert torch.equal(told["places"], places)
    assert told["dtype"] == torch.bfloat16


@pytest.mark.parametrize("device", ["gpu", "cpu:1", "tpu"])
def test_unknown_device_is_refused(device: str) -> None:
    with pytest.raises(RecordError, match=f"--device {device}: expected auto, cpu, cuda"):
        new_fabric(device, "auto")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_absent_gpu_is_refused() -> None:
    with pytest.raises(RecordError, match="--device cuda: there is no GPU that torch"):
        new_fabric("cuda", "auto")


def test_key_that_recipes_did_not_have_counts_as_its_default(
    tiny: Tiny, place: Places, cpu: Any, stripes: Photos
) -> None:
    train(tiny(), place(limit=1), cpu)
    found = load(place().out)
    assert found is not None
    older = {key: value for key, value in found.recipe.items() if key != "training_data"}
    save(dataclasses.replace(found, recipe=older), place().out)
    train(tiny(), place(limit=2, resume=True), cpu)
    with pytest.raises(RecordError, match="another recipe: training_data was '' and is 'faces'; name another"):
        train(tiny("training_data=faces"), place(resume=True), cpu)


@pytest.mark.parametrize("when", ["in a validation", "after it"])
@pytest.mark.parametrize("step", [4, 9, 11])  # with a checkpoint, without one, and the last
def test_validation_of_a_killed_training_is_made_good(
    step: int,
    when: str,
    tiny: Tiny,
    place: Places,
    cpu: Any,
    stripes: Photos,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    protocol = (
        "validation={protocol='multipie-setting2', options={part='train', train_people=3}, every=1, best='rank1'}"
    )
    recipe, number, kills = tiny(protocol), iter(range(100)), [step]
    honest = best.offer

    def validate(course: Any, learner: Any, stage: int, size: tuple[int, int]) -> dict[str, float]:
        if (found := next(number)) + 1 in kills and when == "in a validation":
            kills.clear()
            raise Killed
        return {"rank1": found / 100}

    def offer(*arguments: Any) -> None:
        honest(*arguments)
        if arguments[3] in kills:
            kills.clear()
            raise Killed

    monkeypatch.setattr(EmbedderCourse, "validate", validate)
    monkeypatch.setattr(best, "offer", offer)
    with pytest.raises(Killed):
        train(recipe, place(), cpu)
    trained = train(recipe, place(resume=True), cpu)
    rows = (tmp_path / "out" / "validation.csv").read_text().splitlines()[1:]
    assert [int(row.partition(",")[0]) for row in rows] == list(range(1, recipe.steps + 1))
    kept, last = best.load(tmp_path / "out"), load(tmp_path / "out")
    assert kept is not None
    assert last is not None
    assert kept.step == last.step == recipe.steps
    assert all(torch.equal(trained.state[name], tensor) for name, tensor in last.learner.items())


@pytest.mark.parametrize(("changes", "expected"), [([], (0.9, 0.999)), (["optimizer.momentum=0.5"], (0.5, 0.999))])
def test_momentum_is_the_first_beta_of_adamw(
    changes: list[str], expected: tuple[float, float], tiny: Tiny, place: Places, stripes: Photos
) -> None:
    recipe = tiny("optimizer.name=adamw", *changes)
    learner = EmbedderCourse(recipe, place(), torch.device("cpu")).learner(0, (32, 32))
    assert {group["betas"] for group in learning(recipe, learner).param_groups} == {expected}
