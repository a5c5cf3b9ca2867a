# SPDX-License-Identifier: LGPL-2.1-or-later
"""Errors and warnings of sessions."""

from __future__ import annotations

import enum


class ErrorCode(enum.IntEnum):
    """The kind of an error. Codes below 100 are those of ``CpsSessionError``."""

    FAILED = 0
    """Any other error."""
    OPTION = 1
    """The name or the value of an option is invalid. Raised as :class:`ValueError`."""
    SOURCE = 2
    """The source cannot be opened or read."""
    STREAM = 3
    """The source has no video, is damaged, or has a codec without an installed decoder."""
    BACKEND = 4
    """The requested backend is not available."""
    MEMORY = 5
    """Not enough memory of the machine or of the GPU."""
    CLOSED = 6
    """The session has been closed."""
    FORKED = 7
    """This process is a fork of a process that had run a session."""
    SETUP = 8
    """The C library, GStreamer or a plugin is missing or too old."""
    TIMEOUT = 9
    """It took longer than ``timeout`` or ``stall_timeout`` allows; the message names the option. After the ``timeout``
    of :meth:`Session.next` the session goes on; after an option's it has ended."""
    CRASHED = 100
    """The process that read the source has died. Only from :func:`iter_clips` with ``isolate=True``."""


class CodecPatchError(RuntimeError):
    """A session cannot be opened, read or continued.

    Can be pickled, so that a worker process can send it to its parent.
    """

    message: str
    """A sentence for users."""
    path: str | None
    """The name of the source, or None if the error does not concern a source."""
    code: ErrorCode
    """The kind of the error."""

    def __init__(self, message: str, path: str | None = None, code: int = ErrorCode.FAILED) -> None:
        super().__init__(message, path, code)
        self.message = message
        self.path = path
        # A library newer than this package may have more codes.
        self.code = ErrorCode(code) if code in ErrorCode._value2member_map_ else ErrorCode.FAILED

    def __str__(self) -> str:
        return self.message


class CodecPatchWarning(UserWarning):
    """The result may differ from the request: a substituted frame, an option without effect."""
