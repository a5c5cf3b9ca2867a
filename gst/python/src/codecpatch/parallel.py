# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many videos at once, in threads or in processes."""

from __future__ import annotations

import atexit
import itertools
import operator
import os
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Union

from . import _tensors
from ._sources import Source
from ._waiting import SLICE_MS
from .clip import Clip
from .session import Session, first_clip

if TYPE_CHECKING:
    from concurrent.futures import Future

_Item = Union[Source, "tuple[Source, Mapping[str, Any]]"]

_WAITING_LIMIT = 256 << 20  # bytes of finished clips during the wait for a slow one
_WAITING_COUNT = 64  # sources per worker, because errors need no memory and would not reach the limit


def iter_clips(
    sources: Iterable[_Item],
    workers: int | None = None,
    *,
    isolate: bool = False,
    memory_limit: int | None = None,
    **options: Any,
) -> Iterator[Clip | Exception]:
    """Reads the first clip of each source, several at a time, and yields them in the order of the sources.

    If a source cannot be read, its exception is yielded in its place, and the other sources are not affected. `sources`
    may be endless: at most ``2 * workers`` sources are being read or have results that are not yielded yet. If the next
    result takes long, the other workers read further sources until the waiting results need 256 MiB. Closing the
    generator, for example by leaving a ``for`` loop, ends all reads and all threads. An exception of `sources` itself
    is raised after the results of the previous sources.

    With `isolate`, sources are read in new processes, each of which reads one source after the other. If a process
    dies, for example because a decoder crashes or memory is short, a CodecPatchError with the code ``CRASHED`` is
    yielded for its source. If a process does not answer within ``timeout``, or has threads that do not return, a new
    process replaces it, and the code is ``TIMEOUT``. File objects are not supported as sources. Everything else is the
    same. The processes are no sandbox.

    Args:
        sources: sources as for :class:`Session`, or pairs of a source and a mapping with options of its own.
        workers: the number of sources that are read at a time; by default the number of processors.
        isolate: read in other processes.
        memory_limit: limit for each process, in bytes of address space, including Python's own; None means no limit.
        options: options as for :class:`Session`, for all sources.

    >>> for path, clip in zip(paths, codecpatch.iter_clips(paths, workers=4, k_keep=512)):
    ...     if isinstance(clip, Exception):
    ...         print(path, clip)
    """
    workers = (os.cpu_count() or 1) if workers is None else operator.index(workers)
    if workers < 1:
        raise ValueError(f"workers must be 1 or more, not {workers}")
    if memory_limit is not None and not isolate:
        raise ValueError("memory_limit goes with isolate=True")
    if memory_limit is not None and operator.index(memory_limit) < 1:
        raise ValueError(f"memory_limit must be 1 or more, not {memory_limit}")
    return _iterate(iter(sources), workers, options, isolate, memory_limit)


def _iterate(
    sources: Iterator[_Item], workers: int, options: Mapping[str, Any], isolate: bool, memory_limit: int | None
) -> Iterator[Clip | Exception]:
    from ._threads import Threads

    reader = _isolated_reader(memory_limit) if isolate else _Reader()
    _readers.add(reader)
    threads = Threads(workers)
    pending: deque[Future[Clip | Exception]] = deque()
    finished = threading.Semaphore(0)  # released by each finished read
    failure: Exception | None = None  # raised by `sources`

    def read(item: _Item) -> Clip | Exception:
        try:
            source, own = _split(item)
            return reader.read(source, {**options, **own})
        except Exception as error:
            return error

    def take(count: int) -> None:
        nonlocal failure
        try:
            for item in itertools.islice(sources, 0 if failure else count):
                pending.append(threads.submit(read, item))
                pending[-1].add_done_callback(lambda _: finished.release())
        except Exception as error:
            failure = error

    def may_go_on() -> bool:
        """True if another source may be read although the first result is not there, because a worker is idle."""
        waiting = [future.result() for future in pending if future.done()]
        return (
            len(pending) - len(waiting) < workers
            and len(pending) < _WAITING_COUNT * workers
            and sum(map(_size_of, waiting)) < _WAITING_LIMIT
        )

    try:
        take(2 * workers)
        while pending:
            while not pending[0].done():
                # In slices, because the kernel may deliver a signal to another thread, but the handler runs in this
                # one.
                if finished.acquire(timeout=SLICE_MS / 1000):
                    take(1 if may_go_on() else 0)
            result = pending.popleft().result()
            take(max(0, 2 * workers - len(pending)))
            yield result
            del result  # not kept during the wait for the next one
        if failure:
            raise failure
    finally:
        reader.stop()
        threads.end()
        reader.end()


def _size_of(result: Clip | Exception) -> int:
    return sum(map(_tensors.size_of, result.tensors.values())) if isinstance(result, Clip) else 0


def _isolated_reader(memory_limit: int | None) -> Any:
    from .isolation import Reader

    return Reader(memory_limit)


_readers: weakref.WeakSet[Any] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    """Ends the readers before the interpreter ends, without waiting for their threads."""
    for reader in list(_readers):
        reader.stop()


class _Reader:
    """Reads clips in several threads until it is stopped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stopped = False
        self._open: set[Session] = set()

    def read(self, source: Any, options: Mapping[str, Any]) -> Clip:
        with _Session(self, source, options) as session:
            return first_clip(session)

    def add(self, session: Session) -> None:
        with self._lock:
            self._open.add(session)
            if self._stopped:
                session._interrupt()

    def remove(self, session: Session) -> None:
        with self._lock:
            self._open.discard(session)

    def stop(self) -> None:
        """Ends all reads at once. The reading threads then close their sessions in parallel."""
        with self._lock:
            self._stopped = True
            for session in self._open:
                session._interrupt()

    def end(self) -> None:
        """Does nothing."""


class _Session(Session):
    """A session that registers with the reader before it is opened, so that the reader can stop it."""

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
    """Returns a source and its own options."""
    is_pair = isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], Mapping)
    return item if is_pair else (item, {})
