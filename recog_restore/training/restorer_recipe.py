"""The recipe of a restorer: MDFR's FRN, alone or taught by its FFN."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..degrade import DEGRADATIONS
from ..errors import RecordError
from ..geometry import CANONICAL_SIZE
from .plan import FIRST_TRAINING_SUBJECT, NetworkRecipe, Plan, Stage, training_people

# The embedder that judges restorers; none of them may have learned from it.
JUDGE = "cosface-synthpie"
YAWS = (0, 15, 30, 45, 60, 75, 90)
_SIDE = (CANONICAL_SIZE, CANONICAL_SIZE)


@dataclass(frozen=True)
class Pairs:
    """Photos of rendered people in any pose and light, each with its target.

    The target is the same person in the same session, frontal, neutral, in Multi-PIE's light 07 on a clean background,
    in the exact crop.

    Attributes:
        people: how many; their numbers begin at ``first``.
        moments: geometries of a person (session, expression, small changes), in turn of every session.
        views: poses of a moment.
        lights: lights of a moment; every view is photographed under each of them, which saves rendering time.
        sessions: looks of a person, each with its target.
        density: how often a yaw near 0, 15, 30, 45, 60, 75 and 90 degrees to either side is drawn, relatively.
        expressive: part of the moments that are not neutral.
        random_lights: part of the lights that are not one of Multi-PIE's twenty.
        pitch: its deviation in degrees.
        distance: range of the camera's distance in mm.
        first: number of the first person.
        seed: of the photos.
    """

    people: int = 1500
    moments: int = 4
    views: int = 3
    lights: int = 2
    sessions: int = 2
    density: tuple[float, ...] = (1.0,) * len(YAWS)
    expressive: float = 0.3
    random_lights: float = 0.3
    pitch: float = 3.0
    distance: tuple[float, float] = (900.0, 1400.0)
    first: int = FIRST_TRAINING_SUBJECT
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("people", "moments", "views", "lights", "sessions"):
            if getattr(self, name) < 1:
                raise RecordError(f"data.pairs.{name} is {getattr(self, name)}; expected at least 1")
        if len(self.density) != len(YAWS) or min(self.density) < 0 or not sum(self.density):
            raise RecordError(
                f"data.pairs.density is {list(self.density)}; expected {len(YAWS)} numbers, none negative and not all "
                f"0, for |yaw| near {', '.join(map(str, YAWS))}"
            )
        training_people(self.first, self.people, "data.pairs")

    @property
    def probes(self) -> int:
        """Photos of a person, targets not counted."""
        return self.moments * self.views * self.lights


@dataclass(frozen=True)
class PairData:
    """Pairs, and how the probe is made worse.

    Attributes:
        pairs: what is rendered.
        degradation: a name of ``DEGRADATIONS``; empty: none.
        degraded: part of the probes that it meets.
    """

    pairs: Pairs = field(default_factory=Pairs)
    degradation: str = ""
    degraded: float = 0.5

    def __post_init__(self) -> None:
        if self.degradation:
            DEGRADATIONS.factory(self.degradation)


@dataclass(frozen=True)
class Tone:
    """Changes of the probe that keep it aligned with its target; 0 leaves one out.

    Attributes:
        flip: probability of mirroring both.
        gain, colour: deviation of the logarithm of brightness, and of each channel's gain.
        noise: largest deviation of pixel noise, on [0, 1].
    """

    flip: float = 0.5
    gain: float = 0.1
    colour: float = 0.03
    noise: float = 0.01


@dataclass(frozen=True)
class Losses:
    """Weights of a stage's losses; 0 leaves one out, and what it would cost.

    Attributes:
        pixel: of the painted image from the target, before it is blended with the input.
        distance: ``l1``, or the paper's ``l2``.
        reduction: see ``training/losses.py``.
        identity: of the output from the target, by ``embedders``.
        identity_part: the largest part of a batch that the identity loss looks at; on a CPU it costs more than FRN.
        pcd, icd: adversarial, conditioned on pose and on identity; only where FFN is trained.
        alignment: of FRN's features with those of its teacher FFN; only where FRN is taught by it.
        passing: of the share of the input in a blended output, which shall be 1 for a probe that was not degraded and
            is turned by at most ``passing_yaw`` degrees, and else 0. The identity loss then leaves the share alone and
            looks at the painted images of the others.
        passing_yaw: degrees.
    """

    pixel: float = 1.0
    distance: Literal["l1", "l2"] = "l1"
    reduction: Literal["mean", "paper-sum"] = "mean"
    identity: float = 0.2
    identity_part: float = 1.0
    pcd: float = 0.0
    icd: float = 0.0
    alignment: float = 0.0
    passing: float = 0.0
    passing_yaw: float = 50.0

    def __post_init__(self) -> None:
        if not 0 < self.identity_part <= 1:
            raise RecordError(f"losses: identity_part is {self.identity_part}; expected more than 0, at most 1")


@dataclass(frozen=True)
class RestorerStage(Stage):
    """A stage, what learns in it, and by which losses.

    Attributes:
        trains: ``frn`` learns alone, with the frontal target; ``ffn`` is the teacher, which sees the poses; ``ti`` is
            FRN taught by the frozen FFN (task-integrated training).
        losses: their weights.
    """

    trains: Literal["frn", "ffn", "ti"] = "frn"
    losses: Losses = field(default_factory=Losses)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.losses.pcd or self.losses.icd) and self.trains != "ffn":
            raise RecordError("stages.losses: pcd and icd judge the FFN; expected trains = 'ffn'")
        if self.losses.alignment and self.trains != "ti":
            raise RecordError("stages.losses: alignment is with the frozen FFN; expected trains = 'ti'")


@dataclass(frozen=True, kw_only=True)
class RestorerRecipe(Plan):
    """The training of a restorer.

    Attributes:
        network: the FRN.
        teacher: the FFN; needed where a stage trains it or is taught by it.
        data, augment: probes and targets.
        embedders: of the identity loss, as after ``--embedder``; never the judge.
        judge: the embedder of the validation.
        task: what the restorer is meant to do.
        tested_range: for the card: what it was made for.
        discriminator_pace: the discriminators' learning rate as a multiple of the generator's.
    """

    kind: Literal["restorer"]
    stages: tuple[RestorerStage, ...]
    teacher: NetworkRecipe | None = None
    data: PairData = field(default_factory=PairData)
    augment: Tone = field(default_factory=Tone)
    embedders: tuple[str, ...] = ()
    judge: str = JUDGE
    task: Literal["restore", "frontalize"] = "frontalize"
    tested_range: str = ""
    discriminator_pace: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in (JUDGE, self.judge):
            if name in self.embedders:
                raise RecordError(
                    f"embedders: {name} is the judge: where a loss used it, nobody independent is left to say whether "
                    "recognition gained; take arcface-synthpie or sphereface-synthpie"
                )
        if not self.embedders and any(stage.losses.identity for stage in self.stages):
            raise RecordError("stages.losses.identity: expected embedders = ['arcface-synthpie'], or identity = 0")
        if self.teacher is None and any(stage.trains != "frn" for stage in self.stages):
            raise RecordError("stages.trains: 'ffn' and 'ti' need an FFN; expected [teacher] name = 'ffn'")
        if not any(stage.trains != "ffn" for stage in self.stages):
            raise RecordError("stages: expected one that trains the FRN, which is what ships: trains = 'frn' or 'ti'")
        if self.stages[-1].size not in ((), _SIDE):
            raise RecordError(f"stages: the last size is {list(self.stages[-1].size)}; expected {list(_SIDE)}")

    def own_size(self) -> tuple[int, int]:
        """Return height and width of the canonical crop."""
        return _SIDE
