from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, leaky_relu

from recog_restore.errors import ConventionError, RecordError
from recog_restore.networks import NETWORKS, RESTORERS
from recog_restore.networks.mdfr import FFN, FRN, Decoded, Decoder, Normalization
from recog_restore.networks.weights import build_network, fit, fitting, parameters

OUTPUTS = ("image", "residual", "blend", "gated")


def faces(batch: int = 2, size: int = 32) -> Tensor:
    return torch.rand(batch, 3, size, size, generator=torch.Generator().manual_seed(1))


def poses(batch: int = 2, size: int = 32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    first, second = torch.rand(2, batch, 18, size, size, generator=generator)
    return first, second


def frn(**arguments: Any) -> FRN:
    torch.manual_seed(0)
    return FRN(8, **arguments)


def ffn(**arguments: Any) -> FFN:
    torch.manual_seed(0)
    return FFN(8, **arguments)


def disturbed(network: nn.Module) -> nn.Module:
    """Return the network with noise on every parameter, so that nothing is zero at the start."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return network


# The prototype's counts, in millions, of the same layers at widths 64 and 24; pose width a half and, at 24, a third.
# Its lean decoder has a 1×1 convolution for every pair of blocks, this one has one for every block: 0.2 % fewer.
@pytest.mark.parametrize(
    ("network", "arguments", "millions", "tolerance"),
    [
        ("frn", {"width": 64, "decoder": "full"}, 26.55, 0.005),
        ("ffn", {"width": 64, "decoder": "full"}, 30.53, 0.01),
        ("frn", {"width": 24, "decoder": "full"}, 3.74, 0.005),
        ("frn", {"width": 64}, 23.74, 0.05),
        ("ffn", {"width": 24, "pose_width": 8}, 3.57, 0.01),
    ],
)
def test_parameters_are_those_of_the_prototype(
    network: str, arguments: dict[str, Any], millions: float, tolerance: float
) -> None:
    with torch.device("meta"):
        assert parameters(NETWORKS.create(network, **arguments)) / 1e6 == pytest.approx(millions, abs=tolerance)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("decoder", ["full", "lean"])
@pytest.mark.parametrize(("unshuffle", "size"), [(1, 16), (1, 48), (2, 32), (2, 96)])
def test_faces_become_faces_of_their_size(output: Any, decoder: Any, unshuffle: int, size: int) -> None:
    network = disturbed(frn(output=output, decoder=decoder, unshuffle=unshuffle))
    with torch.no_grad():
        restored = network(faces(size=size))
    assert restored.shape == (2, 3, size, size)
    assert (restored >= 0).all()
    assert (restored <= 1).all()


def test_height_and_width_may_differ() -> None:
    assert frn()(torch.rand(1, 3, 16, 48)).shape == (1, 3, 16, 48)


@pytest.mark.parametrize("kind", ["full", "lean"])
def test_decoder_connects_every_block_to_all_later_ones(kind: Any) -> None:
    torch.manual_seed(0)
    decoder = Decoder(12, 4, kind, None).double()
    code = torch.randn(2, 12, 1, 2, dtype=torch.float64)

    # Slowly: every source is enlarged from its own resolution for every block that sees it.
    sources: list[Tensor] = [code]
    for number, block in enumerate(decoder.blocks):
        size = (2 ** (number + 1), 2 ** (number + 2))
        older = [grow(source) for grow, source in zip(decoder.growths, sources[:-1], strict=False)]
        seen = torch.cat([interpolate(s, size, mode="nearest") for s in (sources[-1], *reversed(older))], 1)
        for layer in (block[0], block[2]):  # type: ignore[index]
            seen = leaky_relu(conv2d(seen, layer.weight, layer.bias, padding=1), 0.2)
        sources.append(seen)
    torch.testing.assert_close(decoder(code), sources[-1])


def test_full_decoder_hands_on_all_channels_and_lean_half_the_width() -> None:
    full, lean, own = (Decoder(64, 8, kind, growth) for kind, growth in (("full", None), ("lean", None), ("lean", 3)))  # type: ignore[arg-type]
    inputs = [[block[0].in_channels for block in d.blocks] for d in (full, lean, own)]  # type: ignore[index]
    assert inputs == [[64, 128, 160, 176], [64, 68, 40, 28], [64, 67, 38, 25]]


def test_residual_returns_its_input_at_first() -> None:
    images = faces()
    assert torch.equal(frn(output="residual")(images), images)


def test_normalization_is_torchs() -> None:
    x = torch.randn(2, 12, 3, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Normalization(12)(x), nn.GroupNorm(4, 12)(x))


def test_residual_is_clamped_and_keeps_its_gradient_inside() -> None:
    network = frn(output="residual")
    nn.init.constant_(network.head.paint.bias, 0.5)  # type: ignore[arg-type]
    images = torch.full((1, 3, 16, 16), 0.25)
    images[:, :, :8] = 0.75
    restored = network(images)
    assert (restored[:, :, :8] == 1).all()
    torch.testing.assert_close(restored[:, :, 8:], torch.full((1, 3, 8, 16), 0.75))


def test_blend_is_half_and_half_at_first_and_one_number_for_each_face() -> None:
    network, images = frn(output="blend"), faces()
    decoded = network.decode(images)
    assert decoded.passed is not None
    assert decoded.passed.tolist() == [0.5, 0.5]
    torch.testing.assert_close(decoded.output, (images + decoded.image) / 2)

    decoded = disturbed(network).decode(images)  # type: ignore[operator]
    assert decoded.passed.shape == (2,)
    assert decoded.passed[0] != decoded.passed[1]
    a = decoded.passed[:, None, None, None]
    torch.testing.assert_close(decoded.output, a * images + (1 - a) * decoded.image)


def test_gated_adds_to_the_input_and_passes_one_number_for_each_face() -> None:
    network, images = frn(output="gated"), faces()
    assert torch.equal(network(images), images)
    decoded = disturbed(network).decode(images)  # type: ignore[operator]
    assert 0 < decoded.passed[0] != decoded.passed[1] < 1
    a = decoded.passed[:, None, None, None]
    torch.testing.assert_close(decoded.output, images + (1 - a) * (decoded.image - images))


@pytest.mark.parametrize(("plain", "mixing"), [("image", "blend"), ("residual", "gated")])
def test_frn_that_begins_as_one_that_passes_nothing_paints_the_same(plain: Any, mixing: Any) -> None:
    before, after = disturbed(frn(output=plain)), frn(output=mixing)
    fit(after, after.begun_as(before.state_dict()), "test")
    decoded = after.decode(faces())
    assert torch.equal(decoded.image, before(faces()))
    assert decoded.passed is not None
    assert decoded.passed.tolist() == [0.5, 0.5]
    again = frn(output=plain)
    fit(again, again.begun_as(after.state_dict()), "test")
    assert torch.equal(again(faces()), decoded.image)


@pytest.mark.parametrize("output", ["blend", "gated"])
def test_mixing_learns_what_to_pass(output: Any) -> None:
    network = disturbed(frn(output=output))
    network.decode(faces()).output.sum().backward()  # type: ignore[operator]
    assert network.head.passing.weight.grad is not None
    assert network.head.passing.weight.grad.abs().max() > 0


@pytest.mark.parametrize("output", ["image", "residual"])
def test_nothing_is_passed_without_blending(output: Any) -> None:
    decoded = frn(output=output).decode(faces())
    assert decoded.passed is None
    assert decoded.image is decoded.output


@pytest.mark.parametrize("unshuffle", [1, 2])
def test_last_features_of_teacher_and_student_agree_in_shape(unshuffle: int) -> None:
    student = frn(unshuffle=unshuffle).decode(faces()).last
    teacher = ffn(unshuffle=unshuffle).decode(faces(), *poses()).last
    assert student.shape == teacher.shape == (2, 8, 32 // unshuffle, 32 // unshuffle)


def test_equal_poses_leave_exactly_zero() -> None:
    network = disturbed(ffn())
    (residual,) = network.turn(poses()[0], poses()[0].clone())  # type: ignore[operator]
    assert residual.shape == (2, 32, 2, 2)
    assert (residual == 0).all()


def test_residual_of_poses_is_antisymmetric_and_concat_is_both() -> None:
    first, second = poses()
    network = ffn()
    assert torch.equal(network.turn(first, second)[0], -network.turn(second, first)[0])
    control = ffn(pose="concat")
    assert [tuple(code.shape) for code in control.turn(first, second)] == [(2, 32, 2, 2)] * 2
    assert control(faces(), first, second).shape == (2, 3, 32, 32)
    more = control.decoder.blocks[0][0].in_channels - network.decoder.blocks[0][0].in_channels  # type: ignore[index]
    assert more == 32


def test_ffn_without_poses_is_given_none_and_has_no_encoder_of_them() -> None:
    network = ffn(pose="none").eval()
    assert not network.guided
    assert not any(name.startswith("pose") for name, _ in network.named_parameters())
    assert network(faces()).shape == (2, 3, 32, 32)
    assert torch.equal(network(faces(), *poses()), network(faces()))


@pytest.mark.parametrize("pose", ["residual", "concat", "none"])
@pytest.mark.parametrize(("decoder", "output"), [("lean", "blend"), ("full", "image")])
def test_ffn_that_begins_as_an_frn_paints_the_same_whatever_it_is_told(pose: Any, decoder: Any, output: Any) -> None:
    before, after = frn(decoder=decoder, output=output), ffn(pose=pose, decoder=decoder, output=output)
    fit(after, after.begun_as(before.state_dict()), "test")
    for told in (poses(), poses()[::-1]):
        assert torch.allclose(after(faces(), *told[: 2 * after.guided]), before(faces()), atol=1e-6)


def test_ffn_that_begins_as_an_frn_learns_what_poses_weigh() -> None:
    after = ffn(output="blend")
    fit(after, after.begun_as(frn(output="blend").state_dict()), "test")
    after(faces(), *poses()).sum().backward()
    weight = after.decoder.blocks[0][0].weight  # type: ignore[index]
    assert weight.grad[:, 64:].abs().amax() > 0
    assert not weight[:, 64:].any()


def test_ffn_turns_by_the_pose_it_is_given() -> None:
    first, second = poses()
    network = ffn().eval()
    assert not torch.allclose(network(faces(), first, second), network(faces(), first, first))


@pytest.mark.parametrize("network", [frn(unshuffle=2, output="blend"), ffn(pose="concat", output="blend")])
def test_gradient_reaches_every_parameter_and_the_images(network: nn.Module) -> None:
    network = disturbed(network)
    images = faces().requires_grad_()
    network(images, *(poses() if isinstance(network, FFN) else ())).square().sum().backward()
    assert images.grad is not None
    assert (images.grad.flatten(1).abs().amax(1) > 0).all()
    without = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().max() > 0]
    assert without == []


def test_a_face_is_restored_alike_alone_and_in_a_batch() -> None:
    network, images = frn(output="blend").eval(), faces(5)
    alone = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(network(images), alone)


def test_channels_last_gives_the_same_and_stays_channels_last() -> None:
    network, images = frn(unshuffle=2).eval(), faces(size=64)
    expected = network(images)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    got = network(images.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)
    assert got.is_contiguous(memory_format=torch.channels_last)


def test_two_runs_give_the_same_bytes() -> None:
    def run() -> tuple[Tensor, Tensor]:
        network = frn(unshuffle=2)
        restored = network(faces())
        restored.square().sum().backward()
        gradient = network.encoder.stem[0].weight.grad
        assert isinstance(gradient, Tensor)
        return restored, gradient

    for first, second in zip(run(), run(), strict=True):
        assert torch.equal(first, second)


@pytest.mark.parametrize("size", [24, 8])
def test_unsuitable_size_is_refused(size: int) -> None:
    with pytest.raises(
        ConventionError, match=rf"expected \(B, C, S, S\), S a multiple of 16, got \(1, 3, {size}, {size}"
    ):
        frn()(torch.zeros(1, 3, size, size))
    with pytest.raises(ConventionError, match="S a multiple of 32"):
        frn(unshuffle=2)(torch.zeros(1, 3, 48, 48))
    with pytest.raises(ConventionError, match=r"got \(3, 32, 32\)"):
        frn()(torch.zeros(3, 32, 32))


@pytest.mark.parametrize(
    ("network", "arguments", "message"),
    [
        ("frn", {"decoder": "dense"}, "decoder is 'dense'; expected one of 'full', 'lean'"),
        ("frn", {"output": "mask"}, "output is 'mask'; expected one of 'image', 'residual', 'blend', 'gated'"),
        ("frn", {"unshuffle": 0}, "unshuffle is 0; expected a number from 1 to 16,384"),
        ("frn", {"decoder": "full", "growth": 4}, "growth = 4 is for the lean decoder; leave it out"),
        ("ffn", {"pose": "sum"}, "pose is 'sum'; expected one of 'residual', 'concat', 'none'"),
        ("frn", {"pose": "residual"}, "here: network frn does not take these arguments: .*'pose'"),
    ],
)
def test_unsuitable_arguments_are_refused(network: str, arguments: dict[str, Any], message: str) -> None:
    with torch.device("meta"), pytest.raises(RecordError, match=message):
        build_network(network, arguments, "here")


@pytest.mark.parametrize("name", sorted(RESTORERS))
def test_restorers_are_networks_and_known_by_their_names(name: str) -> None:
    with torch.device("meta"):
        assert fitting(NETWORKS.create(name).state_dict()) == name


class _Output(nn.Module):
    """FRN with all that ``decode`` returns, so that all of it is exported."""

    def __init__(self, network: FRN) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        decoded: Decoded = self.network.decode(images)
        assert decoded.passed is not None
        return decoded.output, decoded.last, decoded.passed


@pytest.mark.parametrize("unshuffle", [1, 2])
def test_exported_network_takes_any_batch(unshuffle: int, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    restorer = frn(unshuffle=unshuffle, output="blend").eval()
    nn.init.normal_(restorer.head.passing.weight)  # type: ignore[arg-type]
    network = _Output(restorer)
    file = tmp_path / "frn.onnx"
    with warnings.catch_warnings():  # the exporter by tracing is deprecated; the new one needs another package
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network,
            (faces(2, 64),),
            str(file),
            opset_version=17,
            dynamo=False,
            input_names=["images"],
            dynamic_axes={"images": {0: "batch"}},
        )
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    images = faces(5, 64)
    with torch.no_grad():
        expected = network(images)
    for got, want in zip(session.run(None, {"images": images.numpy()}), expected, strict=True):
        np.testing.assert_allclose(got, want.numpy(), rtol=1e-4, atol=1e-4)
