# SPDX-License-Identifier: LGPL-2.1-or-later
"""The process from which the workers of ``iter_clips(isolate=True)`` are forked.

Starting Python and GStreamer takes a third of a second, a fork a few milliseconds, and in some collections many files
crash. The process runs no session and has no threads, because a fork copies only the thread that calls it.
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

_PATIENCE = 1.0  # seconds between checks whether the parent still exists
_LAST_WORDS = 0.5  # seconds for a worker to end by itself, because one that crashes may still be writing its core

_PLUGINS = (b"coreelements", b"playback", b"typefindfunctions", b"isomp4", b"matroska", b"videoparsersbad", b"libav")
"""The plugins that most videos need, except those that search for devices, which do not survive a fork."""


def main() -> NoReturn:
    """Forks until the parent ends. Arguments: the socket's file descriptor, the parent's process id, a memory limit."""
    descriptor, parent, limit = map(int, sys.argv[1:4])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles it
    channel = Channel(socket.socket(fileno=descriptor))
    _preload()
    try:
        channel.send("ready")
        channel.set_timeout(_PATIENCE)
        # The socket alone does not tell, because a fork of a killed parent may still hold the parent's end.
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
    """Handles a request, if any: ``"fork"`` with the worker's end of its socket, or the id of a process to end."""
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
    """Ends a worker. Returns its exit code, negative if a signal has killed it."""
    deadline = time.monotonic() + _LAST_WORDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
