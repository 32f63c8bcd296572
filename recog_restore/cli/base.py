"""What all commands share: an error becomes a short message on stderr and an exit code, never a traceback."""

from __future__ import annotations

import io
import math
import re
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from .. import __version__
from ..errors import RecogRestoreError, RecordError, ResourceMissing, UnknownName
from .signals import Ended, signals_interrupt
from .terminal import accept_all_text, say

# What recognizes on SynthPIE where no embedder is named: the judge, which no loss of a restorer has used.
SYNTHPIE_EMBEDDER = "cosface-synthpie"

# Who judges the drift of photos where nobody is named.
JUDGE = SYNTHPIE_EMBEDDER

_MISUSE = (UnknownName, RecordError, ResourceMissing)

# How numpy, torch, ONNX Runtime and OpenCV say that memory is out.
_MEMORY = re.compile(
    r"out of memory|(allocate|insufficient|not enough) memory|unable to allocate|bad alloc|ALLOC_FAILED", re.IGNORECASE
)

# Characters of a message that are printed; a longer one loses its middle.
_LONGEST = 2000


@dataclass
class _Run:
    """What is known of a command that runs.

    Attributes:
        debug: print the traceback of every error.
        batches: the command has ``--batch``.
    """

    debug: bool = False
    batches: bool = False


class _Program(click.Command):
    """A command, or a group of them, that prints every error as a message and ends with its exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line; see ``click.Command.main``."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, **extra)
        accept_all_text()
        run = _Run()
        try:
            code = super().main(args, prog_name, complete_var, False, obj=run, **extra)
        except click.Abort:
            say("Interrupted", err=True)
            code = 130
        except click.ClickException as error:
            shown = io.StringIO()
            error.show(shown)
            say(_shortened(shown.getvalue()), err=True, nl=False)
            code = error.exit_code
        except Exception as error:
            if run.debug:
                say(traceback.format_exc(), err=True, nl=False)
            say(f"Error: {_shortened(_message(error, run))}", err=True)
            code = 2 if isinstance(error, _MISUSE) else 1
        sys.exit(code if isinstance(code, int) else 0)


def _message(error: Exception, run: _Run) -> str:
    """Return what is said of an error: for one that nobody foresaw, how to report it."""
    if isinstance(error, RecogRestoreError):
        return str(error)
    if isinstance(error, MemoryError) or _MEMORY.search(str(error)):
        way_out = "; use a smaller --batch" if run.batches else ""
        reason = next(iter(str(error).splitlines()), "")
        return f"memory is not enough{way_out}{f' ({reason})' if reason else ''}"
    if isinstance(error, OSError) and error.strerror:
        return ": ".join([*([str(error.filename)] if error.filename is not None else []), error.strerror])
    return (
        f"unforeseen {type(error).__name__}: {error}\nThis is a fault of recog_restore {__version__}. Please report it "
        "with the command line and the traceback, which --debug prints."
    )


def _shortened(text: str) -> str:
    from ..report.wording import visible

    text = visible(text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} … {text[-_LONGEST // 2 :]}"


def _debug(ctx: click.Context, _: click.Parameter, debug: bool) -> None:
    ctx.ensure_object(_Run).debug |= debug


class Command(_Program):
    """A command that exits with 2 for misuse, 1 for a failed run, and 128 + N when signal N ends it.

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
        self.params.append(
            click.Option(
                ["--debug"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                envvar="RR_DEBUG",
                callback=_debug,
                help="Print the traceback of an error.",
            )
        )

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section."""
        records = [(p.name, record) for p in self.get_params(ctx) if (record := p.get_help_record(ctx)) is not None]
        named = [name for names in self.sections.values() for name in names]
        for heading, names in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([record for name in names for p, record in records if p == name])
        with formatter.section("Options"):
            formatter.write_dl([record for p, record in records if p not in named])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        ctx.ensure_object(_Run).batches = any(parameter.name == "batch" for parameter in self.params)
        try:
            with signals_interrupt():
                result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except KeyboardInterrupt as interrupt:
            by = f" by {interrupt.signal.name}" if isinstance(interrupt, Ended) else ""
            say(f"Interrupted{by}: {self.interrupted}", err=True)
            code = 128 + (interrupt.signal if isinstance(interrupt, Ended) else signal.SIGINT)
            raise click.exceptions.Exit(code) from None


class Group(_Program, click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type


class Number(click.FloatRange):
    """A finite number, within bounds where they are given."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; NaN and infinity are refused."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{number} is not finite.", param, ctx)
        return number


# The largest seed that every generator takes, and of what a run can be asked for.
SEED = click.IntRange(0, 2**32 - 1)
BATCH = click.IntRange(1, 65_536)
MOST_WORKERS, MOST_THREADS, MOST_DRAWS, MOST_FACES = 256, 1024, 100_000, 1000

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
