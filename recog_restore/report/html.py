"""One offline HTML file from results: the answer first, then everything it rests on.

Nothing is fetched: plotly, style, script, plots and faces are in the file, and its content security policy forbids
everything else, also a script that is not this one. All text from results is escaped by Jinja.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from ..errors import ResultError
from ..files import write_whole
from ..resources import folder
from ..results import BASELINE, Result
from .comparison import compare
from .faces import gallery, room_each
from .figures import points_each
from .run import Run, show
from .wording import note, protocol, unique, visible

# Bytes: of a page, and of the faces in it.
LIMIT = 6_000_000
FACES = 800_000

ROWS_LISTED = 200


def render(results: Sequence[Result], title: str | None = None) -> str:
    """Return the page of one result, or of several side by side; the same results give the same page.

    Args:
        results: in the order in which they are to be shown; results of different protocols never share a table.
        title: of the page; by default the title of the protocol.

    Raises:
        ResultError: there is no result, or the page would be larger than ``LIMIT`` even without faces.
    """
    if not results:
        raise ResultError("expected at least one result to report on, got none")
    page = _page(results, title, FACES)
    excess = len(page.encode()) - LIMIT
    if excess > 0:
        used = sum(gallery(result, room_each(results, FACES)).size for result in results)
        page = _page(results, title, max(0, used - excess))
    if (size := len(page.encode())) > LIMIT:
        raise ResultError(
            f"the report of {len(results)} results would have {size:,} bytes, more than {LIMIT:,}; "
            "report on fewer of them at a time"
        )
    return page


def write(results: Sequence[Result], path: Path, title: str | None = None) -> None:
    """Write ``render(results, title)``, whole or not at all.

    Raises:
        ResultError: as ``render``, or the file cannot be written.
    """
    page = render(results, title)
    if path.is_dir():
        raise ResultError(f"{path}: the report cannot be written: expected a file, found a folder")
    try:
        write_whole(path, page.encode())
    except OSError as error:
        raise ResultError(f"{path}: the report cannot be written: {error.strerror}") from error


def _page(results: Sequence[Result], title: str | None, faces: int) -> str:
    labels = _labels(results)
    points, room = points_each(results), room_each(results, faces)
    runs = tuple(show(result, label, points, room) for result, label in zip(results, labels, strict=True))
    comparisons = compare(runs, points) if len(runs) > 1 else ()
    plotly, script = get_plotlyjs(), _text("report.js")
    return (
        _environment()
        .get_template("report.html")
        .render(
            title=title or _title(results),
            note=" · ".join(unique(filter(None, map(note, results)))),
            runs=runs,
            comparisons=comparisons,
            plotly=Markup(plotly),
            script=Markup(script),
            script_hashes=[_hash(plotly), _hash(script)],
            contents=_contents(runs),
            baseline=BASELINE,
            rows_listed=ROWS_LISTED,
        )
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # `tojson` writes <, >, & and ' as \u003c …: nothing in it can end the script element.
    environment.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return environment


def _visible(entry: Any) -> Any:
    return visible(entry) if isinstance(entry, str) and not isinstance(entry, Markup) else entry


def _text(name: str) -> str:
    return (folder("reports") / "templates" / name).read_text("utf-8")


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _title(results: Sequence[Result]) -> str:
    titles = unique(str(r.protocol.get("title") or protocol(r)) for r in results)
    return titles[0] if len(titles) == 1 else f"{len(results)} runs of {len(titles)} protocols"


def _labels(results: Sequence[Result]) -> list[str]:
    names = [str(result.embedder.get("name", "")) for result in results]
    return names if len(results) == 1 else [f"Run {i} · {name}" for i, name in enumerate(names, start=1)]


def _contents(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Return anchor and text of what the page has below the answer."""
    if len(runs) > 1:
        return [("comparison", "Side by side"), *((f"run{i}", run.label) for i, run in enumerate(runs, start=1))]
    run = runs[0]
    parts = [
        ("bins", run.bins[0].title if run.bins else "", run.bins),
        ("metrics", "Metrics", run.rows),
        ("curves", "Curves", run.plots or run.histograms),
        ("breakdowns", "Parts of the data", run.breakdowns or run.bins[1:]),
        ("harm", "Harm", run.harm),
        ("drift", "Drift", run.drift),
        ("thresholds", "Thresholds", True),
        ("domains", "Features", run.domains),
        ("faces", "Faces", run.gallery.shown or run.gallery.left_out),
        ("untested", "Not tested", run.untested),
        ("failures", "Failures", True),
        ("configuration", "Configuration", True),
        ("definitions", "What is what", True),
    ]
    return [(anchor, text) for anchor, text, present in parts if present]
