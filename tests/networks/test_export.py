from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch
from torch import Tensor, nn

from recog_restore.errors import RecordError, WeightsError
from recog_restore.networks.export import OPSET, TOLERANCE, export
from recog_restore.networks.onnx import OnnxNetwork

FACES = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


class Small(nn.Module):
    """A generator's operators in small: strides, both normalizations, nearest enlargement, concatenation."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.down = nn.Sequential(nn.Conv2d(3, 8, 4, 2, 1), nn.InstanceNorm2d(8, affine=True), nn.LeakyReLU(0.2))
        self.norm, self.batch = nn.GroupNorm(2, 8), nn.BatchNorm2d(11)
        self.up = nn.Conv2d(11, 3, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = nn.functional.interpolate(self.norm(self.down(x)), scale_factor=2.0)
        return self.up(self.batch(torch.cat([x, y], 1))).sigmoid()


class FixedBatch(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + torch.ones(int(x.shape[0]), 1, 1, 1)


class Wrong(nn.Module):
    """Gives something else while it is exported."""

    def forward(self, x: Tensor) -> Tensor:
        return x + 1e-3 if torch.onnx.is_in_onnx_export() else x


class TwoInputs(nn.Module):
    def forward(self, x: Tensor, pose: Tensor) -> Tensor:
        return x + pose


def test_the_file_computes_what_torch_does_for_any_batch(tmp_path: Path) -> None:
    network = Small().eval()
    written = export(network, FACES, tmp_path / "new" / "small.onnx", "about it")
    assert written.difference < TOLERANCE
    assert written.shape == (3, 32, 32)
    file = OnnxNetwork(tmp_path / "new" / "small.onnx")
    assert file.sha256 == written.sha256
    for batch in (FACES, FACES[:1], torch.cat([FACES, 1 - FACES, FACES / 2])):
        with torch.inference_mode():
            torch.testing.assert_close(file(batch), network(batch), atol=1e-5, rtol=0)


def test_batch_is_open_opset_is_17_and_the_card_is_in_it(tmp_path: Path) -> None:
    export(Small(), FACES, tmp_path / "small.onnx", "name = 'x'")
    model = onnx.load(tmp_path / "small.onnx")
    for value in (*model.graph.input, *model.graph.output):
        first, *rest = value.type.tensor_type.shape.dim
        assert first.dim_param == "batch"
        assert [d.dim_value for d in rest] == [3, 32, 32]
    assert {o.version for o in model.opset_import if o.domain == ""} == {OPSET}
    assert {p.key: p.value for p in model.metadata_props} == {"card": "name = 'x'"}


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    assert len({export(Small(), FACES, tmp_path / f"{i}.onnx").sha256 for i in range(2)}) == 1


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Wrong(), r"not written: ONNX Runtime's output differs from torch's by 0.001; expected less than 0.0001"),
        (TwoInputs(), r"TwoInputs cannot be exported for \(2, 3, 32, 32\): .*'pose'"),
        (FixedBatch(), r"not written: ONNX Runtime fails on a batch of 1; the network must not read the batch's size"),
    ],
)
def test_what_is_not_right_is_not_written(network: nn.Module, message: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=message):
        export(network, FACES, tmp_path / "wrong.onnx")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "there.onnx").write_bytes(b"mine")
    with pytest.raises(RecordError, match=r"there.onnx: exists already; remove it, or give another name"):
        export(Small(), FACES, tmp_path / "there.onnx")
    assert (tmp_path / "there.onnx").read_bytes() == b"mine"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WeightsError, match=r"small.onnx: cannot be written"):
        export(Small(), FACES, tmp_path / "file" / "small.onnx")
