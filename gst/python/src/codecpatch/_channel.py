# SPDX-License-Identifier: LGPL-2.1-or-later
"""Messages between a process and its workers: JSON, plus bytes or a file in memory. Nothing is unpickled."""

from __future__ import annotations

import json
import os
import select
import socket
import struct
from typing import Any

_LENGTHS = struct.Struct("<QQ")  # of the JSON and of the bytes


class Closed(Exception):
    """The peer has closed its end."""


class Channel:
    """One end of a pair of sockets. A call that takes longer than the timeout of the socket raises TimeoutError."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end

    def set_timeout(self, seconds: float | None) -> None:
        self._socket.settimeout(seconds)

    def close(self) -> None:
        self._socket.close()

    def is_open(self) -> bool:
        """True unless the peer is known to have closed its end. Only for use while no message is expected."""
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        try:
            return not waiting.poll(0) or self._socket.recv(1, socket.MSG_PEEK) != b""
        except OSError:
            return False

    def send(self, message: Any, data: Any = b"", file: int | None = None) -> None:
        text = json.dumps(message).encode()
        try:
            socket.send_fds(self._socket, [_LENGTHS.pack(len(text), len(data))], [] if file is None else [file])
            self._socket.sendall(text)
            if data:  # not nothing, because a peer that has the whole message may have answered and ended
                self._socket.sendall(data)
        except TimeoutError:
            raise
        except OSError as error:
            raise Closed from error

    def receive(self) -> tuple[Any, bytearray, int | None]:
        """Returns a message, and the bytes and the file that accompany it. The caller closes the file."""
        file = None
        try:
            head, files, _, _ = socket.recv_fds(self._socket, _LENGTHS.size, 1)
            file = files[0] if files else None
            lengths = _LENGTHS.unpack(bytes(head) + self._exactly(_LENGTHS.size - len(head)))
            text, data = (self._exactly(length) for length in lengths)
            return json.loads(text), data, file
        except BaseException as error:
            if file is not None:
                os.close(file)
            if isinstance(error, OSError) and not isinstance(error, TimeoutError):
                raise Closed from error
            raise

    def _exactly(self, size: int) -> bytearray:
        data = bytearray(size)
        with memoryview(data) as rest:
            at = 0
            while at < size:
                count = self._socket.recv_into(rest[at:])
                if count == 0:
                    raise Closed
                at += count
        return data
