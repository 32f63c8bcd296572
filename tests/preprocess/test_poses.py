from __future__ import annotations

from pathlib import Path

import torch

from recog_restore.geometry import CANONICAL_128, CANONICAL_SIZE
from recog_restore.networks import NETWORKS
from recog_restore.networks.cards import RestorerCard
from recog_restore.networks.heatmaps import heatmaps
from recog_restore.networks.pose import PoseNormalization, eighteen, five, photographed, pose_of_five, synthpie_model
from recog_restore.preprocess.folder import verify, write_restorer
from recog_restore.preprocess.poses import key_points, poses
from recog_restore.preprocess.spec import create
from recog_restore.synthpie import Shot, Studio
from recog_restore.testing import check_preprocessor, sample_faces

LANDMARKS = torch.from_numpy(CANONICAL_128).float()[None]


def centres(maps: torch.Tensor) -> torch.Tensor:
    """Return (B, K, 2) where each map is brightest."""
    best = maps.flatten(2).argmax(2)
    return torch.stack([best % maps.shape[3], best // maps.shape[3]], 2).float()


def test_maps_are_those_of_the_heads_points_and_frontal_ones_are_symmetric() -> None:
    profile, frontal = poses(1, LANDMARKS, CANONICAL_SIZE)
    assert profile.shape == frontal.shape == (1, 18, CANONICAL_SIZE, CANONICAL_SIZE)
    assert profile.dtype == torch.float32
    pixels = centres(frontal)[0]
    middle = pixels[:, 0].mean()
    mirrored = torch.stack([2 * middle - pixels[:, 0], pixels[:, 1]], 1)
    assert torch.cdist(mirrored, pixels).min(1).values.max() <= 2.5  # each point has its mirror image, up to pixels
    torch.testing.assert_close(profile, heatmaps(_eighteen(LANDMARKS), CANONICAL_SIZE))


def test_points_of_five_true_landmarks_are_near_the_faces_own_and_frontal_ones_know_no_face() -> None:
    studio = Studio()
    truths = [studio.truth(Shot(subject, yaw=yaw)) for subject, yaw in ((1, -90), (2, -45), (3, 0), (4, 60))]
    found = key_points(torch.stack([torch.from_numpy(truth.landmarks5) for truth in truths]))
    for profile, truth in zip(found.profile, truths, strict=True):
        assert (profile - torch.from_numpy(truth.landmarks18)).norm(dim=1).mean() < 6
    assert (found.frontal - found.frontal[0]).abs().max() < 1e-3
    exact = PoseNormalization(synthpie_model(), points="synthpie", scale="uniform", expression="neutral")
    own = exact(torch.from_numpy(truths[0].parameters)[None]).frontal[0]
    assert 0.5 < (found.frontal[0] - own).norm(dim=1).mean() < 6  # the shape of the person is left out


def _eighteen(landmarks: torch.Tensor) -> torch.Tensor:
    model = synthpie_model()
    return eighteen(photographed(pose_of_five(landmarks.double(), model), model), "synthpie").float()


def test_without_landmarks_a_face_is_frontal_and_a_turned_one_has_another_pose_but_the_same_target() -> None:
    torch.testing.assert_close(poses(1, None, 64), poses(1, LANDMARKS, 64), atol=1e-4, rtol=0)
    model = synthpie_model()
    parameters = pose_of_five(LANDMARKS.double(), model)
    turned = parameters.clone()
    c, s = torch.cos(torch.tensor(0.7)), torch.sin(torch.tensor(0.7))
    pose = turned[:, :12].reshape(1, 3, 4)
    pose[:, :, :3] = pose[:, :, :3] @ torch.tensor([[c, 0, s], [0, 1, 0], [-s, 0, c]], dtype=torch.float64)
    moved = five(photographed(turned, model)).float()
    (as_is, target), (_, same) = poses(1, moved, 128), poses(1, LANDMARKS, 128)
    assert (centres(as_is) - centres(target)).norm(dim=2).mean() > 3
    assert (centres(target) - centres(same)).norm(dim=2).mean() < 6


def test_a_teacher_guided_by_poses_keeps_the_contract_of_a_preprocessor(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = NETWORKS.create("ffn", width=4)
    card = RestorerCard("teacher", "ffn", task="frontalize", guide="poses", arguments={"width": 4})
    folder = write_restorer(tmp_path / "teacher", card, network)
    assert verify(folder) < 1e-5
    made = create(f"card:{folder}")
    check_preprocessor(made)
    faces = sample_faces()
    with torch.no_grad():
        expected = network.eval()(faces.images, *poses(len(faces), faces.landmarks, 128))
    torch.testing.assert_close(made(faces).images, expected, atol=1e-4, rtol=1e-4)


def test_a_face_whose_landmarks_are_all_one_point_spoils_no_other() -> None:
    both = torch.cat([torch.zeros(1, 5, 2), LANDMARKS])
    for found, expected in zip(poses(2, both, 32), poses(1, LANDMARKS, 32), strict=True):
        torch.testing.assert_close(found[1:], expected, atol=1e-5, rtol=0)
