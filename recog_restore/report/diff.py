"""What changed from one run to another, person by person: the answer of ``rr-report diff``."""

from __future__ import annotations

import csv as _csv
import io
import json as _json
from collections.abc import Iterator, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from ..results import NO_DIFFERENCE, Difference
from .grid import OVER
from .tables import csv_text, difference_columns
from .wording import (
    VERDICTS,
    between,
    bin_words,
    chance,
    count,
    label,
    metric,
    points,
    property_words,
    unique,
    visible,
)

COLUMNS = ("preprocessor", "against", "metric", "where", "n", *difference_columns(None))

_STYLES = {"better": "green", "worse": "red"}


def csv(found: Sequence[Difference]) -> str:
    """Return every difference as a row under ``COLUMNS``; ``where`` is JSON, an undefined entry is empty."""
    text = io.StringIO()
    writer = _csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in _rows(found):
        where = _json.dumps(row["where"], ensure_ascii=False) if row["where"] else ""
        writer.writerow({name: csv_text(entry) for name, entry in (row | {"where": where}).items()})
    return text.getvalue()


def json(found: Sequence[Difference]) -> str:
    """Return every difference as an object with the keys ``COLUMNS``, in one list of strict JSON."""
    return _json.dumps(list(_rows(found)), indent=1, allow_nan=False) + "\n"


def tables(found: Sequence[Difference]) -> tuple[Table, ...]:
    """Return one table for the terminal per pair of preprocessors: a row per metric and part."""
    pairs = unique(f"{label(d.against)} → {label(d.preprocessor)}" for d in found)
    return tuple(
        _table(pair, [d for d in found if f"{label(d.against)} → {label(d.preprocessor)}" == pair]) for pair in pairs
    )


def _table(title: str, found: Sequence[Difference]) -> Table:
    table = Table(title=Text(visible(title)), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", overflow="fold")
    for heading in ("Points", "95 %", "p", "Fixed", "Broken", "±"):
        table.add_column(heading, justify="right", no_wrap=True)
    for d in found:
        word = "" if d.difference == 0 else VERDICTS["unsure" if d.verdict == NO_DIFFERENCE else d.verdict]
        smallest = d.smallest_detectable
        table.add_row(
            Text(visible(_what(d))),
            Text(", ".join(filter(None, (word, points(d.difference)))), _STYLES.get(d.verdict, "")),
            between(d.interval).strip(),
            chance(d.p_holm).removeprefix("p = ").removeprefix("p "),
            *("" if n is None else count(n) for n in (d.fixed, d.broken)),
            "" if smallest is None else f"{100 * smallest:.2f}",
        )
    table.caption = Text("±: what this test would detect (80 % power); p is corrected over preprocessors and parts")
    table.caption_justify = "left"
    return table


def _what(found: Difference) -> str:
    parts = [
        f"over {property_words(part)}" if key == OVER else f"{property_words(key)} {bin_words(key, part)}"
        for key, part in found.where.items()
    ]
    return " · ".join([metric(found.metric).short, *parts])


def _rows(found: Sequence[Difference]) -> Iterator[dict[str, Any]]:
    for d in found:
        yield {
            "preprocessor": d.preprocessor,
            "against": d.against,
            "metric": d.metric,
            "where": d.where,
            "n": d.n,
            **difference_columns(d),
        }
