"""``mimic.toml``: what a mimic says of itself, so that no number from it passes as one of the set that it imitates."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..errors import RecordError
from ..records import read_toml
from .base import Finding, count_finding
from .textfiles import write_text

MARK = "mimic.toml"
AS_WRITTEN = " (as written)"


@dataclass(frozen=True)
class Mark:
    """Attributes: ``layout`` that is imitated, ``source`` of the faces, and the ``counts`` that were written."""

    layout: str
    source: str
    counts: dict[str, int]

    @property
    def note(self) -> str:
        """What must be said wherever a number from the folder stands."""
        return f"a mimic of {self.layout}, not a number of it; made of {self.source}"

    def check(self, found: dict[str, int]) -> list[Finding]:
        """Compare what is there with what was written."""
        return [count_finding(f"{what}{AS_WRITTEN}", count, found.get(what, 0)) for what, count in self.counts.items()]


def read_mark(root: Path) -> Mark | None:
    """Return the mark of a folder, or None where nothing says that it is a mimic.

    Raises:
        RecordError: the file is there but not as it was written.
    """
    path = root / MARK
    if not path.is_file():
        return None
    values = read_toml(path)
    try:
        return Mark(str(values["layout"]), str(values["source"]), {k: int(v) for k, v in values["counts"].items()})
    except (KeyError, AttributeError, TypeError, ValueError):
        raise RecordError(f"{path}: expected layout, source and [counts], as rr-data mimic writes them") from None


def write_mark(root: Path, mark: Mark) -> None:
    """Write the mark of a folder."""
    lines = [
        f"layout = {json.dumps(mark.layout)}",
        f"source = {json.dumps(mark.source, ensure_ascii=False)}",
        "",
        "[counts]",
        *(f"{json.dumps(what)} = {count}" for what, count in mark.counts.items()),
    ]
    write_text(root / MARK, "\n".join(lines) + "\n")
