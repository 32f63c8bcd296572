"""``rr-report``: render results again, side by side, or as tables; subtract two runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from .base import SETTINGS, Command, Group
from .terminal import say, show

_RENDER = "render"


class _Report(Group):
    """A group whose first command needs no name: ``rr-report RUN`` is ``rr-report render RUN``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the first command where none is given."""
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = [_RENDER, *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Report, context_settings=SETTINGS)
def report() -> None:
    """Render the result of one run again, or put several side by side: rr-report RUNS...

    "rr-report RUNS..." is short for "rr-report render RUNS...". Its options print tables (LaTeX, CSV, JSON, a paper's)
    or the thresholds to deploy with instead: rr-report render --help. A run in a folder called "diff" is ./diff.
    """


@report.command(_RENDER, cls=Command)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The HTML file.  [default: report.html of the one run, or compare.html]",
)
@click.option("--title", help="Title of the page.")
@click.option(
    "--table",
    metavar="NAME",
    help="Print a paper's table (mdfr-1, mdfr-2, mdfr-4 or mdfr-5), with the numbers of RUNS below the reported ones.",
)
@click.option("--latex", "form", flag_value="latex", help="Print LaTeX tables instead of writing HTML.")
@click.option("--csv", "form", flag_value="csv", help="Print every value, with its difference, as CSV instead.")
@click.option("--json", "form", flag_value="json", help="Print every value, with its difference, as JSON instead.")
@click.option("--thresholds", "form", flag_value="thresholds", help="Print the thresholds to deploy with as JSON.")
def render(runs: tuple[Path, ...], out: Path | None, title: str | None, table: str | None, form: str | None) -> None:
    """Render the result of one run again, or put several RUNS (folders or result.json files) side by side."""
    from ..report import html, tables
    from ..results import read

    if table is not None and (out or title or form):
        raise click.UsageError("--table prints text; leave out --out, --title, --latex, --csv, --json and --thresholds")
    results = [read(run) for run in runs]
    if table is not None:
        from ..report import paper

        show(paper.terminal(paper.load(table), results))
        return
    if form is not None:
        printed = {"latex": tables.latex, "csv": tables.csv, "json": tables.json, "thresholds": tables.thresholds}
        say(printed[form](results), nl=False)
        return
    if out is None:
        folder = runs[0] if runs[0].is_dir() else runs[0].parent
        out = folder / "report.html" if len(runs) == 1 else Path("compare.html")
    html.write(results, out, title)
    say(f"report: {out}")


@report.command(cls=Command)
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--pre", metavar="NAME", help="Only this preprocessor of AFTER.  [default: all that both runs have]")
@click.option("--against", metavar="NAME", help="What of BEFORE it is compared with.  [default: the same]")
@click.option(
    "--gate-on",
    "gates",
    multiple=True,
    metavar='"METRIC[@PART] POINTS"',
    help='Exit with 1 if it is significantly worse, by so much or more: "rank1@90 -1.0". May be repeated.',
)
@click.option("--csv", "form", flag_value="csv", help="Print the differences as CSV.")
@click.option("--json", "form", flag_value="json", help="Print the differences as JSON.")
def diff(
    before: Path, after: Path, pre: str | None, against: str | None, gates: Sequence[str], form: str | None
) -> None:
    """Subtract run BEFORE from run AFTER: the same comparisons, person by person.

    \b
    rr-report diff runs/old runs/new --gate-on "rank1@90 -1.0"
    rr-report diff runs/lfw runs/lfw --pre clahe --against gamma
    """  # noqa: D301  # click's mark for a paragraph that is not wrapped
    from .differing import run

    if not run(before, after, pre, against, gates, form):
        raise click.exceptions.Exit(1)
