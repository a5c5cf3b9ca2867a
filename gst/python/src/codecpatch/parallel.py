# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many videos at once, in threads."""

from __future__ import annotations

import itertools
import operator
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Union

from ._sources import Source
from .clip import Clip
from .session import Session, first_clip

_Item = Union[Source, "tuple[Source, Mapping[str, Any]]"]


def iter_clips(
    sources: Iterable[_Item], workers: int | None = None, **options: Any
) -> Iterator[Clip | Exception]:
    """Reads the first clip of each source, several at a time, and yields them in the order of the sources.

    Where reading one fails, the exception is yielded in its place, and the others go on. `sources` may be endless:
    no more than ``2 * workers`` are being read or wait to be taken. Closing the generator, as leaving a ``for`` loop
    does, ends what is being read, and no thread is left. What `sources` itself raises comes after the results of the
    sources before.

    Args:
        sources: what :class:`Session` takes, or pairs of that and a mapping of options of its own.
        workers: how many are read at a time; by default one a processor.
        options: those of :class:`Session`, for all sources.

    >>> for path, clip in zip(paths, codecpatch.iter_clips(paths, workers=4, k_keep=512)):
    ...     if isinstance(clip, Exception):
    ...         print(path, clip)
    """
    workers = (os.cpu_count() or 1) if workers is None else operator.index(workers)
    if workers < 1:
        raise ValueError(f"workers must be 1 or more, not {workers}")
    return _iterate(iter(sources), workers, options)


def _iterate(sources: Iterator[_Item], workers: int, options: Mapping[str, Any]) -> Iterator[Clip | Exception]:
    from concurrent.futures import Future, ThreadPoolExecutor

    reader = _Reader(options)
    executor = ThreadPoolExecutor(workers, thread_name_prefix="codecpatch")
    pending: deque[Future[Clip | Exception]] = deque()
    failure: Exception | None = None  # of the sources

    def take(count: int) -> None:
        nonlocal failure
        try:
            for item in itertools.islice(sources, 0 if failure else count):
                pending.append(executor.submit(reader.read, item))
        except Exception as error:
            failure = error

    try:
        take(2 * workers)
        while pending:
            result = pending.popleft().result()
            take(1)
            yield result
            del result  # not to keep it while the next one is waited for
        if failure:
            raise failure
    finally:
        reader.stop()
        executor.shutdown(wait=True, cancel_futures=True)


class _Reader:
    """Reads clips in several threads until it is stopped."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._stopped = False
        self._open: set[Session] = set()

    def read(self, item: _Item) -> Clip | Exception:
        try:
            source, own = _split(item)
            with _Session(self, source, {**self._options, **own}) as session:
                return first_clip(session)
        except Exception as error:
            return error

    def add(self, session: Session) -> None:
        with self._lock:
            self._open.add(session)
            if self._stopped:
                session._interrupt()

    def remove(self, session: Session) -> None:
        with self._lock:
            self._open.discard(session)

    def stop(self) -> None:
        """Has what is being read come to an end at once. The threads that read close the sessions, all at one time."""
        with self._lock:
            self._stopped = True
            for session in self._open:
                session._interrupt()


class _Session(Session):
    """Known to the reader that may stop it, from before it is opened."""

    def __init__(self, reader: _Reader, source: Any, options: Mapping[str, Any]) -> None:
        self._reader = reader
        super().__init__(source, **options)

    def _before_opening(self) -> None:
        super()._before_opening()
        self._reader.add(self)

    def close(self) -> None:
        super().close()
        self._reader.remove(self)


def _split(item: Any) -> tuple[Any, Mapping[str, Any]]:
    """A source, and the options that it has of its own."""
    is_pair = isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], Mapping)
    return item if is_pair else (item, {})
