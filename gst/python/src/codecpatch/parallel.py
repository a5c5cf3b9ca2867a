# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many videos at once, in threads or in processes."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import operator
import os
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Union

from . import _sources, _tensors
from ._sources import Source
from ._waiting import SLICE_MS
from .clip import Clip
from .session import Session, all_clips, first_clip

_Item = Union[Source, "tuple[Source, Mapping[str, Any]]"]

_WAITING_LIMIT = 256 << 20  # bytes of finished clips during the wait for a slow one
_WAITING_COUNT = 64  # sources per worker, because errors need no memory and would not reach the limit
_WAITING_CLIPS = 64  # of one source, because clips without patches would not reach the limit either


def iter_clips(
    sources: Iterable[_Item],
    workers: int | None = None,
    *,
    isolate: bool = False,
    memory_limit: int | None = None,
    **options: Any,
) -> Iterator[Clip | Exception]:
    """Reads the clip of each source, several sources at a time, and yields the clips in the order of the sources.

    If a source cannot be read, its exception is yielded in its place, and the other sources are not affected. `sources`
    may be endless: at most ``2 * workers`` sources are being read or have results that are not yielded yet. If the next
    result takes long, the other workers read further sources until the waiting results need 256 MiB. Closing the
    generator, for example by leaving a ``for`` loop, ends all reads and all threads. An exception of `sources` itself
    is raised after the results of the previous sources.

    A source whose options have ``window`` or ``clip_length`` yields all its clips, one after the other, before those of
    the next source. :attr:`Clip.source` tells which source a clip belongs to, and ``CodecPatchError.path`` does for an
    error. It is the path or the URI; for bytes it is ``<bytes N>`` and for a file object without a name
    ``<file object N>``, where N is the index in `sources`, from 0. If reading fails in the middle, the clips before it
    are yielded, and then the exception, which ends the source. A source is not read further while 64 of its clips have
    not been yielded, or while these need more than 256 MiB divided by `workers`. Without these options only the first
    clip of a source is read.

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

    >>> for clip in codecpatch.iter_clips(paths, workers=4, k_keep=512, window=10):
    ...     if isinstance(clip, codecpatch.Clip):
    ...         print(clip.source, clip.start, clip.stop)
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
    pending: deque[_Results] = deque()
    news = threading.Semaphore(0)  # released by each change of the results
    numbers = itertools.count()
    failure: Exception | None = None  # raised by `sources`

    def read(item: _Item, number: int, results: _Results) -> None:
        try:
            source, own = _split(item)
            together = {**options, **own}
            if not _has_many(together):
                results.add(reader.read(source, together), is_last=True)
                return
            with contextlib.closing(reader.read_all(source, together, number)) as clips:
                for clip in clips:
                    results.add(clip)
                    del clip  # not kept during the wait
                    if not results.wait_for_room():
                        break
            results.end()
        except Exception as error:
            results.add(error, is_last=True)
        except BaseException as error:
            results.end(error)

    def take(count: int) -> None:
        nonlocal failure
        try:
            for item in itertools.islice(sources, 0 if failure else count):
                pending.append(_Results(news, _WAITING_LIMIT // workers))
                threads.submit(read, item, next(numbers), pending[-1])
        except Exception as error:
            failure = error

    def may_go_on() -> bool:
        """True if another source may be read although the first result is not there, because a worker is idle."""
        return (
            sum(not results.has_ended for results in pending) < workers
            and len(pending) < _WAITING_COUNT * workers
            and sum(results.size for results in pending) < _WAITING_LIMIT
        )

    try:
        take(2 * workers)
        while pending:
            first = pending[0]
            while not first.is_ready():
                # In slices, because the kernel may deliver a signal to another thread, but the handler runs in this
                # one.
                if news.acquire(timeout=SLICE_MS / 1000):
                    take(1 if may_go_on() else 0)
            result = first.take()
            if first.is_over():
                pending.popleft()
                take(max(0, 2 * workers - len(pending)))
            if result is not None:
                yield result
            del result  # not kept during the wait for the next one
        if failure:
            raise failure
    finally:
        for results in pending:
            results.stop()
        reader.stop()
        threads.end()
        reader.end()


def _has_many(options: Mapping[str, Any]) -> bool:
    """True if a source may yield more than one clip."""
    return any(options.get(name) is not None for name in ("window", "clip_length", "clip-length"))


class _Results:
    """What has been read of one source and has not been yielded. A worker adds results, the generator takes them."""

    def __init__(self, news: threading.Semaphore, limit: int) -> None:
        self._news = news
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: deque[Clip | Exception] = deque()
        self._failure: BaseException | None = None
        self._stopped = False
        self.has_ended = False
        self.size = 0  # of the clips that wait, in bytes

    def add(self, result: Clip | Exception, is_last: bool = False) -> None:
        with self._changed:
            self._waiting.append(result)
            self.size += _size_of(result)
            self.has_ended = is_last
        self._news.release()

    def end(self, failure: BaseException | None = None) -> None:
        """Says that no result follows. `failure` is raised in the generator, after the results."""
        with self._changed:
            self._failure = failure
            self.has_ended = True
        self._news.release()

    def wait_for_room(self) -> bool:
        """Waits until another clip may be read. False if the generator ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._has_room())
            return not self._stopped

    def _has_room(self) -> bool:
        return not self._waiting or (self.size < self._limit and len(self._waiting) < _WAITING_CLIPS)

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def is_ready(self) -> bool:
        """True if :meth:`take` may be called."""
        return bool(self._waiting) or self.has_ended

    def take(self) -> Clip | Exception | None:
        """Returns the next result; None if the source has ended without another one."""
        with self._changed:
            if self._waiting:
                result = self._waiting.popleft()
                self.size -= _size_of(result)
                self._changed.notify_all()
                return result
            if self._failure is not None:
                raise self._failure
            return None

    def is_over(self) -> bool:
        """True if all results have been taken."""
        with self._changed:
            return self.has_ended and not self._waiting and self._failure is None


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

    def read_all(self, source: Any, options: Mapping[str, Any], number: int) -> Iterator[Clip]:
        """Yields all clips. `number`: for the name of a source without a name."""
        with _Session(self, source, options, number) as session:
            yield from all_clips(session)

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

    def __init__(self, reader: _Reader, source: Any, options: Mapping[str, Any], number: int | None = None) -> None:
        self._reader = reader
        self._number = number
        super().__init__(source, **options)

    def _opener_of(self, source: Source, read_once: bool) -> _sources.Opener:
        return _sources.opener_of(source, read_once, self._number)

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
