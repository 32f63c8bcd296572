"""``card.toml``: what a set of weights is, what it wants, where it comes from and what it was measured to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

from ..errors import RecordError
from ..geometry import CROPS, crop_size
from ..records import build, nearest, read_toml

Flip = Literal["none", "sum", "mean", "concat"]

# What each flip fusion does, in the words that go into a result; f(x) is the raw embedding.
FLIP_WORDS: dict[str, str] = {
    "none": "no flip",
    "sum": "flip fused by sum: f(x) + f(flip x)",
    "mean": "flip fused by mean of unit vectors: f(x)/|f(x)| + f(flip x)/|f(flip x)|",
    "concat": "flip fused by concatenation: [f(x), f(flip x)]",
}


@dataclass(frozen=True)
class InputCard:
    """What an embedder wants: a window of the canonical crop, its colour order and ``(x - mean) / std`` on 0…255."""

    crop: str = "arcface-112"
    colour: Literal["rgb", "bgr", "grey"] = "rgb"
    mean: float = 127.5
    std: float = 127.5

    def __post_init__(self) -> None:
        if self.crop not in CROPS:
            raise RecordError(f"crop is {self.crop!r}; {nearest(self.crop, CROPS)}")
        if self.std <= 0:
            raise RecordError(f"std is {self.std}; expected a positive number on the 0..255 scale")

    def words(self) -> str:
        """Return the input in words: ``112×112 RGB, (x − 127.5) / 127.5``."""
        height, width = crop_size(self.crop)
        values = "0..255 as they are" if (self.mean, self.std) == (0, 1) else f"(x − {self.mean:g}) / {self.std:g}"
        return f"{height}×{width} {self.colour.upper() if self.colour != 'grey' else 'grey'}, {values}"


@dataclass(frozen=True)
class WeightsCard:
    """The weights file beside the card."""

    file: str = "weights.safetensors"
    sha256: str = ""
    parameters: int = 0


@dataclass(frozen=True)
class GoldenCard:
    """A stored input and output of the network, and how closely they must be met again."""

    file: str = "golden.safetensors"
    rtol: float = 1e-3
    atol: float = 1e-4


@dataclass(frozen=True)
class RightsCard:
    """Licences, in the words of their owners."""

    code: str = "unknown"
    weights: str = "unknown"
    training_data: str = "unknown"


@dataclass(frozen=True)
class OriginCard:
    """Where the weights come from, and which identities they have seen."""

    paper: str = ""
    repository: str = ""
    training_sets: tuple[str, ...] = ()


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
    """

    name: str
    network: str
    kind: Literal["embedder"] = "embedder"
    title: str = ""
    dim: int = 0
    flip: Flip = "none"
    arguments: dict[str, Any] = field(default_factory=dict)
    input: InputCard = field(default_factory=InputCard)
    weights: WeightsCard = field(default_factory=WeightsCard)
    golden: GoldenCard = field(default_factory=GoldenCard)
    rights: RightsCard = field(default_factory=RightsCard)
    origin: OriginCard = field(default_factory=OriginCard)
    reported: tuple[Number, ...] = ()
    measured: tuple[Number, ...] = ()

    def words(self) -> str:
        """Return in one line what the numbers depend on; it is printed with every result."""
        return f"{self.input.words()}; {FLIP_WORDS[self.flip]}; cosine (feature norm dropped)"


def read_card(path: Path | Traversable) -> EmbedderCard:
    """Return the card in a TOML file.

    Raises:
        ResourceMissing, RecordError: there is no such file, or a key in it is not right.
    """
    return build(EmbedderCard, read_toml(path), str(path))
