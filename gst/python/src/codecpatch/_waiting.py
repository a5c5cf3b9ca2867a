# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waits in slices, between which Python runs signal handlers, such as the one of Ctrl-C."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from .errors import CodecPatchError, ErrorCode

SLICE_MS = 50
"""No call of the C library waits longer, because a reaction within a tenth of a second seems immediate."""

STALL_TIMEOUT = 30.0
"""The default of ``stall_timeout``, which is that of the C library."""


class Limits:
    """Limits on the time to open a source, by the options of a session. Measures from its construction."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self._name = name
        self._timeout = float(options.get("timeout", 0))
        self._stall = float(options.get("stall_timeout", STALL_TIMEOUT))
        self._begun = self._changed = time.monotonic()
        self._progress = 0

    def check(self, progress: int) -> None:
        """Raises if opening takes too long, in total or without progress."""
        now = time.monotonic()
        if progress != self._progress:
            self._progress, self._changed = progress, now
        if self._stall and now - self._changed >= self._stall:
            self._fail(f"Nothing has come from the source for {self._stall:g} seconds; stall-timeout sets how long to wait.")
        if self._timeout and now - self._begun >= self._timeout:
            self._fail(f"The source was not opened within {self._timeout:g} seconds; timeout sets how long that may take.")

    def _fail(self, sentence: str) -> None:
        raise CodecPatchError(f"{self._name}: {sentence}", self._name, ErrorCode.TIMEOUT)


class Patience:
    """A limit on one wait, in seconds from its construction. None means no limit, 0 no wait. ValueError if invalid."""

    def __init__(self, seconds: float | None) -> None:
        if seconds is not None and not 0 <= seconds <= 1e9:
            raise ValueError(f"timeout is a time in seconds, 0 to 1e9, or None (no limit), not {seconds}")
        self.seconds = None if seconds is None else float(seconds)
        self._until = None if seconds is None else time.monotonic() + float(seconds)

    def slice_ms(self) -> int:
        """Returns how many milliseconds the next slice of the wait may take; 0 once the time is over."""
        if self._until is None:
            return SLICE_MS
        return min(SLICE_MS, math.ceil(1000 * max(0.0, self._until - time.monotonic())))

    def is_over(self) -> bool:
        return self._until is not None and time.monotonic() >= self._until


def run_apart(work: Callable[[], None], check: Callable[[], None]) -> None:
    """Runs `work` on a thread of its own, and calls `check` periodically. If `check` raises, the wait ends."""
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
