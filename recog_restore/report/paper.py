"""A paper's table in the paper's form: what it reports, and below each row what results measure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Annotated, Literal

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..errors import RecordError, ResourceMissing
from ..records import Range, build, nearest, read_toml
from ..resources import folder
from ..results import BASELINE, Result
from .wording import ABSENT, note, protocol, unique, visible

# Places of a number such as 12.34.
_NUMBER = 5

_DATA = {"synthpie": "SynthPIE"}  # as they are written, where not as they are named


@dataclass(frozen=True)
class Condition:
    """What is measured: a metric of a protocol, in a part of its data; a protocol that nobody has here is empty."""

    name: str
    protocol: str = ""
    metric: str = ""
    where: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Method:
    """What it is measured of.

    Attributes:
        name: as the paper has it.
        reported: of each condition, in percent; ``nan`` where the paper has none.
        preprocessors: what stands after ``--pre`` here, ``none`` for the baseline; of several, the first that has a
            number. A folder's last name counts: ``card:runs/train-x/x`` is ``x``. Without any, the method is not here.
        embedder: a part of the recognizer's name; empty: any.
    """

    name: str
    reported: tuple[Annotated[float, Range(nan=True)], ...]
    preprocessors: tuple[str, ...] = ()
    embedder: str = ""


@dataclass(frozen=True)
class PaperTable:
    """A table of a paper.

    Attributes:
        title, source: of the table.
        columns: what stands in them; the others stand in the rows.
        note: what the table does not say of itself, or what is added to it here.
    """

    title: str
    source: str
    columns: Literal["conditions", "methods"]
    conditions: tuple[Condition, ...]
    methods: tuple[Method, ...]
    note: str = ""

    def __post_init__(self) -> None:
        for method in self.methods:
            if len(method.reported) != len(self.conditions):
                raise RecordError(
                    f"methods: {method.name} has {len(method.reported)} reported numbers; expected "
                    f"{len(self.conditions)}, one for each condition"
                )


@dataclass(frozen=True)
class Found:
    """A number of a result: a rate in 0…1, None where it is undefined."""

    value: float | None
    preprocessor: str
    result: Result


Cell = tuple[float, Found | None]


def known() -> list[str]:
    """Return the names of the tables that come with the package."""
    return sorted(entry.name.removesuffix(".toml") for entry in (folder("reports") / "papers").iterdir())


def load(name: str) -> PaperTable:
    """Return a table by name.

    Raises:
        ResourceMissing: there is no such table; the message has the nearest one.
        RecordError: a key or value in its file is not right.
    """
    if name not in known():
        raise ResourceMissing(f"no paper's table named {name!r}; {nearest(name, known())}")
    file = folder("reports") / "papers" / f"{name}.toml"
    return build(PaperTable, read_toml(file), str(file))


def cells(table: PaperTable, results: Sequence[Result]) -> list[list[Cell]]:
    """Return of each method, for each condition, what is reported and what is measured.

    Raises:
        RecordError: several results have the same number, or none has any.
    """
    found = [
        [
            (number, _found(results, method, condition))
            for number, condition in zip(method.reported, table.conditions, strict=True)
        ]
        for method in table.methods
    ]
    if not any(measured for row in found for _, measured in row):
        wanted = unique(
            f"--pre {name}" for method in table.methods for name in method.preprocessors if name != BASELINE
        )
        protocols = unique(condition.protocol for condition in table.conditions if condition.protocol)
        raise RecordError(
            f"none of the results has a number of this table; expected runs of {', '.join(protocols)} with "
            f"{', '.join(wanted)}; got {'; '.join(map(_given, results))}"
        )
    return found


def terminal(table: PaperTable, results: Sequence[Result]) -> RenderableType:
    """Return the table as the terminal shows it: rows ``reported`` and ``measured``, in percent.

    Raises:
        RecordError: see ``cells``.
    """
    found = cells(table, results)
    columns: Sequence[Method | Condition] = table.conditions
    rows: Sequence[Method | Condition] = table.methods
    grid = found
    if table.columns == "methods":
        columns, rows, grid = rows, columns, [list(row) for row in zip(*found, strict=True)]
    shown = Table(title=Text(table.title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    shown.add_column("", overflow="fold")
    shown.add_column("", no_wrap=True)
    for column in columns:
        shown.add_column(Text(column.name), justify="right", overflow="fold", min_width=_NUMBER)
    for heading, row in zip(rows, grid, strict=True):
        lines = [("reported", [_percent(number) for number, _ in row])] if _any_reported(row) else []
        lines += [("measured", [_measured(cell) for _, cell in row])] if _any_measured(row) else []
        for place, (label, texts) in enumerate(lines):
            style = "bold" if label == "measured" else ""
            shown.add_row("" if place else heading.name, label, *(Text(text, style) for text in texts))
    return Group(shown, *(Text(visible(line)) for line in _notes(table, found)))


def _found(results: Sequence[Result], method: Method, condition: Condition) -> Found | None:
    """Return the number of the first of the method's preprocessors that has one."""
    for name in method.preprocessors:
        found = [
            Found(value.value, value.preprocessor, result)
            for result in results
            if protocol(result).partition("@")[0] == condition.protocol and method.embedder in _embedder(result).lower()
            for value in result.values
            if (value.metric, value.where) == (condition.metric, condition.where)
            and _called(value.preprocessor) == name
        ]
        if len({entry.value for entry in found}) > 1:
            who = unique(
                f"{_measured(entry)} by {_embedder(entry.result)} with {entry.preprocessor}" for entry in found
            )
            raise RecordError(
                f"{method.name} at {condition.name}: the results have different numbers ({'; '.join(who)}); "
                "expected one: leave out the others"
            )
        if found:
            return found[0]
    return None


def _given(result: Result) -> str:
    """Return what a result measures, and on what part of the data."""
    tried = unique(_called(value.preprocessor) for value in result.values)
    metrics = unique(value.metric for value in result.values)
    partial = f", {result.data['partial']}" if result.data.get("partial") else ""
    return visible(f"{protocol(result)} of {', '.join(tried)} ({', '.join(metrics)}){partial}")


def _called(preprocessor: str) -> str:
    """Return the name without the way to its folder, link by link of a chain."""
    links = (PurePath(link.removeprefix("card:")).name for link in preprocessor.split("+"))
    return "+".join(links)


def _any_reported(row: Sequence[Cell]) -> bool:
    return not all(math.isnan(number) for number, _ in row)


def _any_measured(row: Sequence[Cell]) -> bool:
    return any(found for _, found in row)


def _percent(number: float) -> str:
    return ABSENT if math.isnan(number) else f"{number:.2f}"


def _measured(found: Found | None) -> str:
    return ABSENT if found is None or found.value is None else f"{100 * found.value:.2f}"


def _notes(table: PaperTable, found: Sequence[Sequence[Cell]]) -> list[str]:
    """Return what stands below: where the numbers come from, and what was measured on what."""
    lines = [f"reported: {table.source}"] + ([table.note] if table.note else [])
    measured = [cell for row in found for _, cell in row if cell is not None]
    for result in {id(cell.result): cell.result for cell in measured}.values():
        data = str(result.data.get("dataset", ""))
        partial = "a partial run" if result.data.get("partial") else ""
        parts = (f"{protocol(result)} with {_embedder(result)}", partial, note(result))
        lines.append(f"measured on {_DATA.get(data, data)}: {'; '.join(filter(None, parts))}")
        lines += result.warnings
    ours = [
        f"{method.name} is {name}"
        for method, row in zip(table.methods, found, strict=True)
        for name in unique(cell.preprocessor for _, cell in row if cell is not None)
        if name != BASELINE
    ]
    return [*unique(lines), *([f"here, {', '.join(ours)}"] if ours else [])]


def _embedder(result: Result) -> str:
    return str(result.embedder.get("name", ""))
