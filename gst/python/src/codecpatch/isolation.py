# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads in worker processes, so that a source that crashes or hangs affects only its own result."""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import functools
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import _options, _sources, _tensors
from ._channel import Channel, Closed
from .clip import Clip
from .errors import CodecPatchError, ErrorCode
from .session import check_framework, checked_options, warn

_START_LIMIT = 120.0  # seconds, far more than the start of Python needs
_LEAVE_LIMIT = 5.0  # seconds for a process to end after its last request
_GRACE = 2.0  # seconds for a worker to report a timeout of its session

_PROGRAM = "import json, sys; sys.path[:] = json.loads(sys.argv.pop()); from codecpatch._spawner import main; main()"
"""Not ``python -m``, because the package must be the one that is loaded here. Not multiprocessing, because it runs the
main module again."""


class Reader:
    """Reads sources, in one worker process for each thread that calls :meth:`read` or :meth:`read_all`."""

    def __init__(self, memory_limit: int | None) -> None:
        self._spawner = _Spawner(memory_limit)
        self._lock = threading.Lock()
        self._stopped = False
        self._workers: set[_Worker] = set()
        self._mine = threading.local()

    def read(self, source: Any, options: Mapping[str, Any]) -> Clip:
        task, data, timeout = self._task(source, options, None)
        clip = _clip_in(*self._ask({**task, "all": False}, data, timeout))
        assert clip is not None
        return clip

    def read_all(self, source: Any, options: Mapping[str, Any], number: int) -> Iterator[Clip]:
        """Yields all clips. The worker reads the next one when it is asked for. `number`: for the name of bytes."""
        task, data, timeout = self._task(source, options, number)
        answer, file = self._ask({**task, "all": True}, data, timeout)
        worker = self._mine.worker
        try:
            while (clip := _clip_in(answer, file)) is not None:
                yield clip
                del clip  # not kept during the wait for the next one
                answer, file = self._answer(worker, task["name"], timeout, worker.ask_next)
        finally:
            if "clip" in answer:  # not the last answer: the worker waits to be asked for a clip, not for a task
                self._drop(worker)

    def _task(
        self, source: Any, options: Mapping[str, Any], number: int | None
    ) -> tuple[dict[str, Any], bytes, float | None]:
        """Returns what a worker needs to read a source: the task, the data of bytes, and the option ``timeout``."""
        checked = checked_options(**options)
        opener = _sources.opener_of(source, False, number)
        if not opener.kind:
            raise TypeError("another process cannot read a file object: give its path or its bytes, or leave out isolate")
        data = opener.copy() if isinstance(opener, _sources.Bytes) else b""
        check_framework(checked)
        task = {
            "kind": opener.kind,
            "name": opener.name,
            "folder": os.getcwd(),
            "options": _options.texts_of(checked),
        }
        return task, data, checked.get("timeout")

    def stop(self) -> None:
        """Ends all workers at once, including busy ones."""
        with self._lock:
            self._stopped = True
            for worker in self._workers:
                worker.kill()

    def end(self) -> None:
        """Waits for the workers. Call once no thread uses them."""
        for worker in self._workers:
            worker.end()
        self._spawner.end()

    def _ask(self, task: Mapping[str, Any], data: bytes, timeout: float | None) -> tuple[Any, int | None]:
        worker = self._worker()
        answer, file = self._answer(worker, task["name"], timeout, lambda limit: worker.ask(task, data, limit))
        if "leaving" in answer:
            self._drop(worker)
            return self._ask(task, data, timeout)
        return answer, file

    def _answer(
        self, worker: _Worker, name: str, timeout: float | None, ask: Callable[[float | None], tuple[Any, int | None]]
    ) -> tuple[Any, int | None]:
        """Returns what `ask` does. Raises if the worker dies or does not answer."""
        # The session in the worker enforces the timeouts of opening and of the clip. This limit applies if the worker
        # hangs.
        limit = timeout + _GRACE if timeout else None
        try:
            return ask(limit)
        except Closed:
            raise CodecPatchError(
                f"{name}: The process that read it has died: {self._drop(worker)}.", name, ErrorCode.CRASHED
            ) from None
        except TimeoutError:
            self._drop(worker)
            raise CodecPatchError(
                f"{name}: The process that read it did not answer within {limit:g} seconds; timeout sets how long a "
                "source may take.",
                name,
                ErrorCode.TIMEOUT,
            ) from None

    def _worker(self) -> _Worker:
        """Returns the worker of this thread. Starts one at the first call, and if the previous one has died."""
        worker = getattr(self._mine, "worker", None)
        if worker is not None and worker.is_alive():
            return worker
        if worker is not None:
            self._drop(worker)
        worker = _Worker(self._spawner)
        with self._lock:
            self._workers.add(worker)
            if self._stopped:
                worker.kill()
        self._mine.worker = worker
        if not worker.is_ready():
            raise _no_start(self._drop(worker))
        return worker

    def _drop(self, worker: _Worker) -> str:
        """Ends a worker. Returns how it has ended, in words."""
        self._mine.worker = None
        with self._lock:
            self._workers.discard(worker)
        return worker.end()


class _Spawner:
    """A process that forks workers. Started with the first worker, and again if it has died."""

    def __init__(self, memory_limit: int | None) -> None:
        self._memory_limit = memory_limit
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None

    def fork(self, end: socket.socket) -> int:
        """Forks a worker that gets this end of a socket. Returns its process id."""
        with self._lock:
            if self._channel is not None:
                with contextlib.suppress(Closed, TimeoutError):
                    return self._ask("fork", end.fileno())
                self._drop()
            try:
                self._start()
                return self._ask("fork", end.fileno())
            except (Closed, TimeoutError):
                raise _no_start(_ending_of(self._drop())) from None

    def wait(self, worker: int) -> int | None:
        """Ends a worker. Returns its exit code, negative for signals; None if it has died with the spawner."""
        with self._lock:
            with contextlib.suppress(Closed, TimeoutError):
                return self._ask(worker)
            self._drop()
            return None

    def end(self) -> None:
        with self._lock:
            self._drop()

    def _ask(self, request: Any, file: int | None = None) -> int:
        if self._channel is None:
            raise Closed
        self._channel.send(request, file=file)
        answer, _, _ = self._channel.receive()
        return answer

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        limit = str(self._memory_limit or 0)
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    *subprocess._args_from_interpreter_flags(),
                    *("-c", _PROGRAM, str(theirs.fileno()), str(os.getpid()), limit, json.dumps(sys.path)),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # because only the parent handles Ctrl-C in a terminal
            )
        self._channel = Channel(ours)
        self._channel.set_timeout(_START_LIMIT)
        self._channel.receive()  # it has started

    def _drop(self) -> int | None:
        """Ends the process, if any, and returns its exit code. The process ends by itself once its socket is closed."""
        if self._channel is None:
            return None
        self._channel.close()
        self._channel = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(_LEAVE_LIMIT)
        self._process.kill()
        return self._process.wait()


class _Worker:
    """A process that reads one source at a time."""

    def __init__(self, spawner: _Spawner) -> None:
        self._spawner = spawner
        self._lock = threading.Lock()
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        with theirs:
            self._process: int | None = spawner.fork(theirs)

    def is_ready(self) -> bool:
        """Waits until the process has started. False if it does not start."""
        self._channel.set_timeout(_START_LIMIT)
        try:
            self._channel.receive()
        except (Closed, TimeoutError):
            return False
        return True

    def ask(self, task: Mapping[str, Any], data: bytes, limit: float | None) -> tuple[Any, int | None]:
        """Returns the result of the task. The limit applies to each step: opening, and the clip."""
        self._channel.set_timeout(limit)
        self._channel.send(task, data)
        answer, _, file = self._channel.receive()
        if "opened" in answer:
            answer, _, file = self._channel.receive()
        return answer, file

    def ask_next(self, limit: float | None) -> tuple[Any, int | None]:
        """Returns the next clip of a task that asks for all, or another result."""
        self._channel.set_timeout(limit)
        self._channel.send("next")
        answer, _, file = self._channel.receive()
        return answer, file

    def is_alive(self) -> bool:
        return self._channel.is_open()

    def kill(self) -> None:
        with self._lock:
            if self._process is not None:  # its id stays valid, because it is a zombie until it is waited for
                with contextlib.suppress(ProcessLookupError):  # its parent has died
                    os.kill(self._process, signal.SIGKILL)

    def end(self) -> str:
        """Kills the process if it has not ended. Returns how it has ended, in words."""
        self._channel.close()
        with self._lock:
            code = None if self._process is None else self._spawner.wait(self._process)
            self._process = None
        return _ending_of(code)


def _no_start(ending: str) -> CodecPatchError:
    text = f"A process to read in does not start: {ending}. What it has printed says why."
    return CodecPatchError(text, code=ErrorCode.SETUP)


def _ending_of(code: int | None) -> str:
    """Returns how a process has ended, in words, by its exit code; None if the code is unknown."""
    if code is None:
        return "together with the process that starts them"
    if code >= 0:
        return f"exit code {code}"
    return f"killed by signal {-code} ({_signal_name(-code)})"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


def _error_of(described: Mapping[str, Any]) -> Exception:
    """Returns the exception that a worker has described."""
    if described["type"] == "CodecPatchError":
        return CodecPatchError(described["text"], described["path"], described["code"])
    kind = getattr(builtins, described["type"], None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        with contextlib.suppress(TypeError):  # because some exceptions need more arguments
            return kind(described["text"])
    return RuntimeError(f"{described['type']}: {described['text']}")


def _clip_in(answer: Mapping[str, Any], file: int | None) -> Clip | None:
    """Returns the clip in an answer of a worker; None if it says that no clip is left. Raises the error in it."""
    try:
        for message in answer["warnings"]:
            warn(message)
        if "error" in answer:
            raise _error_of(answer["error"])
        return None if file is None else _clip_of(answer["clip"], file)
    finally:
        if file is not None:
            os.close(file)


@functools.cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype, libc.munmap.restype = ctypes.c_void_p, ctypes.c_int
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return libc


def _mapped(file: int, size: int) -> memoryview:
    """Returns the contents of a file in memory. An mmap.mmap would keep a file descriptor, of which there are few."""
    libc = _libc()
    address = libc.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, file, 0)
    if address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    memory = (ctypes.c_char * size).from_address(address)
    weakref.finalize(memory, libc.munmap, address, size).atexit = False  # because tensors may still be in use then
    return memoryview(memory).cast("B")


def _clip_of(described: Mapping[str, Any], file: int) -> Clip:
    """Returns the clip whose tensors are in a file in memory. Nothing is copied."""
    size = os.fstat(file).st_size
    memory = _mapped(file, size) if size else b""
    tensors = {
        tensor["name"]: _tensors.tensor_of(
            memory, tensor["offset"], tuple(tensor["kind"]), tuple(tensor["shape"]), tensor["device"]
        )
        for tensor in described["tensors"]
    }
    return Clip(tensors, described["metadata"])
