# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sources of sessions: paths, URIs, bytes in memory, and binary file objects, and how the C library opens them."""

from __future__ import annotations

import ctypes
import io
import itertools
import operator
import os
import re
import threading
from abc import ABC, abstractmethod
from ctypes import POINTER, c_char, c_char_p, c_int, c_ssize_t, c_void_p, py_object
from typing import Any, Protocol, Union

from . import _library
from ._library import READ_FUNC, RELEASE_FUNC, SEEK_FUNC
from .errors import CodecPatchError, ErrorCode


class _Readable(Protocol):
    """A binary file or mmap. An object with ``readinto`` needs no ``read``, but a Protocol cannot express that."""

    def read(self, size: int, /) -> bytes | bytearray | memoryview | None: ...


Source = Union[str, "os.PathLike[str]", "os.PathLike[bytes]", bytes, bytearray, memoryview, _Readable]
"""A path, a URI (a str with a scheme, ``xyz://``), the bytes of a file, or a binary file object."""

_TEXT_FILE = "the file object is open for text; open it with mode 'rb'"
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Opener(ABC):
    """A source whose kind is known."""

    kind: str
    """The kind for :func:`opener_named`; "" if no other process can open the source."""
    name: str
    """The name of the source in messages."""
    error: BaseException | None = None
    """The exception that a file object raised, if any."""
    calls_application = False
    """True if :meth:`prepare` calls code of the application, which may take any time."""
    progress = 0
    """The bytes that :meth:`prepare` has read."""
    cancelled = False
    """True once no thread waits for :meth:`prepare` any more."""

    def prepare(self) -> None:
        """Call before :meth:`open`."""

    @abstractmethod
    def make_video(self, library: ctypes.CDLL) -> int:
        """Returns a new ``CpsVideo *``, which the caller owns. Call once, after :meth:`prepare`."""

    def open(self, library: ctypes.CDLL, options: Any) -> tuple[int | None, c_void_p]:
        """Returns the C session, or None and the error."""
        video = self.make_video(library)
        try:
            return _library.call(library.cps_video_open, video, options)
        finally:
            library.cps_video_unref(video)


class Openable(ABC):
    """A source of which the caller has made an object of this package."""

    @abstractmethod
    def opener(self) -> Opener:
        """Returns an opener for one session."""


def opener_of(source: Any, read_once: bool, number: int | None = None) -> Opener:
    """Returns the opener for a source. TypeError if `source` is not a source.

    A file object that cannot seek is read into memory, because exact plans need two passes, unless `read_once` is set.
    The names of sources without a name of their own contain `number`, if it is given.
    """
    if isinstance(source, Openable):
        return source.opener()
    suffix = "" if number is None else f" {number}"
    if isinstance(source, str) and _URI.match(source):
        return _Uri(source)
    if isinstance(source, (str, os.PathLike)):
        return _Path(source)
    if isinstance(source, io.TextIOBase):
        raise TypeError(_TEXT_FILE)
    try:
        memoryview(source).release()
    except TypeError:
        if hasattr(source, "readinto") or hasattr(source, "read"):
            return _Stream(source, read_once, f"<file object{suffix}>")
        raise TypeError(f"a source is a path, a URI, bytes or a binary file object, not {type(source)}") from None
    return Bytes(source, f"<bytes{suffix}>")


def opener_named(kind: str, name: str, data: Any) -> Opener:
    """Returns the opener of the same source in another process. `data`: the contents, for a source of bytes."""
    if kind == Bytes.kind:
        return Bytes(data, name)
    return {_Path.kind: _Path, _Uri.kind: _Uri}[kind](name)


class _Path(Opener):
    kind = "path"

    def __init__(self, path: Any) -> None:
        self.name = os.fsdecode(path)

    def make_video(self, library: ctypes.CDLL) -> int:
        return library.cps_video_new_path(_library.to_text(os.fsencode(self.name)))


class _Uri(Opener):
    kind = "uri"

    def __init__(self, uri: str) -> None:
        self.name = uri

    def make_video(self, library: ctypes.CDLL) -> int:
        return library.cps_video_new_uri(_library.to_text(self.name))


# --- Python objects that the C library holds, by the number that it passes as user_data ---

_held: dict[int, Any] = {}
_numbers = itertools.count(1)


def _hold(thing: Any) -> int:
    number = next(_numbers)
    _held[number] = thing
    return number


@RELEASE_FUNC
def _release(number: int) -> None:
    _held.pop(number).release()


# --- Bytes ---


class _PyBuffer(ctypes.Structure):
    _fields_ = [
        ("buf", c_void_p),
        ("obj", c_void_p),
        ("len", c_ssize_t),
        ("itemsize", c_ssize_t),
        ("readonly", c_int),
        ("ndim", c_int),
        ("format", c_char_p),
        ("shape", c_void_p),
        ("strides", c_void_p),
        ("suboffsets", c_void_p),
        ("internal", c_void_p),
    ]


_get_buffer = ctypes.pythonapi.PyObject_GetBuffer
_get_buffer.restype, _get_buffer.argtypes = c_int, [py_object, POINTER(_PyBuffer), c_int]
_release_buffer = ctypes.pythonapi.PyBuffer_Release
_release_buffer.restype, _release_buffer.argtypes = None, [POINTER(_PyBuffer)]


class _Buffer:
    """The memory of an object, which is neither moved nor freed before release()."""

    def __init__(self, thing: Any) -> None:
        self._view = _PyBuffer()
        try:
            _get_buffer(thing, self._view, 0)
        except BufferError as error:
            raise ValueError(f"bytes must be in one piece: {error}") from error
        self.address, self.size = self._view.buf, self._view.len

    def release(self) -> None:
        _release_buffer(self._view)


class Bytes(Opener):
    kind = "bytes"

    def __init__(self, data: Any, name: str) -> None:
        self._data = data
        self.name = name

    def copy(self) -> bytes:
        """Returns a copy of the bytes. ValueError if they are not contiguous, as for :meth:`make_video`."""
        buffer = _Buffer(self._data)
        try:
            return ctypes.string_at(buffer.address, buffer.size) if buffer.size else b""
        finally:
            buffer.release()

    def make_video(self, library: ctypes.CDLL) -> int:
        name = _library.to_text(self.name)
        buffer, self._data = _Buffer(self._data), None
        return library.cps_video_new_bytes(buffer.address, buffer.size, _release, _hold(buffer), name)


# --- File objects ---


class _Stream(Opener):
    def __init__(self, file: Any, read_once: bool, default_name: str) -> None:
        self._file = file
        self._read_once = read_once
        self._seek = SEEK_FUNC()
        self._bytes: Bytes | None = None
        name = getattr(file, "name", None)
        self.name = os.fsdecode(name) if isinstance(name, (str, bytes)) else default_name

    kind = ""
    calls_application = True

    def prepare(self) -> None:
        try:
            if self._is_seekable():
                operator.index(self.seek(0, os.SEEK_SET))
                self._seek = _seek
            elif not self._read_once:
                self._bytes = Bytes(self._read_all(), self.name)
                self._file = None
        except Exception as error:
            raise read_error(self.name, error) from error

    def make_video(self, library: ctypes.CDLL) -> int:
        if self._bytes:
            return self._bytes.make_video(library)
        name, number = _library.to_text(self.name), _hold(self)
        return library.cps_video_new_stream(_read, self._seek, _release, number, name)

    def release(self) -> None:
        self._file = None

    def read(self, target: memoryview) -> int:
        if hasattr(self._file, "readinto"):
            data = None
            count = self._file.readinto(target)
        else:
            data = self._file.read(len(target))
            count = None if data is None else len(data)
        if count is None:
            raise BlockingIOError("it has no data yet; set it to blocking")
        if isinstance(data, str):
            raise TypeError(_TEXT_FILE)
        if count > len(target):
            raise ValueError(f"{count} bytes came of a read of {len(target)}")
        if data is not None:
            target[:count] = data
        return count

    def seek(self, offset: int, whence: int) -> int:
        position = self._file.seek(offset, whence)
        return self._file.tell() if position is None else position

    def _is_seekable(self) -> bool:
        seekable = getattr(self._file, "seekable", None)
        return bool(seekable()) if seekable else hasattr(self._file, "seek")

    def _read_all(self) -> bytearray:
        everything = bytearray()
        with memoryview(bytearray(1 << 20)) as chunk:
            while (count := self.read(chunk)) and not self.cancelled:
                everything += chunk[:count]
                self.progress += count
        return everything


def read_error(name: str, error: BaseException) -> CodecPatchError:
    """Returns the exception to raise from `error`, which a file object has raised."""
    return CodecPatchError(f"{name}: The file object failed: {error!r}", name, ErrorCode.SOURCE)


class _Calls(threading.local):
    stream: _Stream | None = None


_calls = _Calls()


def in_callback() -> bool:
    """True if this thread belongs to the C library and is in a read or seek function."""
    return _calls.stream is not None


def check_caller(opener: Opener) -> None:
    """Raises if a file object uses the session that reads it, because the session would wait for itself."""
    if _calls.stream is opener:
        raise CodecPatchError(f"{opener.name}: a file object cannot use the session that reads it.", opener.name)


def _guarded(number: int, work: Any) -> int:
    stream = _held.get(number)
    if stream is None:
        return -1
    outer, _calls.stream = _calls.stream, stream
    try:
        return operator.index(work(stream))  # because ctypes would convert other types to arbitrary numbers
    except BaseException as error:  # no caller can catch it; the session raises it as the cause of its own error
        if stream.error is None:
            stream.error = error
        return -1
    finally:
        _calls.stream = outer


@READ_FUNC
def _read(number: int, address: int, size: int) -> int:
    def work(stream: _Stream) -> int:
        with memoryview((c_char * size).from_address(address)).cast("B") as target:
            return stream.read(target)

    return _guarded(number, work)


@SEEK_FUNC
def _seek(number: int, offset: int, whence: int) -> int:
    return _guarded(number, lambda stream: stream.seek(offset, whence))

