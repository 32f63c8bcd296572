"""Where a training runs and writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where a training runs and writes.

    Attributes:
        out: checkpoint, logs and, at the end, the network's weights.
        cache: of rendered photos.
        workers: processes that read or render photos.
        limit: at most so many steps, for a trial.
        resume: go on from the checkpoint in ``out``.
    """

    out: Path
    cache: Path
    workers: int
    limit: int | None = None
    resume: bool = False
