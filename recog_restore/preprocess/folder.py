"""A trained restorer into a folder of card, safetensors and golden tensors; and the check that it is whole."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from ..networks.cards import RestorerCard
from ..networks.folder import deviation, new_folder, write_golden, write_model
from .card import CardRestorer

_OUTPUT = "restored"


def write_restorer(out: Path, card: RestorerCard, network: nn.Module, *, half: bool = False) -> Path:
    """Return ``out``, a new folder of ``card.toml``, ``weights.safetensors`` and ``golden.safetensors``.

    It is written whole or not at all.

    Args:
        out: absent, or an empty folder.
        card: names the network and its arguments; SHA-256 and number of the weights are filled in.
        network: whose tensors are stored.
        half: store matrices and kernels as float16; the golden faces are those of the stored weights.

    Raises:
        RecordError: ``out`` holds something, or the card cannot be written as TOML.
        WeightsError: the folder cannot be written, or the tensors do not fit the network that the card names.
    """
    with new_folder(out) as folder:
        card = write_model(folder, card, network, half=half)
        restorer = CardRestorer(folder)
        write_golden(folder, card.golden, _OUTPUT, lambda faces: restorer.restore(faces, None))
    return out


def verify(folder: Path, device: str = "cpu") -> float:
    """Return the largest deviation, in 0…1, of the restored golden faces from the stored ones.

    Raises:
        ResourceMissing, RecordError: there is no card, or it is not valid.
        WeightsError: SHA-256, number of parameters, or golden faces are not the card's.
    """
    restorer = CardRestorer(folder, device)
    return deviation(folder, restorer.model.golden, _OUTPUT, lambda faces: restorer.restore(faces, None), device)
