"""``card.toml``: what a set of weights is, what it wants, where it comes from and what it was measured to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from .. import resources
from ..errors import RecordError, ResourceMissing
from ..files import is_inside
from ..geometry import CANONICAL_SIZE, CROPS, crop_size
from ..records import Name, Range, Size, build, nearest, read_toml

Flip = Literal["none", "sum", "mean", "concat"]
RestorerTask = Literal["restore", "super-resolve", "frontalize", "enhance", "denoise"]
PixelRange = Literal["0..1", "-1..1", "0..255"]
Colour = Literal["rgb", "bgr", "grey"]

# What each flip fusion does, in the words that go into a result; f(x) is the raw embedding.
FLIP_WORDS: dict[str, str] = {
    "none": "no flip",
    "sum": "flip fused by sum: f(x) + f(flip x)",
    "mean": "flip fused by mean of unit vectors: f(x)/|f(x)| + f(flip x)/|f(flip x)|",
    "concat": "flip fused by concatenation: [f(x), f(flip x)]",
}


@dataclass(frozen=True)
class InputCard:
    """What an embedder wants: a window of the canonical crop, its colour order and ``(x - mean) / std`` on 0…255.

    Attributes:
        crop: a name of ``geometry.CROPS``.
        colour: order of the channels.
        mean, std: on the 0…255 scale.
        size: side in pixels to which a square window is resized, bilinear and antialiased; 0: the window as it is.
    """

    crop: str = "arcface-112"
    colour: Colour = "rgb"
    mean: Annotated[float, Range(-1e4, 1e4)] = 127.5
    std: Annotated[float, Range(0, 1e4)] = 127.5
    size: Annotated[int, Range(0, 4096)] = 0

    def __post_init__(self) -> None:
        if self.crop not in CROPS:
            raise RecordError(f"crop is {self.crop!r}; {nearest(self.crop, CROPS)}")
        if self.size and len(set(crop_size(self.crop))) > 1:
            raise RecordError(f"size is {self.size}, but crop {self.crop} is not square; leave the size out")
        if self.std <= 0:
            raise RecordError(f"std is {self.std}; expected a positive number on the 0..255 scale")

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the network's input in pixels."""
        return (self.size, self.size) if self.size else crop_size(self.crop)

    def words(self) -> str:
        """Return the input in words: ``112×112 RGB, (x − 127.5) / 127.5``."""
        height, width = self.shape
        resized = f" resized from {self.crop}" if self.size else ""
        values = "0..255 as they are" if (self.mean, self.std) == (0, 1) else f"(x − {self.mean:g}) / {self.std:g}"
        return f"{height}×{width} {self.colour.upper() if self.colour != 'grey' else 'grey'}{resized}, {values}"


@dataclass(frozen=True)
class WeightsCard:
    """The weights file beside the card."""

    file: str = "weights.safetensors"
    sha256: str = ""
    parameters: int = 0

    def __post_init__(self) -> None:
        _check_beside(self.file)


@dataclass(frozen=True)
class GoldenCard:
    """A stored input and output of the network, and how closely they must be met again."""

    file: str = "golden.safetensors"
    rtol: Annotated[float, Range(0, 0.1)] = 1e-3
    atol: Annotated[float, Range(0, 0.1)] = 1e-4

    def __post_init__(self) -> None:
        _check_beside(self.file)


@dataclass(frozen=True)
class RightsCard:
    """Licences, in the words of their owners."""

    code: str = "unknown"
    weights: str = "unknown"
    training_data: str = "unknown"


@dataclass(frozen=True)
class OriginCard:
    """Where the weights come from, and which identities they have seen.

    Attributes:
        paper, repository: of the network.
        training_sets: in words, the last training's first.
        faces: what kind of faces these are, so that a run on others warns; empty where it is not known.
        selection: on whom, and by which judge, these weights were preferred to others, in words.
        overlap: which training people, teachers or judges are known to be in test sets or to have learned from the same
            faces, and what recognizers from outside say; one sentence each.
    """

    paper: str = ""
    repository: str = ""
    training_sets: tuple[str, ...] = ()
    faces: Literal["", "rendered", "photographed"] = ""
    selection: str = ""
    overlap: tuple[str, ...] = ()


@dataclass(frozen=True)
class Number:
    """A number somebody reported, or that this toolkit measured."""

    protocol: str
    metric: str
    value: float
    source: str = ""
    commit: str = ""


@dataclass(frozen=True)
class EmbedderCard:
    """An embedder: network, input, flip fusion, and what is known of its weights.

    Scores are cosines; the norm of the raw embedding is not used by them (``norm = "dropped"``).

    Attributes:
        guessed: what of the input nobody declared: ``range``, ``colour``, ``crop``; a run says so.
    """

    name: Name
    network: str
    kind: Literal["embedder"] = "embedder"
    title: str = ""
    dim: Annotated[int, Range(0, 1 << 16)] = 0
    flip: Flip = "none"
    arguments: dict[str, Any] = field(default_factory=dict)
    input: InputCard = field(default_factory=InputCard)
    guessed: tuple[Literal["range", "colour", "crop"], ...] = ()
    weights: WeightsCard = field(default_factory=WeightsCard)
    golden: GoldenCard = field(default_factory=GoldenCard)
    rights: RightsCard = field(default_factory=RightsCard)
    origin: OriginCard = field(default_factory=OriginCard)
    reported: tuple[Number, ...] = ()
    measured: tuple[Number, ...] = ()

    def words(self) -> str:
        """Return in one line what the numbers depend on; it is printed with every result."""
        return f"{self.input.words()}; {FLIP_WORDS[self.flip]}; cosine (feature norm dropped)"


@dataclass(frozen=True)
class Teacher:
    """An embedder that a loss used: what it says of the restorer's faces is no independent judgement.

    Attributes:
        name: as in its own card.
        sha256: its ``identity()``, so that it is known again under another name.
    """

    name: str
    sha256: str = ""


@dataclass(frozen=True)
class RestorerCard:
    """A restorer: a network that maps faces (B, 3, size, size) in 0…1 RGB to faces of the same shape and range.

    Attributes:
        task: what it is meant to do.
        size: side in pixels at which it computes; the canonical crop is brought there and back where they differ.
        guide: what the network is told besides the face: ``poses`` are heatmaps of its landmarks and of frontal ones.
        blends: whether ``strength`` may lie between 0 and 1; between two poses it would be a double exposure.
        tested_range: what it was made for, in words (sizes, yaw).
        teachers: the embedders that a loss used; a report says so where one of them judges.
        degradations: those that it was trained under, without a size (``mdfr``, ``bicubic``); a run under one of them
            says so.
    """

    name: Name
    network: str
    kind: Literal["restorer"] = "restorer"
    title: str = ""
    task: RestorerTask = "restore"
    size: Size = CANONICAL_SIZE
    guide: Literal["none", "poses"] = "none"
    blends: bool = True
    tested_range: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    weights: WeightsCard = field(default_factory=WeightsCard)
    golden: GoldenCard = field(default_factory=GoldenCard)
    rights: RightsCard = field(default_factory=RightsCard)
    origin: OriginCard = field(default_factory=OriginCard)
    teachers: tuple[Teacher, ...] = ()
    degradations: tuple[str, ...] = ()
    reported: tuple[Number, ...] = ()
    measured: tuple[Number, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 1:
            raise RecordError(f"size is {self.size}; expected the side in pixels at which the network computes")

    def words(self) -> str:
        """Return in one line what it does at which size, and who taught it."""
        taught = f"; taught by {', '.join(t.name for t in self.teachers)}" if self.teachers else ""
        return f"{self.task}, {self.size}×{self.size} RGB, 0..1{taught}"


@dataclass(frozen=True)
class PixelsCard:
    """Range and colour order of images that a network takes or gives; None where the card does not say."""

    range: PixelRange | None = None
    colour: Colour | None = None


@dataclass(frozen=True)
class OnnxRestorerCard(RestorerCard):
    """The card beside a restorer's ONNX file, which says range and colour order.

    Attributes:
        input: of the faces that the network takes; where it does not say and ``network`` is one of this toolkit's,
            0…1 RGB.
        output: of those that it gives; where it does not say, the input's.
    """

    network: str = "onnx"
    input: PixelsCard = field(default_factory=PixelsCard)
    output: PixelsCard = field(default_factory=PixelsCard)


ModelCard = EmbedderCard | RestorerCard
_C = TypeVar("_C", EmbedderCard, RestorerCard, OnnxRestorerCard)
_TAKEN_BY = {EmbedderCard.kind: "--embedder", RestorerCard.kind: "--pre"}


def read_card(path: Path | Traversable) -> EmbedderCard:
    """Return the embedder's card in a TOML file.

    Raises:
        ResourceMissing, RecordError: there is no such file, it is a restorer's, or a key in it is not right.
    """
    return _read(EmbedderCard, path)


def read_restorer_card(path: Path | Traversable) -> RestorerCard:
    """Return the restorer's card in a TOML file.

    Raises:
        ResourceMissing, RecordError: there is no such file, it is an embedder's, or a key in it is not right.
    """
    return _read(RestorerCard, path)


def read_onnx_restorer_card(path: Path | Traversable) -> OnnxRestorerCard:
    """Return the card beside a restorer's ONNX file.

    Raises:
        ResourceMissing, RecordError: there is no such file, it is an embedder's, or a key in it is not right.
    """
    return _read(OnnxRestorerCard, path)


def kind_of(path: Path | Traversable) -> str:
    """Return what a TOML file is the card of: ``embedder`` (also where it does not say) or ``restorer``.

    Raises:
        ResourceMissing, RecordError: there is no such file, or it is not TOML.
    """
    return str(read_toml(path).get("kind", EmbedderCard.kind))


def shipped(kind: Literal["embedder", "restorer"]) -> dict[str, Traversable]:
    """Return the folders of that kind of weights that the package brings, by name."""
    try:
        entries = [entry for entry in resources.folder("models").iterdir() if entry.joinpath("card.toml").is_file()]
    except ResourceMissing:
        return {}
    return {entry.name: entry for entry in entries if kind_of(entry.joinpath("card.toml")) == kind}


def _check_beside(file: str) -> None:
    if not is_inside(file):
        raise RecordError(f"file is {file!r}; expected a file in the card's folder")


def _read(record: type[_C], path: Path | Traversable) -> _C:
    kind = kind_of(path)
    if kind != record.kind and kind in _TAKEN_BY:
        raise RecordError(f"{path}: a card of kind {kind!r}; {_TAKEN_BY[kind]} takes it, not {_TAKEN_BY[record.kind]}")
    return build(record, read_toml(path), str(path))
