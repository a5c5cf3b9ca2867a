# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions side by side, iter_clips, and what is left of hundreds of sessions."""

from __future__ import annotations

import gc
import io
import itertools
import os
import threading

import codecpatch
import pytest
from codecpatch import CodecPatchError
from support import checksum, run_python


@pytest.fixture(scope="module")
def expected(clip):
    return checksum(codecpatch.read(clip, k_keep=5))


@pytest.mark.slow
def test_eight_threads(clip, data, expected):
    """From files, bytes and file objects; every third one fails."""
    results = [[] for _ in range(8)]
    sources = [lambda: clip, lambda: io.BytesIO(data), lambda: data, lambda: "/no/such/file.mp4"]

    def work(number):
        for turn in range(6):
            source = sources[(number + turn) % 4]()
            try:
                results[number].append(checksum(codecpatch.read(source, k_keep=5)))
            except CodecPatchError as error:
                results[number].append(error.path)

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, found in enumerate(results):
        bad = [(number + turn) % 4 == 3 for turn in range(6)]
        assert found == ["/no/such/file.mp4" if failed else expected for failed in bad]


def test_decoding_goes_without_the_gil(clip):
    """Python runs while a clip is read: this thread counts meanwhile."""
    done, counted = threading.Event(), 0
    thread = threading.Thread(target=lambda: (codecpatch.read(clip, output="frames", sequence_length=60), done.set()))
    thread.start()
    while not done.is_set():
        counted += 1
    thread.join()
    assert counted > 1000


def test_garbage_in_a_thread_of_the_session(data):
    """A session in a cycle, that is collected in its own file's read()."""

    class File(io.BytesIO):
        collected = False

        def readinto(self, target):
            if not File.collected:
                File.collected = True
                gone.wait(60)
                gc.collect()
            return super().readinto(target)

    gone = threading.Event()
    gc.disable()
    try:
        file = File(data)
        session = codecpatch.Session(file)
        session.cycle = [session]
        del session
        gone.set()
        for _ in range(600):
            if not codecpatch._sources._held:
                break
            threading.Event().wait(0.1)
    finally:
        gc.enable()
    assert File.collected and not codecpatch._sources._held


# --- iter_clips ---


def threads_of_ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("codecpatch")]


@pytest.mark.parametrize("workers", [None, 1, 3])
def test_in_the_order_of_the_sources(clip, workers):
    counts = [9, 1, 5, 3, 7, 2, 8]
    sources = [(clip, {"k_keep": count}) for count in counts]
    found = list(codecpatch.iter_clips(sources, workers, sequence_length=4))
    assert [len(result.patches) for result in found] == counts
    assert all(len(result.sampled_frame_ids) == 4 for result in found)
    assert not threads_of_ours()


def test_errors_are_values(clip, expected):
    sources = [clip, "/no/such/file.mp4", 5, (clip, {"k_keep": "x"}), clip]
    found = list(codecpatch.iter_clips(sources, workers=2, k_keep=5))
    assert checksum(found[0]) == checksum(found[4]) == expected
    assert [type(result) for result in found[1:4]] == [CodecPatchError, TypeError, ValueError]
    assert found[1].path == "/no/such/file.mp4"


@pytest.mark.parametrize("workers", [0, -1])
def test_no_workers(clip, workers):
    with pytest.raises(ValueError, match="workers"):
        codecpatch.iter_clips([clip], workers=workers)


@pytest.mark.parametrize("workers", ["2", 2.0])
def test_odd_workers(clip, workers):
    with pytest.raises(TypeError):
        codecpatch.iter_clips([clip], workers=workers)


def test_no_sources():
    assert list(codecpatch.iter_clips([])) == []


@pytest.mark.parametrize("limit", ["_WAITING_LIMIT", "_WAITING_COUNT"])
def test_endless_sources(clip, monkeypatch, limit):
    """Only so many are taken before their results are."""
    monkeypatch.setattr(codecpatch.parallel, limit, 0)
    taken = 0

    def sources():
        nonlocal taken
        for taken in itertools.count(1):
            yield clip

    iterator = codecpatch.iter_clips(sources(), workers=2, k_keep=1)
    for number in range(1, 6):
        next(iterator)
        assert taken <= number + 4
    iterator.close()
    assert not threads_of_ours()


@pytest.mark.parametrize("isolate", [False, True])
def test_one_that_takes_long_stops_no_others(clip, tmp_path, isolate):
    """The source that takes long ends only once all others have been taken; the time limit is for the test."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def sources():
        yield pipe, {"timeout": 60}
        yield from [clip] * 20
        os.close(os.open(pipe, os.O_WRONLY))  # the end of an empty file

    first, *others = codecpatch.iter_clips(sources(), workers=2, isolate=isolate, k_keep=1)
    assert isinstance(first, codecpatch.CodecPatchError) and first.code != codecpatch.ErrorCode.TIMEOUT
    assert [len(result.patches) for result in others] == [1] * 20


def test_sources_that_fail(clip):
    def sources():
        yield clip
        raise KeyError("x")

    found = []
    with pytest.raises(KeyError):
        for result in codecpatch.iter_clips(sources(), workers=1, k_keep=5):
            found.append(result)
    assert [len(result.patches) for result in found] == [5]  # what came before is not lost
    assert not threads_of_ours()


def test_leaving_early(clip):
    """Ends what is being read, too: these files never end by themselves."""
    stuck = threading.Semaphore(0)

    class Endless(io.RawIOBase):
        def readable(self):
            return True

        def seekable(self):
            return True

        def seek(self, offset, whence=0):
            return offset if whence == 0 else 1 << 40

        def readinto(self, target):
            stuck.release()
            target[:] = bytes(len(target))
            return len(target)

    for result in codecpatch.iter_clips(itertools.chain([clip], iter(Endless, None)), workers=2, k_keep=1):
        assert len(result.patches) == 1
        for _ in range(2):
            stuck.acquire()
        break
    del result
    gc.collect()
    assert not threads_of_ours()


def test_never_started(clip):
    iterator = codecpatch.iter_clips([clip])
    del iterator
    assert not threads_of_ours()


# --- Hundreds of sessions ---

COUNT = int(os.environ.get("CPS_SESSIONS", "70"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["path", "bytes", "file", "frames", "damaged", "unread"])
def test_no_growth(kind, clip, damaged):
    """Of file descriptors, threads and memory, after the first fifty sessions of a process."""
    printed = run_python(
        """
import gc, io, os, sys, codecpatch
path, damaged, kind, count = *sys.argv[1:4], int(sys.argv[4])
data = open(path, "rb").read()

def session():
    if kind == "unread":
        codecpatch.open(path).close()
    elif kind == "damaged":
        try:
            codecpatch.read(damaged)
        except codecpatch.CodecPatchError:
            return
        raise AssertionError
    elif kind == "frames":
        codecpatch.read(path, output="frames")
    else:
        codecpatch.read({"path": path, "bytes": data, "file": io.BytesIO(data)}[kind])

def usage():
    gc.collect()
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return len(os.listdir("/proc/self/fd")), int(status["Threads"]), int(status["VmRSS"].split()[0])

for _ in range(50):
    session()
first = usage()
for _ in range(count - 50):
    session()
last = usage()
print(first, last)
assert last[0] <= first[0], "file descriptors"
# GLib keeps some threads that nobody uses.
assert last[1] <= first[1] + 3, "threads"
# In KiB, whatever the count: the allocator grows in steps. One of 16 MiB was seen within 1,600 sessions, and nothing before or
# after it.
assert last[2] - first[2] < 24576, "memory"
""",
        *(clip, damaged, kind, COUNT),
        MALLOC_ARENA_MAX="2",
    )
    print(printed)
