from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from recog_restore.errors import ConventionError, RecordError
from recog_restore.geometry import CANONICAL_128, similarity
from recog_restore.networks.pose import (
    EIGHTEEN,
    MIRROR,
    PoseNormalization,
    ShapeModel,
    decompose,
    eighteen,
    five,
    photographed,
    pose_of_five,
    synthpie_model,
)
from recog_restore.synthpie import Shot, Studio, Truth
from recog_restore.synthpie.camera import angles, rotation

STUDIO, MODEL = Studio(), synthpie_model()


def truth(subject: int = 5, yaw: float = 60, jitter: int | None = 3, expression: str = "smile") -> Truth:
    return STUDIO.truth(Shot(subject, yaw=yaw, jitter=jitter, expression=expression))


def parameters(of: Truth) -> torch.Tensor:
    return torch.from_numpy(of.parameters)[None]


def random_model(points: int = 68) -> ShapeModel:
    rng = torch.Generator().manual_seed(1)
    return ShapeModel(*(torch.randn(*n, points, 3, generator=rng, dtype=torch.float64) for n in ((), (40,), (10,))))


@pytest.mark.parametrize("yaw", [-90, -45, 0, 15, 75])
def test_the_profile_points_are_synthpies_ground_truth(yaw: int) -> None:
    photo = truth(yaw=yaw)
    found = photographed(parameters(photo), MODEL, photo.distance)[0]
    np.testing.assert_allclose(found, photo.landmarks68, atol=1e-9)
    normalize = PoseNormalization(MODEL, points="synthpie")
    np.testing.assert_allclose(normalize(parameters(photo), photo.distance).profile[0], photo.landmarks18, atol=1e-9)


@pytest.mark.parametrize("yaw", [-90, 30, 75])
def test_uniform_neutral_frontal_points_are_those_of_the_frontal_photo(yaw: int) -> None:
    target = truth(yaw=0, jitter=None, expression="neutral")
    photo = truth(yaw=yaw, jitter=None)
    normalize = PoseNormalization(MODEL, points="synthpie", scale="uniform", expression="neutral")
    np.testing.assert_allclose(normalize(parameters(photo), photo.distance).frontal[0], target.landmarks18, atol=1e-9)


def test_both_sides_of_equation_5_agree_when_the_pose_is_taken_out_before_z_is_dropped() -> None:
    model = random_model()
    rng = np.random.default_rng(2)
    turn, f, t = rotation(*rng.normal(0, 30, 3)), 3.7, np.array([50.0, 70.0, 0.0])
    alpha, down = rng.normal(size=50), np.diag([1.0, -1.0, 1.0])
    head = slow_head(model, alpha)
    in_space = np.stack([f * down @ turn @ point + t for point in head])
    taken_out = np.stack([turn.T @ down @ (point - t) for point in in_space])  # = f·S, y up
    pose = np.hstack([f * down @ turn, t[:, None]]).reshape(-1)
    both = PoseNormalization(model)(torch.from_numpy(np.concatenate([pose, alpha]))[None])
    np.testing.assert_allclose(both.profile[0], slow_eighteen(in_space[:, :2]), atol=1e-9)
    frontal = slow_eighteen((taken_out @ down)[:, :2])
    np.testing.assert_allclose(np.diff(both.frontal[0], axis=0), np.diff(frontal, axis=0), atol=1e-9)


def slow_head(model: ShapeModel, alpha: NDArray[np.float64]) -> NDArray[np.float64]:
    head = model.mean.numpy().copy()
    for value, mode in zip(alpha, [*model.identity.numpy(), *model.expression.numpy()], strict=True):
        head += value * mode
    return head


def slow_eighteen(points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.mean([points[i] for i in part], axis=0) for part in EIGHTEEN["2dasl"]])


@pytest.mark.parametrize("scale", ["own", "uniform"])
def test_the_frontal_face_lies_in_the_canonical_crop_whatever_the_pose(scale: str) -> None:
    normalize = PoseNormalization(MODEL, size=64, scale=scale)  # type: ignore[arg-type]
    frontal = [normalize(parameters(truth(yaw=yaw, jitter=None))).frontal for yaw in (-60, 0, 60)]
    everything = dataclasses.replace(normalize, points="synthpie")(parameters(truth())).frontal
    assert everything.shape == (1, 18, 2)
    if scale == "uniform":
        torch.testing.assert_close(frontal[0], frontal[1])
        torch.testing.assert_close(frontal[2], frontal[1])
    for points in frontal:
        assert abs(float(points[0, 13, 0]) - 31.5) < 2  # the tip of the nose
        assert 0 < points.min()
        assert points.max() < 64


def test_own_scale_keeps_the_f_of_the_photo() -> None:
    photo = parameters(truth())
    twice = photo.clone()
    twice[:, :12] *= 2
    sizes = [PoseNormalization(MODEL)(p).frontal[0].std(0) for p in (photo, twice)]
    torch.testing.assert_close(sizes[1], 2 * sizes[0])


def test_a_head_seen_from_the_front_at_the_crops_scale_is_its_own_normalization() -> None:
    photo = truth(yaw=0, jitter=None, expression="neutral")
    found = PoseNormalization(MODEL, scale="uniform")(parameters(photo), photo.distance)
    np.testing.assert_allclose(found.frontal, found.profile, atol=1e-9)


def test_uniform_scale_is_geometrys_similarity() -> None:
    own, uniform = (PoseNormalization(MODEL, points="synthpie", scale=s) for s in ("own", "uniform"))  # type: ignore[arg-type]
    photo = parameters(truth(yaw=-75))
    turn = torch.diag(torch.tensor([1.0, -1, 1], dtype=torch.float64))
    upright = photographed(torch.cat([torch.cat([turn, torch.zeros(3, 1)], 1).reshape(1, 12), photo[:, 12:]], 1), MODEL)
    align = similarity(five(upright)[0].numpy(), CANONICAL_128)
    expected = eighteen(upright, "synthpie")[0].numpy() @ align[:, :2].T + align[:, 2]
    np.testing.assert_allclose(uniform(photo).frontal[0], expected, atol=1e-9)
    assert not torch.allclose(own(photo).frontal, uniform(photo).frontal, atol=0.5)


def test_one_distance_for_all_or_one_each() -> None:
    batch = torch.cat([parameters(truth(yaw=yaw)) for yaw in (0, 60)])
    normalize = PoseNormalization(MODEL)
    both = normalize(batch, torch.tensor([1100.0, 700.0])).profile
    torch.testing.assert_close(both[:1], normalize(batch[:1], 1100.0).profile)
    torch.testing.assert_close(both[1:], normalize(batch[1:], 700.0).profile)
    assert not torch.allclose(both, normalize(batch).profile, atol=0.1)


def test_normalization_writes_to_no_argument() -> None:
    given = parameters(truth())
    before = given.clone()
    PoseNormalization(MODEL, expression="neutral")(given)
    assert torch.equal(given, before)


@pytest.mark.parametrize("yaw", [-90, -30, 0, 60])
def test_decompose_finds_the_cameras_pose(yaw: int) -> None:
    photo = truth(yaw=yaw)
    _, turn, shift = decompose(parameters(photo))
    assert angles(turn[0].numpy()) == pytest.approx((photo.yaw, photo.pitch, photo.roll), abs=1e-9)
    np.testing.assert_allclose(shift[0], photo.parameters.reshape(-1)[[3, 7]])


def test_five_points_of_the_mean_head_give_back_its_pose() -> None:
    turn, f = rotation(50, -10, 5), 0.6
    pose = np.hstack([f * np.diag([1.0, -1.0, 1.0]) @ turn, [[60.0], [66.0], [0.0]]])
    known = torch.from_numpy(np.concatenate([pose.reshape(-1), np.zeros(50)]))[None]
    found = pose_of_five(five(photographed(known, MODEL)), MODEL)
    torch.testing.assert_close(found, known, atol=1e-9, rtol=0)


@pytest.mark.parametrize(("yaw", "degrees"), [(0, 5), (30, 15), (60, 15), (90, 15)])
def test_five_points_of_other_heads_give_nearly_their_pose(yaw: int, degrees: float) -> None:
    photos = [truth(subject=subject, yaw=yaw) for subject in range(1, 9)]
    landmarks = torch.from_numpy(np.stack([photo.landmarks5 for photo in photos]))
    found = pose_of_five(landmarks, MODEL)
    _, turns, _ = decompose(found)
    off = [abs(angles(turn)[0] - photo.yaw) for turn, photo in zip(turns.numpy(), photos, strict=True)]
    assert np.mean(off) < degrees / 2
    assert max(off) < degrees
    points = PoseNormalization(MODEL, points="synthpie")(found).profile.numpy()
    assert np.abs(points - np.stack([photo.landmarks18 for photo in photos])).mean() < 2.5  # pixels


def test_five_points_keep_their_dtype() -> None:
    assert pose_of_five(torch.from_numpy(CANONICAL_128)[None].float(), MODEL).dtype == torch.float32


@pytest.mark.parametrize("reading", sorted(EIGHTEEN))
def test_the_mirror_of_the_mean_heads_points_is_its_points(reading: str) -> None:
    assert set(MIRROR) == set(EIGHTEEN)
    mirror = list(MIRROR[reading])
    assert [mirror[i] for i in mirror] == list(range(18))
    points = eighteen(MODEL.mean, reading)
    mirrored = points[mirror] * torch.tensor([-1, 1, 1])
    assert float((mirrored - points).abs().max()) < 3  # mm, as fine as the grid on which SynthPIE's landmarks lie


def test_eighteen_points_are_2dasls() -> None:
    # XgTu/2DASL samples 17, 19, 21, 22, 24, 26, 36, mean(37, 40), 39, 42, mean(43, 46), 45, 31, 30, 35, 48,
    # mean(62, 66), 54 of the 68.
    numbers = torch.arange(68.0)[:, None]
    expected = [17, 19, 21, 22, 24, 26, 36, 38.5, 39, 42, 44.5, 45, 31, 30, 35, 48, 64, 54]
    assert eighteen(numbers)[:, 0].tolist() == expected


def test_wrong_settings_and_shapes_are_refused() -> None:
    with pytest.raises(RecordError, match="scale is 'unifrom'; did you mean 'uniform'?"):
        PoseNormalization(MODEL, scale="unifrom")  # type: ignore[arg-type]
    with pytest.raises(RecordError, match="points is 'ibug'; known: 2dasl, synthpie"):
        PoseNormalization(MODEL, points="ibug")  # type: ignore[arg-type]
    with pytest.raises(RecordError, match="expression is 'smile'; known: kept, neutral"):
        PoseNormalization(MODEL, expression="smile")  # type: ignore[arg-type]
    with pytest.raises(ConventionError, match=r"expected \(B, 62\) parameters, .* got an array of shape \(62,\)"):
        PoseNormalization(MODEL)(torch.zeros(62))
    with pytest.raises(ConventionError, match=r"expected \(B, 5, 2\) finite landmarks, .* shape \(5, 2\)"):
        pose_of_five(torch.zeros(5, 2), MODEL)
    with pytest.raises(ConventionError, match="finite landmarks"):
        pose_of_five(torch.full((1, 5, 2), torch.nan), MODEL)
