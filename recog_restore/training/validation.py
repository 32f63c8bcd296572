"""Validation by a protocol, on people who are neither trained on nor those of the final number."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from pathlib import Path

import safetensors.torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ..datasets import Dataset
from ..datasets.opening import open_dataset
from ..embed import Embedder
from ..engine import evaluate
from ..engine.acquire import has_landmarks
from ..engine.embeddings import Settings
from ..engine.plan import labels, make
from ..engine.suspects import of_landmarks
from ..errors import RecordError
from ..networks.cards import EmbedderCard
from ..protocol import Protocol, load
from ..records import nearest
from ..results import BASELINE, Result
from ..store import Store
from .plan import GAIN, Validation
from .recipe import Recipe


class Candidate(Embedder):
    """The network as it stands, whatever size its inputs have at the moment.

    Args:
        network: in evaluation mode.
        recipe: says input and flip fusion.
        size: height and width of the network's input.
    """

    def __init__(self, network: nn.Module, recipe: Recipe, size: tuple[int, int]) -> None:
        self._network, self._size = network, size
        self._device = next(network.parameters()).device
        self.card = EmbedderCard(recipe.name, recipe.network.name, flip=recipe.flip, input=recipe.input)
        state = {name: tensor.cpu().contiguous() for name, tensor in network.state_dict().items()}
        self._identity = hashlib.sha256(safetensors.torch.save(state)).hexdigest()

    def forward(self, inputs: Tensor) -> Tensor:
        """Return (B, dim) raw embeddings."""
        inputs = inputs.to(self._device)
        if tuple(inputs.shape[2:]) != self._size:
            inputs = interpolate(inputs, self._size, mode="bilinear", antialias=True)
        embeddings: Tensor = self._network(inputs)
        return embeddings.cpu()

    def identity(self) -> str:
        """Return the SHA-256 of the weights."""
        return self._identity


def validate(asked: Validation, candidate: Embedder) -> Result:
    """Return the result of a protocol with an embedder.

    Raises:
        ResourceMissing, RecordError, DataError: the protocol, its options or its data are not right.
    """
    protocol, dataset = opened(asked)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(64, 0, "cpu")
        return evaluate(protocol, dataset, candidate, store=Store(Path(folder)), settings=settings, faces=0, draws=0)


def check(asked: Validation) -> None:
    """Look for all that a validation needs but the network, where there is one.

    Raises:
        ResourceMissing, RecordError, DataError: the protocol, its options, its data or ``best`` are not right.
    """
    if not asked.protocol:
        return
    protocol, dataset = opened(asked)
    plan = make(protocol, dataset, limit=None, allow_missing=False)
    has_landmarks(plan.samples, dataset.root)
    of_landmarks(plan.samples, dataset.root)
    table, wanted = plan.samples.table, asked.best.removeprefix(f"{GAIN} ")
    metric, _, part = wanted.partition(" ")
    parts = {f"{name}={label}" for name in protocol.breakdowns if name in table for label in labels(plan, name)}
    wrong = part not in parts and part.partition("=")[0] in table  # other parts are measured while it runs
    if metric not in ("", protocol.primary) or wrong:
        known = [protocol.primary, *(f"{protocol.primary} {found}" for found in parts)]
        raise RecordError(
            f"validation.best is {asked.best!r}, and validation gives no such number; {nearest(wanted, known)}"
        )


def opened(asked: Validation) -> tuple[Protocol, Dataset]:
    """Return protocol and data set of a validation, the stand-in where no path is given.

    Raises:
        ResourceMissing, RecordError, DataError: the protocol, its options or its data are not right.
    """
    protocol = load(asked.protocol, trust_code=True)  # read_recipe has refused code that is not trusted
    name = protocol.data.dataset if asked.data else protocol.data.stand_in or protocol.data.dataset
    data = dataclasses.replace(protocol.data, dataset=name, options={**protocol.data.options, **asked.options})
    dataset = open_dataset(name, Path(asked.data).expanduser() if asked.data else None, **data.options)
    return dataclasses.replace(protocol, data=data), dataset


def numbers(result: Result, preprocessor: str = BASELINE) -> dict[str, float]:
    """Return the primary metric under a preprocessor, in all and for each part of the breakdowns."""
    primary = result.protocol["settings"]["primary"]
    found = {}
    for value in result.values:
        if value.metric == primary and value.preprocessor == preprocessor and value.value is not None:
            part = " ".join(f"{key}={text}" for key, text in value.where.items())
            found[f"{primary} {part}".strip()] = value.value
    return found


def gains(result: Result, preprocessor: str) -> dict[str, float]:
    """Return what a preprocessor surely gains of the primary metric, in all and in parts, where that can be said.

    It is the lower end of the 95 % interval of the difference to the untouched faces, by subject.
    """
    primary = result.protocol["settings"]["primary"]
    found = {}
    for change in result.differences:
        if (change.metric, change.preprocessor) == (primary, preprocessor) and change.interval is not None:
            part = " ".join(f"{key}={text}" for key, text in change.where.items())
            found[f"{GAIN} {primary} {part}".strip()] = change.interval[0]
    return found
