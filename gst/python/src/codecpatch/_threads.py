# SPDX-License-Identifier: LGPL-2.1-or-later
"""Threads that run one task after the other and do not keep the process from ending."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class Threads:
    """At most `count` daemon threads. Threads of concurrent.futures could block the exit, because it waits for them."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._tasks: queue.SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._tasks.put((future, work, arguments))
        if len(self._threads) < self._count:
            self._threads.append(threading.Thread(target=self._run, name="codecpatch", daemon=True))
            self._threads[-1].start()
        return future

    def end(self) -> None:
        """Drops tasks that have not started, and waits for the others."""
        while not self._tasks.empty():
            self._tasks.get()
        for _ in self._threads:
            self._tasks.put(None)
        if sys.is_finalizing():  # which has stopped the daemon threads
            return
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while task := self._tasks.get():
            future, work, arguments = task
            try:
                future.set_result(work(*arguments))
            except BaseException as error:
                future.set_exception(error)
            del task, future, work, arguments  # not kept during the wait for the next task
