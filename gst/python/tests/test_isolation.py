# SPDX-License-Identifier: LGPL-2.1-or-later
"""iter_clips(isolate=True): worker processes, and what becomes of those that do not work."""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import pickle
import socket
import subprocess
import sys
import time
from pathlib import Path

import codecpatch
import pytest
from codecpatch import CodecPatchError, ErrorCode
from codecpatch._channel import Channel
from support import array, assert_same, checksum, run_python
from test_waits import interrupted

HOOKS = str(Path(__file__).parent / "hooks")
MISDEEDS = ["abort", "exit", "spin", "stop", "eat", "leave"]


@pytest.fixture
def misdeeds(clip, tmp_path, monkeypatch):
    """By what its worker does: the path of a clip."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [HOOKS, os.environ.get("PYTHONPATH")])))
    for name in MISDEEDS:
        (tmp_path / name).symlink_to(clip)
    return {name: str(tmp_path / name) for name in MISDEEDS}


def isolated(sources, **options):
    return list(codecpatch.iter_clips(sources, isolate=True, **options))


def children(process: int | str = "self") -> list[int]:
    """Of all threads of a process."""
    found = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
        for task in Path(f"/proc/{process}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def workers(process: int | str = "self") -> list[int]:
    """The children of the process that starts them."""
    return [worker for child in children(process) for worker in children(child)]


# --- As without ---


def test_same_results(clip, data, damaged):
    sources = [
        clip,
        str(clip),
        clip.as_uri(),
        data,
        memoryview(data),
        "/no/such/file.mp4",
        (clip, {"k_keep": 3, "frame_indices": iter([5, 1])}),
        5,
        (clip, {"k_keep": "x"}),
        (clip, {"no_such_option": 1}),
        (clip, {"timeout": -1}),
        (clip, {"output": "frames", "fps": 2}),
        damaged,
        b"",
        "x://y",
    ]
    once = (clip, {"k_keep": 3, "frame_indices": [5, 1]})
    expected = list(codecpatch.iter_clips([*sources[:6], once, *sources[7:]], 2, k_keep=7))
    found = isolated(sources, workers=2, k_keep=7)
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        assert type(one) is type(other)
        if isinstance(one, Exception):
            assert str(one) == str(other) and getattr(one, "code", 0) == getattr(other, "code", 0)
            assert getattr(one, "path", 0) == getattr(other, "path", 0)
        else:
            assert_same(one.tensors, other.tensors)
            assert one.metadata == other.metadata
    assert not children()


@pytest.mark.parametrize("dtype", ["u8", "f16", "bf16", "f32"])
def test_tensors_are_the_callers(clip, dtype):
    kept = {"k_keep": 4, "output_dtype": dtype}
    one, other = isolated([clip, clip], workers=1, **kept)
    expected = codecpatch.read(clip, **kept)
    assert one.patches.dtype == expected.patches.dtype and type(one.patches) is type(expected.patches)
    assert checksum(pickle.loads(pickle.dumps(one))) == checksum(expected)
    before = checksum(other)
    one.patches[:] = 0
    one.meta_fields[:] = 0
    assert array(one.patches).max() == 0 and checksum(other) == before


def test_no_patches(clip):
    (none,) = isolated([(clip, {"k_keep": 0})])
    if not isinstance(none, Exception):
        assert len(none.patches) == 0


def test_relative_paths(clip, monkeypatch):
    monkeypatch.chdir(clip.parent)
    assert isolated([clip.name, pathlib.PurePath(clip.name)], k_keep=1)[1].source == clip.name


def test_warnings_come_through(damaged):
    with pytest.warns(codecpatch.CodecPatchWarning):
        (found,) = isolated([damaged], on_error="substitute", k_keep=1)
    assert isinstance(found, codecpatch.Clip)


def test_what_does_not_go(clip, data):
    (found,) = isolated([io.BytesIO(data)])
    assert isinstance(found, TypeError) and "file object" in str(found)
    with pytest.raises(ValueError, match="isolate"):
        codecpatch.iter_clips([clip], memory_limit=1 << 30)
    with pytest.raises(ValueError, match="memory_limit"):
        codecpatch.iter_clips([clip], isolate=True, memory_limit=0)


def test_in_a_fork_of_a_process_with_sessions(clip):
    """For the fork itself runs none."""
    codecpatch.read(clip, k_keep=1)
    child = os.fork()
    if child == 0:
        found = isolated([clip], k_keep=1)
        os._exit(0 if isinstance(found[0], codecpatch.Clip) else 1)
    assert os.waitpid(child, 0)[1] == 0


# --- Workers that do not work ---


def test_crashes(clip, misdeeds):
    sources = [clip, misdeeds["abort"], clip, misdeeds["exit"], misdeeds["abort"], clip]
    found = isolated(sources, workers=2, k_keep=1)
    for source, result in zip(sources, found):
        if source is clip:
            assert isinstance(result, codecpatch.Clip)
        else:
            assert isinstance(result, CodecPatchError) and result.code == ErrorCode.CRASHED
            assert result.path == source and str(result).startswith(source + ": ")
            assert ("exit code 3" if source == misdeeds["exit"] else "killed by signal 6 (SIGABRT)") in str(result)
    assert not children()


@pytest.mark.slow
@pytest.mark.parametrize("misdeed", ["spin", "stop"])
def test_hangs(clip, misdeeds, misdeed):
    found = isolated([misdeeds[misdeed], clip, clip], workers=2, k_keep=1, timeout=6)
    assert found[0].code == ErrorCode.TIMEOUT and "timeout sets how long" in str(found[0])
    assert all(isinstance(result, codecpatch.Clip) for result in found[1:])
    assert not children()


@pytest.mark.parametrize("option", ["timeout", "stall_timeout"])
def test_silence(clip, tmp_path, option):
    os.mkfifo(tmp_path / "pipe")
    found = isolated([clip, (tmp_path / "pipe", {option: 0.5}), clip], workers=1, k_keep=1)
    assert found[1].code == ErrorCode.TIMEOUT and found[1].path == str(tmp_path / "pipe")
    assert isinstance(found[0], codecpatch.Clip) and isinstance(found[2], codecpatch.Clip)


def test_memory(clip, misdeeds):
    found = isolated([clip, misdeeds["eat"], clip], workers=1, k_keep=1, memory_limit=3 << 30)
    assert isinstance(found[1], MemoryError) or found[1].code in (ErrorCode.CRASHED, ErrorCode.MEMORY)
    assert isinstance(found[0], codecpatch.Clip) and isinstance(found[2], codecpatch.Clip)


def test_memory_that_suffices_for_nothing(clip):
    (found,) = isolated([clip], memory_limit=40 << 20)
    assert isinstance(found, (CodecPatchError, MemoryError))


def test_one_worker_for_many_sources(clip, misdeeds):
    """Unless it has left something behind."""
    seen = []
    for result in codecpatch.iter_clips([clip, clip, misdeeds["leave"], clip, clip], workers=1, isolate=True, k_keep=1):
        assert isinstance(result, codecpatch.Clip)
        seen += workers()
    assert 2 <= len(set(seen)) <= 3  # the last may be gone again, and the next not yet be there
    assert not children()


def test_a_worker_that_leaves_before_its_task_is_sent():
    """A worker that has received a whole message may answer and end before the sender goes on."""
    ours, theirs = socket.socketpair()

    class Interrupted(socket.socket):
        def sendall(self, data):
            super().sendall(data)
            worker = Channel(theirs)
            worker.receive()
            worker.send({"leaving": True})
            worker.close()

    channel = Channel(Interrupted(fileno=ours.detach()))
    channel.send({"kind": "path"})
    assert channel.receive()[0] == {"leaving": True}
    channel.close()


# --- The end ---


def test_interrupted(misdeeds):
    sources = [misdeeds["spin"], misdeeds["stop"], misdeeds["spin"]]

    def ready():
        while len(workers()) < 3:
            time.sleep(0.05)
        time.sleep(1)

    with interrupted(ready):
        isolated(sources, workers=3)
    assert not children()


def test_leaving_early(clip, misdeeds):
    for result in codecpatch.iter_clips([clip, misdeeds["spin"], clip], workers=2, isolate=True, k_keep=1):
        assert isinstance(result, codecpatch.Clip)
        break
    del result
    deadline = time.monotonic() + 10
    while children() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not children()


def test_exit_with_workers_in_use(clip, misdeeds):
    """The generator is not closed, and one of its workers hangs."""
    printed = run_python(
        """
import sys, codecpatch
kept = codecpatch.iter_clips(sys.argv[1:], workers=2, isolate=True, k_keep=1)
print(type(next(kept)).__name__)
""",
        clip,
        misdeeds["spin"],
        clip,
    )
    assert printed == "Clip\n"


def test_a_parent_that_is_killed_leaves_no_workers(misdeeds):
    parent = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "import sys, codecpatch; list(codecpatch.iter_clips(sys.argv[1:], workers=3, isolate=True))",
            *(misdeeds[name] for name in ("spin", "stop", "spin")),
        ]
    )
    deadline = time.monotonic() + 60
    while len(found := workers(parent.pid)) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    assert len(found) == 3
    parent.kill()
    parent.wait()
    while any(is_running(worker) for worker in found) and time.monotonic() < deadline + 10:
        time.sleep(0.05)
    assert not any(is_running(worker) for worker in found)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
