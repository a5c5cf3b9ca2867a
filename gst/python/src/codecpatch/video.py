# SPDX-License-Identifier: LGPL-2.1-or-later
"""A video as an object: indexed once, then any frame, any time, any number of clips."""

from __future__ import annotations

import bisect
import ctypes
import operator
import threading
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from ctypes import c_size_t, c_void_p
from types import TracebackType
from typing import Any

from . import _library, _sources, _tensors
from ._sources import Source
from ._tensors import Tensor
from .clip import Clip
from .errors import CodecPatchError, ErrorCode
from .session import Session, all_clips, checked_options, first_clip

_NO_TIME = 2**64 - 1
_CHUNK = 16  # frames of a clip, where all frames are iterated over


class Video(_sources.Openable):
    """A video whose frames have an index, a time and a place in memory only when they are asked for.

    Opening reads the headers of all pictures, once, and decodes nothing. Then each reading decodes the frames that it
    needs, and reads those parts of a file for which the container has a table (MP4, Matroska); other files are read up
    to the last frame that is needed. A reading opens a decoder of its own, which takes a few milliseconds, so ask for
    many frames at once rather than one by one.

    >>> video = codecpatch.Video("v.mp4")
    >>> len(video), video.fps, video.duration_sec
    (1800, 30.0, 60.0)
    >>> video[0].shape, video[10:20:2].shape, video[[3, 5, -1]].shape
    (torch.Size([1080, 1920, 3]), torch.Size([5, 1080, 1920, 3]), torch.Size([3, 1080, 1920, 3]))
    >>> video.frames_at([1.5, 3.0]).shape
    torch.Size([2, 1080, 1920, 3])
    >>> video.patches(sequence_length=16, k_keep=2048).patches.shape
    torch.Size([2048, 3, 14, 14])

    Frames are uint8 tensors, of PyTorch if it is installed, else of NumPy, which the caller owns. All methods may be
    called on any thread; they read at the same time, except those of a file object: single readings wait for each other,
    and while an iteration of clips or frames goes on, other readings raise. A video
    of a path, a URI or bytes can be pickled, with its index, for the workers of a data loader: there it is not indexed
    again. If the source changes after it was indexed, reading raises.

    Args:
        source: as of :class:`codecpatch.Session`. A file object that cannot seek is read into memory.
        size: (height, width) of the frames, which are resized to it; by default that of the video.
        max_pixels: frames with more pixels are reduced to at most this many, with the same aspect ratio, and sides that
            are divisible by `align`. Excludes `size`.
        align: with `max_pixels`: the number that both sides are divisible by.
        layout: ``"NHWC"``, the default, or ``"NCHW"``, which is a view of the same memory.
        options: of each reading, such as ``timeout``, ``video_track``, ``decode_backend``, ``on_error``; see
            :class:`codecpatch.Session`.

    Raises:
        ValueError: the name or the value of an option is invalid.
        CodecPatchError: the source cannot be opened or read.
    """

    def __init__(
        self,
        source: Source,
        *,
        size: tuple[int, int] | None = None,
        max_pixels: int | None = None,
        align: int | None = None,
        layout: str = "NHWC",
        **options: Any,
    ) -> None:
        if layout not in ("NHWC", "NCHW"):
            raise ValueError(f'layout must be "NHWC" or "NCHW", not {layout!r}')
        if "output" in options or "frame_indices" in options:
            raise ValueError("a Video has no output or frame_indices of its own: they go with each reading")
        checked_options(**options)
        self._set_up(source, {"size": size, "max_pixels": max_pixels, "align": align, "layout": layout}, options)
        try:
            self._source.index(options)
        except BaseException:
            self.close()
            raise

    def _set_up(self, source: Source, shape: dict[str, Any], options: dict[str, Any]) -> None:
        """Sets everything but the index. `shape`: size, max_pixels, align and layout."""
        self._shape, self._options = shape, options
        self._frame_options = _frame_options(shape["size"], shape["max_pixels"], shape["align"])
        self._first_axis_is_channel = shape["layout"] == "NCHW"
        self._source = _Shared(_sources.opener_of(source, False))
        self._pickled = None if self._source.calls_application else source

    # --- Facts ---

    @property
    def name(self) -> str:
        """The name of the source in messages."""
        return self._source.name

    def __len__(self) -> int:
        """The number of frames."""
        return len(self._source.facts.times)

    @property
    def fps(self) -> float:
        """The average frame rate, 0 if unknown."""
        return float(self._source.fact("fps") or 0)

    @property
    def duration_sec(self) -> float:
        """The number of frames divided by :attr:`fps`, in seconds; 0 if unknown."""
        return int(self._source.fact("duration") or 0) / 1e9

    @property
    def width(self) -> int | None:
        """The width in pixels as displayed, after rotation, of the frames before `size`; None if no header tells."""
        return _integer(self._source.fact("width"))

    @property
    def height(self) -> int | None:
        """The height in pixels as displayed, after rotation, of the frames before `size`; None if no header tells."""
        return _integer(self._source.fact("height"))

    @property
    def codec(self) -> str | None:
        """GStreamer's media type of the coded video, such as ``video/x-h264``."""
        return self._source.fact("codec")

    @property
    def rotation(self) -> int:
        """The degrees by which coded pictures are turned clockwise: 0, 90, 180 or 270. The frames are turned already."""
        return int(self._source.fact("rotation") or 0)

    @property
    def key_frames(self) -> list[int]:
        """The indices of the frames at which decoding can start."""
        return [index for index, key in enumerate(self._source.facts.random_access) if key]

    @property
    def pts_seconds(self) -> list[float | None]:
        """The time of each frame in seconds of stream time, None if unknown."""
        return [None if time == _NO_TIME else time / 1e9 for time in self._source.facts.times]

    # --- Frames ---

    def __getitem__(self, key: Any) -> Tensor:
        """Returns frame ``video[i]`` as [H, W, 3], or frames ``video[a:b:c]``, ``video[[i, j, ...]]`` as [T, H, W, 3].

        Negative indices count from the end. Order and repeats of a list are kept; a repeated frame is decoded once.
        Lists may be tensors or arrays of integers. IndexError for frames that do not exist.
        """
        if isinstance(key, slice):
            return self._frames(range(*key.indices(len(self))))
        if _is_list(key):
            return self._frames([self._position(index) for index in _listed(key)])
        return self._frames([self._position(key)])[0]

    def __iter__(self) -> Iterator[Tensor]:
        """Yields all frames in order. The video is decoded once, and a few frames are in memory at a time."""
        options = {"output": "frames", "frame_indices": range(len(self)), **self._frame_options}
        for clip in self.clips(clip_length=_CHUNK, **options):
            yield from self._laid_out(clip.frames)

    def frames_at(self, seconds: float | Iterable[float]) -> Tensor:
        """Returns what is displayed at a time, as [H, W, 3], or at several times, as [T, H, W, 3].

        That is the last frame whose time is not later, up to one frame interval after the last frame. Times are those
        of :attr:`pts_seconds`. IndexError for times before the first frame or after the end.
        """
        if _is_list(seconds):
            return self._frames([self._displayed(time) for time in _listed(seconds)])
        return self._frames([self._displayed(seconds)])[0]

    def frames_between(self, start: float, stop: float) -> Tensor:
        """Returns the frames with ``start <= time < stop``, as [T, H, W, 3]; T may be 0."""
        times = self._times()
        return self._frames(range(bisect.bisect_left(times, _nanoseconds(start)), bisect.bisect_left(times, _nanoseconds(stop))))

    # --- Clips ---

    def patches(self, **options: Any) -> Clip:
        """Returns the patches of a sampling, as :func:`codecpatch.read` does. Its options are those of
        :class:`codecpatch.Session`."""
        with self._source.reading(), self._session(**options) as session:
            return first_clip(session)

    def clips(self, **options: Any) -> Iterator[Clip]:
        """Yields all clips of a sampling, such as one with ``window=10``. The options are those of
        :class:`codecpatch.Session`."""
        with self._session(**options) as session:
            yield from all_clips(session)

    def opener(self) -> _sources.Opener:
        """Makes a video a source: ``codecpatch.open(video, ...)``."""
        return self._source.opener()

    # --- End ---

    def close(self) -> None:
        """Releases the source. Readings that run on other threads end by themselves. May be called again."""
        self._source.close()

    @property
    def closed(self) -> bool:
        return self._source.closed

    def __enter__(self) -> Video:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if self.closed:
            return f"<codecpatch.Video {self.name!r}: closed>"
        return f"<codecpatch.Video {self.name!r}: {len(self)} frames, {self.width}x{self.height}, {self.fps:g} fps>"

    def __reduce__(self) -> Any:
        if self._pickled is None:
            raise TypeError("a Video of a file object cannot be pickled; one of a path, a URI or bytes can")
        source = self._pickled
        source = source if isinstance(source, (str, bytes)) or hasattr(source, "__fspath__") else bytes(source)
        return _restore, (source, self._shape, self._options, self._source.index_bytes())

    # --- How ---

    def _session(self, **options: Any) -> Session:
        return Session(self, **{**self._options, **options})

    def _frames(self, indices: Any) -> Tensor:
        if len(indices) == 0:
            # One frame tells the type and the size.
            return self._laid_out(_tensors.empty_like(self._read([0])))
        return self._laid_out(self._read(indices))

    def _read(self, indices: Any) -> Tensor:
        options = {"output": "frames", "frame_indices": indices, **self._frame_options}
        with self._source.reading(), self._session(**options) as session:
            return first_clip(session).frames

    def _laid_out(self, frames: Tensor) -> Tensor:
        if not self._first_axis_is_channel:
            return frames
        return frames.transpose(0, 3, 1, 2) if _tensors.is_array(frames) else frames.permute(0, 3, 1, 2)

    def _position(self, index: Any) -> int:
        position = _whole(index)
        count = len(self)
        if not -count <= position < count:
            raise IndexError(f"{self.name}: there is no frame {position}, only {count} frames")
        return position % count

    def _times(self) -> array[int]:
        if not self._source.facts.timed:
            raise CodecPatchError(f"{self.name}: The times of its frames are not known.", self.name, ErrorCode.STREAM)
        return self._source.facts.times

    def _displayed(self, seconds: Any) -> int:
        times, time = self._times(), _nanoseconds(seconds)
        index = bisect.bisect_right(times, time) - 1
        interval = 1e9 / self.fps if self.fps else 0
        if index < 0 or time >= max(times[-1] + interval, times[-1] + 1):
            raise IndexError(
                f"{self.name}: nothing is displayed at {seconds} s; the video is from {times[0] / 1e9:g} to "
                f"{(times[-1] + interval) / 1e9:g} s"
            )
        return index


class _Facts:
    """What an index tells of the frames."""

    def __init__(self, library: ctypes.CDLL, index: int) -> None:
        count = library.cps_index_get_n_frames(index)
        times = library.cps_index_get_times(index)
        self.times = array("Q", ctypes.string_at(times, 8 * count) if count else b"")
        self.timed = _NO_TIME not in self.times
        self.random_access: bytes = ctypes.string_at(library.cps_index_get_random_access(index), count)


class _Shared:
    """A ``CpsVideo *`` that sessions share."""

    def __init__(self, opener: _sources.Opener) -> None:
        self._opener = opener
        self.name = opener.name
        self.calls_application = opener.calls_application
        self._lock = threading.Lock()
        self._handle: int | None = None
        self._facts: _Facts | None = None
        self._reading = threading.RLock()  # an RLock, because a thread that waited for itself would hang

    @contextmanager
    def reading(self) -> Iterator[None]:
        """For a reading that waits for others of the same file object."""
        if not self.calls_application:
            yield
            return
        with self._reading:
            yield

    def index(self, options: Mapping[str, Any]) -> None:
        """Reads the index of the source."""
        with _IndexSession(self.opener(), {**options}) as session:
            while session.next() is not None:
                pass
        self._take_facts()

    def restore(self, serialized: bytes) -> None:
        """Sets the index from its bytes; call in place of :meth:`index`. Returns False if they are of another version."""
        library = _library.enter_session()
        index = library.cps_index_deserialize(serialized, len(serialized))
        if not index:
            raise CodecPatchError(
                f"{self.name}: its index was made by another version: open the video again.", self.name, ErrorCode.SETUP
            )
        try:
            library.cps_video_set_index(self.handle(library), index)
        finally:
            library.cps_index_unref(index)
        self._take_facts()

    def index_bytes(self) -> bytes:
        with self._index() as (library, index):
            size = c_size_t()
            address = library.cps_index_serialize(index, ctypes.byref(size))
            try:
                return ctypes.string_at(address, size.value)
            finally:
                library.cps_free(address)

    def fact(self, name: str) -> str | None:
        with self._index() as (library, index):
            return _library.take_text(library.cps_index_get(index, _library.to_text(name)))

    @property
    def facts(self) -> _Facts:
        if self._facts is None:
            raise self._closed_error()
        return self._facts

    def _take_facts(self) -> None:
        with self._index() as (library, index):
            self._facts = _Facts(library, index)

    @contextmanager
    def _index(self) -> Iterator[tuple[ctypes.CDLL, int]]:
        library = _library.library()
        with self._lock:
            index = library.cps_video_get_index(self._handle) if self._handle else None
        if not index:
            raise self._closed_error()
        try:
            yield library, index
        finally:
            library.cps_index_unref(index)

    def handle(self, library: ctypes.CDLL) -> int:
        """Returns the handle, which the first call makes. Call with the source prepared."""
        with self._lock:
            if self.closed:
                raise self._closed_error()
            if self._handle is None:
                self._handle = self._opener.make_video(library)
            return self._handle

    def opener(self) -> _sources.Opener:
        return _VideoOpener(self, self._opener)

    closed = False

    def close(self) -> None:
        with self._lock:
            handle, self._handle, self._facts, self.closed = self._handle, None, None, True
        if handle and not _library.is_forked():
            _library.library().cps_video_unref(handle)

    def __del__(self) -> None:
        self.close()

    def _closed_error(self) -> CodecPatchError:
        return CodecPatchError(f"{self.name}: the video is closed.", self.name, ErrorCode.CLOSED)


class _VideoOpener(_sources.Opener):
    """Opens one session of a video."""

    def __init__(self, shared: _Shared, source: _sources.Opener) -> None:
        self._shared = shared
        self._source = source
        self.kind = "" if isinstance(source, _sources.Bytes) else source.kind
        self.name = source.name
        self.calls_application = source.calls_application
        self._error_before = source.error

    def prepare(self) -> None:
        if self._shared._handle is None:
            self._source.prepare()

    @property
    def progress(self) -> int:  # type: ignore[override]
        return self._source.progress

    @property
    def error(self) -> BaseException | None:  # type: ignore[override]
        error = self._source.error
        return None if error is self._error_before else error

    def make_video(self, library: ctypes.CDLL) -> int:
        return self._shared.handle(library)

    def open(self, library: ctypes.CDLL, options: Any) -> tuple[int | None, c_void_p]:
        return _library.call(library.cps_video_open, self.make_video(library), options)


class _IndexSession(Session):
    """A session without clips, at whose end the video has its index."""

    def __init__(self, opener: _sources.Opener, options: Mapping[str, Any]) -> None:
        self._begin(opener, {**checked_options(**options), "output": "index"})

    def _check_framework(self, checked: Mapping[str, Any]) -> None:
        """Does nothing, because there are no tensors."""


def _restore(source: Any, shape: dict[str, Any], options: dict[str, Any], index: bytes) -> Video:
    """Makes a video of what :meth:`Video.__reduce__` returns."""
    video = Video.__new__(Video)
    video._set_up(source, shape, options)
    video._source.restore(index)
    return video


def _frame_options(size: Any, max_pixels: Any, align: Any) -> dict[str, Any]:
    """Returns the options of framestack for a size."""
    options: dict[str, Any] = {}
    if size is not None:
        if max_pixels is not None:
            raise ValueError("size and max_pixels exclude each other")
        height, width = map(operator.index, size)
        if height <= 0 or width <= 0:
            raise ValueError(f"size is (height, width) in pixels, more than 0, not {size}")
        options.update(height=height, width=width)
    if max_pixels is not None:
        if operator.index(max_pixels) <= 0:
            raise ValueError(f"max_pixels must be more than 0, not {max_pixels}")
        options.update(max_pixels=operator.index(max_pixels))
    if align is not None:
        if max_pixels is None:
            raise ValueError("align goes with max_pixels")
        options.update(align=operator.index(align))
    return options


def _is_list(key: Any) -> bool:
    """True for lists, tuples, ranges, and arrays or tensors of one dimension or more."""
    dimensions = getattr(key, "ndim", None)
    if dimensions is not None:
        return dimensions > 0
    return isinstance(key, Iterable) and not isinstance(key, (str, bytes))


def _listed(key: Any) -> list[Any]:
    values = key.tolist() if hasattr(key, "tolist") else list(key)
    if any(isinstance(value, (bool, list)) for value in values):
        raise TypeError("frames are chosen by a list of numbers of one dimension, not by a mask or a nested list")
    return values


def _whole(index: Any) -> int:
    """Returns an integer of any type, or a float that is an integer. TypeError for anything else."""
    if isinstance(index, bool):
        raise TypeError("an index is an integer, not a bool")
    try:
        return operator.index(index)
    except TypeError:
        number = float(index) if not isinstance(index, (str, bytes)) else float("nan")
        if number.is_integer():
            return int(number)
        raise TypeError(f"an index is an integer, not {index!r}") from None


def _integer(text: str | None) -> int | None:
    return None if text is None else int(text)


def _nanoseconds(seconds: Any) -> int:
    number = float(seconds)
    if number != number or abs(number) == float("inf"):
        raise ValueError(f"a time is a number of seconds, not {seconds}")
    return round(number * 1e9)
