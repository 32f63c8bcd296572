"""The preprocessor contract: faces in, faces out, and a face that cannot be had says why."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from ..errors import ConventionError, RecogRestoreError, RecordError
from ..faces import FaceBatch, flushed_denormals
from ..networks.cards import OriginCard, RestorerTask, Teacher

Task = Literal["none", "degrade", "guided"] | RestorerTask


@dataclass(frozen=True)
class Card:
    """What a preprocessor is; printed with every result.

    Attributes:
        name: where people read it, one for each preprocessor of a run.
        task: what it is meant to do.
        title: one line for people.
        deterministic: the same faces give the same output, bit for bit, on one machine.
        rights: licence of code and weights.
        tested_range: what it was made for, in words (sizes, yaw).
        sha256: of the weights, where there are any.
        teachers: embedders that a loss used; they are no independent judges.
        origin: whom a network has seen, and how its weights were chosen.
        degradations: those that it was trained under.
        guessed: what of its input and output nobody declared.
        spec: as typed after ``--pre``, without a name that was given there; empty where it was not made from a text.
    """

    name: str
    task: Task
    title: str
    deterministic: bool = True
    rights: str = "Apache-2.0"
    tested_range: str = ""
    sha256: str = ""
    teachers: tuple[Teacher, ...] = ()
    origin: OriginCard = field(default_factory=OriginCard)
    degradations: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()
    spec: str = ""

    @property
    def typed(self) -> str:
        """What it was made from: ``spec``, or the name."""
        return self.spec or self.name


class Preprocessor(ABC):
    """Maps a batch of canonical faces to a batch of canonical faces, one by one.

    A subclass sets ``card`` and writes ``restore``. ``strength`` in [0, 1] blends input and output linearly; 0 returns
    the input bit for bit without calling ``restore``.

    Attributes:
        content: what identifies code and weights where the card does not; None: nothing does, so no embeddings of its
            faces are kept.
        notes: warnings that stand beside its numbers, without its name.
    """

    card: Card
    content: str | None = ""
    notes: tuple[str, ...] = ()
    strength: float = 1.0

    def __init__(self, strength: float = 1.0) -> None:
        if not 0.0 <= strength <= 1.0:
            raise RecordError(f"strength is {strength}; expected a number from 0 (the input) to 1 (the output)")
        self.strength = float(strength)

    @abstractmethod
    def restore(self, images: Tensor, landmarks: Tensor | None) -> Tensor:
        """Return (B, 3, 128, 128) floating-point RGB; values outside [0, 1] are clamped.

        A face with a NaN fails. Where it raises, it is called again with one face at a time, and those for which it
        raises again fail.

        Args:
            images: (B, 3, 128, 128) float32 RGB in [0, 1], its own copy.
            landmarks: (B, 5, 2) pixels in ``images``, its own copy, or None.
        """

    def settings(self) -> dict[str, object]:
        """Return everything that changes the output; with the card it is the key of the embeddings on disk."""
        return {"strength": self.strength}

    def __call__(self, faces: FaceBatch) -> FaceBatch:
        """Return the preprocessed faces; a face that already failed stays black, and failed.

        Raises:
            ConventionError: ``restore`` returned another shape or dtype, or what it needs is not there.
        """
        if self.strength == 0.0 or not len(faces):
            return faces
        output, reasons = self.attempt(faces)
        if self.strength < 1.0:
            output = torch.lerp(faces.images, output, self.strength)
        status = tuple(was or reason for was, reason in zip(faces.status, reasons, strict=True))
        usable = torch.tensor([not reason for reason in status], device=output.device)[:, None, None, None]
        return faces.replace(images=torch.where(usable, output.clamp(0.0, 1.0), 0.0), status=status)

    def attempt(self, faces: FaceBatch) -> tuple[Tensor, list[str]]:
        """Return ``restore``'s output in float32, not clamped, and why each face has none, or "".

        Raises:
            ConventionError: as ``__call__``.
        """
        try:
            output = self._restored(faces)
        except _OfTheMachine as error:
            raise ConventionError(f"preprocessor {self.card.name!r} cannot run: {_words(error)}") from error
        except RecogRestoreError:
            raise
        except Exception as error:  # whatever a network of the user's own raises
            if len(faces) == 1:
                return torch.zeros_like(faces.images), [f"{self.card.name}: {_words(error)}"]
            alone = [self.attempt(faces.take([row])) for row in range(len(faces))]
            return torch.cat([one for one, _ in alone]), [reason for _, (reason,) in alone]
        finite = output.flatten(1).isfinite().all(dim=1).tolist()
        return output, ["" if good else f"{self.card.name}: output is not finite" for good in finite]

    def _restored(self, faces: FaceBatch) -> Tensor:
        points = None if faces.landmarks is None else faces.landmarks.clone()
        with flushed_denormals():
            output = self.restore(faces.images.clone(), points)
        if not isinstance(output, Tensor):
            raise ConventionError(
                f"preprocessor {self.card.name!r}: expected a torch.Tensor, got {type(output).__name__}"
            )
        if output.shape != faces.images.shape or not output.is_floating_point():
            raise ConventionError(
                f"preprocessor {self.card.name!r}: expected a float32 output of shape {tuple(faces.images.shape)}, "
                f"got {output.dtype} {tuple(output.shape)}"
            )
        return output.to(torch.float32)


# What is wrong with the machine or the installation, not with a face.
_OfTheMachine = (OSError, ImportError, MemoryError, torch.OutOfMemoryError)


def _words(error: BaseException) -> str:
    """Return the kind of an error and its first line."""
    smaller = "; use a smaller --batch" if isinstance(error, (MemoryError, torch.OutOfMemoryError)) else ""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}{smaller}"
