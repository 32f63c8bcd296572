"""A shot: everything that makes one picture."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ConventionError
from .background import BACKGROUNDS
from .light import Light, multipie_light
from .shape import EXPRESSION_NAMES, EXPRESSIONS


@dataclass(frozen=True)
class Shot:
    """Everything that makes one picture; equal shots give equal pixels.

    Args:
        subject: seed of the person, ≥ 0; 1 … 346 are the protocols' people, training people are ≥ 1,000,000.
        session: hair, clothes and a little weight differ between sessions.
        expression: a name in EXPRESSIONS, or ten coefficients.
        yaw, pitch, roll: degrees; positive yaw turns the face to the image's right, positive pitch downwards.
        light: one of Multi-PIE's illuminations 0 … 19, or a Light.
        background: ``cluttered`` or ``clean``.
        jitter: seed of the small natural variation of the moment (expression, pose) and of the picture (crop, zoom,
            exposure); None: none. Shots with the same subject, session, expression and jitter are one moment: the same
            face geometry, seen by several cameras under several lights.
        size: of the square picture in pixels.
        distance: of the camera in mm.
    """

    subject: int
    session: int = 1
    expression: str | tuple[float, ...] = "neutral"
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    light: int | Light = 7
    background: str = "cluttered"
    jitter: int | None = 0
    size: int = 128
    distance: float = 1100.0

    def __post_init__(self) -> None:
        """Refuse what cannot be photographed."""
        if isinstance(self.expression, str) and self.expression not in EXPRESSIONS:
            raise ConventionError(f"expression is one of {', '.join(EXPRESSIONS)}; got {self.expression!r}")
        if not isinstance(self.expression, str) and len(self.expression) != len(EXPRESSION_NAMES):
            raise ConventionError(f"an expression has {len(EXPRESSION_NAMES)} coefficients; got {len(self.expression)}")
        if self.background not in BACKGROUNDS:
            raise ConventionError(f"background is one of {', '.join(BACKGROUNDS)}; got {self.background!r}")
        if min(self.subject, self.session, self.jitter or 0) < 0:
            seeds = f"subject {self.subject}, session {self.session}, jitter {self.jitter}"
            raise ConventionError(f"subject, session and jitter are seeds and not negative; got {seeds}")
        if self.size < 16:
            raise ConventionError(f"a picture has at least 16 pixels across; got {self.size}")
        if self.distance < 300:
            raise ConventionError(f"the camera stands at least 300 mm away; got {self.distance}")
        if isinstance(self.light, int):
            multipie_light(self.light)

    @property
    def coefficients(self) -> tuple[float, ...]:
        """Return the ten expression coefficients."""
        return EXPRESSIONS[self.expression] if isinstance(self.expression, str) else self.expression
