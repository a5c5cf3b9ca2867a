# SPDX-License-Identifier: LGPL-2.1-or-later
"""The process that the workers of ``iter_clips(isolate=True)`` are forked from.

Starting Python and GStreamer takes a third of a second, a fork a few milliseconds; files that crash are many in some
collections. It runs no session and has no threads, so that its forks are whole.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time
from typing import NoReturn

from . import _library, _worker
from ._channel import Channel, Closed

_PATIENCE = 1.0  # seconds until it looks whether its parent is still there
_LAST_WORDS = 0.5  # seconds that a worker has to end by itself: one that crashes may still be writing its core

_PLUGINS = (b"coreelements", b"playback", b"typefindfunctions", b"isomp4", b"matroska", b"videoparsersbad", b"libav")
"""What most videos take. Not those that look for devices, which do not survive a fork."""


def main() -> NoReturn:
    """Forks until the parent is gone. Arguments: the socket's file descriptor, the parent's process, a limit of memory."""
    descriptor, parent, limit = map(int, sys.argv[1:4])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's affair
    channel = Channel(socket.socket(fileno=descriptor))
    _preload()
    try:
        channel.send("ready")
        channel.set_timeout(_PATIENCE)
        # The parent may have been killed while a fork of it still has its end of the socket.
        while os.getppid() == parent:
            _serve(channel, limit)
    except Closed:
        pass
    os._exit(0)


def _preload() -> None:
    library = _library.library()
    library.gst_init(None, None)
    load, unref = library.gst_plugin_load_by_name, library.gst_object_unref
    load.restype, unref.restype = ctypes.c_void_p, None
    load.argtypes, unref.argtypes = [ctypes.c_char_p], [ctypes.c_void_p]
    for name in _PLUGINS:
        plugin = load(name)
        if plugin:
            unref(plugin)


def _serve(channel: Channel, limit: int) -> None:
    """One request, if there is one: ``"fork"`` with the worker's end of its socket, or the process to wait for."""
    try:
        request, _, file = channel.receive()
    except TimeoutError:
        return
    if request != "fork":
        channel.send(_end(request))
        return
    process = os.fork()
    if process == 0:
        channel.close()
        _worker.run(file, limit)
    os.close(file)
    channel.send(process)


def _end(process: int) -> int:
    """Ends a worker: its exit code, negative where a signal has killed it."""
    deadline = time.monotonic() + _LAST_WORDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
