# SPDX-License-Identifier: LGPL-2.1-or-later
"""The API of codec-patch-stream 0.4 on top of this package: change only the import.

    from codecpatch.compat import DecodeConfig, PatchStreamConfig, decode_only, patch_stream

Differences: damaged frames raise (``on_error="fail"``), a closed session has no patches, and the fields
``prefetch_depth``, ``nvdec_session_pool_size``, ``uniform_auto_ratio``, ``reader_cache_size`` and
``nvdec_reuse_open_decoder`` have no effect: they are accepted, and if one is set, a warning is given once per process.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from fractions import Fraction
from types import TracebackType
from typing import Any, TypeVar

from . import _tensors
from ._sources import Source
from ._tensors import Tensor
from .clip import Clip
from .errors import CodecPatchError, CodecPatchWarning
from .session import read, warn

__all__ = [
    "CodecPatchError",
    "CodecPatchWarning",
    "DecodeConfig",
    "DecodedFrames",
    "PatchStreamConfig",
    "PatchStreamResult",
    "PatchStreamSession",
    "decode_only",
    "patch_stream",
]

Metadata = dict[str, "int | float | bool"]
"""Metadata of a patch: seq_pos, frame_id, is_i (bool), patch_linear_idx, patch_h_idx, patch_w_idx, score (float)."""

_COLUMNS = ("seq_pos", "frame_id", "is_i", "patch_linear_idx", "patch_h_idx", "patch_w_idx")
_WITHOUT_MEANING = frozenset(
    {
        "prefetch_depth",
        "nvdec_session_pool_size",
        "uniform_auto_ratio",
        "reader_cache_size",
        "nvdec_reuse_open_decoder",
    }
)
_REMOVED = {
    "backend": "decode_backend and, for patches, process_backend",
    "device_id": "decode_device_id and, for patches, process_device_id",
}

_Config = TypeVar("_Config")


def _refuse_removed(cls: type[_Config]) -> type[_Config]:
    """Makes the constructor raise for fields of older versions, and name their replacements."""
    construct: Any = cls.__init__

    @functools.wraps(construct)
    def checking(self: Any, *args: Any, **kwargs: Any) -> None:
        for old, new in _REMOVED.items():
            if old in kwargs:
                raise TypeError(f"{cls.__name__} has no field {old} any more: set {new}")
        construct(self, *args, **kwargs)

    cls.__init__ = checking  # type: ignore
    return cls


@dataclass(frozen=True, kw_only=True)
class _Extras:
    """Fields that the original does not have. See :class:`codecpatch.Session`."""

    on_error: str = "fail"
    frame_indices: Iterable[int] | None = None
    start: float | None = None
    stop: float | None = None
    fps: float | Fraction | None = None
    max_frames: int | None = None
    color_matrix: str | None = None
    apply_rotation: bool | None = None


@_refuse_removed
@dataclass(frozen=True)
class DecodeConfig(_Extras):
    """The arguments of :func:`decode_only`, which checks them."""

    video_path: Source
    """A path or URI, the bytes of a file, or a binary file object: see :class:`codecpatch.Session`."""
    sequence_length: int = 16
    """How many frames to sample, spread evenly; more than 0."""
    decode_backend: str = "auto"
    """``"cpu"``, ``"gpu"``, or ``"auto"``: the GPU if one works. The frames stay in its memory."""
    decode_device_id: int = 0
    """Number of the GPU in CUDA's order."""
    uniform_strategy: str = "auto"
    """``"auto"``, ``"seek"``, ``"skip"`` or ``"stream"``: how other frames are skipped. The result is the same."""
    nvdec_session_pool_size: int | None = None
    """No effect."""
    uniform_auto_ratio: int | None = None
    """No effect."""
    decode_threads: int | None = None
    """Threads of a decoder on the CPU; None or 0: the decoder's default."""
    decode_thread_type: str | None = None
    """``"frame"``, ``"slice"``, ``"auto"`` or None: the work that threads share."""
    reader_cache_size: int | None = None
    """No effect."""
    nvdec_reuse_open_decoder: bool | None = None
    """No effect."""


@_refuse_removed
@dataclass(frozen=True)
class PatchStreamConfig(_Extras):
    """The arguments of :func:`patch_stream`, which checks them."""

    video_path: Source
    """A path or URI, the bytes of a file, or a binary file object: see :class:`codecpatch.Session`."""
    sequence_length: int = 16
    """How many frames to sample, spread evenly; more than 0."""
    uniform_strategy: str = "auto"
    """``"auto"``, ``"seek"``, ``"skip"`` or ``"stream"``: how other frames are skipped. The result is the same."""
    input_size: int = 224
    """Side in pixels of the square whose area the frames are scaled to."""
    min_pixels: int | None = None
    """Smaller frames are scaled up to this area; None or 0: input_size squared."""
    max_pixels: int | None = None
    """Larger frames are scaled down to this area; None or 0: input_size squared."""
    patch_size: int = 14
    """Side of a patch in pixels."""
    k_keep: int = 2048
    """Patches to select; 0 or less selects none."""
    selection_unit: str = "patch"
    """``"patch"`` or ``"patches"``; ``"block2x2"``, ``"block_2x2"`` or ``"block"``: two by two at a time."""
    static_fallback: bool = False
    """Favour a few evenly spaced frames if the clip is static."""
    static_abs_thresh: float = 2.0
    """Mean energy of a pixel below which a clip is static (divided by 255 if above 1)."""
    static_rel_thresh: float = 0.15
    """Relative contrast of the energy below which a clip near static_abs_thresh is static."""
    static_uniform_frames: int = 4
    """The number of favoured frames; 0: none."""
    energy_pct: float = 95.0
    """Percentile of a frame that counts as full motion or residual, 1 to 100."""
    output_dtype: str = "bfloat16"
    """``bf16``, ``bfloat16``; ``fp16``, ``float16``, ``f16``; ``fp32``, ``float32``, ``f32``; ``u8``, ``uint8``."""
    decode_backend: str = "auto"
    """``"cpu"``, ``"gpu"``, or ``"auto"``: the GPU if one works."""
    process_backend: str = "auto"
    """``"cpu"``, ``"gpu"``, or ``"auto"``: as decode_backend. The tensors are in the memory of this backend."""
    decode_device_id: int = 0
    """Number of the GPU that decodes, in CUDA's order."""
    process_device_id: int = 0
    """Number of the GPU that makes the tensors."""
    prefetch_depth: int = 3
    """No effect."""
    nvdec_session_pool_size: int | None = None
    """No effect."""
    uniform_auto_ratio: int | None = None
    """No effect."""
    decode_threads: int | None = None
    """Threads of a decoder on the CPU; None or 0: the decoder's default."""
    decode_thread_type: str | None = None
    """``"frame"``, ``"slice"``, ``"auto"`` or None: the work that threads share."""
    reader_cache_size: int | None = None
    """No effect."""
    nvdec_reuse_open_decoder: bool | None = None
    """No effect."""


@dataclass
class PatchStreamResult:
    """Everything that a session returns, at once. Independent of the session."""

    patches: Tensor
    """``[K, 3, P, P]``"""
    metadata: list[Metadata]
    metadata_tensors: tuple[Tensor, Tensor]
    """``[K, 6]`` int64, ``[K]`` float32"""
    sampled_frame_ids: list[int]
    fps: float
    duration_sec: float


@dataclass
class DecodedFrames:
    """The sampled frames of a video."""

    frames: Tensor
    """``[T, H, W, 3]`` uint8: red, green, blue."""
    sampled_frame_ids: list[int]
    fps: float
    """Average frame rate of the video, 0 if unknown."""
    duration_sec: float
    width: int
    """In pixels."""
    height: int

    def asnumpy(self) -> Any:
        """The frames as a NumPy array, copied only if they are in a GPU's memory."""
        if _tensors.is_array(self.frames):
            return self.frames
        return self.frames.detach().cpu().numpy()


class PatchStreamSession(Iterator["tuple[Tensor, Metadata]"]):
    """The selected patches of a video, one by one, in groups, or all at once. The constructor decodes the video.

    For one thread at a time. Tensors that it has returned stay valid after it is closed.
    """

    def __init__(self, config: PatchStreamConfig) -> None:
        clip = read(config.video_path, **_options(config, PatchStreamConfig))
        self._cursor = 0
        # Returned once no patches are left.
        self._nothing = tuple(map(_tensors.empty_like, (clip.patches, clip.meta_fields, clip.meta_scores)))
        self._clip: Clip | None = clip
        self._metadata: list[Metadata] | None = None

    def __iter__(self) -> PatchStreamSession:
        return self

    def __next__(self) -> tuple[Tensor, Metadata]:
        """Returns the next patch, ``[3, P, P]``, and its metadata."""
        position = self._cursor
        if position >= len(self):
            raise StopIteration
        self._cursor += 1
        return self.patches[position], dict(self._all_metadata()[position])

    next = __next__

    def __len__(self) -> int:
        """The total number of patches, including those already returned; 0 after close()."""
        return len(self._clip.patches) if self._clip else 0

    def next_n(self, n: int) -> tuple[Tensor, list[Metadata]]:
        """Returns the next n patches, or all that are left, ``[N, 3, P, P]``, as a view, and the metadata of each."""
        taken = self._take(n)
        if not taken:
            return self._nothing[0], []
        return self.patches[taken], [dict(row) for row in self._all_metadata()[taken]]

    def next_n_tensors(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the next n patches, or all that are left, and their :attr:`metadata_tensors`: views, ``[N, ...]``."""
        taken = self._take(n)
        if not taken:
            return self._nothing
        meta_fields, meta_scores = self.metadata_tensors
        return self.patches[taken], meta_fields[taken], meta_scores[taken]

    def reset(self) -> None:
        """Continues with the first patch."""
        self._cursor = 0

    def close(self) -> None:
        """Releases the tensors. May be called again."""
        self._clip = self._metadata = None
        self._cursor = 0

    def __enter__(self) -> PatchStreamSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def patches(self) -> Tensor:
        """``[K, 3, P, P]``: red, green, blue; 0 to 255. None when closed."""
        return self._clip.patches if self._clip else None

    @property
    def metadata(self) -> list[Metadata]:
        """The metadata of each patch."""
        return [dict(row) for row in self._all_metadata()]

    @property
    def metadata_tensors(self) -> tuple[Tensor, Tensor]:
        """``[K, 6]`` int64 (seq_pos, frame_id, is_i, patch_linear_idx, patch_h_idx, patch_w_idx), ``[K]`` float32."""
        return (self._clip.meta_fields, self._clip.meta_scores) if self._clip else (None, None)

    @property
    def sampled_frame_ids(self) -> list[int]:
        """The index of each sampled frame in the display order of the video."""
        return list(self._clip.sampled_frame_ids) if self._clip else []

    @property
    def fps(self) -> float:
        """Average frame rate of the video, 0 if unknown or if the session is closed."""
        return self._clip.fps if self._clip else 0.0

    @property
    def duration_sec(self) -> float:
        return self._clip.duration_sec if self._clip else 0.0

    def collect_all(self) -> PatchStreamResult:
        """Returns all patches, including those already returned."""
        return PatchStreamResult(
            patches=self.patches,
            metadata=self.metadata,
            metadata_tensors=self.metadata_tensors,
            sampled_frame_ids=self.sampled_frame_ids,
            fps=self.fps,
            duration_sec=self.duration_sec,
        )

    def _take(self, n: int) -> slice | None:
        """Advances by at most n patches. Returns their slice, None if no patch is left."""
        start, end = self._cursor, min(len(self), self._cursor + max(0, int(n)))
        if start >= end:
            return None
        self._cursor = end
        return slice(start, end)

    def _all_metadata(self) -> list[Metadata]:
        if self._metadata is None:
            meta_fields, meta_scores = self.metadata_tensors
            if meta_fields is None:
                return []
            self._metadata = [
                {**dict(zip(_COLUMNS, row)), "is_i": bool(row[2]), "score": score}
                for row, score in zip(meta_fields.tolist(), meta_scores.tolist())
            ]
        return self._metadata


def patch_stream(config: PatchStreamConfig) -> PatchStreamSession:
    """Decodes a video and selects its most informative patches. Raises all errors of the video.

    Raises:
        ValueError: the value of a field is invalid.
        TypeError: the source has an unsupported type; or NumPy has no type for ``output_dtype``.
        CodecPatchError: the video cannot be read or decoded, or the backend is not available.
    """
    return PatchStreamSession(config)


def decode_only(config: DecodeConfig) -> DecodedFrames:
    """Decodes the sampled frames of a video. Raises the same errors as :func:`patch_stream`."""
    options = _options(config, DecodeConfig)
    clip = read(config.video_path, **options, output="frames", process_device_id=options["decode_device_id"])
    return DecodedFrames(
        frames=clip.frames,
        sampled_frame_ids=list(clip.sampled_frame_ids),
        fps=clip.fps,
        duration_sec=clip.duration_sec,
        width=clip.width,
        height=clip.height,
    )


def _options(config: Any, kind: type[DecodeConfig | PatchStreamConfig]) -> dict[str, Any]:
    """Returns the fields of `kind`, without those of a subclass, as options of a session."""
    _warn_of_unused(config)
    options = {
        f.name: _converted(getattr(config, f.name), f.type)
        for f in fields(kind)
        if f.name not in _WITHOUT_MEANING and f.name != "video_path"
    }
    # The original accepts negative numbers as 0.
    for name in ("min_pixels", "max_pixels", "decode_threads"):
        if options.get(name) is not None:
            options[name] = max(0, options[name])
    options["decode_thread_type"] = options["decode_thread_type"] or None
    return options


def _converted(value: Any, annotation: Any) -> Any:
    """Converts the value to the type of its field, as the original does."""
    convert = {"int": int, "float": float, "bool": bool, "str": str}.get(annotation.removesuffix(" | None"))
    return value if value is None or convert is None else convert(value)


@functools.cache
def _warn_once() -> None:
    warn(f"These fields have no meaning in codecpatch, and are ignored: {', '.join(sorted(_WITHOUT_MEANING))}.")


def _warn_of_unused(config: DecodeConfig | PatchStreamConfig) -> None:
    if any(f.name in _WITHOUT_MEANING and getattr(config, f.name) != f.default for f in fields(config)):
        _warn_once()
