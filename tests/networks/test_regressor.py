from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from recog_restore.errors import ConventionError, WeightsError
from recog_restore.faces import to_float
from recog_restore.networks.pose import PARAMETERS, PoseNormalization, decompose, eighteen, photographed
from recog_restore.networks.regressor import INPUT, MobileNet, PoseRegressor, box_around, crops, to_pixels
from recog_restore.networks.weights import parameters
from recog_restore.synthpie import Shot, Studio
from recog_restore.synthpie.camera import angles


def write_folder(folder: Path, width: float = 0.125) -> Path:
    """Write a folder as 3DDFA_V2's files, with random weights and numbers of the right shapes."""
    torch.manual_seed(0)
    state = {f"module.{key.replace('fc.', 'fc_param.')}": t for key, t in MobileNet(width).state_dict().items()}
    folder.mkdir()
    torch.save({"epoch": 1, "state_dict": {**state, "module.fc_lm.bias": torch.zeros(136)}}, folder / "mb.pth")
    rng = np.random.default_rng(0)
    pose = np.array([3.5e-4, 0, 0, 60, 0, 3.5e-4, 0, 60, 0, 0, 3.5e-4, 0])
    np.savetxt(folder / "param_mean.txt", np.concatenate([pose, np.zeros(50)]))
    np.savetxt(folder / "param_std.txt", np.concatenate([np.abs(pose) / 10, np.ones(50)]))
    np.savetxt(folder / "u_base.txt", rng.normal(0, 5e4, 204))
    np.savetxt(folder / "w_shp_base.txt", rng.normal(size=(204, 40)))
    np.savetxt(folder / "w_exp_base.txt", rng.normal(size=(204, 10)))
    return folder


def test_number_of_parameters_is_3ddfas() -> None:
    # cleardusk/3DDFA_V2, readme.md: MobileNet 3.27 M, MobileNet_x0.5 0.85 M.
    assert [round(parameters(MobileNet(width)) / 1e6, 2) for width in (1.0, 0.5)] == [3.27, 0.85]


def test_the_input_is_a_bgr_crop_of_127_5_and_128(tmp_path: Path) -> None:
    regressor = PoseRegressor(write_folder(tmp_path / "3ddfa"))
    image = torch.rand(2, 3, INPUT, INPUT, generator=torch.Generator().manual_seed(3))
    inputs = (image.flip(1) * 255 - 127.5) / 128
    with torch.inference_mode():
        raw = regressor._network(inputs) * regressor._std + regressor._mean
    whole = torch.tensor([[0.0, 0.0, INPUT, INPUT]]).expand(2, 4)
    torch.testing.assert_close(regressor(image, whole), to_pixels(raw, whole), rtol=1e-4, atol=1e-3)


def test_pixels_are_those_of_3ddfas_own_conversion(tmp_path: Path) -> None:
    model = PoseRegressor(write_folder(tmp_path / "3ddfa")).model
    rng = torch.Generator().manual_seed(1)
    raw = torch.randn(1, PARAMETERS, generator=rng) * 1e-4
    raw[0, [3, 7]] = torch.tensor([55.0, 70.0])
    # 3DDFA_V2, utils/functions.py, similar_transform: −1 in x, 120 − y, then scaled to the box; its pixel centres are
    # not resize's, which the half pixels make good.
    pose = raw[0, :12].reshape(3, 4).numpy()
    head = model.landmarks(raw)[0].numpy()
    points = head @ pose[:, :3].T + pose[:, 3]
    x, y = points[:, 0] - 1, INPUT - points[:, 1]
    left, top, side = 10.0, -6.0, 150.0
    expected = np.stack([(x + 0.5) * side / INPUT + left - 0.5, (y + 0.5) * side / INPUT + top - 0.5], 1)
    found = photographed(to_pixels(raw, torch.tensor([[left, top, left + side, top + side]])), model)[0]
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_crops_are_those_of_opencv() -> None:
    image = np.random.default_rng(0).integers(0, 256, (90, 100, 3)).astype(np.uint8)
    expected = cv2.resize(image[20:80, 30:90].astype(np.float32), (INPUT, INPUT), interpolation=cv2.INTER_LINEAR)
    found = crops(to_float(image[None]), torch.tensor([[30.0, 20.0, 90.0, 80.0]]), INPUT)
    inner = (slice(None), slice(2, -2), slice(2, -2))  # at the border OpenCV repeats the last pixel of the piece
    np.testing.assert_allclose(found[0][inner] * 255, expected.transpose(2, 0, 1)[inner], atol=0.01)


def test_beyond_the_image_a_crop_is_black() -> None:
    found = crops(torch.ones(1, 3, 20, 20), torch.tensor([[-20.0, 0.0, 20.0, 40.0]]), 40)
    assert float(found[0, :, :19, 21:].min()) > 0.999
    assert float(found[0, :, :, :19].max()) == 0
    assert float(found[0, :, 21:].max()) == 0


def test_the_box_is_the_points_square_root_two_as_wide() -> None:
    points = torch.tensor([[[10.0, 20.0], [30.0, 24.0], [20.0, 22.0]]])
    half = 10 * 2**0.5
    torch.testing.assert_close(box_around(points), torch.tensor([[20 - half, 22 - half, 20 + half, 22 + half]]))


def test_a_moved_face_has_moved_parameters(tmp_path: Path) -> None:
    regressor = PoseRegressor(write_folder(tmp_path / "3ddfa"))
    image = torch.rand(1, 3, 140, 160, generator=torch.Generator().manual_seed(3))
    box = torch.tensor([[10.0, 12.0, 130.0, 132.0]])
    moved = regressor(image.roll((7, 5), (2, 3)), box + torch.tensor([5.0, 7.0, 5.0, 7.0]))
    still = regressor(image, box)
    expected = still.clone()
    expected[:, [3, 7]] += torch.tensor([5.0, 7.0])
    torch.testing.assert_close(moved, expected, rtol=1e-4, atol=1e-3)


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "3ddfa")
    regressor = PoseRegressor(folder)
    with pytest.raises(ConventionError, match=r"expected images \(B, 3, H, W\) and boxes \(B, 4\), got .* \(2, 4\)"):
        regressor(torch.zeros(1, 3, 9, 9), torch.zeros(2, 4))
    with pytest.raises(ConventionError, match=r"expected images \(B, 3, H, W\)"):
        regressor(torch.zeros(1, 9, 9))
    (folder / "u_base.txt").write_text("1\n2\n")
    with pytest.raises(WeightsError, match=r"u_base.txt: expected 204 finite numbers, found \(2,\)"):
        PoseRegressor(folder)
    (folder / "u_base.txt").write_text("one\n")
    with pytest.raises(WeightsError, match=r"u_base.txt: expected numbers, a row a line"):
        PoseRegressor(folder)
    (folder / "u_base.txt").unlink()
    with pytest.raises(WeightsError, match=r"u_base.txt: no such file"):
        PoseRegressor(folder)
    (folder / "other.pth").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"expected one checkpoint .*found mb.pth, other.pth"):
        PoseRegressor(folder)
    with pytest.raises(WeightsError, match=r"expected one checkpoint .*found none"):
        PoseRegressor(tmp_path)


def test_nothing_in_a_checkpoint_is_run(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "3ddfa")
    torch.save({"state_dict": Path("x")}, folder / "mb.pth")
    with pytest.raises(WeightsError, match="holds objects besides tensors"):
        PoseRegressor(folder)


@pytest.fixture(scope="module")
def regressor(shared: Path) -> PoseRegressor:
    return PoseRegressor(shared / "weights" / "3ddfa")


@pytest.mark.parametrize(("yaw", "degrees", "pixels"), [(0, 5, 4), (30, 12, 4), (60, 15, 4), (90, 10, 4)])
def test_3ddfas_weights_find_rendered_faces(regressor: PoseRegressor, yaw: int, degrees: float, pixels: float) -> None:
    photo = Studio().photograph(Shot(7, yaw=yaw, jitter=None))
    found = regressor(to_float(photo.image[None]))
    assert abs(angles(decompose(found.double())[1][0].numpy())[0] - yaw) < degrees
    points = PoseNormalization(regressor.model)(found)
    expected = eighteen(torch.from_numpy(photo.truth.landmarks68))
    assert float((points.profile[0] - expected).norm(dim=1).mean()) < pixels
    frontal = Studio().truth(Shot(7, jitter=None))
    uniform = PoseNormalization(regressor.model, scale="uniform", expression="neutral")(found).frontal[0]
    assert float((uniform - eighteen(torch.from_numpy(frontal.landmarks68))).norm(dim=1).mean()) < 5
