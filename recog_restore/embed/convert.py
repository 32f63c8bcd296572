"""A checkpoint into a folder of card, safetensors and golden tensors; and the check that such a folder is whole."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..errors import RecordError, WeightsError
from ..faces import to_float, to_uint8
from ..geometry import CANONICAL_128, CANONICAL_SIZE, crop_size
from ..networks.cards import EmbedderCard, Flip, InputCard, WeightsCard, read_card
from ..networks.families import family
from ..networks.toml import card_text
from ..networks.weights import (
    build_network,
    fit,
    fitting,
    parameters,
    parse_safetensors,
    read_bytes,
    read_checkpoint,
    stripped,
)
from ..records import build
from .card import CardEmbedder


def convert(
    checkpoint: Path,
    network: str | None,
    out: Path,
    *,
    name: str | None = None,
    crop: str | None = None,
    colour: Literal["rgb", "bgr", "grey"] | None = None,
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
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RecordError(f"{out}: expected a folder that does not exist yet, or an empty one")
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
        weights=WeightsCard(parameters=parameters(module)),
        rights=usual.rights,
        origin=usual.origin,
    )
    learned = {k: v.contiguous() for k, v in module.state_dict().items() if not k.endswith("num_batches_tracked")}
    if half:
        learned = {k: v.half() if v.ndim > 1 else v for k, v in learned.items()}
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        temporary.mkdir(parents=True)
        _write(card, learned, temporary)
        if out.exists():
            out.rmdir()
        temporary.rename(out)
    except OSError as error:
        raise WeightsError(f"{out}: cannot be written: {error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return out


def verify(folder: Path, device: str = "cpu") -> float:
    """Return the largest deviation of the embeddings from the golden ones of a converted folder.

    Raises:
        ResourceMissing, RecordError: there is no card, or it is not valid.
        WeightsError: SHA-256, number of parameters, or golden embeddings are not the card's.
    """
    embedder = CardEmbedder(folder, device, flip="none")
    golden = embedder.card.golden
    stored = parse_safetensors(read_bytes(folder / golden.file), str(folder / golden.file))
    if set(stored) != {"faces", "embeddings"}:
        raise WeightsError(f"{folder / golden.file}: expected tensors faces and embeddings, found {sorted(stored)}")
    got, expected = embedder(to_float(stored["faces"], device)).cpu(), stored["embeddings"]
    if got.shape != expected.shape or not torch.allclose(got, expected, golden.rtol, golden.atol):
        worst = float((got - expected).abs().max()) if got.shape == expected.shape else float("inf")
        raise WeightsError(
            f"{folder}: the embeddings of {golden.file} are off by up to {worst:.3g}; "
            f"expected them within {golden.rtol:g} relative and {golden.atol:g} absolute"
        )
    return float((got - expected).abs().max())


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
            shape: tuple[int, ...] = tuple(module(torch.zeros(1, channels, *crop_size(card.crop))).shape)
    except RuntimeError as error:
        raise RecordError(f"network {network} does not take a {card.words()}: {str(error).splitlines()[0]}") from None
    if len(shape) != 2:
        raise RecordError(f"network {network}: expected an output (B, dim) for {card.words()}, got {shape}")
    return shape[1]


def _write(card: EmbedderCard, tensors: dict[str, Tensor], folder: Path) -> None:
    data = safetensors.torch.save(tensors)
    card = dataclasses.replace(card, weights=dataclasses.replace(card.weights, sha256=hashlib.sha256(data).hexdigest()))
    (folder / card.weights.file).write_bytes(data)
    (folder / "card.toml").write_text(card_text(card), "utf-8")
    if read_card(folder / "card.toml") != card:
        raise RecordError(f"{folder}: the card cannot be written as TOML; are all arguments numbers, texts or lists?")
    faces = drawn_faces()
    embeddings = CardEmbedder(folder, flip="none")(to_float(faces.numpy()))
    (folder / card.golden.file).write_bytes(safetensors.torch.save({"faces": faces, "embeddings": embeddings}))


def drawn_faces() -> Tensor:
    """Return two drawn faces, (2, 128, 128, 3) uint8: an oval with eyes, nose and mouth in place, and smooth noise."""
    generator = torch.Generator().manual_seed(0)
    steps = torch.arange(CANONICAL_SIZE, dtype=torch.float32)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    oval = torch.sigmoid(12 * (1 - ((x - 64) / 40).square() - ((y - 68) / 54).square()))
    points = torch.from_numpy(CANONICAL_128).float()
    marks = sum(torch.exp(-((x - px).square() + (y - py).square()) / 40) for px, py in points)
    skin = torch.tensor([0.80, 0.62, 0.52])[:, None, None]
    noise = interpolate(torch.rand(2, 3, 16, 16, generator=generator), CANONICAL_SIZE, mode="bilinear")
    faces = 0.15 + oval * (skin - 0.45 * marks) + 0.3 * (noise - 0.5)
    return torch.from_numpy(to_uint8(faces.clamp(0, 1)))
