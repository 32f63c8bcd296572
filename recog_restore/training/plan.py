"""What every recipe says, whatever is trained: stages, optimizer, validation, seed and what is kept when."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import PurePath
from typing import Any, Literal

from ..errors import RecordError
from ..networks import NETWORKS
from ..records import Seed

# Numbers of people: up to 346 are the protocols', up to a million nobody's, from there on they are for training.
FIRST_TRAINING_SUBJECT = 1_000_000
FIRST_UNUSED_SUBJECT = 2_000_000

# Before a number: what a restorer gains of it, the lower end of the paired difference's 95 % interval.
GAIN = "gain"

# What the loop writes beside the model's folder.
_FOLDERS, _FILES = ("samples", "tensorboard", "validation"), (".csv", ".safetensors")


def training_people(first: int, people: int, where: str) -> None:
    """Raise RecordError unless ``people`` from number ``first`` on are training people; ``where`` is named."""
    if not FIRST_TRAINING_SUBJECT <= first <= FIRST_UNUSED_SUBJECT - people:
        raise RecordError(
            f"{where}: people {first:,} … {first + people - 1:,}; training people are numbers "
            f"{FIRST_TRAINING_SUBJECT:,} … {FIRST_UNUSED_SUBJECT - 1:,}, disjoint from those of the protocols"
        )


@dataclass(frozen=True)
class NetworkRecipe:
    """A name of ``NETWORKS`` and its arguments; an embedder's ``size`` comes from the crop and the stages."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        NETWORKS.factory(self.name)
        if "size" in self.arguments:
            raise RecordError("network.arguments.size is not for a recipe to say: input.crop and stages.size do")


@dataclass(frozen=True)
class Optimizer:
    """``sgd`` (with Nesterov's momentum) or ``adamw``.

    Attributes:
        name: which.
        momentum: of ``sgd``; β1 of ``adamw``.
        weight_decay: not of biases, slopes and normalization.
        clip: bounds the norm of the gradient of all that learns; 0 does not.
    """

    name: Literal["sgd", "adamw"] = "sgd"
    momentum: float = 0.9
    weight_decay: float = 5e-4
    clip: float = 5.0

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise RecordError(f"optimizer: momentum is {self.momentum}; expected a number from 0 to less than 1")


@dataclass(frozen=True)
class Stage:
    """A part of the training with its own input size and schedule.

    Attributes:
        steps: batches.
        batch: images of a batch, over all devices together.
        lr: the highest learning rate.
        size: height and width to which the crop is scaled; empty: its own. The last stage has the crop's own size.
        schedule: ``onecycle`` rises for ``rise`` of the steps and falls as a cosine; ``cosine`` only falls; ``step``
            falls to a tenth at each of ``milestones``, which are parts of the stage.
        rise: part of the steps.
        milestones: in (0, 1).
    """

    steps: int
    batch: int = 128
    lr: float = 0.1
    size: tuple[int, ...] = ()
    schedule: Literal["onecycle", "cosine", "step"] = "onecycle"
    rise: float = 0.15
    milestones: tuple[float, ...] = (0.5, 0.75, 0.9)

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 2 or self.lr <= 0:
            raise RecordError(
                f"stages: steps is {self.steps}, batch {self.batch}, lr {self.lr}; expected at least 1, at least 2, "
                "and more than 0"
            )
        if not 0 <= self.rise < 1:
            raise RecordError(f"stages: rise is {self.rise}; expected a part of the steps, from 0 to less than 1")
        if self.size and (len(self.size) != 2 or min(self.size) < 16):
            raise RecordError(f"stages: size is {list(self.size)}; expected height and width, 16 or more each")


@dataclass(frozen=True)
class Validation:
    """A protocol that is run on the way and at the end; its numbers are development numbers.

    Attributes:
        protocol: its name; empty: no validation.
        data: path of its data set; empty: its stand-in, which is computed.
        options: in place of the protocol's ``[data.options]`` of the same names. The people must not be those that the
            final number is measured on.
        every: steps from one to the next; 0: only at the end.
        best: the number, a column of ``validation.csv``, whose highest value decides which weights are the training's;
            empty: the last ones are. ``gain rank1``, of a restorer, is what it surely gains: the lower end of the 95 %
            interval of the paired difference to the untouched faces.
    """

    protocol: str = ""
    data: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    every: int = 0
    best: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A training, as far as the loop knows it.

    Attributes:
        name, title: of what is trained; the name is also its folder's.
        network, optimizer, stages, validation: what it is made of.
        seed: of the network's first weights, the order of the photos and their augmentation.
        precision: ``32-true``; ``bf16-mixed`` and ``16-mixed`` compute the network in half precision; ``auto`` is
            ``bf16-mixed`` on a GPU.
        average: steps after which the weights are kept, 0 for those that it begins with, the last step among them; the
            result is their mean (``training/average.py``). None: the last weights, or those that ``validation.best``
            asks for.
        keep_every: steps from one checkpoint to the next.
        log_every: steps from one line of the log to the next.
        half: store matrices and kernels as float16.
        training_data: for the card.
    """

    name: str
    network: NetworkRecipe
    stages: tuple[Stage, ...]
    title: str = ""
    optimizer: Optimizer = field(default_factory=Optimizer)
    validation: Validation = field(default_factory=Validation)
    seed: Seed = 0
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    average: tuple[int, ...] = ()
    keep_every: int = 200
    log_every: int = 20
    half: bool = False
    training_data: str = ""

    def __post_init__(self) -> None:
        name = self.name
        if not re.fullmatch(r"\w[\w.-]*", name) or name in _FOLDERS or PurePath(name).suffix in _FILES:
            raise RecordError(
                f"name is {name!r}; expected letters, digits, '_', '-' and '.', as for a folder, and not what a "
                f"training writes beside it: {', '.join(_FOLDERS)}, or a file's name"
            )
        if not self.stages:
            raise RecordError("stages: expected at least one [[stages]]")
        if min(self.keep_every, self.log_every) < 1:
            raise RecordError(
                f"keep_every is {self.keep_every} and log_every {self.log_every}; expected at least 1 each"
            )

        self._check_average()

    def _check_average(self) -> None:
        if not self.average:
            return
        if self.validation.best:
            raise RecordError("average and validation.best: expected one of them, the mean or the best weights")
        steps = sorted(set(self.average))
        if list(self.average) != steps or steps[0] < 0 or steps[-1] != self.steps:
            raise RecordError(
                f"average is {list(self.average)}; expected steps from 0 on, in order, to the last, {self.steps}"
            )
        if len({self.size(stage) for stage in self.averaged}) > 1:
            raise RecordError(f"average is {list(self.average)}; expected steps of stages of one size")

    @property
    def averaged(self) -> tuple[Stage, ...]:
        """The stages from the first to the last step of ``average``."""
        ends = list(accumulate(stage.steps for stage in self.stages))
        return tuple(stage for stage, end in zip(self.stages, ends, strict=True) if end >= min(self.average))

    @property
    def steps(self) -> int:
        """Steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def own_size(self) -> tuple[int, int]:
        """Return height and width of the network's input where a stage says nothing else."""
        raise NotImplementedError

    def size(self, stage: Stage) -> tuple[int, int]:
        """Return height and width of the network's input in a stage."""
        height, width = stage.size or self.own_size()
        return height, width
