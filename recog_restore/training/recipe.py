"""The recipe of an embedder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import RecordError
from ..geometry import CANONICAL_SIZE, crop_size
from ..networks.cards import Flip, InputCard
from ..records import Seed
from ..spec import checked
from ..synthpie import Web
from .augment import Augment
from .heads import HEADS
from .plan import FIRST_TRAINING_SUBJECT, GAIN, Plan, training_people


@dataclass(frozen=True)
class HeadRecipe:
    """A name of ``HEADS`` and its arguments."""

    name: str = "arcface"
    arguments: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        factory, _ = HEADS.factory(self.name)
        checked(factory, self.arguments, f"head {self.name}", "head.arguments.", given=("dim", "classes"))


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
    seed: Seed = 0
    web: Web = field(default_factory=Web)

    def __post_init__(self) -> None:
        for name in ("people", "images", "views"):
            if getattr(self, name) < 1:
                raise RecordError(f"data.synthpie.{name} is {getattr(self, name)}; expected at least 1")
        training_people(self.first, self.people, "data.synthpie")
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


@dataclass(frozen=True, kw_only=True)
class Recipe(Plan):
    """The training of an embedder.

    Attributes:
        input, head, data, augment: what it is made of, besides what every plan has.
        flip: flip fusion of the embedder.
    """

    kind: Literal["embedder"] = "embedder"
    data: Data
    input: InputCard = field(default_factory=InputCard)
    head: HeadRecipe = field(default_factory=HeadRecipe)
    augment: Augment = field(default_factory=Augment)
    flip: Flip = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        best = self.validation.best
        if best.startswith(f"{GAIN} "):
            raise RecordError(
                f"validation.best is {best!r}, which is a restorer's gain over untouched faces; for an embedder write "
                f"{best.removeprefix(f'{GAIN} ')!r}"
            )
        if self.stages[-1].size not in ((), self.own_size()):
            raise RecordError(
                f"stages: the last size is {list(self.stages[-1].size)}; expected that of {self.input.crop}, "
                f"{list(self.own_size())}, because the embedder is used with it"
            )

    def own_size(self) -> tuple[int, int]:
        """Return height and width of the crop."""
        return crop_size(self.input.crop)
