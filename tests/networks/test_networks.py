from __future__ import annotations

from pathlib import Path

import pytest
import torch

from recog_restore.networks import NETWORKS
from recog_restore.networks.families import family
from recog_restore.networks.mobilefacenet import MobileFaceNet
from recog_restore.networks.prelu import PReLU
from recog_restore.networks.weights import parameters

INPUT = {"sphereface20": (112, 96)}

# The closed forms below derive them from the papers' tables.
# MobileFaceNet: the paper says 0.99 M (table 2); 999,552 are in the published checkpoint, whose kernel is 7×6.
PARAMETERS = {
    "iresnet18": 24_025_600,
    "iresnet34": 34_139_328,
    "iresnet50": 43_590_848,
    "iresnet100": 65_156_160,
    "mobilefacenet": 1_003_136,
    "sphereface20": 22_670_656,
    "frn": 5_928_979,
    "ffn": 6_675_299,
}


def test_every_network_is_tested() -> None:
    assert set(PARAMETERS) == set(NETWORKS)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_number_of_parameters(name: str) -> None:
    with torch.device("meta"):
        assert parameters(NETWORKS.create(name)) == PARAMETERS[name]


@pytest.mark.parametrize(
    ("depth", "units"), [(18, (2, 2, 2, 2)), (34, (3, 4, 6, 3)), (50, (3, 4, 14, 3)), (100, (3, 13, 30, 3))]
)
def test_parameters_of_iresnet_by_the_papers_table(depth: int, units: tuple[int, ...]) -> None:
    total = 27 * 64 + 2 * 64 + 64  # the first layer, BN, PReLU
    inputs = 64
    for channels, count in zip((64, 128, 256, 512), units, strict=True):
        total += inputs * channels + 2 * channels  # the shortcut's 1×1 layer and BN
        for _ in range(count):
            total += 2 * inputs + 9 * inputs * channels + 2 * channels + channels + 9 * channels**2 + 2 * channels
            inputs = channels
    total += 2 * 512 + 512 * 49 * 512 + 512 + 2 * 512  # BN, the full layer with bias, BN
    assert total == PARAMETERS[f"iresnet{depth}"]


def test_parameters_of_sphereface20_by_the_papers_table() -> None:
    # conv1.x … conv4.x of table 2: a 3×3 layer of stride 2, then pairs of 3×3 layers; bias and PReLU per channel.
    total, inputs = 512 * 7 * 6 * 512 + 512, 3
    for channels, layers in ((64, 3), (128, 5), (256, 9), (512, 3)):
        for _ in range(layers):
            total += 9 * inputs * channels + channels + channels
            inputs = channels
    assert total == PARAMETERS["sphereface20"]


@pytest.mark.parametrize("name", ["iresnet18", "mobilefacenet", "sphereface20"])
def test_faces_become_vectors_and_the_gradient_reaches_them(name: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS.create(name).eval()
    faces = torch.rand(2, 3, *INPUT.get(name, (112, 112)), requires_grad=True)
    embeddings = network(faces)
    assert embeddings.shape == (2, 128 if name == "mobilefacenet" else 512)
    embeddings.sum().backward()
    assert faces.grad is not None
    assert (faces.grad.flatten(1).abs().amax(1) > 0).all()


@pytest.mark.parametrize("name", ["iresnet18", "sphereface20"])
def test_width_multiplies_channels_and_keeps_every_name(name: str) -> None:
    with torch.device("meta"):
        full, half = (NETWORKS.create(name, dim=7, width=width).state_dict() for width in (1.0, 0.5))
    assert list(full) == list(half)
    for key, tensor in full.items():
        halved = [side if side in (1, 3, 7) else side // 2 for side in tensor.shape]
        assert list(half[key].shape) == halved, key


@pytest.mark.parametrize("name", ["iresnet18", "mobilefacenet", "sphereface20"])
def test_size_may_be_any_and_is_halved_rounding_up(name: str) -> None:
    network = NETWORKS.create(name, dim=8, size=(33, 50)).eval()
    assert network(torch.zeros(1, 3, 33, 50)).shape == (1, 8)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("iresnet34", {"dim": 24, "width": 0.25}),
        ("iresnet18", {"dim": 24}),
        ("sphereface20", {"dim": 24, "width": 0.375}),
        ("sphereface20", {"dim": 24}),
        ("mobilefacenet", {"dim": 24, "size": [112, 96]}),
    ],
)
def test_arguments_are_read_off_a_checkpoint(name: str, arguments: dict[str, object]) -> None:
    with torch.device("meta"):
        state = NETWORKS.create(name, **arguments).state_dict()
    assert family(name).arguments(state) == arguments


@pytest.mark.parametrize("shape", [(6, 5, 7, 3), (6, 5)])
def test_prelu_is_torchs_with_the_same_slopes(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    own = PReLU(5).double()
    torchs = torch.nn.PReLU(5).double()
    torchs.load_state_dict(own.state_dict())
    weights = torch.randn(shape, dtype=torch.float64)
    expected = torch.autograd.grad((torchs(x) * weights).sum(), [x, torchs.weight])
    got = torch.autograd.grad((own(x) * weights).sum(), [x, own.weight])
    assert torch.equal(own(x), torchs(x))
    torch.testing.assert_close(got, expected)
    assert torch.autograd.gradcheck(lambda v, w: _slopes(own, v, w), (x, own.weight))


def _slopes(module: PReLU, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return torch.func.functional_call(module, {"weight": weight}, x)


def test_prelu_gives_no_gradient_to_frozen_slopes() -> None:
    own = PReLU(2).requires_grad_(False)
    x = torch.tensor([[-2.0, 3.0]], requires_grad=True)
    own(x).sum().backward()
    assert own.weight.grad is None
    assert x.grad is not None
    assert x.grad.tolist() == [[0.25, 1.0]]


def test_last_kernel_of_mobilefacenet_follows_the_size() -> None:
    network = MobileFaceNet(dim=64, size=(112, 96)).eval()
    assert network.linear7.conv.weight.shape == (512, 1, 7, 6)
    assert network(torch.zeros(1, 3, 112, 96)).shape == (1, 64)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        # insightface, recognition/arcface_torch/backbones/iresnet.py, commit 04a433f.
        (
            "iresnet50",
            "conv1.weight bn1.running_mean prelu.weight layer1.0.bn1.weight layer1.0.conv1.weight layer1.0.bn2.bias "
            "layer1.0.prelu.weight layer1.0.conv2.weight layer1.0.bn3.running_var layer1.0.downsample.0.weight "
            "layer1.0.downsample.1.weight layer3.13.conv2.weight layer4.2.bn3.bias bn2.weight fc.weight fc.bias "
            "features.weight features.running_var",
        ),
        # clcarwin/sphereface_pytorch, net_sphere.py, commit 421986c.
        (
            "sphereface20",
            "conv1_1.weight conv1_1.bias relu1_1.weight conv2_5.weight conv3_9.bias relu4_3.weight fc5.weight fc5.bias",
        ),
        # Xiaoccer/MobileFaceNet_Pytorch, core/model.py, commit 237649c.
        (
            "mobilefacenet",
            "conv1.conv.weight conv1.bn.weight conv1.prelu.weight dw_conv1.conv.weight blocks.0.conv.0.weight "
            "blocks.14.conv.7.bias conv2.prelu.weight linear7.conv.weight linear7.bn.bias linear1.conv.weight",
        ),
    ],
)
def test_parameters_have_the_names_of_the_published_checkpoints(name: str, keys: str) -> None:
    with torch.device("meta"):
        own = NETWORKS.create(name).state_dict()
    assert set(keys.split()) <= set(own)
    assert not [key for key in own if key.startswith("fc6")]


def test_mobilefacenet_takes_the_published_checkpoint(shared: Path) -> None:
    file = shared / "weights" / "mobilefacenet-arcface-casia-112x96.ckpt"
    state = torch.load(file, map_location="cpu", weights_only=True)["net_state_dict"]
    network = MobileFaceNet(size=(112, 96))
    network.load_state_dict(state, strict=True)
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    assert parameters(network) == sum(v.numel() for k, v in state.items() if not k.endswith(statistics)) == 999_552
