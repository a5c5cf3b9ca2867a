# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sessions, which read a video clip by clip."""

from __future__ import annotations

import atexit
import sys
import threading
import warnings
import weakref
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from types import TracebackType
from typing import Any, NoReturn

from . import _library, _options, _sources, _tensors
from ._sources import Source
from ._waiting import SLICE_MS, Limits, Patience, run_apart
from .clip import Clip, clip_of
from .errors import CodecPatchError, CodecPatchWarning, ErrorCode


class Session(Iterator[Clip]):
    """A video that is read clip by clip. Iteration yields its clips: one, or with ``window`` or ``clip_length`` many.

    A video is decoded once, also where windows overlap. While nobody calls :meth:`next`, a session reads on until one
    clip is queued and another one is made.

    Sessions share nothing, so each may be used on a thread of its own. They decode in parallel, because the GIL is not
    held. One session reads one clip at a time; :meth:`close` may be called from any thread at any time, and makes a
    :meth:`next` that is running raise. Signal handlers, such as the one of Ctrl-C, run while a session waits.

    Args:
        source: a path (str or os.PathLike), a URI (a str with ``xyz://``), the bytes of a file (bytes, bytearray,
            memoryview or mmap; not copied, must not change until the session is closed), or a binary file object with
            ``readinto`` or ``read``. A seekable file object is read from its beginning, regardless of its position. A
            file object that cannot seek is read from its position to its end, into memory, unless ``uniform_strategy``
            is ``"stream"``. File objects are used on threads of the session, by one thread at a time, and are left
            open; their position afterwards is undefined. A file object must not use the session.
        output: ``"patches"``: tensors ``patches``, ``meta_fields``, ``meta_scores``; ``"frames"``: tensor ``frames``;
            ``"canvases"``: the selected blocks as ``canvases`` images at most, tensors ``canvases``,
            ``patch_positions``, ``meta_scores``, by ``output_layout="canvas"`` and ``selection_unit="block2x2"``.
        frame_indices: the frames to sample, by index in display order; order and repeats are kept.
        start: start of the section to sample, in seconds.
        stop: end of the section, exclusive, in seconds.
        fps: frames to sample per second (float or Fraction), instead of ``sequence_length`` frames.
        max_frames: if ``fps`` gives more frames than this, this many, evenly spaced.
        window: divides the section, or the whole video, into windows of this length, in seconds (float, int or
            Fraction), more than 0. Each window that has a frame is a clip of its own, which equals that of a session
            with the limits of the window as ``start`` and ``stop``, but for ``clip_index``; :attr:`Clip.start` and
            :attr:`Clip.stop` return the limits. No window ends after ``stop``, if it is given. Excludes
            ``frame_indices``.
        hop: the time from the start of a window to that of the next one, in seconds, more than 0; by default
            ``window``. Windows overlap if it is less than ``window``.
        clip_length: cuts the sampled frames, of each window if there are windows, into clips of this many frames, 1 or
            more; the last may have fewer.
        on_error: ``"fail"`` raises for a frame that cannot be decoded; with ``"substitute"`` another frame replaces it,
            ``frame_status`` says so, and a CodecPatchWarning is given.
        timeout: seconds that opening may take, and each :meth:`next`; 0, the default, means no limit.
        stall_timeout: seconds without data from the source after which reading fails; 30 by default, 0 means no limit.
            Live sources have no such limit.
        options: the properties of ``patchstreambin`` or ``uniformdecodebin``, with ``_`` for ``-``:
            ``sequence_length=16``, ``k_keep=2048``, ``decode_backend="cpu"``, ... None means the default.

    Raises:
        ValueError: the name or the value of an option is invalid.
        TypeError: the source has an unsupported type; or NumPy has no type for ``output_dtype``.
        CodecPatchError: the source cannot be opened or read, here or by the first :meth:`next`; the code is ``TIMEOUT``
            if that takes too long.
    """

    def __init__(
        self,
        source: Source,
        *,
        output: str | None = "patches",
        frame_indices: Iterable[int] | None = None,
        start: float | None = None,
        stop: float | None = None,
        fps: float | Fraction | None = None,
        max_frames: int | None = None,
        window: float | Fraction | None = None,
        hop: float | Fraction | None = None,
        clip_length: int | None = None,
        on_error: str | None = "fail",
        timeout: float | None = None,
        stall_timeout: float | None = None,
        **options: Any,
    ) -> None:
        checked = checked_options(
            output=output,
            frame_indices=frame_indices,
            start=start,
            stop=stop,
            fps=fps,
            max_frames=max_frames,
            window=window,
            hop=hop,
            clip_length=clip_length,
            on_error=on_error,
            timeout=timeout,
            stall_timeout=stall_timeout,
            **options,
        )
        self._begin(self._opener_of(source, checked.get("uniform_strategy") == "stream"), checked)

    def _begin(self, opener: _sources.Opener, checked: Mapping[str, Any]) -> None:
        self._handle: int | None = None
        self._reading = threading.Lock()
        self._closing = threading.Lock()
        self._using = threading.Lock()  # held briefly, while the handle must not change
        self._interrupted = False
        self._opener = opener
        _library.check_process()
        self._check_framework(checked)
        self._library = _library.enter_session()
        try:
            self._before_opening()
            self._open(checked)
        except BaseException:
            self._opener.cancelled = True
            self.close()
            raise
        for message in self._pop_warnings():
            warn(message)

    def _opener_of(self, source: Source, read_once: bool) -> _sources.Opener:
        return _sources.opener_of(source, read_once)

    def _check_framework(self, checked: Mapping[str, Any]) -> None:
        check_framework(checked)

    def _clip_of(self, tensors: int) -> Clip:
        return clip_of(tensors, self.name)

    def _before_opening(self) -> None:
        """Called once :meth:`_interrupt` works, before the first wait."""
        _live.add(self)

    def _open(self, options: Mapping[str, Any]) -> None:
        self._check_interrupted()
        limits = Limits(self.name, options)

        def check() -> None:
            self._check_interrupted()
            limits.check(self._opener.progress)

        if self._opener.calls_application:
            run_apart(self._opener.prepare, check)
        handle, error = self._opener.open(self._library, _options.to_c({**options, "background": True}))
        with self._using:
            self._handle = handle
        self._check(error)
        state = 0
        while state == 0:
            self._check_interrupted()
            state, error = _library.call(self._library.cps_session_wait_open, handle, SLICE_MS)
            self._check(error)

    def _check_interrupted(self) -> None:
        if self._interrupted:
            raise self._closed_error()

    def _closed_error(self) -> CodecPatchError:
        return CodecPatchError(f"{self.name}: the session is closed.", self.name, ErrorCode.CLOSED)

    @property
    def name(self) -> str:
        """The name of the source in messages: its path or URI, the file object's name, or ``<bytes>``."""
        return self._opener.name

    @property
    def closed(self) -> bool:
        return self._handle is None

    def next(self, timeout: float | None = None) -> Clip | None:
        """Reads the next clip. None if no clip is left.

        Args:
            timeout: seconds to wait, also for a :meth:`next` that runs on another thread; None means no limit, and 0
                returns a clip only if it is there. The session is intact after it: call :meth:`next` again. The option
                ``timeout`` of the session, in contrast, ends the session; it counts from the first call that waits for
                this clip.

        Raises:
            CodecPatchError: the source cannot be read, or the session is closed. The code is ``TIMEOUT`` if there is no
                clip in time.
            ValueError: an option does not fit the video, or `timeout` is negative or not a number.
        """
        _library.check_process()
        _sources.check_caller(self._opener)
        patience = Patience(timeout)
        if not self._reading.acquire(timeout=-1 if patience.seconds is None else patience.seconds):
            raise self._late_error(patience.seconds)
        try:
            if self._handle is None:
                raise self._closed_error()
            while not self._library.cps_session_wait_next(self._handle, patience.slice_ms()):
                if patience.is_over():
                    raise self._late_error(patience.seconds)
            tensors, error = _library.call(self._library.cps_session_next, self._handle)
            try:
                clip = self._clip_of(tensors) if tensors else None
            finally:
                if tensors:
                    self._library.cps_tensors_free(tensors)
            told = self._pop_warnings()
        finally:
            self._reading.release()
        for message in told:
            warn(message)
        self._check(error)
        return clip

    def _late_error(self, seconds: float | None) -> CodecPatchError:
        text = f"{self.name}: There was no clip within {seconds:g} seconds; next() may be called again."
        return CodecPatchError(text, self.name, ErrorCode.TIMEOUT)

    def __next__(self) -> Clip:
        clip = self.next()
        if clip is None:
            raise StopIteration
        return clip

    def get(self, name: str) -> str | None:
        """Returns the value of an option as text, or ``resolved_decode_backend`` or ``resolved_process_backend``.

        None if there is no such name, or if the session is closed. May be called while :meth:`next` runs on another
        thread.
        """
        _library.check_process()
        _sources.check_caller(self._opener)
        with self._using:
            if self._handle is None:
                return None
            return _library.take_text(self._library.cps_session_get(self._handle, _library.to_text(name)))

    @property
    def progress(self) -> float | None:
        """How much of the section has been read, 0 to 1; None if it is unknown, as for a live source, or if the session
        is closed. May be called while :meth:`next` runs on another thread.

        >>> with codecpatch.open("v.mp4", window=10) as session, tqdm.tqdm(total=1.0) as bar:
        ...     for clip in session:
        ...         bar.update((session.progress or 0) - bar.n)
        """
        text = self.get("progress")
        return None if text is None or float(text) < 0 else float(text)

    @property
    def resolved_decode_backend(self) -> str | None:
        """``"cpu"`` or ``"gpu"``: the backend that decodes, once a clip has been read."""
        return self.get("resolved_decode_backend") or None

    @property
    def resolved_process_backend(self) -> str | None:
        """``"cpu"`` or ``"gpu"``: the backend that makes the tensors, once a clip has been read."""
        return self.get("resolved_process_backend") or None

    def close(self) -> None:
        """Ends the session and releases the source. Clips that have been read stay valid. May be called again.

        Takes at most a second. If a call does not return, such as the ``read`` of a file object, the session releases
        the source when that call returns.
        """
        if _library.is_forked():  # its handle and its locks belong to the parent
            return
        _sources.check_caller(self._opener)
        with self._closing:
            if self._handle is None:
                return
            self._library.cps_session_close(self._handle)  # a running next() returns
            with self._reading:
                with self._using:
                    handle, self._handle = self._handle, None
                self._library.cps_session_free(handle)
        _live.discard(self)

    def _interrupt(self) -> None:
        """Starts to close the session, without waiting."""
        if _library.is_forked():
            return
        with self._using:
            self._interrupted = True
            if self._handle is not None:
                self._library.cps_session_interrupt(self._handle)

    def __reduce__(self) -> NoReturn:
        # Because both copies would free the same handle.
        raise TypeError("a Session can be neither copied nor pickled; its clips can")

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is None or _library.is_forked():
            return
        if _sources.in_callback():
            # The garbage collector runs on any thread, and a thread of this session would wait for itself.
            threading.Thread(target=self._library.cps_session_free, args=(handle,)).start()
        else:
            self._library.cps_session_free(handle)

    def _check(self, error: Any) -> None:
        try:
            _library.check(error, self.name)
        except (CodecPatchError, ValueError):
            if self._opener.error is None:
                raise
            # The C error, that the data end too early, is only the consequence.
            raise _sources.read_error(self.name, self._opener.error) from self._opener.error

    def _pop_warnings(self) -> list[str]:
        pop = self._library.cps_session_pop_warning
        return list(iter(lambda: _library.take_text(pop(self._handle)), None))


def checked_options(
    *,
    output: str | None = "patches",
    frame_indices: Iterable[int] | None = None,
    start: float | None = None,
    stop: float | None = None,
    fps: float | Fraction | None = None,
    window: float | Fraction | None = None,
    hop: float | Fraction | None = None,
    on_error: str | None = "fail",
    **options: Any,
) -> dict[str, Any]:
    """Returns options of a :class:`Session` by their names in the C library. ValueError for invalid values."""
    return _options.checked(
        {
            **options,
            **_options.plan_options(frame_indices, start, stop, fps, window, hop),
            "output": "patches" if output is None else output,
            "on_error": "fail" if on_error is None else on_error,
        }
    )


def check_framework(checked: Mapping[str, Any]) -> None:
    """Raises if no installed framework has tensors of the requested type."""
    _tensors.framework()
    if checked["output"] == "patches" and checked.get("output_layout") != "canvas":
        _tensors.check_dtype(checked.get("output_dtype", "bf16"))


def open(source: Source, **options: Any) -> Session:
    """Opens a video. Returns a :class:`Session`, which documents source and options.

    >>> with codecpatch.open("v.mp4", window=10, hop=5, sequence_length=16, k_keep=512) as session:
    ...     for clip in session:
    ...         print(clip.start, clip.stop, clip.patches.shape)
    """
    return Session(source, **options)


def read(source: Source, **options: Any) -> Clip:
    """Returns the first clip of a video. Source and options are those of :class:`Session`.

    With ``window`` or ``clip_length`` this is the clip of the first window, or the first frames; the rest is not read.
    """
    with Session(source, **options) as session:
        return first_clip(session)


def first_clip(session: Session) -> Clip:
    clip = session.next()
    if clip is None:
        raise CodecPatchError(f"{session.name}: there is no clip in it.", session.name, ErrorCode.STREAM)
    return clip


def all_clips(session: Session) -> Iterator[Any]:
    """Yields all clips. Raises if there is none."""
    yield first_clip(session)
    yield from session


def warn(message: str) -> None:
    """Warns at the innermost line outside of this package in the call stack."""
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == __name__.partition(".")[0]:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, CodecPatchWarning, stacklevel=level)


_live: weakref.WeakSet[Session] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Closes the sessions before the interpreter ends, because their threads may be in a file object.

    A thread that does not return from a file object is abandoned, and does not call Python any more.
    """
    sessions = list(_live)
    for session in sessions:
        session._interrupt()
    for session in sessions:
        session.close()
    if sessions or _library.has_run():
        _library.library().cps_session_forget_functions()
