from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from recog_restore.degrade import degrade
from recog_restore.networks.heatmaps import heatmaps
from recog_restore.networks.pose import MIRROR
from recog_restore.preprocess.poses import poses
from recog_restore.store import Store
from recog_restore.synthpie import Studio
from recog_restore.training import pairs as module
from recog_restore.training.pairs import PairPhotos, album, cache_key, facts, points_of, probes, target
from recog_restore.training.photos import render
from recog_restore.training.plan import FIRST_TRAINING_SUBJECT
from recog_restore.training.restorer_course import _mirrored_points
from recog_restore.training.restorer_recipe import PairData, Pairs

PAIRS = Pairs(people=2, moments=2, views=2, lights=2)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    assert list(render(album(PAIRS), folder / cache_key(PAIRS), workers=0)) == [0, 1]
    return folder


def test_probes_share_lights_within_a_moment_and_poses_within_a_view() -> None:
    shots = probes(PAIRS, FIRST_TRAINING_SUBJECT)
    assert len(shots) == PAIRS.probes == 8
    assert [shot.session for shot in shots] == [1] * 4 + [2] * 4
    for moment in (shots[:4], shots[4:]):
        assert moment[0].light == moment[2].light
        assert moment[0].yaw == moment[1].yaw != moment[2].yaw
        assert len({shot.jitter for shot in moment}) == 1
    assert shots == probes(PAIRS, FIRST_TRAINING_SUBJECT)
    assert shots != probes(PAIRS, FIRST_TRAINING_SUBJECT + 1)


def test_yaws_follow_the_density() -> None:
    some = dataclasses.replace(PAIRS, moments=20, density=(0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 3.0))
    yaws = [shot.yaw for n in range(20) for shot in probes(some, FIRST_TRAINING_SUBJECT + n)]
    near = Counter(round(abs(yaw) / 15) * 15 for yaw in yaws)
    assert set(near) == {45, 90}
    assert 0.68 < near[90] / len(yaws) < 0.82
    assert 0.4 < sum(yaw > 0 for yaw in yaws) / len(yaws) < 0.6
    assert max(map(abs, yaws)) == 90


def test_target_is_frontal_neutral_and_exact() -> None:
    shot = target(FIRST_TRAINING_SUBJECT, 2)
    assert (shot.yaw, shot.pitch, shot.expression, shot.light) == (0, 0, "neutral", 7)
    assert (shot.background, shot.jitter, shot.session) == ("clean", None, 2)


def test_batch_is_what_a_studio_photographs(cache: Path) -> None:
    batch = PairPhotos(PairData(PAIRS), cache, points="own")[[0, 13]]
    first, other = probes(PAIRS, FIRST_TRAINING_SUBJECT)[0], probes(PAIRS, FIRST_TRAINING_SUBJECT + 1)[5]
    goals = target(FIRST_TRAINING_SUBJECT, 1), target(FIRST_TRAINING_SUBJECT + 1, 2)
    studio = Studio()
    for row, (shot, goal) in enumerate(zip((first, other), goals, strict=True)):
        assert np.array_equal(batch.probes[row], studio.photograph(shot).image)
        assert np.array_equal(batch.targets[row], studio.photograph(goal).image)
        assert np.allclose(batch.points[row], studio.truth(shot).landmarks18, atol=1e-4)
        assert np.allclose(batch.target_points[row], studio.truth(goal).landmarks18, atol=1e-4)
    assert torch.equal(batch.clean, batch.probes)
    assert batch.numbers.tolist() == [0, 3]
    assert np.allclose(batch.yaws, [first.yaw, other.yaw])
    assert not batch.degraded.any()


def test_targets_are_numbered_as_batches_number_them(cache: Path) -> None:
    photos = PairPhotos(PairData(PAIRS), cache)
    batch = photos[list(range(len(photos)))]
    assert torch.equal(torch.from_numpy(photos.targets())[batch.numbers], batch.targets)


def test_degradation_differs_from_epoch_to_epoch_and_not_from_batch_to_batch(cache: Path) -> None:
    photos = PairPhotos(PairData(PAIRS, degradation="mdfr", degraded=0.5), cache)
    rows = list(range(16))
    first, again, later = photos[rows], photos[rows[::-1]], photos[[row + 16 for row in rows]]
    assert torch.equal(first.probes, again.probes.flip(0))
    assert 0 < first.degraded.sum() < 16
    assert torch.equal(first.clean, later.clean)
    assert not torch.equal(first.probes, later.probes)
    row = int(first.degraded.int().argmax())
    assert np.array_equal(first.probes[row], degrade(first.clean[row].numpy(), "mdfr", PAIRS.seed, f"row {row}"))
    assert torch.equal(first.probes[~first.degraded], first.clean[~first.degraded])


def test_points_are_computed_once_and_only_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    assert facts(PAIRS, store, points="none")["points"].shape == (16, 0, 2)
    found = facts(PAIRS, store, points="own")
    assert found["points"].shape == (16, 18, 2)
    monkeypatch.setattr(module, "probes", None)
    assert np.array_equal(facts(PAIRS, store, points="own")["points"], found["points"])


def test_mirrored_points_are_those_of_the_mirrored_face() -> None:
    points = torch.rand(2, 18, 2, generator=torch.Generator().manual_seed(0)) * 127
    turned = _mirrored_points(points, torch.tensor([True, False]))
    assert torch.equal(turned[1], points[1])
    for place, source in enumerate(MIRROR["synthpie"]):
        assert torch.allclose(turned[0, place], torch.tensor([127, 0]) + points[0, source] * torch.tensor([-1, 1]))
    torch.testing.assert_close(_mirrored_points(turned, torch.tensor([True, False])), points, rtol=0, atol=1e-4)


def test_key_is_of_what_the_pixels_depend_on() -> None:
    key = cache_key(PAIRS)
    assert cache_key(dataclasses.replace(PAIRS, people=9, first=1_200_000)) == key
    assert cache_key(dataclasses.replace(PAIRS, lights=1)) != key
    assert cache_key(dataclasses.replace(PAIRS, density=(1.0,) * 6 + (2.0,))) != key


def test_points_of_five_landmarks_are_what_a_finished_ffn_is_told() -> None:
    shots = probes(PAIRS, FIRST_TRAINING_SUBJECT)
    studio = Studio()
    five = torch.stack([torch.from_numpy(studio.truth(shot).landmarks5) for shot in shots])
    maps = poses(len(shots), five, 64)
    for expected, frontal in zip(maps, (False, True), strict=True):
        found = points_of(shots, "five", frontal=frontal)
        assert found.dtype == np.float32
        assert torch.allclose(heatmaps(torch.from_numpy(found), 64), expected, atol=1e-5)
    goal = [target(FIRST_TRAINING_SUBJECT, 1)]
    assert np.allclose(points_of(goal, "five", frontal=True), points_of(shots[:1], "five", frontal=True), atol=1e-3)
    assert points_of(shots, "none").shape == (8, 0, 2)
