"""What a training says of itself: CSV to read and to keep, TensorBoard to look at."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from ..files import write_whole

LOG, VALIDATION = "log.csv", "validation.csv"


class Log:
    """Rows of two tables under a folder; on resuming, rows beyond the checkpoint's step are dropped.

    Args:
        folder: where ``log.csv``, ``validation.csv`` and ``tensorboard/`` are.
        step: steps done.
        keep: false on the ranks that write nothing.
    """

    def __init__(self, folder: Path, step: int, *, keep: bool = True) -> None:
        self._folder, self._keep = folder, keep
        if not keep:
            return
        with warnings.catch_warnings(action="ignore"):  # of its protobuf
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step or None)
        for name in (LOG, VALIDATION):
            _cut(folder / name, step)

    def __enter__(self) -> Log:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keep:
            self._board.close()

    def row(self, name: str, step: int, values: Mapping[str, Any]) -> None:
        """Append a row to a table, and its numbers to TensorBoard; a column that it lacks is left empty."""
        if not self._keep:
            return
        file = self._folder / name
        columns = _widened(file, ["step", *values])
        with file.open("a", encoding="utf-8", newline="") as stream:
            csv.DictWriter(stream, columns, lineterminator="\n").writerow({"step": step, **values})
        kind = name.removesuffix(".csv")
        for key, value in values.items():
            if isinstance(value, (int, float)):
                self._board.add_scalar(f"{kind}/{key}", value, step)


def _widened(file: Path, wanted: Sequence[str]) -> list[str]:
    """Return the columns of a table, after those of the wanted ones that it did not have were added to it."""
    file.touch()
    with file.open(encoding="utf-8", newline="") as stream:
        table = csv.DictReader(stream)
        before = list(table.fieldnames or ())
        columns = list(dict.fromkeys([*before, *wanted]))
        if columns != before:
            whole = csv.DictWriter(text := io.StringIO(newline=""), columns, lineterminator="\n")
            whole.writeheader()
            whole.writerows(table)
            write_whole(file, text.getvalue().encode())
    return columns


def _cut(file: Path, step: int) -> None:
    if not file.exists():
        return
    header, *rows = file.read_text("utf-8").splitlines(keepends=True) or [""]
    kept = [row for row in rows if row.endswith("\n") and int(row.partition(",")[0]) <= step]
    write_whole(file, ("".join([header, *kept]) if step else "").encode())
