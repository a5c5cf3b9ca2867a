# SPDX-License-Identifier: LGPL-2.1-or-later
"""What sessions raise and warn of."""

from __future__ import annotations

import enum


class ErrorCode(enum.IntEnum):
    """What kind of thing went wrong; below 100, the codes of ``CpsSessionError``."""

    FAILED = 0
    """What none of the others says."""
    OPTION = 1
    """An option has no such name or value. Raised as :class:`ValueError`."""
    SOURCE = 2
    """The source cannot be opened or read."""
    STREAM = 3
    """There is no video in it, it is damaged, or nothing here decodes it."""
    BACKEND = 4
    """The backend that was asked for is not there."""
    MEMORY = 5
    """There is not enough memory, of the machine or of the GPU."""
    CLOSED = 6
    """The session has been closed."""
    FORKED = 7
    """This process is a fork of one that had run a session."""
    SETUP = 8
    """The C library, GStreamer or a plugin is missing or too old."""
    TIMEOUT = 9
    """It took longer than ``timeout`` or ``stall_timeout``, whichever the message names, allows."""
    CRASHED = 100
    """The process that read it has died: of :func:`iter_clips` with ``isolate=True`` alone."""


class CodecPatchError(RuntimeError):
    """A session cannot be opened, read or continued.

    Pickles, so that it crosses from a worker process to its parent.
    """

    message: str
    """A sentence for people."""
    path: str | None
    """The name of the source, or None where the error is none of a source's."""
    code: ErrorCode
    """What kind of thing went wrong."""

    def __init__(self, message: str, path: str | None = None, code: int = ErrorCode.FAILED) -> None:
        super().__init__(message, path, code)
        self.message = message
        self.path = path
        # A library newer than this package may have more codes.
        self.code = ErrorCode(code) if code in ErrorCode._value2member_map_ else ErrorCode.FAILED

    def __str__(self) -> str:
        return self.message


class CodecPatchWarning(UserWarning):
    """The result may not be what was asked for: a frame that another stands in for, an option without a meaning."""
