"""Text files of a data set: read whole, with line numbers for the messages; written whole or not at all."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import DataError
from ..files import read_regular, write_whole


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, without its byte-order mark.

    Raises:
        DataError: there is no such file, it cannot be read, or it is not UTF-8 text.
    """
    try:
        text = read_regular(path).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise DataError(f"{path}: expected a text file, found a folder") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: expected UTF-8 text, found byte {error.object[error.start]:#04x}") from None
    if "\0" in text:
        raise DataError(
            f"{path}: expected UTF-8 text, found byte 0x00 on line {text[: text.index(chr(0))].count(chr(10)) + 1}"
        )
    return text


def read_csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Return the rows of a CSV, each with the number of the line on which it ends.

    Raises:
        DataError: as ``read_text``; or, while iterating, a field is longer than ``csv.field_size_limit()``.
    """
    rows = csv.reader(io.StringIO(read_text(path)))
    while True:
        try:
            fields = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(f"{path}: line {rows.line_num}: not a CSV: {error}; is a quote left open?") from None
        yield rows.line_num, fields


def whole_number(field: str) -> int | None:
    """Return the number from 1 to 999,999,999 that a field holds, or None."""
    return int(field) if re.fullmatch("[0-9]{1,9}", field) and int(field) else None


def read_lines(path: Path) -> list[tuple[int, str]]:
    """Return the lines that are not blank, each with its number (from 1).

    Raises:
        DataError: as ``read_text``.
    """
    return [(number, line) for number, line in enumerate(read_text(path).split("\n"), 1) if line.strip()]


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode())


def finite_number(field: str, where: str) -> float:
    """Return the number that a field of a table holds.

    Args:
        field: as it stands in the file.
        where: file, line and column, for the message.

    Raises:
        DataError: it is no number, or not a finite one.
    """
    try:
        value = float(field)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{where}: expected a finite number, found {field!r}")
    return value
