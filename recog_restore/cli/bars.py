"""Progress bars on stderr; without a terminal, one line per phase."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ..engine.progress import Progress as Watcher
from ..report.wording import visible
from .terminal import say

_WORDS = {
    "read": "reading files",
    "detect": "detecting faces",
    "embed": "embedding faces",
    "render": "rendering",
    "restore": "restoring",
    "score": "scoring faces",
    "write": "writing files",
}


class Bars(Watcher):
    """Draws one bar per phase."""

    def __init__(self) -> None:
        super().__init__()
        self._bars = Progress(
            TextColumn("{task.description:<16}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def start(self, phase: str, total: int) -> None:
        """Begin a bar."""
        self._task = self._bars.add_task(_WORDS.get(phase, phase), total=total)
        if self._bars.disable:
            say(f"{_WORDS.get(phase, phase)}: {total:,}", err=True)

    def advance(self, steps: int = 1) -> None:
        """Move the bar."""
        if self._task is not None:
            self._bars.advance(self._task, steps)

    def say(self, line: str) -> None:
        """Print the line above the bar."""
        self._bars.console.print(visible(line), markup=False, highlight=False, soft_wrap=True)
