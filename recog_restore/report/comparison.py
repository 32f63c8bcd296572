"""Runs side by side, a table for each protocol: numbers of different protocols never share one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..results import Result
from . import bins
from .configuration import flat
from .figures import Figure, run_series
from .grid import Row, side_by_side
from .run import Run, plots
from .wording import note, protocol, unique


@dataclass(frozen=True)
class Comparison:
    """Runs of one protocol side by side: notes on what differs besides, the tables, and the curves in one plot."""

    protocol: str
    title: str
    note: str
    runs: tuple[Run, ...]
    notes: tuple[str, ...]
    metrics: tuple[tuple[str, tuple[Row, ...]], ...]
    bins: tuple[bins.Table, ...]
    plots: tuple[Figure, ...]


def compare(runs: Sequence[Run], points: int) -> tuple[Comparison, ...]:
    """Return one comparison per protocol, in the order of the runs; curves of at most so many points."""
    comparisons = []
    for name in unique(protocol(run.result) for run in runs):
        same = [(i, run) for i, run in enumerate(runs) if protocol(run.result) == name]
        lines = [(run_series(i, run.preprocessors), run.result) for i, run in same]
        results = tuple(run.result for _, run in same)
        comparisons.append(
            Comparison(
                protocol=name,
                title=str(results[0].protocol.get("title", "")),
                note=" · ".join(unique(filter(None, map(note, results)))),
                runs=tuple(run for _, run in same),
                notes=differing(results),
                metrics=side_by_side(results),
                bins=bins.tables(results, [run.label for _, run in same]),
                plots=plots(lines, points) if len(same) > 1 else (),
            )
        )
    return tuple(comparisons)


def differing(results: Sequence[Result]) -> tuple[str, ...]:
    """Return what else than embedder and preprocessors differs between runs of one protocol, in words."""
    notes = []
    if _differ(result.data.get("fingerprint") for result in results):
        notes.append("The runs are not on the same data: their fingerprints differ.")
    if _differ(result.data.get("partial") or "" for result in results):
        notes.append("The runs do not use the same part of the data: at least one is partial.")
    settings = [dict(flat(result.protocol.get("settings", {}))) for result in results]
    keys = [key for key in unique(k for s in settings for k in s) if _differ(s.get(key) for s in settings)]
    if _differ((result.settings.get("search") or {}).get("exact", True) for result in results):
        notes.append("Not every run searches the whole gallery: at least one search is approximate.")
    if keys:
        notes.append(f"Settings of the protocol differ: {', '.join(keys)}.")
    return tuple(notes)


def _differ(entries: Iterable[object]) -> bool:
    return len(set(map(str, entries))) > 1
