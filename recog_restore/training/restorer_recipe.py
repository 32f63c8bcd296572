"""The recipe of a restorer: MDFR's FRN, alone or taught by its FFN, or an FFN alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..datasets.base import Alignment
from ..datasets.shots import PEOPLE_OF
from ..degrade import DEGRADATIONS
from ..errors import RecordError
from ..geometry import CANONICAL_SIZE
from ..networks.cards import RightsCard
from ..records import Seed
from ..synthpie import VERSION
from .plan import FIRST_TRAINING_SUBJECT, NetworkRecipe, Plan, Stage, training_people

# The embedder that judges restorers; none of them may have learned from it.
JUDGE = "cosface-synthpie"
YAWS = (0, 15, 30, 45, 60, 75, 90)
_SIDE = (CANONICAL_SIZE, CANONICAL_SIZE)
# Multi-PIE's training people of setting 2, which has all sessions, and of setting 1, which has the first.
_MULTIPIE_PEOPLE, _SESSION1_PEOPLE = 200, 150


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
    seed: Seed = 0

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
class Faces:
    """Photos of real people: each is degraded, and its own target.

    Attributes:
        root: the folder, with ``landmarks.csv`` or crops.
        layout: ``folder`` is ``root/person/*.jpg`` (the layout of CASIA-WebFace), ``cfp`` that of the set of this name.
        people: the first and the last of them: in a folder counted from 1 in the order of their names, in CFP by
            number; None: all.
        alignment: ``landmarks``, or the crop that all images already are.
        retaken: a name of ``DEGRADATIONS`` (``camera``) that meets every photo, anew in every epoch, before it becomes
            a probe and its target, so that the light, focus and grain of this one collection do not recur.
        seed: of the degradations.
    """

    root: str
    layout: Literal["folder", "cfp"] = "folder"
    people: tuple[int, ...] | None = None
    alignment: Alignment = "landmarks"
    retaken: str = ""
    seed: Seed = 0

    def __post_init__(self) -> None:
        if self.retaken:
            DEGRADATIONS.factory(self.retaken)


@dataclass(frozen=True)
class MultiPiePhotos:
    """Photos of Multi-PIE, or of a tree of rendered ones, each with a frontal neutral one of the same session.

    Attributes:
        root: the folder above ``session01``, or one of crops, with ``landmarks.csv`` unless they are crops.
        people: how many train, the first of all sessions in the order of their numbers: 150 in setting 1, 200 in
            setting 2, which have seen people whom setting 1 tests.
        sessions: of Multi-PIE's four, whose photos are taken.
        expressions: of the probes.
        lights: the target is in the ``same`` light as the probe, in ``target_light`` whatever the probe's is
            (``other``), or once in each (``both``).
        target_light: an illumination; ``07`` is the frontal flash.
        alignment: as ``Faces``.
        seed: of the degradation.
    """

    root: str
    people: int = 200
    sessions: tuple[int, ...] = (1, 2, 3, 4)
    expressions: tuple[str, ...] = ("neutral",)
    lights: Literal["same", "other", "both"] = "both"
    target_light: str = "07"
    alignment: Alignment = "landmarks"
    seed: Seed = 0

    def __post_init__(self) -> None:
        most = _SESSION1_PEOPLE if set(self.sessions) == {1} else _MULTIPIE_PEOPLE
        if not 1 <= self.people <= most:
            raise RecordError(
                f"data.multipie.people is {self.people}; expected 1 to {most}, the training people of setting "
                f"{1 if most == _SESSION1_PEOPLE else 2}: who comes after them is tested"
            )
        if not self.sessions or not set(self.sessions) <= set(PEOPLE_OF):
            raise RecordError(f"data.multipie.sessions is {list(self.sessions)}; expected some of 1, 2, 3, 4")


@dataclass(frozen=True)
class PairData:
    """Exactly one source of pairs, and how the probe is made worse.

    Attributes:
        pairs: rendered people.
        folder: photos of real people.
        multipie: photos of Multi-PIE.
        degradation: a name of ``DEGRADATIONS``; empty: none.
        degraded: part of the probes that it meets.
        reduced: part of these that are made smaller, and nothing else, instead (``bicubic`` of ``DEGRADATIONS``): a
            network that has always met noise and blur takes a small, clean face for something else.
        mild: a photo that is only made smaller, by no more than this factor, counts as not degraded where it is taught
            what may pass (``passing`` of a stage's losses).
    """

    pairs: Pairs | None = None
    folder: Faces | None = None
    multipie: MultiPiePhotos | None = None
    degradation: str = ""
    degraded: float = 0.5
    reduced: float = 0.0
    mild: float = 1.0

    def __post_init__(self) -> None:
        if sum(source is not None for source in (self.pairs, self.folder, self.multipie)) != 1:
            raise RecordError("data: expected one of [data.pairs], [data.folder] and [data.multipie]")
        if self.degradation:
            DEGRADATIONS.factory(self.degradation)
        for name in ("degraded", "reduced"):
            if not 0 <= (part := getattr(self, name)) <= 1:
                raise RecordError(f"data.{name} is {part}; expected a part, from 0 to 1")
        if self.mild < 1:
            raise RecordError(f"data.mild is {self.mild}; expected a factor of at least 1")
        if self.folder is not None and not (self.degradation and self.degraded):
            raise RecordError(
                "data.folder: a photo is its own target, so there is nothing to learn from one that is not degraded; "
                "expected degradation = 'mdfr' and degraded > 0"
            )

    def words(self) -> str:
        """Return what the pairs are made from, in a few words."""
        if self.pairs is not None:
            return f"SynthPIE, {self.pairs.people:,} people × {self.pairs.probes} probes"
        if self.multipie is not None:
            return f"{self.multipie.root}, {self.multipie.people:,} people"
        assert self.folder is not None
        return f"{self.folder.root}{self._people()}"

    def origin(self) -> str:
        """Return the same for a card, without the place where the photos lie."""
        degraded = f", degraded by {self.degradation}" if self.degradation else ""
        degraded += " or made smaller" if degraded and self.reduced else ""
        if self.pairs is not None:
            people = f"{self.pairs.people:,} rendered people from number {self.pairs.first:,}"
            return f"SynthPIE {VERSION}: {people}{degraded}"
        if self.multipie is not None:
            return f"Multi-PIE: the first {self.multipie.people:,} people{degraded}"
        assert self.folder is not None
        return f"photos of {Path(self.folder.root).name}{self._people()}{degraded}"

    def _people(self) -> str:
        chosen = self.folder.people if self.folder is not None else None
        return f", people {chosen[0]} to {chosen[-1]}" if chosen else ""


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
        identity_part: the largest part of a batch that each embedder looks at, in their order, or one number for all;
            on a CPU some cost more than FRN.
        identity_jitter: deviation in pixels of the place, in degrees of the turn and in percent of the size in which
            the embedders see the output, so that patterns that only they would see, and only just there, do not pay
            (input diversity: Xie et al., CVPR 2019, section 3.2).
        pcd, icd: adversarial, conditioned on pose and on identity; only where FFN is trained.
        alignment: of FRN's features with those of its teacher FFN; only where FRN is taught by it.
        passing: of the share of the input in a blended output, which shall be 1 for a probe that was not degraded and
            is turned by at most ``passing_yaw`` degrees, and else 0. The identity loss then leaves the share alone and
            looks at the painted images of the others.
        passing_yaw: degrees.
        passing_care: how many times a probe that shall pass counts beside one that shall not.
    """

    pixel: float = 1.0
    distance: Literal["l1", "l2"] = "l1"
    reduction: Literal["mean", "paper-sum"] = "mean"
    identity: float = 0.2
    identity_part: tuple[float, ...] = (1.0,)
    identity_jitter: float = 0.0
    pcd: float = 0.0
    icd: float = 0.0
    alignment: float = 0.0
    passing: float = 0.0
    passing_yaw: float = 50.0
    passing_care: float = 1.0

    def __post_init__(self) -> None:
        if not self.identity_part or not all(0 < part <= 1 for part in self.identity_part):
            raise RecordError(
                f"losses: identity_part is {list(self.identity_part)}; expected numbers of more than 0, at most 1"
            )
        if self.passing_care <= 0:
            raise RecordError(f"losses: passing_care is {self.passing_care}; expected a number of more than 0")


@dataclass(frozen=True)
class RestorerStage(Stage):
    """A stage, what learns in it, and by which losses.

    Attributes:
        trains: ``frn`` learns alone, with the frontal target; ``ffn`` is the teacher, which sees the poses; ``ti`` is
            FRN taught by the frozen FFN (task-integrated training).
        target: what FRN shall paint: ``frontal`` the target; ``probe`` the probe itself, not degraded (FRN-S);
            ``teacher`` what the frozen FFN makes of that (equation 13).
        losses: their weights.
    """

    trains: Literal["frn", "ffn", "ti"] = "frn"
    target: Literal["frontal", "probe", "teacher"] = "frontal"
    losses: Losses = field(default_factory=Losses)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.losses.pcd or self.losses.icd) and self.trains != "ffn":
            raise RecordError("stages.losses: pcd and icd judge the FFN; expected trains = 'ffn'")
        if self.losses.alignment and self.trains != "ti":
            raise RecordError("stages.losses: alignment is with the frozen FFN; expected trains = 'ti'")
        if {"probe": "frn", "teacher": "ti"}.get(self.target, self.trains) != self.trains:
            raise RecordError(
                f"stages: target is {self.target!r} and trains {self.trains!r}; expected 'probe' with 'frn', or "
                "'teacher' with 'ti'"
            )


@dataclass(frozen=True)
class Start:
    """Folders of restorers, as ``rr-train`` writes them, whose weights the networks begin with; empty: drawn ones.

    Attributes:
        frn: of the FRN.
        ffn: of the FFN, or of an FRN, as which it then begins.
        soup: more of them: the FRN begins with the mean of the weights of ``frn`` and of these, which are trainings
            that began alike (Wortsman et al., "Model soups", ICML 2022).
    """

    frn: str = ""
    ffn: str = ""
    soup: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.soup and not self.frn:
            raise RecordError("start.soup: expected start.frn, the first of those of which it is the mean")

    def folders(self) -> dict[str, str]:
        """Return all of them by their keys, ``frn``, ``ffn``, ``soup[0]`` …"""
        found = {"frn": self.frn, "ffn": self.ffn} | {f"soup[{n}]": folder for n, folder in enumerate(self.soup)}
        return {key: folder for key, folder in found.items() if folder}


@dataclass(frozen=True, kw_only=True)
class RestorerRecipe(Plan):
    """The training of a restorer.

    Attributes:
        network: the FRN; or, where every stage trains the FFN, that.
        teacher: the FFN; needed where a stage trains it or is taught by it, and the FRN is the network.
        landmarks: what tells the FFN its poses in training: ``five`` landmarks, as at inference
            (``preprocess/poses.py``), or all 18 of photo and target as they are, their ``own``, which show the shape of
            the person's face besides.
        data, augment: probes and targets.
        start: weights to begin with.
        embedders: of the identity loss, as after ``--embedder``; never the judge.
        judge: the embedder of the validation.
        task: what the restorer is meant to do.
        tested_range: for the card: what it was made for.
        rights: for the card; by default those of the weights in ``start``, of rendered faces, or unknown
            (``training/lineage.py``).
        discriminator_pace: the discriminators' learning rate as a multiple of the generator's.
    """

    kind: Literal["restorer"]
    stages: tuple[RestorerStage, ...]
    teacher: NetworkRecipe | None = None
    landmarks: Literal["five", "own"] = "five"
    data: PairData
    start: Start = field(default_factory=Start)
    augment: Tone = field(default_factory=Tone)
    embedders: tuple[str, ...] = ()
    judge: str = JUDGE
    task: Literal["restore", "frontalize"] = "frontalize"
    tested_range: str = ""
    rights: RightsCard | None = None
    discriminator_pace: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in (JUDGE, self.judge):
            if name in self.embedders:
                raise RecordError(
                    f"embedders: {name} is the judge: where a loss used it, nobody independent is left to say whether "
                    "recognition gained; take another embedder"
                )
        if not self.embedders and any(stage.losses.identity or stage.losses.icd for stage in self.stages):
            raise RecordError(
                "stages.losses.identity: expected embedders = ['arcface-synthpie'], or identity = 0 and icd = 0"
            )
        for stage in self.stages:
            if len(stage.losses.identity_part) not in (1, len(self.embedders)):
                raise RecordError(
                    f"stages.losses.identity_part: expected one number, or one for each of {len(self.embedders)} "
                    f"embedders, got {len(stage.losses.identity_part)}"
                )
        if self.network.name not in ("frn", "ffn"):
            raise RecordError(f"network.name is {self.network.name!r}; expected 'frn', or 'ffn' for an FFN alone")
        if self.teacher is not None and self.teacher.name != "ffn":
            raise RecordError(f"teacher.name is {self.teacher.name!r}; expected 'ffn'")
        if self.network.name == "ffn" and (self.teacher is not None or any(s.trains != "ffn" for s in self.stages)):
            raise RecordError(
                "network: an FFN alone has trains = 'ffn' in every stage and no [teacher]; or take name = 'frn'"
            )
        if "ffn" not in self.generators and any(stage.trains != "frn" for stage in self.stages):
            raise RecordError("stages.trains: 'ffn' and 'ti' need an FFN; expected [teacher] name = 'ffn'")
        if "frn" in self.generators and not any(stage.trains != "ffn" for stage in self.stages):
            raise RecordError(
                "stages: expected one that trains the FRN, 'frn' or 'ti'; or network.name = 'ffn', for an FFN alone"
            )
        for stage in self.stages:
            height, width = self.size(stage)
            if height != width or any(height % _multiple(network) for network in self.generators.values()):
                multiples = ", ".join(f"{_multiple(network)} ({name})" for name, network in self.generators.items())
                raise RecordError(
                    f"stages: size is {[height, width]}; expected height and width alike, and multiples of {multiples}"
                )
        if self.stages[-1].size not in ((), _SIDE):
            raise RecordError(f"stages: the last size is {list(self.stages[-1].size)}; expected {list(_SIDE)}")
        if self.average and len({stage.trains for stage in self.stages if stage in self.averaged}) > 1:
            raise RecordError(f"average is {list(self.average)}; expected steps of stages that train the same network")
        self._check_source()

    def _check_source(self) -> None:
        """Raise RecordError where the photos do not suit what is trained."""
        folder, multipie, guided = self.data.folder, self.data.multipie, "ffn" in self.generators
        if folder is not None and guided:
            raise RecordError(
                "data.folder: a photo is its own target and nobody turns; expected [data.pairs] or [data.multipie] for "
                "an FFN"
            )
        if folder is not None and self.task != "restore":
            raise RecordError(
                f"task is {self.task!r}, but a photo of data.folder is its own target; expected 'restore'"
            )
        if multipie is not None and guided and (multipie.alignment != "landmarks" or self.landmarks != "five"):
            raise RecordError(
                "data.multipie: an FFN is told the poses by landmarks.csv; expected its alignment = 'landmarks', and "
                "landmarks = 'five'"
            )
        for name in ("frn", "ffn"):
            if getattr(self.start, name) and name not in self.generators:
                raise RecordError(f"start.{name}: there is no {name.upper()} that could begin with these weights")

    def own_size(self) -> tuple[int, int]:
        """Return height and width of the canonical crop."""
        return _SIDE

    @property
    def generators(self) -> dict[str, NetworkRecipe]:
        """The networks that paint, by what a stage calls them: ``frn``, ``ffn``, or both."""
        if self.network.name == "ffn":
            return {"ffn": self.network}
        return {"frn": self.network} | ({"ffn": self.teacher} if self.teacher else {})

    @property
    def ships(self) -> dict[str, str]:
        """The names of what is exported, by generator: that of a trained teacher is the recipe's with -ffn."""
        names = {"frn": self.name, "ffn": f"{self.name}-ffn" if "frn" in self.generators else self.name}
        trained = {"ffn" if stage.trains == "ffn" else "frn" for stage in self.stages}
        return {generator: name for generator, name in names.items() if generator in trained}


def _multiple(network: NetworkRecipe) -> int:
    """Return what the side of a network's input is a multiple of; 1 where ``unshuffle`` is none, as it will say."""
    unshuffle = network.arguments.get("unshuffle", 1)
    return 16 * unshuffle if isinstance(unshuffle, int) and unshuffle > 0 else 1
