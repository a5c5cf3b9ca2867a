# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a session reads from: paths, URIs, bytes and file objects."""

from __future__ import annotations

import gc
import io
import mmap
import os
import pathlib
import threading
import weakref

import codecpatch
import numpy
import pytest
from codecpatch import CodecPatchError, ErrorCode
from support import NoSeek, OnlyRead, ReadAndSeek, assert_same, make_two_tracks


class _Buffered(bytearray):
    """Bytes that tell when nobody has them any more."""


def _mapped(path, data):
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


SOURCES = {
    "str": lambda path, data: str(path),
    "Path": lambda path, data: pathlib.Path(path),
    "PurePath": lambda path, data: pathlib.PurePosixPath(path),
    "URI": lambda path, data: path.as_uri(),
    "bytes": lambda path, data: data,
    "bytearray": lambda path, data: bytearray(data),
    "memoryview": lambda path, data: memoryview(b"xx" + data)[2:],
    "array": lambda path, data: numpy.frombuffer(data, "u1"),
    "mmap": _mapped,
    "file": lambda path, data: open(path, "rb"),
    "unbuffered": lambda path, data: open(path, "rb", buffering=0),
    "BytesIO": lambda path, data: io.BytesIO(data),
    "without seek": lambda path, data: NoSeek(data),
    "only read": lambda path, data: OnlyRead(data),
    "read and seek": lambda path, data: ReadAndSeek(data),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_same_result_from_each(kind, clip, data, line):
    source = SOURCES[kind](clip, data)
    assert_same(codecpatch.read(source, k_keep=100).tensors, line.tensors)
    if isinstance(source, io.IOBase):
        assert not source.closed
        source.close()


def test_names(clip, data, tmp_path):
    with open(clip, "rb") as file:
        assert codecpatch.read(file, k_keep=1).source == str(clip)
    assert codecpatch.read(data, k_keep=1).source == "<bytes>"
    assert codecpatch.read(io.BytesIO(data), k_keep=1).source == "<file object>"
    odd = tmp_path / "a b%20ü'\"#?.mp4"
    odd.write_bytes(data)
    assert codecpatch.read(odd, k_keep=1).source == str(odd)
    assert codecpatch.read(odd.as_uri(), k_keep=1).sampled_frame_ids


def test_relative_paths(clip, monkeypatch):
    monkeypatch.chdir(clip.parent)
    assert codecpatch.read(clip.name, k_keep=1).source == clip.name


def test_undecodable_paths(data, tmp_path):
    path = os.path.join(os.fsencode(tmp_path), b"\xff.mp4")
    with open(path, "wb") as file:
        file.write(data)
    assert codecpatch.read(os.fsdecode(path), k_keep=1).sampled_frame_ids
    for name in (path, os.fsdecode(path)):
        with open(name, "rb") as file:
            assert codecpatch.read(file, k_keep=1).sampled_frame_ids


def test_files_are_read_from_their_beginning(clip, line):
    with open(clip, "rb") as file:
        file.seek(1000)
        assert_same(codecpatch.read(file, k_keep=100).tensors, line.tensors)


def test_what_cannot_seek_is_read_from_where_it_stands(data, line):
    file = NoSeek(b"0123456789" + data)
    file.read(10)
    assert_same(codecpatch.read(file, k_keep=100).tensors, line.tensors)


def test_pipe(clip, line):
    with os.popen(f"cat '{clip}'") as process:
        assert_same(codecpatch.read(process.buffer, k_keep=100).tensors, line.tensors)


def test_streaming_takes_one_reading(data):
    """Without an index the plan is an estimate, of which there is a warning."""
    file = NoSeek(data)
    try:
        with pytest.warns(codecpatch.CodecPatchWarning, match="seek"):
            codecpatch.read(file, uniform_strategy="stream", k_keep=1)
    except ValueError as error:
        assert "number of frames" in str(error)  # the index of this file is at its end


# --- What is held, and for how long ---


def test_bytes_are_let_go(data):
    held = _Buffered(data)
    gone = weakref.ref(held)
    with codecpatch.open(held, k_keep=5) as session:
        with pytest.raises(BufferError):
            held.append(0)
        result = session.next()
    held.append(0)
    del held
    gc.collect()
    assert gone() is None
    assert len(result.patches) == 5


@pytest.mark.parametrize("bad", [b"", b"no video", {"k_keep": "x"}])
def test_bytes_are_let_go_after_an_error(bad, data):
    options = bad if isinstance(bad, dict) else {}
    held = _Buffered(data if options else bad)
    gone = weakref.ref(held)
    with pytest.raises((CodecPatchError, ValueError)):
        codecpatch.read(held, **options)
    held.append(0)
    del held
    gc.collect()
    assert gone() is None


def test_files_are_let_go(data):
    file = io.BytesIO(data)
    gone = weakref.ref(file)
    session = codecpatch.open(file, k_keep=5)
    session.next()
    session.close()
    del file
    gc.collect()
    assert gone() is None


def test_nothing_stays_registered(data):
    codecpatch.read(data, k_keep=1)
    codecpatch.read(io.BytesIO(data), k_keep=1)
    assert not codecpatch._sources._held


# --- Errors ---


class _Failing(io.BytesIO):
    """Fails in the way and the place that it is told."""

    def __init__(self, data: bytes, error: BaseException, where: str) -> None:
        super().__init__(data)
        self._error, self._where, self._calls = error, where, 0

    def _call(self, what: str) -> None:
        self._calls += what == self._where
        if self._calls > 2:
            raise self._error

    def readinto(self, target):
        self._call("read")
        return super().readinto(target)

    def seek(self, *place):
        self._call("seek")
        return super().seek(*place)


@pytest.mark.parametrize("where", ["read", "seek"])
@pytest.mark.parametrize("error", [OSError("disk on fire"), KeyError("x"), KeyboardInterrupt()])
def test_what_a_file_raises_is_the_cause(data, where, error):
    with pytest.raises(CodecPatchError) as caught:
        codecpatch.read(_Failing(data, error, where))
    assert caught.value.__cause__ is error
    assert caught.value.code == ErrorCode.SOURCE and repr(error) in str(caught.value)


def test_what_a_file_raises_at_once_is_the_cause():
    file = NoSeek(b"")
    file.readinto = lambda target: 1 / 0
    with pytest.raises(CodecPatchError) as caught:
        codecpatch.open(file)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_closed_file(clip):
    with open(clip, "rb") as file:
        pass
    with pytest.raises(CodecPatchError, match="closed file") as caught:
        codecpatch.open(file)
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("base", [OnlyRead, ReadAndSeek])
@pytest.mark.parametrize(
    "result, error", [(None, BlockingIOError), ("text", TypeError), (b"x" * 4_000_000, ValueError)]
)
def test_files_that_read_something_else(data, base, result, error):
    class Odd(base):
        def read(self, size):
            return result

    with pytest.raises(CodecPatchError) as caught:
        codecpatch.read(Odd(data))
    assert isinstance(caught.value.__cause__, error)


@pytest.mark.parametrize("method", ["readinto", "seek"])
@pytest.mark.parametrize("kind", [float, numpy.int64])
def test_numbers_of_files(data, line, method, kind):
    """What is an integer will do; what is none is an error, not any number."""

    class Odd(io.BytesIO):
        pass

    setattr(Odd, method, lambda self, *arguments: kind(getattr(io.BytesIO, method)(self, *arguments)))
    if kind is numpy.int64:
        assert_same(codecpatch.read(Odd(data), k_keep=100).tensors, line.tensors)
    else:
        with pytest.raises(CodecPatchError) as caught:
            codecpatch.read(Odd(data))
        assert isinstance(caught.value.__cause__, TypeError)


@pytest.mark.parametrize("use", [lambda session: session.next(), lambda session: session.close()])
def test_files_that_use_their_session(data, use):
    """It would wait for itself."""

    class Odd(io.BytesIO):
        def readinto(self, target):
            opened.wait(60)
            use(session)
            return super().readinto(target)

    opened = threading.Event()
    session = codecpatch.open(Odd(data))
    opened.set()
    with session, pytest.raises(CodecPatchError, match="cannot use the session") as caught:
        session.next()
    assert isinstance(caught.value.__cause__, CodecPatchError)


def test_text_file(clip):
    with open(clip, "r", encoding="latin-1") as file, pytest.raises(TypeError, match="'rb'"):
        codecpatch.open(file)


@pytest.mark.parametrize("source", [None, 5, object(), ["v.mp4"]])
def test_no_source(source):
    with pytest.raises(TypeError, match="a source is"):
        codecpatch.open(source)


def test_bytes_in_pieces(data):
    with pytest.raises(ValueError, match="in one piece"):
        codecpatch.open(memoryview(data)[::2])


def test_directory(tmp_path):
    with pytest.raises(CodecPatchError, match=str(tmp_path)) as caught:
        codecpatch.open(tmp_path)
    assert caught.value.code == ErrorCode.SOURCE


@pytest.mark.parametrize("uri", ["nosuchscheme://x", "file:///no/such/file.mp4"])
def test_bad_uri(uri):
    with pytest.raises(CodecPatchError) as caught:
        codecpatch.read(uri)
    assert caught.value.path == uri


@pytest.mark.parametrize("source", ["{}\0.mp4", "file://{}\0.mp4"])
def test_zero_bytes(clip, source):
    with pytest.raises(ValueError, match="zero byte"):
        codecpatch.open(source.format(clip))
    with pytest.raises(ValueError, match="zero byte"):
        codecpatch.open(clip, output_dtype=None, k_keep="1\x001")


def test_tracks_are_numbered_as_in_the_container(tmp_path):
    path = make_two_tracks(tmp_path / "two.mp4")
    small = {"output": "frames", "sequence_length": 1, "decode_backend": "cpu", "width": 16, "height": 16}
    for source in (path, path.read_bytes()):
        for _ in range(12):  # parsebin adds its pads in any order
            widths = [codecpatch.read(source, video_track=track, **small).width for track in (0, 1, -1)]
            assert widths == [160, 320, 320]
