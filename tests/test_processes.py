from __future__ import annotations

import os
import signal
import subprocess
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

import cv2
import pytest

from recog_restore import processes
from recog_restore.errors import DataError, UnknownName
from recog_restore.processes import computed


def doubled(number: int) -> int:
    """Double a number; of some of them something else comes."""
    if number == 1:
        raise DataError("one is not a photo")
    if number == 2:
        raise UnknownName("two is nobody's name")
    if number == 3:
        raise RuntimeError("a mistake in a worker")
    if number == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 5:
        os._exit(1)
    return 2 * number


def test_answers_come_in_order_and_an_error_after_those_before_it() -> None:
    threads = cv2.getNumThreads()
    coming = computed(doubled, [9, 8, 7, 1], 2)
    assert cv2.getNumThreads() == threads
    assert [next(coming) for _ in range(3)] == [18, 16, 14]
    with pytest.raises(DataError, match=r"^one is not a photo$"):
        next(coming)
    with pytest.raises(UnknownName, match=r"^two is nobody's name$"):
        list(computed(doubled, [2], 1))


def test_a_mistake_is_no_dead_process_and_says_where_it_was_made() -> None:
    with pytest.raises(RuntimeError, match="a mistake in a worker") as caught:
        list(computed(doubled, [3], 1))
    assert "in doubled" in caught.value.__notes__[0]


def test_processes_that_are_not_needed_end_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BaseProcess, "kill", lambda process: pytest.fail(f"{process} had to be killed"))
    coming = [computed(doubled, range(10, 60), 2) for _ in range(2)]
    assert [next(each) for each in coming] == [20, 20]
    coming[0].close()
    coming[1].close()


def test_more_tasks_than_are_computed_ahead() -> None:
    assert list(computed(doubled, range(10, 60), 2)) == [2 * number for number in range(10, 60)]
    assert list(computed(doubled, [], 2)) == []


def interrupted_and_large(name: str) -> bytes:
    """Interrupt the process itself, and answer with more than a socket holds."""
    os.kill(os.getpid(), signal.SIGINT)
    return name.encode() * 1_000_000


def test_an_interrupt_is_left_to_the_parent_and_answers_may_be_large() -> None:
    assert list(computed(interrupted_and_large, ["a", "b", "c"], 2)) == [b"a" * 10**6, b"b" * 10**6, b"c" * 10**6]


def killed_the_first_time(mark: Path) -> str:
    """Die unless a file is there, which is made before."""
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return mark.name


def test_a_process_that_dies_is_started_again(tmp_path: Path) -> None:
    names = ["a", "b", "c", "d"]
    assert list(computed(killed_the_first_time, [tmp_path / name for name in names], 2)) == names


@pytest.mark.parametrize(("number", "how"), [(4, "killed by SIGKILL"), (5, "exit code 1")])
def test_a_task_whose_process_dies_twice_ends_the_run(number: int, how: str) -> None:
    expected = rf"a process that reads or renders photos died twice \({how}\); is memory short\? Try fewer --workers"
    with pytest.raises(DataError, match=expected):
        list(computed(doubled, [8, number, 9], 2))


def test_a_process_that_cannot_be_started_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(BaseProcess, "start", full)
    with pytest.raises(DataError, match="no further process can be started: Resource temporarily.* fewer --workers"):
        computed(doubled, [8], 1)


def test_no_socket_is_left_open_where_a_process_cannot_have_its_function(monkeypatch: pytest.MonkeyPatch) -> None:
    def unpicklable(_: object) -> None:
        raise TypeError("cannot pickle")

    left = len(processes._ENDS)
    monkeypatch.setattr(BaseProcess, "start", unpicklable)
    with pytest.raises(TypeError, match="cannot pickle"):
        computed(doubled, [8], 1)
    assert len(processes._ENDS) == left


PARENT = """
import os, signal, sys
from recog_restore.processes import computed

def number(_):
    return os.getpid()

coming = computed(number, range(100), 2)
print(next(coming), next(coming), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_whose_parent_dies_end() -> None:
    # The workers hold the output open: the end of the output is their end.
    done = subprocess.run([sys.executable, "-c", PARENT], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(done.stdout.split()) == 2
