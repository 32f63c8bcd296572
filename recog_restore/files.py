"""Files that are read only if they are regular files, and written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import uuid
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path, PureWindowsPath
from typing import BinaryIO

from .errors import DataError

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

# The longest file that is read at once, in bytes: IJB-C's list of comparisons has 0.3 GB, large networks have 2 GB.
LARGEST = 1 << 34
# The longest card, recipe or other text that a person writes.
LARGEST_TEXT = 1 << 24
_PIECE = 1 << 20  # bytes read at once

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_regular(path: Path | Traversable, limit: int = LARGEST) -> BinaryIO:
    """Open a regular file for reading, without waiting for a writer as a FIFO would make it.

    Args:
        path: the file; links are followed.
        limit: in bytes.

    Raises:
        OSError: it cannot be opened, is no regular file, or is longer than the limit.
    """
    try:
        handle = os.open(str(path), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError as error:  # a null byte
        raise OSError(errno.EINVAL, f"not a file name: {error}", str(path)) from None
    try:
        _check(os.fstat(handle), path, limit)
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def read_regular(path: Path | Traversable, limit: int = LARGEST) -> bytes:
    """Return the content of a regular file.

    Raises:
        OSError: as ``open_regular``.
    """
    content = bytearray()
    with open_regular(path, limit) as file:
        # read(limit) would allocate as many bytes at once.
        while len(content) <= limit and (piece := file.read(min(_PIECE, limit + 1 - len(content)))):
            content += piece
    if len(content) > limit:  # files under /proc have no length
        raise _too_long(path, len(content), limit)
    return bytes(content)


def require_regular(path: Path | Traversable, limit: int = LARGEST) -> None:
    """Raise what ``open_regular`` would, for libraries that open a path themselves.

    Raises:
        OSError: as ``open_regular``.
    """
    open_regular(path, limit).close()


def _check(status: os.stat_result, path: Path | Traversable, limit: int) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFDIR:
        raise IsADirectoryError(errno.EISDIR, "expected a file, found a folder", str(path))
    if kind != stat.S_IFREG:
        raise OSError(errno.EINVAL, f"expected a regular file, found {_KINDS.get(kind, 'something else')}", str(path))
    if status.st_size > limit:
        raise _too_long(path, status.st_size, limit)


def _too_long(path: Path | Traversable, length: int, limit: int) -> OSError:
    return OSError(errno.EFBIG, f"expected at most {limit:,} bytes, found {length:,}", str(path))


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a folder for this process, and make it if need be; the lock of a process that is killed ends with it.

    Raises:
        DataError: another process has it.
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / ".lock"
    file = _locked(place)
    while not _is_at(file, place):  # its owner has just removed it
        file.close()
        file = _locked(place)
    with file:
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        file.flush()
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                place.unlink()


def _locked(place: Path) -> BinaryIO:
    try:
        file = place.open("a+b")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(place.parent)) from None
    try:
        if fcntl is not None:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):  # other errors: the file system has no locks
            with file:
                file.seek(0)
                owner = file.read(20).decode("ascii", "replace")
            raise DataError(
                f"{place.parent}: process {owner} is writing to it; wait until it has ended, or name another folder"
            ) from None
    return file


def _is_at(file: BinaryIO, place: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), place.stat())
    except FileNotFoundError:
        return False


def is_inside(name: str) -> bool:
    """Return whether a relative path leads to no place outside the folder that it is looked up in, links apart."""
    path = PureWindowsPath(name)  # which knows the separators of all systems
    return bool(path.parts) and not path.anchor and ".." not in path.parts


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under a temporary name and rename it; it is as readable as the umask says.

    Raises:
        OSError: it cannot be written; what was there before is still there.
    """
    temporary = path.with_name(f".{path.name[:40]}.{uuid.uuid4().hex}")  # names may have 255 bytes
    try:
        with temporary.open("xb") as file:
            file.write(data)
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
