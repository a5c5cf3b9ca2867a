# SPDX-License-Identifier: LGPL-2.1-or-later
"""Worker processes, under each way to start them; forks of a process that has run a session; and the end of a process.

Each runs in a process of its own: that of the tests has run sessions.
"""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import codecpatch
import pytest
import workers
from support import checksum, run_python

METHODS = ["fork", "forkserver", "spawn"]
HERE = str(Path(__file__).parent)
# Fork is no more the default, and a warning, where there are threads; here there are none yet.
PROGRAM = f"""
import faulthandler, sys, warnings
faulthandler.dump_traceback_later(90, exit=True)
sys.path.insert(0, {HERE!r})
import codecpatch, multiprocessing, os, workers
from support import checksum
"""


@pytest.fixture(scope="module")
def expected(clip):
    return [checksum(codecpatch.read(clip, k_keep=count)) for count in range(1, 9)]


def run(code: str, *arguments: object) -> str:
    # A module, as those who start afresh want one.
    return run_python(PROGRAM + "if __name__ == '__main__':\n    " + code.strip().replace("\n", "\n    "), *arguments)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_four_workers(method, clip, expected):
    printed = run(
        """
context = multiprocessing.get_context(sys.argv[1])
with context.Pool(4) as pool:
    print(pool.map(workers.read, [(sys.argv[2], count) for count in range(1, 9)], chunksize=1))
""",
        method,
        clip,
    )
    assert printed.strip() == str(expected)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_data_loader(method, clip):
    """Torch's own."""
    pytest.importorskip("torch")
    printed = run(
        """
from torch.utils.data import DataLoader
loader = DataLoader(workers.Dataset(sys.argv[2]), batch_size=4, num_workers=4, multiprocessing_context=sys.argv[1],
                    collate_fn=codecpatch.collate_packed)
print([workers.checksum_of_batch(batch) for batch in loader])
""",
        method,
        clip,
    )
    dataset = workers.Dataset(str(clip))
    batches = [codecpatch.collate_packed([dataset[index] for index in range(*part)]) for part in ((0, 4), (4, 8))]
    assert printed.strip() == str([workers.checksum_of_batch(batch) for batch in batches])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_errors_cross_processes(method):
    printed = run(
        """
with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
    try:
        pool.apply(workers.fail, ["/no/such/file.mp4"])
    except codecpatch.CodecPatchError as error:
        print(error.path, error.code.name, str(error) == error.message)
""",
        method,
    )
    assert printed == "/no/such/file.mp4 SOURCE True\n"


# --- Forks of a process that has run a session ---


def test_fork_after_a_session_raises(clip):
    codecpatch.read(clip, k_keep=1)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for raised in pool.map(workers.read_in_fork, [str(clip)] * 4):
            assert raised.startswith("CodecPatchError") and 'multiprocessing_context="spawn"' in raised


def test_fork_after_a_session_while_others_run(clip):
    """Whatever locks are held at the moment of the fork."""
    printed = run(
        """
import threading
stop = threading.Event()
def work():
    while not stop.is_set():
        codecpatch.read(sys.argv[1], k_keep=1)
threads = [threading.Thread(target=work) for _ in range(3)]
codecpatch.read(sys.argv[1], k_keep=1)
for thread in threads:
    thread.start()
for _ in range(20):
    child = os.fork()
    if child == 0:
        os._exit(0 if "spawn" in workers.read_in_fork(sys.argv[1]) else 1)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
for thread in threads:
    thread.join()
print("ok")
""",
        clip,
    )
    assert printed == "ok\n"


@pytest.mark.parametrize("without", ["", "torch"])
def test_what_a_fork_inherits_does_no_harm(clip, without):
    """Its finalisers do nothing, and the parent goes on."""
    printed = run(
        """
if sys.argv[2]:
    sys.modules[sys.argv[2]] = None
import gc
session = codecpatch.open(sys.argv[1], k_keep=5, output_dtype="f32")
clip = codecpatch.read(sys.argv[1], k_keep=5, output_dtype="f32")
iterator = codecpatch.iter_clips([sys.argv[1]] * 9, workers=2, k_keep=5, output_dtype="f32")
first = checksum(next(iterator))
child = os.fork()
if child == 0:
    assert checksum(clip) == first  # memory can be read
    for use in (session.next, lambda: session.get("k-keep")):
        try:
            use()
        except RuntimeError as error:
            assert "spawn" in str(error)
        else:
            raise AssertionError
    session.close()
    del session, clip, use
    gc.collect()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert checksum(session.next()) == first == checksum(clip)
assert [checksum(other) for other in iterator] == [first] * 8
print("ok")
""",
        clip,
        without,
    )
    assert printed == "ok\n"


def test_a_fork_before_any_session_is_free(clip, expected):
    printed = run(
        """
child = os.fork()
result = checksum(codecpatch.read(sys.argv[1], k_keep=1))
if child == 0:
    sys.stdout.flush()
    os.write(1, (str(result) + "\\n").encode())
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(result)
""",
        clip,
    )
    assert printed.splitlines() == [str(expected[0])] * 2


# --- The end of a process ---


@pytest.mark.parametrize("kept", ["session", "session.next()", "codecpatch.iter_clips([path] * 9, workers=3)"])
@pytest.mark.parametrize("source", ["path", "io.BytesIO(open(path, 'rb').read())"])
def test_exit_with_all_in_use(clip, kept, source):
    printed = run(
        f"""
import io
path = sys.argv[1]
session = codecpatch.open({source})
kept = {kept}
if hasattr(kept, "send"):
    next(kept)
print("ok")
""",
        clip,
    )
    assert printed == "ok\n"


def test_exit_while_a_thread_reads(clip):
    """From a file object, in whose code the session's threads are."""
    printed = run(
        """
import io, threading, time
class Slow(io.BytesIO):
    def readinto(self, target):
        reading.set()
        time.sleep(0.01)
        return super().readinto(target)
reading = threading.Event()
def work():
    while True:
        try:
            codecpatch.read(Slow(open(sys.argv[1], "rb").read()))
        except codecpatch.CodecPatchError:
            return
threading.Thread(target=work, daemon=True).start()
reading.wait()
print("ok")
""",
        clip,
    )
    assert printed == "ok\n"


def test_nothing_is_left_behind(clip):
    """No child process, and no file descriptor of a child's."""
    printed = run(
        """
codecpatch.read(sys.argv[1], k_keep=1)
before = set(os.listdir("/proc/self/fd"))
codecpatch.read(sys.argv[1], k_keep=1)
assert set(os.listdir("/proc/self/fd")) == before
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("ok")
""",
        clip,
    )
    assert printed == "ok\n"


def test_pid_of_the_tests():
    """A fork is told by its number, which is not that of the process that ran the first session."""
    assert not codecpatch._library.is_forked()
    child = os.fork()
    if child == 0:
        os._exit(0 if codecpatch._library.is_forked() else 1)
    assert os.waitpid(child, 0)[1] == 0
