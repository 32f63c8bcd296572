"""Checkpoints: read without running anything in them, and fitted to a network."""

from __future__ import annotations

import hashlib
import io
import pickle
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from ..errors import RecordError, WeightsError
from ..files import read_regular
from ..spec import checked
from . import NETWORKS
from .cards import ModelCard

# Where training programs put the weights in what they save; the averaged ones first.
_WRAPPERS = (
    "params_ema",
    "g_ema",
    "ema_state_dict",
    "params",
    "state_dict",
    "state_dict_backbone",
    "net_state_dict",
    "model_state_dict",
    "model",
)

_POINTER = b"version https://git-lfs.github.com/spec/"

# torch stores tensors without compression: an archive that unpacks to more than so many times its length is none.
_LARGEST_RATIO = 10


def read_checkpoint(file: Path) -> dict[str, Tensor]:
    """Return the tensors by name in a safetensors or torch file, on the CPU; nothing in the file is run.

    Raises:
        WeightsError: the file is absent, damaged, holds objects besides tensors, or no tensors.
    """
    data = read_bytes(file)
    if file.suffix == ".safetensors":
        return parse_safetensors(data, str(file))
    _check_unpacked(data, file)
    try:
        with warnings.catch_warnings(action="ignore"):  # of an unusual pickle protocol; the outcome tells
            content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # torch has no base for what a damaged file can cause
        if not (isinstance(error, pickle.UnpicklingError) and ("GLOBAL" in str(error) or data.startswith(b"\x80"))):
            raise WeightsError(f"{file}: not a checkpoint, or damaged") from None
        raise WeightsError(
            f"{file}: holds objects besides tensors, and to load them would run code; nothing was run; "
            "the way out: torch.save(network.state_dict(), FILE), which holds tensors only, or safetensors"
        ) from None
    state = _unwrap(content)
    if not state:
        raise WeightsError(f"{file}: expected tensors by name, found {_found(content)}")
    return state


def parse_safetensors(data: bytes, where: str) -> dict[str, Tensor]:
    """Return the tensors by name in the bytes of a safetensors file.

    Raises:
        WeightsError: they are none; ``where`` is named.
    """
    try:
        return safetensors.torch.load(data)
    except (SafetensorError, ValueError) as error:
        raise WeightsError(f"{where}: not a safetensors file, or damaged: {error}") from None


def build_network(name: str, arguments: Mapping[str, Any], where: str) -> nn.Module:
    """Return the named network with fresh weights, in evaluation mode.

    Raises:
        UnknownName: no such network.
        RecordError: it does not take these arguments; ``where`` is named.
    """
    factory, given = NETWORKS.factory(name)
    place = f"{where}: network {name} does not take these arguments"
    return factory(**given, **checked(factory, arguments, place)).eval()


def load_network(folder: Path | Traversable, card: ModelCard, device: str = "cpu") -> nn.Module:
    """Return the network of a card with the weights beside it, frozen, in evaluation mode, channels last.

    Raises:
        UnknownName: no such network.
        RecordError: the network does not take the card's arguments, or there is no such device.
        WeightsError: the weights are absent, do not fit, or are not those of the card.
    """
    file = folder.joinpath(card.weights.file)
    data = read_bytes(file)
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != card.weights.sha256:
        raise WeightsError(
            f"{file}: expected SHA-256 {card.weights.sha256 or '(none)'}, as its card says, got {sha256}"
        )
    network = build_network(card.network, card.arguments, f"{folder}/card.toml")
    fit(network, parse_safetensors(data, str(file)), str(file))
    if parameters(network) != card.weights.parameters:
        raise WeightsError(f"{file}: expected {card.weights.parameters} parameters, got {parameters(network)}")
    network.requires_grad_(False)
    try:
        # Channels last is half as fast again on a CPU.
        return network.to(torch.device(device)).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
    except (RuntimeError, AssertionError) as error:
        raise RecordError(f"{folder}: no device {device!r} here: {str(error).splitlines()[0]}") from None


def fit(network: nn.Module, state: Mapping[str, Tensor], where: str) -> None:
    """Copy the tensors into the network, whatever prefix their names carry (``module.``, ``backbone.``, …).

    What a checkpoint holds outside that prefix belongs to other networks and is passed over, and so is what the network
    lists in ``passed_over``.

    Raises:
        WeightsError: names, shapes or types do not fit, or a value is not finite; ``where`` and the first few are
            named.
    """
    own = stripped(state, network)
    expected = network.state_dict()
    missing = sorted(_learned(expected) - own.keys())
    unexpected = [key for key in own if key not in expected]
    reshaped = [key for key in own if key in expected and own[key].shape != expected[key].shape]
    if missing or unexpected or reshaped:
        shapes = [f"{key} {tuple(own[key].shape)} instead of {tuple(expected[key].shape)}" for key in reshaped]
        lists = {"missing": missing, "unexpected": unexpected, "of another shape": shapes}
        words = "; ".join(f"{len(keys)} {what}: {_few(keys)}" for what, keys in lists.items() if keys)
        known = fitting(state)
        hint = f"; its names are those of {known}" if known and (missing or unexpected) else ""
        raise WeightsError(f"{where}: does not fit the network: {words}{hint}")
    for key, tensor in own.items():
        if expected[key].is_floating_point() and not tensor.is_floating_point():
            raise WeightsError(f"{where}: {key} holds {tensor.dtype}; expected {expected[key].dtype}")
        if not torch.isfinite(tensor).all():
            raise WeightsError(f"{where}: {key} holds values that are not finite")
    network.load_state_dict(own, strict=False)


def stripped(state: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Return the part of a checkpoint that is this network's, under the network's own names."""
    expected = network.state_dict()
    first = next(iter(expected))
    prefixes = {"", *(key.removesuffix(first) for key in state if key.endswith("." + first))}
    prefix = max(sorted(prefixes), key=lambda p: sum(p + key in state for key in expected))
    ignored: tuple[str, ...] = getattr(network, "passed_over", ())
    own = {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}
    return {key: tensor for key, tensor in own.items() if not key.startswith(ignored)}


def fitting(state: Mapping[str, Tensor]) -> str | None:
    """Return the registered network whose parameters have the checkpoint's names, or None."""
    for name in NETWORKS:
        try:
            with torch.device("meta"):
                network = NETWORKS.create(name)
        except TypeError:  # a plug-in's network that has no defaults
            continue
        if _learned(stripped(state, network)) == _learned(network.state_dict()):
            return name
    return None


def parameters(network: nn.Module) -> int:
    """Return the number of learned values (the statistics of batch normalization are none)."""
    return sum(parameter.numel() for parameter in network.parameters())


def read_bytes(file: Path | Traversable) -> bytes:
    """Return a file's bytes.

    Raises:
        WeightsError: there is no such file, it cannot be read, or it is a Git LFS pointer.
    """
    try:
        data = read_regular(file)
    except FileNotFoundError:
        raise WeightsError(f"{file}: no such file") from None
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read: {error.strerror}") from None
    if data.startswith(_POINTER):
        raise WeightsError(f"{file}: a Git LFS pointer, not the file that it stands for; fetch that with git lfs pull")
    return data


def _check_unpacked(data: bytes, file: Path) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            length = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, ValueError):  # no archive, or one that torch will refuse
        return
    if length > _LARGEST_RATIO * len(data):
        raise WeightsError(
            f"{file}: unpacks to {length:,} bytes, more than {_LARGEST_RATIO} times its length of {len(data):,}; a "
            "checkpoint is not compressed"
        )


def _learned(names: Iterable[str]) -> set[str]:
    # Counts of training steps do not matter in evaluation, and old checkpoints have none.
    return {name for name in names if not name.endswith("num_batches_tracked")}


def _unwrap(content: Any) -> dict[str, Tensor]:
    if not isinstance(content, Mapping):
        return {}
    for key in _WRAPPERS:
        if inner := _unwrap(content.get(key)):
            return inner
    return {str(key): value for key, value in content.items() if isinstance(value, Tensor)}


def _found(content: Any) -> str:
    return f"a mapping of {_few(sorted(map(str, content)))}" if isinstance(content, Mapping) else type(content).__name__


def _few(keys: list[str], most: int = 3) -> str:
    return ", ".join(keys[:most]) + (f" and {len(keys) - most} more" if len(keys) > most else "") if keys else "nothing"
