from __future__ import annotations

from pathlib import Path

import torch

from recog_restore.geometry import CANONICAL_128, CANONICAL_SIZE
from recog_restore.networks import NETWORKS
from recog_restore.networks.cards import RestorerCard
from recog_restore.networks.heatmaps import heatmaps
from recog_restore.networks.pose import eighteen, five, photographed, pose_of_five, synthpie_model
from recog_restore.preprocess.folder import verify, write_restorer
from recog_restore.preprocess.poses import poses
from recog_restore.preprocess.spec import create
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
