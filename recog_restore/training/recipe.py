"""``recipe.toml``: everything that makes a training, as frozen records."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..errors import RecordError
from ..geometry import CANONICAL_SIZE, crop_size
from ..networks import NETWORKS
from ..networks.cards import Flip, InputCard
from ..records import build, changed, nearest, read_toml
from ..synthpie import Web
from .augment import Augment
from .heads import HEADS

# Numbers of people: up to 346 are the protocols', up to a million nobody's, from there on they are for training.
FIRST_TRAINING_SUBJECT = 1_000_000
FIRST_UNUSED_SUBJECT = 2_000_000


@dataclass(frozen=True)
class NetworkRecipe:
    """A name of ``NETWORKS`` and its arguments; ``size`` comes from the crop and the stages."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        NETWORKS.factory(self.name)
        if "size" in self.arguments:
            raise RecordError("network.arguments.size is not for a recipe to say: input.crop and stages.size do")


@dataclass(frozen=True)
class HeadRecipe:
    """A name of ``HEADS`` and its arguments."""

    name: str = "arcface"
    arguments: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        factory, _ = HEADS.factory(self.name)
        known = set(inspect.signature(factory).parameters) - {"dim", "classes"}
        for key in self.arguments:
            if key not in known:
                raise RecordError(f"head {self.name} has no argument {key!r}; {nearest(key, known)}")


@dataclass(frozen=True)
class People:
    """Web photos of rendered people.

    Attributes:
        people: how many; their numbers begin at ``first``.
        images: photos of each; rendered on the fly, so many per person are an epoch, and every epoch has new ones.
        views: photos of the same moment, in other poses; two or three save rendering time.
        cached: render once into the cache folder and read from there; else the loader's processes render on the fly.
        first: number of the first person.
        seed: of the photos.
        web: how web photos vary.
    """

    people: int = 1500
    images: int = 36
    views: int = 2
    cached: bool = True
    first: int = FIRST_TRAINING_SUBJECT
    seed: int = 0
    web: Web = field(default_factory=Web)

    def __post_init__(self) -> None:
        for name in ("people", "images", "views"):
            if getattr(self, name) < 1:
                raise RecordError(f"data.synthpie.{name} is {getattr(self, name)}; expected at least 1")
        if not FIRST_TRAINING_SUBJECT <= self.first <= FIRST_UNUSED_SUBJECT - self.people:
            raise RecordError(
                f"data.synthpie: people {self.first:,} … {self.first + self.people - 1:,}; training people are numbers "
                f"{FIRST_TRAINING_SUBJECT:,} … {FIRST_UNUSED_SUBJECT - 1:,}, disjoint from those of the protocols"
            )
        if self.web.size != CANONICAL_SIZE:
            raise RecordError(
                f"data.synthpie.web.size is {self.web.size}; expected {CANONICAL_SIZE}, the canonical crop"
            )
        if self.images % self.views:
            raise RecordError(f"data.synthpie: images is {self.images}, not a multiple of views, which is {self.views}")


@dataclass(frozen=True)
class Folder:
    """Images as ``root/person/*.jpg`` (the layout of CASIA-WebFace), with ``landmarks.csv`` or already aligned."""

    root: str
    alignment: Literal["landmarks", "arcface-112", "sphereface-112x96", "canonical-128"] = "landmarks"


@dataclass(frozen=True)
class Data:
    """Exactly one source of photos."""

    synthpie: People | None = None
    folder: Folder | None = None

    def __post_init__(self) -> None:
        if (self.synthpie is None) == (self.folder is None):
            raise RecordError("data: expected one of [data.synthpie] and [data.folder]")


@dataclass(frozen=True)
class Optimizer:
    """``sgd`` (with Nesterov's momentum) or ``adamw``; ``clip`` bounds the norm of the gradient, 0 does not."""

    name: Literal["sgd", "adamw"] = "sgd"
    momentum: float = 0.9
    weight_decay: float = 5e-4
    clip: float = 5.0


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
    """

    protocol: str = ""
    data: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    every: int = 0


@dataclass(frozen=True)
class Recipe:
    """A training.

    Attributes:
        name, title: of the embedder.
        network, input, head, data, augment, optimizer, stages, validation: what it is made of.
        flip: flip fusion of the embedder.
        seed: of the network's first weights, the order of the photos and their augmentation.
        precision: ``32-true``; ``bf16-mixed`` and ``16-mixed`` compute the network in half precision; ``auto`` is
            ``bf16-mixed`` on a GPU.
        keep_every: steps from one checkpoint to the next.
        log_every: steps from one line of the log to the next.
        half: store matrices and kernels as float16.
        training_data: for the card.
    """

    name: str
    network: NetworkRecipe
    data: Data
    stages: tuple[Stage, ...]
    title: str = ""
    input: InputCard = field(default_factory=InputCard)
    head: HeadRecipe = field(default_factory=HeadRecipe)
    augment: Augment = field(default_factory=Augment)
    optimizer: Optimizer = field(default_factory=Optimizer)
    validation: Validation = field(default_factory=Validation)
    flip: Flip = "none"
    seed: int = 0
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    keep_every: int = 200
    log_every: int = 20
    half: bool = False
    training_data: str = ""

    def __post_init__(self) -> None:
        if not self.stages:
            raise RecordError("stages: expected at least one [[stages]]")
        if self.stages[-1].size not in ((), crop_size(self.input.crop)):
            raise RecordError(
                f"stages: the last size is {list(self.stages[-1].size)}; expected that of {self.input.crop}, "
                f"{list(crop_size(self.input.crop))}, because the embedder is used with it"
            )
        if min(self.keep_every, self.log_every) < 1:
            raise RecordError(
                f"keep_every is {self.keep_every} and log_every {self.log_every}; expected at least 1 each"
            )

    @property
    def steps(self) -> int:
        """Steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def size(self, stage: Stage) -> tuple[int, int]:
        """Return height and width of the network's input in a stage."""
        height, width = stage.size or crop_size(self.input.crop)
        return height, width


def read_recipe(path: Path, changes: Iterable[str] = ()) -> Recipe:
    """Return the recipe in a TOML file.

    Args:
        path: the file.
        changes: ``key=value`` each, key dotted, value as in TOML: ``data.synthpie.people=100``.

    Raises:
        ResourceMissing, RecordError: there is no such file, or a key or a value is not right.
    """
    values = read_toml(path)
    for change in changes:
        values = changed(values, change)
    return build(Recipe, values, str(path))
