"""A checkpoint into a folder of card, safetensors and golden tensors; and the check that such a folder is whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import RecordError
from ..networks.cards import Colour, EmbedderCard, Flip, InputCard
from ..networks.families import family
from ..networks.folder import check_new, deviation, new_folder, write_golden, write_model
from ..networks.weights import build_network, fit, fitting, read_checkpoint, stripped
from ..records import build
from .card import CardEmbedder

_OUTPUT = "embeddings"


def convert(
    checkpoint: Path,
    network: str | None,
    out: Path,
    *,
    name: str | None = None,
    crop: str | None = None,
    colour: Colour | None = None,
    mean: float | None = None,
    std: float | None = None,
    flip: Flip = "none",
    arguments: Mapping[str, Any] | None = None,
    half: bool = False,
) -> Path:
    """Return ``out``, a new folder of ``card.toml``, ``weights.safetensors`` and ``golden.safetensors``.

    It is written whole or not at all. Rights, training sets and numbers are for the user to add to the card.

    Args:
        checkpoint: a torch or safetensors file; nothing in it is run.
        network: a name of ``NETWORKS``, or None for the one whose parameters have the checkpoint's names.
        out: absent, or an empty folder.
        name: the embedder's, by default the folder's.
        crop, colour, mean, std: what the network wants, where it is not what its family of networks usually does.
        flip: flip fusion that belongs to these weights.
        arguments: the network's, by default read off the checkpoint.
        half: store matrices and kernels as float16; they are computed with as float32, and the golden embeddings are
            those of the stored weights.

    Raises:
        WeightsError: the checkpoint cannot be read or does not fit, or the folder cannot be written.
        RecordError: ``out`` holds something, no network was recognized, or an option does not suit the network.
        UnknownName: no such network.
    """
    check_new(out)
    state = read_checkpoint(checkpoint)
    network = network or fitting(state)
    if network is None:
        raise RecordError(f"{checkpoint}: its tensors have the names of no known network; say which it is")
    arguments = dict(arguments) if arguments is not None else _arguments(network, state)
    module = build_network(network, arguments, str(checkpoint))
    fit(module, state, str(checkpoint))
    usual = family(network)
    asked = {"crop": crop, "colour": colour, "mean": mean, "std": std}
    values = dataclasses.asdict(usual.input(arguments)) | {k: v for k, v in asked.items() if v is not None}
    input_card = build(InputCard, values, str(checkpoint))
    card = EmbedderCard(
        name=name or out.name,
        network=network,
        dim=_dim(module, input_card, network),
        flip=flip,
        arguments=arguments,
        input=input_card,
        rights=usual.rights,
        origin=usual.origin,
    )
    with new_folder(out) as folder:
        write_model(folder, card, module, half=half)
        write_golden(folder, card.golden, _OUTPUT, CardEmbedder(folder, flip="none"))
    return out


def verify(folder: Path, device: str = "cpu") -> float:
    """Return the largest deviation of the embeddings from the golden ones of a converted folder.

    Raises:
        ResourceMissing, RecordError: there is no card, or it is not valid.
        WeightsError: SHA-256, number of parameters, or golden embeddings are not the card's.
    """
    embedder = CardEmbedder(folder, device, flip="none")
    return deviation(folder, embedder.card.golden, _OUTPUT, embedder, device)


def _arguments(network: str, state: Mapping[str, Tensor]) -> dict[str, Any]:
    with torch.device("meta"):
        default = build_network(network, {}, network)
    try:
        return family(network).arguments(stripped(state, default))
    except (KeyError, ValueError):  # not this network's checkpoint: fitting it will say how
        return {}


def _dim(module: nn.Module, card: InputCard, network: str) -> int:
    channels = 1 if card.colour == "grey" else 3
    try:
        with torch.inference_mode():
            shape: tuple[int, ...] = tuple(module(torch.zeros(1, channels, *card.shape)).shape)
    except RuntimeError as error:
        raise RecordError(f"network {network} does not take a {card.words()}: {str(error).splitlines()[0]}") from None
    if len(shape) != 2:
        raise RecordError(f"network {network}: expected an output (B, dim) for {card.words()}, got {shape}")
    return shape[1]
