# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waiting in slices, between which Python runs the handlers of signals, such as that of Ctrl-C."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from .errors import CodecPatchError, ErrorCode

SLICE_MS = 50
"""No call of the C library waits longer: a tenth of a second is what people take for at once."""

STALL_TIMEOUT = 30.0
"""The default of ``stall_timeout``, as the C library has it."""


class Limits:
    """How long opening a source may take, as the options of a session say, from now on."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self._name = name
        self._timeout = float(options.get("timeout", 0))
        self._stall = float(options.get("stall_timeout", STALL_TIMEOUT))
        self._begun = self._changed = time.monotonic()
        self._progress = 0

    def check(self, progress: int) -> None:
        """Raises where it takes too long, in all or without progress."""
        now = time.monotonic()
        if progress != self._progress:
            self._progress, self._changed = progress, now
        if self._stall and now - self._changed >= self._stall:
            self._fail(f"Nothing has come from the source for {self._stall:g} seconds; stall-timeout sets how long to wait.")
        if self._timeout and now - self._begun >= self._timeout:
            self._fail(f"The source was not opened within {self._timeout:g} seconds; timeout sets how long that may take.")

    def _fail(self, sentence: str) -> None:
        raise CodecPatchError(f"{self._name}: {sentence}", self._name, ErrorCode.TIMEOUT)


def run_apart(work: Callable[[], None], check: Callable[[], None]) -> None:
    """Runs `work` on a thread of its own, and calls `check` from time to time, which may raise: nobody waits then."""
    done, raised = threading.Event(), []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="codecpatch source", daemon=True).start()
    while not done.wait(SLICE_MS / 1000):
        check()
    if raised:
        raise raised.pop()
