"""Work done ahead by processes, through sockets: shared memory may be small, and a limit on files applies to it."""

from __future__ import annotations

import copyreg
import itertools
import multiprocessing
import pickle
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from typing import Any
from weakref import WeakSet

import cv2

from .errors import DataError, RecogRestoreError

# Seconds that a process has for what it is doing when it is no longer needed.
_GRACE = 5.0
# Answers kept for later, for each process.
_AHEAD = 4

# Bytes that are buffered on both ends of a socket.
_BUFFER = 1 << 20
# The parent's ends of all sockets, of which a forked process has copies: until they are closed, the other has no end.
_ENDS: WeakSet[socket.socket] = WeakSet()

Reducers = Mapping[type, Callable[[Any], tuple[Any, ...]]]


def computed(
    function: Callable[[Any], Any], tasks: Iterable[Any], workers: int, reducers: Reducers | None = None
) -> Iterator[Any]:
    """Return an iterator over ``function(task)`` for every task, in order, computed by processes that start now.

    A task whose process dies is given to a new one, once. A process whose parent dies ends itself.

    Args:
        function: must not depend on what it was called with before.
        workers: processes, at least 1.
        reducers: how types are pickled, as ``copyreg`` has it, where their own way is not wanted.

    Raises:
        DataError: a process cannot be started, or, while iterating, died twice of the same task.
        Exception: while iterating, what the function raised.
    """
    return _Pool(function, tasks, workers, reducers or {}).answers()


@contextmanager
def opencv_in_one_thread() -> Iterator[None]:
    """Within it, OpenCV has no threads of its own."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


class _Worker:
    """A process and the one task that it has, with the task's number."""

    def __init__(self, function: Callable[[Any], Any], reducers: Reducers) -> None:
        self.socket, theirs = socket.socketpair()
        _ENDS.add(self.socket)
        self._file = self.socket.makefile("rb", _BUFFER)
        self.number = -1
        self.task: Any = None
        context = multiprocessing.get_context()
        self.process = context.Process(target=_serve, args=(function, reducers, theirs), daemon=True)
        try:
            # A process that inherits a pool of OpenCV's threads, which do not survive a fork, waits for ever.
            with theirs, opencv_in_one_thread():
                self.process.start()
        except BaseException:
            self._close()
            raise

    @property
    def busy(self) -> bool:
        return self.number >= 0

    def give(self, number: int, task: Any) -> None:
        self.number, self.task = number, task
        with suppress(OSError):  # it is dead, which is noticed when its answer is awaited
            self.socket.sendall(pickle.dumps(task))

    def answer(self) -> tuple[Any, Exception | None]:
        answer: tuple[Any, Exception | None] = pickle.load(self._file)
        return answer

    def stop(self) -> None:
        self._close()
        self.process.join(_GRACE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def _close(self) -> None:
        _ENDS.discard(self.socket)
        self._file.close()
        self.socket.close()


class _Pool:
    """Processes, the tasks that wait, and the answers that wait for those before them."""

    def __init__(self, function: Callable[[Any], Any], tasks: Iterable[Any], workers: int, reducers: Reducers) -> None:
        self._function, self._reducers, self._most = function, reducers, _AHEAD * workers
        self._tasks = enumerate(tasks)
        self._answers: dict[int, tuple[Any, Exception | None]] = {}
        self._repeated: set[int] = set()
        self._workers: list[_Worker] = []
        try:
            for _ in range(workers):
                self._workers.append(self._started())
                self._employ(self._workers[-1])
        except BaseException:
            self._stop()
            raise

    def answers(self) -> Iterator[Any]:
        try:
            for number in itertools.count():
                while True:
                    busy = {worker.socket: worker for worker in self._workers if worker.busy}
                    there = number in self._answers
                    if not there and not busy:
                        return
                    for ready in wait(list(busy), 0 if there else None):
                        self._receive(busy[ready])  # type: ignore[index]
                    for worker in self._workers:
                        self._employ(worker)
                    if there:
                        break
                answer, error = self._answers.pop(number)
                if error is not None:
                    raise error
                yield answer
        finally:
            self._stop()

    def _started(self) -> _Worker:
        try:
            return _Worker(self._function, self._reducers)
        except OSError as error:
            raise DataError(f"no further process can be started: {error.strerror}; try fewer --workers") from None

    def _stop(self) -> None:
        for worker in self._workers:
            worker.stop()

    def _employ(self, worker: _Worker) -> None:
        if not worker.busy and len(self._answers) < self._most and (task := next(self._tasks, None)) is not None:
            worker.give(*task)

    def _receive(self, worker: _Worker) -> None:
        try:
            self._answers[worker.number] = worker.answer()
            worker.number = -1
        except (EOFError, OSError, pickle.UnpicklingError):
            self._replace(worker)

    def _replace(self, dead: _Worker) -> None:
        dead.stop()
        if dead.number in self._repeated:
            code = dead.process.exitcode or 0
            how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            raise DataError(
                f"a process that reads or renders photos died twice ({how}); is memory short? Try fewer --workers"
            )
        self._repeated.add(dead.number)
        new = self._workers[self._workers.index(dead)] = self._started()
        new.give(dead.number, dead.task)


def _serve(function: Callable[[Any], Any], reducers: Reducers, parents: socket.socket) -> None:
    """Answer until the parent closes the socket or dies; an interrupt is left to the parent."""
    for ignored in ("SIGINT", "SIGHUP"):
        if hasattr(signal, ignored):
            signal.signal(getattr(signal, ignored), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # temporary files are removed
    for end in list(_ENDS):
        socket.close(end.detach())
    parent = multiprocessing.parent_process()
    assert parent is not None
    with suppress(EOFError, OSError), parents, parents.makefile("rwb", _BUFFER) as file:
        pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = {**copyreg.dispatch_table, **reducers}
        while parents in wait([parents, parent.sentinel]):
            pickler.dump(_answer(function, pickle.load(file)))
            pickler.clear_memo()
            file.flush()


def _answer(function: Callable[[Any], Any], task: Any) -> tuple[Any, Exception | None]:
    """Return what the function returned and what it raised."""
    try:
        return function(task), None
    except RecogRestoreError as error:
        return None, error
    except Exception as error:
        trace = traceback.format_exc()
        try:
            error.add_note(trace)
            pickle.loads(pickle.dumps(error))
            return None, error
        except Exception:
            return None, RuntimeError(trace)
