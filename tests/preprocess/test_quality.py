from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from recog_restore.degrade import bicubic
from recog_restore.errors import ConventionError, RecordError, UnknownName
from recog_restore.faces import to_float
from recog_restore.preprocess import Quality
from recog_restore.preprocess.quality import QUALITIES, create, is_quality, scores


class Brightness(Quality):
    """A score of one's own."""

    def __call__(self, images: Tensor) -> Tensor:
        return images.mean(dim=(1, 2, 3))

    def identity(self) -> str:
        return "brightness/1"


class Wrong(Brightness):
    """One number too few."""

    def __call__(self, images: Tensor) -> Tensor:
        return images.mean()


class NoQuality:
    """Something else."""


def crops(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 128, 128, 3), dtype=np.uint8)


def slow_sharpness(crop: np.ndarray) -> float:
    """Return the variance of the Laplacian, pixel by pixel."""
    luma = crop[32:112, 24:104].astype(np.float64) @ [0.299, 0.587, 0.114]
    found = [
        luma[y - 1, x] + luma[y + 1, x] + luma[y, x - 1] + luma[y, x + 1] - 4 * luma[y, x]
        for y in range(1, 79)
        for x in range(1, 79)
    ]
    return float(np.var(found))


def test_sharpness_equals_a_slow_loop() -> None:
    found = create("sharpness")(to_float(crops())).numpy()
    np.testing.assert_allclose(found, [slow_sharpness(crop) for crop in crops()], rtol=1e-4)


def test_the_fewer_pixels_a_face_had_the_less_sharp_it_is() -> None:
    crop = crops(1)[0]
    small = [bicubic(bicubic(crop, (side, side)), (128, 128)) for side in (16, 32, 64)]
    found = create("sharpness")(to_float(np.stack([*small, crop]))).tolist()
    assert found == sorted(found)
    assert found[0] < found[-1] / 10


def onnx_file(path: Path, side: int, outputs: int = 1) -> Path:
    """Write a network that returns the mean of the picture, ``outputs`` times."""
    import onnx
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["m", "axis"], ["u"]),
        helper.make_node("Concat", ["u"] * outputs, ["y"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 3, side, side])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["b", outputs])],
        [helper.make_tensor("axis", TensorProto.INT64, [1], [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(("side", "window"), [(112, (slice(0, 112), slice(8, 120))), (128, (slice(None), slice(None)))])
def test_any_onnx_network_with_one_number_per_face_is_a_quality(tmp_path: Path, side: int, window: tuple) -> None:
    file = onnx_file(tmp_path / "q.onnx", side)
    images = to_float(crops())
    expected = images[:, :, window[0], window[1]].mean(dim=(1, 2, 3)) * 2 - 1
    made = create(f"onnx:{file},range=-1..1,colour=bgr")
    assert torch.allclose(scores(made, images, "q"), expected, atol=1e-5)
    assert made.identity() != create(f"onnx:{file}").identity()


def test_a_network_of_another_size_or_with_more_outputs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConventionError, match="expected a quality network on colour crops of 112×112, 112×96, 128×128"):
        create(f"onnx:{onnx_file(tmp_path / 'a.onnx', 64)}")
    made = create(f"onnx:{onnx_file(tmp_path / 'b.onnx', 112, outputs=2)}")
    with pytest.raises(ConventionError, match=r"expected one quality score per face, got an output of shape \(3, 2\)"):
        made(to_float(crops()))


def test_a_score_of_ones_own_is_found_by_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "own_quality", sys.modules[__name__])
    made = create("python:own_quality:Brightness")
    assert isinstance(made, Brightness)
    with pytest.raises(RecordError, match="which own_quality.NoQuality is not"):
        create("python:own_quality:NoQuality")
    with pytest.raises(ConventionError, match=r"quality score 'x': expected a tensor of shape \(3,\), got \(\)"):
        scores(Wrong(), to_float(crops()), "x")


def test_names_of_qualities() -> None:
    assert list(QUALITIES) == ["sharpness"]
    assert is_quality("sharpness")
    assert is_quality("onnx:a.onnx")
    assert not is_quality("size")
    with pytest.raises(UnknownName, match="no quality score named 'sharpnes'; did you mean 'sharpness'"):
        create("sharpnes")
    with pytest.raises(RecordError, match="unknown option 'size'"):
        create("sharpness,size=3")
