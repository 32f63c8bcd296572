"""What the commands print: text from outside made harmless, in whatever encoding the terminal or the file has."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

# What stands for a sign that an encoding lacks. A minus sign may not become "?".
_INSTEAD = {
    "−": "-",
    "–": "-",
    "─": "-",
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "±": "+-",
    "×": "x",
    "·": "|",
    "→": "->",
    "▲": "^",
    "▼": "v",
    "†": "*",
    "’": "'",
}
_ERRORS = "recog_restore.replace"


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_INSTEAD.get(c) or _plain(c) or "?" for c in lacking), error.end


def _plain(character: str) -> str:
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()


codecs.register_error(_ERRORS, _replaced)


def accept_all_text() -> None:
    """Let stdout and stderr replace what their encoding lacks, instead of raising UnicodeEncodeError."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def say(text: str, *, err: bool = False, nl: bool = True, lead: str = "") -> None:
    """Print text with control characters escaped.

    Args:
        text: what may hold names and messages from outside.
        err: print it to stderr.
        nl: end the line.
        lead: stands before the text and keeps its styles; never from outside.
    """
    from ..report.wording import visible

    click.echo(lead + visible(text), file=sys.stderr if err else sys.stdout, nl=nl)


def show(renderable: RenderableType) -> None:
    """Print a rich table or group with control characters escaped and without markup in its texts."""
    from rich.console import Console

    Console(markup=False, highlight=False, emoji=False).print(_Escaped(renderable))


class _Escaped:
    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        from ..report.wording import visible

        for segment in console.render(self._renderable, options):
            yield segment._replace(text=visible(segment.text))
