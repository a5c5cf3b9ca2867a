# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every wait has an end: sources that give nothing, Ctrl-C, and closing what does not return."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import socket
import threading
import time
import weakref

import codecpatch
import pytest
from codecpatch import CodecPatchError, ErrorCode
from support import run_python

# A second is what closing may take, and a tenth what a signal may; the rest is for a machine that is busy.
MOST_TO_CLOSE = 1.5
MOST_TO_SIGNAL = 0.6


class Blocking(io.RawIOBase):
    """A file whose read waits for the test."""

    def __init__(self, seekable: bool = True) -> None:
        self._seekable = seekable
        self.reading, self.go_on = threading.Event(), threading.Event()

    def readable(self):
        return True

    def seekable(self):
        return self._seekable

    def seek(self, offset, whence=0):
        return offset if whence == 0 else 1 << 30

    def readinto(self, target):
        self.reading.set()
        self.go_on.wait()
        return 0


@pytest.fixture(params=["no writer", "silent writer"])
def pipe(request, tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR | os.O_NONBLOCK) if request.param == "silent writer" else None
    yield path
    if writer is not None:
        os.close(writer)


@pytest.fixture
def tarpit():
    """The URI of a server of this machine that sends a header, and then nothing."""
    server = socket.create_server(("127.0.0.1", 0))
    clients = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                clients.append(client)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 1000000\r\n\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/v.mp4"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()
    for client in clients:
        client.close()


@pytest.fixture
def blocking():
    """Makes such files, which go on when the test is over."""
    files = []

    def make(*arguments):
        files.append(Blocking(*arguments))
        return files[-1]

    yield make
    for file in files:
        file.go_on.set()
    wait_for(lambda: abandoned() == 0)


def abandoned() -> int:
    return codecpatch._library.library().cps_session_abandoned()


def wait_for(condition) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it does not come")


def check_late(source, option, seconds=0.5):
    with pytest.raises(CodecPatchError, match=f"; {option.replace('_', '-')} sets how long") as caught:
        codecpatch.read(source, **{option: seconds})
    assert caught.value.code == ErrorCode.TIMEOUT
    assert caught.value.path in str(caught.value)


# --- Sources that give nothing ---


@pytest.mark.parametrize("option", ["timeout", "stall_timeout"])
def test_pipes(pipe, option):
    check_late(pipe, option)


@pytest.mark.parametrize("option", ["timeout", "stall_timeout"])
def test_network(tarpit, option):
    check_late(tarpit, option)


@pytest.mark.parametrize("option", ["timeout", "stall_timeout"])
@pytest.mark.parametrize("seekable", [True, False])
def test_files_that_block(blocking, option, seekable):
    check_late(blocking(seekable), option)


@pytest.mark.parametrize("option", ["timeout", "stall_timeout"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "x"])
def test_odd_limits(clip, option, value):
    with pytest.raises(ValueError):
        codecpatch.open(clip, **{option: value})


def test_limits_that_suffice(clip):
    with codecpatch.open(clip, timeout=60, stall_timeout=0, k_keep=3) as session:
        assert float(session.get("timeout")) == 60 and float(session.get("stall_timeout")) == 0
        assert len(session.next().patches) == 3 and session.next() is None
    with codecpatch.open(clip) as session:
        assert float(session.get("stall_timeout")) == 30 and float(session.get("timeout")) == 0


# --- Closing ---


def test_closing_leaves_what_blocks(blocking):
    """And lets go of it when it goes on."""
    file = blocking()
    gone = weakref.ref(file)
    session = codecpatch.open(file, stall_timeout=0)
    assert file.reading.wait(60)
    begun = time.monotonic()
    session.close()
    assert time.monotonic() - begun < MOST_TO_CLOSE
    assert abandoned() == 1 and codecpatch._sources._held
    file.go_on.set()
    wait_for(lambda: abandoned() == 0 and not codecpatch._sources._held)
    del session
    gc.collect()
    assert gone() is not None  # the test's


def test_closing_while_it_opens(blocking):
    """From another thread, of iter_clips for instance."""
    errors = []

    class Known(codecpatch.Session):
        def _before_opening(self):
            super()._before_opening()
            opening.append(self)

    def work(file):
        try:
            Known(file)
        except CodecPatchError as error:
            errors.append(error.code)

    opening, files = [], [blocking(False), blocking(False)]
    threads = [threading.Thread(target=work, args=[file]) for file in files]
    for thread in threads:
        thread.start()
    for file in files:
        assert file.reading.wait(60)
    begun = time.monotonic()
    for session in opening:
        session._interrupt()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begun < MOST_TO_CLOSE
    assert errors == [ErrorCode.CLOSED] * 2


def test_leaving_iter_clips_that_blocks(clip, blocking):
    files = [blocking(), blocking(), blocking(False), blocking(False)]
    iterator = codecpatch.iter_clips([clip, *files], workers=5, k_keep=1)
    next(iterator)
    for file in files:
        assert file.reading.wait(60)
    begun = time.monotonic()
    iterator.close()
    assert time.monotonic() - begun < MOST_TO_CLOSE


# --- Signals ---


@contextlib.contextmanager
def interrupted(ready):
    """Ctrl-C, once `ready` returns. It is seen at once, and what it ends, soon."""
    sent = []

    def send():
        ready()
        time.sleep(0.2)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        yield
    assert time.monotonic() - sent[0] < MOST_TO_CLOSE
    thread.join()


def test_interrupted_open(blocking):
    file = blocking(False)
    with interrupted(file.reading.wait):
        codecpatch.open(file)


def test_interrupted_open_in_the_library(blocking):
    file = blocking()
    calls = []

    def seek(offset, whence=0):
        calls.append(offset)
        if len(calls) > 1:  # the first is of Python
            file.readinto(None)
        return offset

    file.seek = seek
    with interrupted(file.reading.wait):
        codecpatch.open(file)


def test_interrupted_next(blocking):
    file = blocking()
    session = codecpatch.open(file)
    with interrupted(file.reading.wait):
        session.next()
    session.close()


def test_interrupted_read(blocking):
    file = blocking()
    with interrupted(file.reading.wait):
        codecpatch.read(file)


def test_interrupted_pipe(pipe):
    with interrupted(lambda: None):
        codecpatch.read(pipe)


def test_interrupted_iter_clips(blocking):
    files = [blocking(), blocking(), blocking(False)]
    with interrupted(lambda: [file.reading.wait() for file in files]):
        list(codecpatch.iter_clips(files, workers=3))


def test_other_signals_are_handled_meanwhile(blocking):
    """And the wait goes on."""
    file = blocking()
    handled = []
    before = signal.signal(signal.SIGALRM, lambda *_: handled.append(time.monotonic()))
    try:
        session = codecpatch.open(file, timeout=2)
        assert file.reading.wait(60)
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        due = time.monotonic() + 0.3
        with pytest.raises(CodecPatchError) as caught:
            session.next()
        assert caught.value.code == ErrorCode.TIMEOUT
        assert handled and handled[0] - due < MOST_TO_SIGNAL
        session.close()
    finally:
        signal.signal(signal.SIGALRM, before)


# --- The end of a process ---


@pytest.mark.parametrize("wait", ["threading.Event().wait()", "time.sleep(1.5)"])
@pytest.mark.parametrize("seekable", [True, False])
def test_exit_while_files_block(wait, seekable):
    """No thread of theirs comes back to a Python that is gone."""
    begun = time.monotonic()
    printed = run_python(
        f"""
import codecpatch, io, threading, time
class File(io.RawIOBase):
    def readable(self): return True
    def seekable(self): return {seekable}
    def seek(self, offset, whence=0): return offset if whence == 0 else 1 << 30
    def readinto(self, target):
        reading.release()
        {wait}
        return 0
reading = threading.Semaphore(0)
def work():
    codecpatch.read(File())
threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    reading.acquire()
print("ok")
"""
    )
    assert printed == "ok\n"
    assert time.monotonic() - begun < 30
