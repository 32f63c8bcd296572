"""``rr-report``: render results again, side by side, or as tables."""

from __future__ import annotations

from pathlib import Path

import click

from .base import SETTINGS, Command


@click.command(cls=Command, context_settings=SETTINGS)
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
    help="Print a paper's table, such as mdfr-2, with the numbers of RUNS below the reported ones.",
)
@click.option("--latex", "form", flag_value="latex", help="Print LaTeX tables instead of writing HTML.")
@click.option("--csv", "form", flag_value="csv", help="Print every value as CSV instead.")
@click.option("--json", "form", flag_value="json", help="Print every value as JSON instead.")
def report(runs: tuple[Path, ...], out: Path | None, title: str | None, table: str | None, form: str | None) -> None:
    """Render the result of one run again, or put several RUNS (folders or result.json files) side by side."""
    from ..report import html, tables
    from ..results import read

    if table is not None and (out or title or form):
        raise click.UsageError("--table prints text; leave out --out, --title, --latex, --csv and --json")
    results = [read(run) for run in runs]
    if table is not None:
        from rich.console import Console

        from ..report import paper

        Console().print(paper.terminal(paper.load(table), results))
        return
    if form is not None:
        click.echo({"latex": tables.latex, "csv": tables.csv, "json": tables.json}[form](results), nl=False)
        return
    if out is None:
        folder = runs[0] if runs[0].is_dir() else runs[0].parent
        out = folder / "report.html" if len(runs) == 1 else Path("compare.html")
    html.write(results, out, title)
    click.echo(f"report: {out}")
