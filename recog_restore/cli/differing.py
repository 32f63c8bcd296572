"""What ``rr-report diff`` does once its options are parsed: read, subtract, print, judge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..engine.differences import all_differences, bootstrap
from ..engine.kept import Kept
from ..engine.kept import read as read_kept
from ..errors import RecordError, ResultError
from ..report import diff, limits
from ..report.comparison import differing
from ..results import BASELINE, Difference, Result, read
from .terminal import say, show


def run(
    before: Path, after: Path, pre: str | None, against: str | None, gates: Sequence[str], form: str | None
) -> bool:
    """Print what changed from one run to another, and return whether every limit was kept.

    Raises:
        ResultError: a run cannot be read, or they did not make the same comparisons.
        RecordError, UnknownName: an option names what is not there.
    """
    asked = [limits.limit(text) for text in gates]
    results = read(before), read(after)
    _check((before, after), results)
    old, new = (_kept(path, result) for path, result in zip((before, after), results, strict=True))
    found = _subtracted(old, new, pre, against)
    findings = limits.check(asked, found)
    if form is None:
        say(_heading(results))
    for sentence in differing(results):
        say(f"note: {sentence}", err=form is not None)
    if form is None:
        for table in diff.tables(found):
            show(table)
    else:
        say({"csv": diff.csv, "json": diff.json}[form](found), nl=False)
    for finding in findings:
        say(f"{'kept' if finding.kept else 'NOT KEPT'}: {finding.words}", err=form is not None)
    return all(finding.kept for finding in findings)


def _check(paths: tuple[Path, Path], results: tuple[Result, Result]) -> None:
    """Raise ResultError, in words, where the runs are of two protocols or of two parts of one."""
    (before, after), protocols = paths, [result.protocol.get("id") for result in results]
    if protocols[0] != protocols[1]:
        raise ResultError(
            f"{before} is of {protocols[0]}, {after} of {protocols[1]}; only runs of one can be subtracted"
        )
    parts = [result.data.get("partial") or "all of it" for result in results]
    if parts[0] != parts[1]:
        raise ResultError(
            f"{before} holds {parts[0]}, {after} {parts[1]}; only runs of the same comparisons can be subtracted"
        )


def _kept(path: Path, result: Result) -> Kept:
    found = read_kept(path)
    if found.fingerprint != result.data.get("fingerprint"):
        raise ResultError(f"{path}: its comparisons are those of another run than its result; run rr-eval again")
    return found


def _subtracted(old: Kept, new: Kept, pre: str | None, against: str | None) -> list[Difference]:
    if against is not None and pre is None:
        raise RecordError(f"--against {against}: say with --pre NAME what of the second run is compared with it")
    names = [name for name in new.preprocessors if name in old.preprocessors] if pre is None else [pre]
    if pre is None and names == [BASELINE] and len(old.preprocessors) > 1 and len(new.preprocessors) > 1:
        theirs = " and ".join(", ".join(map(repr, run.preprocessors[1:])) for run in (old, new))
        raise RecordError(f"the runs have no preprocessor in common ({theirs}); say --pre NAME --against NAME")
    draws = bootstrap(old)
    return all_differences([((old, against or name), (new, name)) for name in names], draws)


def _heading(results: tuple[Result, Result]) -> str:
    names = [str(result.embedder.get("name", "")) for result in results]
    recognizer = names[0] if names[0] == names[1] else " → ".join(names)
    return f"{results[0].protocol.get('id', '')} · {recognizer}"
