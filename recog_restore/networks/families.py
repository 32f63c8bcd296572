"""What is known of the checkpoints of each architecture: how to read its size off them, and what input they want."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from .cards import InputCard, OriginCard, RightsCard

State = Mapping[str, Tensor]


@dataclass(frozen=True)
class Family:
    """The conventions of one architecture.

    Attributes:
        arguments: the network's arguments, from the shapes of a checkpoint's tensors.
        input: the input such networks are trained with, from those arguments.
        origin: paper and repository.
        rights: licences, as far as their owners state them.
    """

    arguments: Callable[[State], dict[str, Any]] = lambda state: {}
    input: Callable[[Mapping[str, Any]], InputCard] = lambda arguments: InputCard()
    origin: OriginCard = field(default_factory=OriginCard)
    rights: RightsCard = field(default_factory=RightsCard)


def family(network: str) -> Family:
    """Return the conventions of a network; of one that is not known here, those of ArcFace's input and nothing else."""
    return _FAMILIES.get(network, Family())


def _mobilefacenet_arguments(state: State) -> dict[str, Any]:
    height, width = state["linear7.conv.weight"].shape[2:]
    return {"dim": len(state["linear1.conv.weight"]), "size": [16 * height, 16 * width]}


def _mobilefacenet_input(arguments: Mapping[str, Any]) -> InputCard:
    crop = "sphereface-112x96" if list(arguments.get("size", ())) == [112, 96] else "arcface-112"
    return InputCard(crop, "rgb", 127.5, 128.0)


def _iresnet_arguments(state: State) -> dict[str, Any]:
    return _narrow({"dim": len(state["fc.weight"])}, len(state["conv1.weight"]))


def _sphereface_arguments(state: State) -> dict[str, Any]:
    return _narrow({"dim": len(state["fc5.weight"])}, len(state["conv1_1.weight"]))


def _narrow(arguments: dict[str, Any], first: int) -> dict[str, Any]:
    """Add the width where the first layer has not the usual 64 channels."""
    return arguments if first == 64 else {**arguments, "width": first / 64}


_IRESNET = Family(
    arguments=_iresnet_arguments,
    origin=OriginCard("Deng, Guo, Xue, Zafeiriou, ArcFace, CVPR 2019", "https://github.com/deepinsight/insightface"),
    rights=RightsCard(code="MIT"),
)
_FAMILIES = {
    **dict.fromkeys(("iresnet18", "iresnet34", "iresnet50", "iresnet100"), _IRESNET),
    "mobilefacenet": Family(
        arguments=_mobilefacenet_arguments,
        input=_mobilefacenet_input,
        origin=OriginCard(
            "Chen, Liu, Gao, Han, MobileFaceNets, CCBR 2018", "https://github.com/Xiaoccer/MobileFaceNet_Pytorch"
        ),
        rights=RightsCard(code="none stated", weights="none stated"),
    ),
    "sphereface20": Family(
        arguments=_sphereface_arguments,
        input=lambda arguments: InputCard("sphereface-112x96", "bgr", 127.5, 128.0),
        origin=OriginCard(
            "Liu, Wen, Yu, Li, Raj, Song, SphereFace, CVPR 2017", "https://github.com/clcarwin/sphereface_pytorch"
        ),
        rights=RightsCard(code="none stated", weights="none stated"),
    ),
}
