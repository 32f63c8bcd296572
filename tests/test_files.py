from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from recog_restore.errors import DataError
from recog_restore.files import locked, open_regular, read_regular, require_regular, write_whole


def test_regular_files_and_links_to_them_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "link").symlink_to("a")
    for name in ("a", "link"):
        assert read_regular(tmp_path / name) == b"content"
        require_regular(tmp_path / name)


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
    for name, reason in {
        tmp_path / "fifo": "found a FIFO",
        tmp_path / "folder": "found a folder",
        tmp_path / "loop": "symbolic links",
        tmp_path / "socket": "No such device",
        Path("/dev/zero"): "found a device",
        tmp_path / "absent": "No such file",
        tmp_path / "a\0b": "not a file name",
    }.items():
        with pytest.raises(OSError, match=reason):
            open_regular(name)


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_regular(tmp_path / "a", 5) == b"12345"
    assert read_regular(tmp_path / "a", 1 << 60) == b"12345"  # which is not the memory that it takes
    with pytest.raises(OSError, match="expected at most 4 bytes, found 5"):
        read_regular(tmp_path / "a", 4)
    with pytest.raises(OSError, match="expected at most 4 bytes"):
        read_regular(Path("/proc/self/status"), 4)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_whole(file, b"one, and longer")
    write_whole(file, b"two")
    assert file.read_bytes() == b"two"
    assert os.listdir(file.parent) == ["a.txt"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_files_honour_the_umask(umask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "a.txt", b"content")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == mode


def test_a_name_of_255_bytes_is_written(tmp_path: Path) -> None:
    write_whole(tmp_path / ("ü" * 127 + "a"), b"content")
    assert (tmp_path / ("ü" * 127 + "a")).read_bytes() == b"content"


OTHER = """
import sys
from pathlib import Path
from recog_restore.files import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_kept_for_one_process_until_it_ends(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "here"
    command = [sys.executable, "-c", OTHER, str(folder)]
    for end in (subprocess.Popen.kill, lambda other: other.communicate(b"")):
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == b"locked\n"
            with (
                pytest.raises(DataError, match=f"{folder}: process {other.pid} is writing to it; wait"),
                locked(folder),
            ):
                pass
            end(other)
            other.wait()
            with locked(folder):
                assert (folder / ".lock").read_text() == str(os.getpid())
            assert os.listdir(folder) == []


def test_what_was_there_stays_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("recog_restore.files.os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, b"after")
    assert file.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["a.txt"]
