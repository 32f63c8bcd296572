from __future__ import annotations

import pytest
import torch
from torch import nn

from recog_restore.errors import RecordError
from recog_restore.networks.discriminators import ICD, PCD, Discriminator
from recog_restore.networks.weights import parameters


def test_parameters_are_those_of_vgg11() -> None:
    # torchvision's vgg11 (weights VGG11_Weights.IMAGENET1K_V1) states num_params 132,863,336: 9,220,480 in its eight
    # convolutions, of 3 channels, the others in its full layers.
    with torch.device("meta"):
        own = Discriminator(3, 1)
    assert parameters(own) == 9_220_480 + 512 + 1
    assert len([layer for layer in own.modules() if isinstance(layer, nn.Conv2d)]) == 8


def test_full_layers_are_vggs() -> None:
    # VGG-11's second full layer is 4096×4096; the first takes 4×4 pixels of a 128×128 face in place of 7×7.
    with torch.device("meta"):
        own = Discriminator(3, 1, "fc")
    shapes = [tuple(layer.weight.shape) for layer in own.modules() if isinstance(layer, nn.Linear)]
    assert shapes == [(4096, 512 * 16), (4096, 4096), (1, 4096)]


@pytest.mark.parametrize(("head", "size"), [("gap", 32), ("gap", 96), ("fc", 64)])
def test_faces_and_condition_become_one_logit_each(head: str, size: int) -> None:
    torch.manual_seed(0)
    images = torch.rand(3, 3, size, size, requires_grad=True)
    pcd, icd = PCD(16, head, size=size), ICD(24, 16, head, size=size)  # type: ignore[arg-type]
    for logits in (pcd(images, torch.rand(3, 18, size, size)), icd(images, torch.rand(3, 24, 7, 6))):
        assert logits.shape == (3,)
        (gradient,) = torch.autograd.grad(logits.sum(), images)
        assert (gradient.flatten(1).abs().amax(1) > 0).all()


def test_condition_counts() -> None:
    torch.manual_seed(0)
    images = torch.rand(1, 3, 32, 32)
    pcd, icd = PCD(8), ICD(4, 8)
    maps, identities = torch.rand(2, 1, 18, 32, 32), torch.rand(2, 1, 4, 2, 2)
    assert pcd(images, maps[0]) != pcd(images, maps[1])
    assert icd(images, identities[0]) != icd(images, identities[1])


def test_unknown_head_is_refused() -> None:
    with pytest.raises(RecordError, match="head: expected one of 'gap', 'fc', got 'max'"):
        Discriminator(3, head="max")  # type: ignore[arg-type]
