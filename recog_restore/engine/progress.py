"""What the engine tells whoever watches it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Receives phases and steps, and keeps the time of each phase; the command line draws bars in a subclass."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def start(self, phase: str, total: int) -> None:
        """A phase of ``total`` steps begins."""

    def advance(self, steps: int = 1) -> None:
        """Steps of the running phase are done."""

    def say(self, line: str) -> None:
        """Something of the running phase is worth a line."""

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        """Add the time spent inside to the phase's."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - began
