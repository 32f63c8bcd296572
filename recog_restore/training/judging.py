"""Validation of a restorer: a protocol, and an embedder that no loss has seen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import safetensors.torch
import torch
from numpy import uint8
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..datasets.base import Dataset, Finding, Pairs, Samples, Split
from ..decode import Source, read_image
from ..embed import Embedder
from ..engine import evaluate
from ..engine.acquire import digest
from ..engine.embeddings import Settings
from ..networks.mdfr import FFN
from ..preprocess.base import Card, Preprocessor
from ..preprocess.poses import poses
from ..results import BASELINE
from ..store import Store
from .plan import Validation
from .validation import gains, numbers, opened

CANDIDATE = "candidate"


class Candidate(Preprocessor):
    """A generator as it stands, at the size of the stage.

    Args:
        network: FRN, or FFN; one that is guided is told the poses as a finished one is, by five landmarks.
        side: at which it computes; faces are brought there and back.
    """

    def __init__(self, network: nn.Module, side: int) -> None:
        super().__init__()
        self._network, self._side, self._device = network, side, next(network.parameters()).device
        self._guided = isinstance(network, FFN) and network.guided
        state = {name: tensor.cpu().contiguous() for name, tensor in network.state_dict().items()}
        sha256 = hashlib.sha256(safetensors.torch.save(state)).hexdigest()
        self.card = Card(CANDIDATE, "restore", "the network as it stands", sha256=sha256)

    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        """Return what the generator makes of the images."""
        inputs = sized(images.to(self._device), self._side).contiguous(memory_format=torch.channels_last)
        guides = poses(len(images), landmarks, self._side) if self._guided else ()
        painted = self._network(inputs, *(guide.to(self._device) for guide in guides))
        return sized(painted, images.shape[-1]).to(images.device).float()


class Judge:
    """A protocol and its faces, kept in memory from one validation to the next.

    Args:
        asked: which protocol.
        embedder: who recognizes.
        store: keeps the embeddings of the untouched faces.
        device: of the embedder and the candidates.
    """

    def __init__(self, asked: Validation, embedder: Embedder, store: Path, device: str) -> None:
        self._protocol, dataset = opened(asked)
        self._dataset, self._embedder = _Kept(dataset), embedder
        self._store, self._device = store, device

    def __call__(self, candidate: Candidate) -> Mapping[str, float]:
        """Return the primary metric, in all and in parts: the candidate's, and as ``none …`` the untouched faces'.

        As ``gain …`` it has what the candidate surely gains, see ``gains``.
        """
        settings = Settings(64, 0, self._device)
        result = evaluate(
            self._protocol,
            self._dataset,
            self._embedder,
            [candidate],
            store=Store(self._store),
            settings=settings,
            faces=0,
        )
        untouched = {f"{BASELINE} {name}": value for name, value in numbers(result).items()}
        return {**numbers(result, CANDIDATE), **untouched, **gains(result, CANDIDATE)}


class _Kept(Dataset):
    """A data set whose images stay in memory once they were read."""

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(dataset.root)
        self._dataset = dataset
        found = dataset.samples()
        self._samples = replace(found, files=tuple(_KeptImage(file) for file in found.files))

    @property
    def note(self) -> str:
        return self._dataset.note

    def samples(self) -> Samples:
        return self._samples

    def pairs(self) -> Pairs:
        return self._dataset.pairs()

    def split(self) -> Split:
        return self._dataset.split()

    def check(self) -> list[Finding]:
        return self._dataset.check()


class _KeptImage:
    def __init__(self, file: Source) -> None:
        self._file, self._digest = file, digest(file)
        self._image: NDArray[uint8] | None = None

    def digest(self) -> str:
        return self._digest

    def read(self) -> NDArray[uint8]:
        if self._image is None:
            self._image = read_image(self._file)
        return self._image


def sized(images: Tensor, side: int) -> Tensor:
    """Return (B, 3, side, side) images, antialiased where they become smaller; of that side, the images themselves."""
    if images.shape[-1] == side:
        return images
    smaller = images.shape[-1] > side
    return interpolate(images, (side, side), mode="bilinear", align_corners=False, antialias=smaller)
