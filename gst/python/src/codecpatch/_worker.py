# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program of a worker process of ``iter_clips(isolate=True)``, which reads one source after the other."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import traceback
import warnings
from typing import Any, NoReturn

from . import _library, _sources, _tensors
from ._channel import Channel, Closed
from .clip import metadata_of
from .errors import CodecPatchError, CodecPatchWarning
from .session import Session, all_clips, first_clip

_PR_SET_PDEATHSIG = 1
_ALIGNMENT = 64  # of the tensors


def run(descriptor: int, limit: int) -> NoReturn:
    """Reads until the parent ends. Arguments: the socket's file descriptor, and a memory limit, 0 for none."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # ends with the process that forked this one
    try:
        if limit:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        channel = Channel(socket.socket(fileno=descriptor))
        channel.send("ready")
        while True:
            task, data, _ = channel.receive()
            if _library.has_run() and _library.library().cps_session_abandoned() > 0:
                channel.send({"leaving": True})  # the abandoned threads end with the process
                break
            _do(task, data, channel)
    except Closed:
        pass
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)  # because threads may exist that never return


def _do(task: dict[str, Any], data: bytearray, channel: Channel) -> None:
    """Reads one source, and sends the result: a clip and a file in memory with its tensors, or an error.

    A task for all clips gets one result after the other, each but the first when the parent asks for it; at last the
    error, or a message without a clip.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", CodecPatchWarning)
        sent = False
        try:
            os.chdir(task["folder"])
            with _RawSession(_sources.opener_named(task["kind"], task["name"], data), task["options"]) as session:
                channel.send({"opened": True})  # the time limit for the clip starts now
                if task["all"]:
                    for clip in all_clips(session):
                        _send(clip, told, channel)
                        channel.receive()  # the parent asks for the next one
                    channel.send({"warnings": _texts(told)})
                else:
                    _send(first_clip(session), told, channel)
                sent = True  # the parent prepares the next source while the session is closed
        except Closed:
            raise
        except Exception as error:
            if not sent:
                channel.send({"error": _describe(error), "warnings": _texts(told)})


def _send(result: tuple[int, Any], told: list[warnings.WarningMessage], channel: Channel) -> None:
    file, clip = result
    try:
        channel.send({"clip": clip, "warnings": _texts(told)}, file=file)
    finally:
        os.close(file)


def _texts(told: list[warnings.WarningMessage]) -> list[str]:
    """Returns the warnings since the last call."""
    texts = [str(warning.message) for warning in told if issubclass(warning.category, CodecPatchWarning)]
    told.clear()
    return texts


def _describe(error: Exception) -> dict[str, Any]:
    if isinstance(error, CodecPatchError):
        return {"type": "CodecPatchError", "text": error.message, "path": error.path, "code": int(error.code)}
    return {"type": type(error).__name__, "text": str(error)}


class _RawSession(Session):
    """A session whose clips are files in memory; it needs neither PyTorch nor NumPy."""

    def __init__(self, opener: _sources.Opener, options: dict[str, str]) -> None:
        self._begin(opener, options)

    def _check_framework(self, checked: Any) -> None:
        """Does nothing, because the parent has checked it."""

    def _clip_of(self, tensors: int) -> Any:
        file = os.memfd_create("codecpatch", os.MFD_CLOEXEC)
        try:
            return file, {"tensors": self._write(tensors, file), "metadata": metadata_of(self._library, tensors)}
        except BaseException:
            os.close(file)
            raise

    def _write(self, tensors: int, file: int) -> list[dict[str, Any]]:
        written, offset = [], 0
        for index in range(self._library.cps_tensors_get_count(tensors)):
            name = self._library.cps_tensors_get_name(tensors, index)
            managed, error = _library.call(self._library.cps_tensors_to_dlpack, tensors, name)
            _library.check(error, self.name)
            kind, shape, data, device = _tensors.read_tensor(managed)
            written.append({"name": name.decode(), "kind": kind, "shape": shape, "offset": offset, "device": device})
            _write_all(file, data, offset)
            offset += -(-len(data) // _ALIGNMENT) * _ALIGNMENT
        os.ftruncate(file, offset)
        return written


def _write_all(file: int, data: Any, offset: int) -> None:
    with memoryview(data) as rest:
        at = 0
        while at < len(rest):
            at += os.pwrite(file, rest[at:], offset + at)
