"""What all commands share: errors raised on purpose become one line on stderr and an exit code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import click

from ..errors import RecogRestoreError, RecordError, ResourceMissing, UnknownName

# What recognizes on SynthPIE where no embedder is named: the judge, which no loss of a restorer has used.
SYNTHPIE_EMBEDDER = "cosface-synthpie"

# Who judges the drift of photos where nobody is named.
JUDGE = SYNTHPIE_EMBEDDER

_MISUSE = (UnknownName, RecordError, ResourceMissing)


class Command(click.Command):
    """A command that exits with 2 for misuse and 1 for a failed run, and with 130 when it is interrupted.

    Args:
        sections: in the help, headings and the names of the options below each; all others come last.
        interrupted: what an interrupted run leaves, and how to go on.
    """

    def __init__(
        self,
        *args: Any,
        sections: Mapping[str, tuple[str, ...]] | None = None,
        interrupted: str = "what is finished is kept; run the same command again to go on",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.sections, self.interrupted = sections or {}, interrupted

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section."""
        records = {p.name: record for p in self.get_params(ctx) if (record := p.get_help_record(ctx)) is not None}
        for heading, names in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([records.pop(name) for name in names])
        with formatter.section("Options"):
            formatter.write_dl(list(records.values()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except RecogRestoreError as error:
            click.echo(f"Error: {error}", err=True)
            raise click.exceptions.Exit(2 if isinstance(error, _MISUSE) else 1) from None
        except KeyboardInterrupt:
            click.echo(f"Interrupted: {self.interrupted}", err=True)
            raise click.exceptions.Exit(130) from None


class Group(click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type


SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def numbers(text: str | None, what: str) -> tuple[int, ...] | None:
    """Return the numbers of ``1-8`` or ``1,3,5``, or None where the option is not given.

    Raises:
        click.BadParameter: the text is neither form, a range is empty, or a number has more than 6 digits; the message
            says that ``what`` was expected.
    """
    if text is None:
        return None
    found: list[int] = []
    for part in text.replace(" ", "").split(","):
        match = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", part)
        span = range(int(match[1]), int(match[2] or match[1]) + 1) if match else range(0)
        if not span:
            raise click.BadParameter(f"{text!r}: expected {what}, as 1-8 or 1,3,5; {part!r} names none")
        found += span
    return tuple(found)


def words(text: str | None) -> tuple[str, ...] | None:
    """Return the words of ``a,b``, or None where the option is not given.

    Raises:
        click.BadParameter: the text names nothing.
    """
    if text is None:
        return None
    found = tuple(text.replace(" ", "").split(","))
    if not all(found):
        raise click.BadParameter(f"{text!r}: expected names, as a,b; {'one of them' if any(found) else 'it'} is empty")
    return found
