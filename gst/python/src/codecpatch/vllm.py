# SPDX-License-Identifier: LGPL-2.1-or-later
"""Video loaders for vLLM, which decode with codecpatch: docs/models.md says how to choose one.

vLLM calls :func:`register` at its start, by the entry point ``vllm.general_plugins``. Importing this module does not
import vLLM.

Written after vllm/multimodal/video.py of vLLM 0.33.0.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from .clip import Clip
from .errors import CodecPatchError
from .session import read

NAME = "codecpatch"
_CPU = {"output": "frames", "decode_backend": "cpu", "process_backend": "cpu", "on_error": "substitute"}
_logger = logging.getLogger(__name__)


def register() -> None:
    """Registers ``codecpatch``, and ``codecpatch_NAME`` for each loader NAME of vLLM that samples in a way of its own.

    Does nothing but log if vLLM is one whose loaders are of another kind, because an error would end vLLM. May be
    called again.
    """
    try:
        from vllm.multimodal import video, video_decoders

        registry, base = video.VIDEO_LOADER_REGISTRY, video.VideoBackend
        loader = _loader_of(base, video_decoders)
    except (ImportError, AttributeError) as error:
        _logger.warning("codecpatch has no video loader for this version of vLLM: %s", error)
        return
    others = {name: other for name, other in registry.name2class.items() if not name.startswith(NAME)}
    registry.register(NAME)(loader)
    for name, other in others.items():
        if other is not base and issubclass(other, base) and not registry.backend_requires_gpu(name):
            # Its super() is the loader, because that comes after it.
            registry.register(f"{NAME}_{name}")(type(f"CodecPatch{other.__name__}", (other, loader), {}))


_USED = ("compute_frames_index_to_sample", "create_hf_metadata", "_prepare_source", "_sampling_suffix")


def _loader_of(base: Any, decoders: Any) -> type:
    """Returns a loader that samples as `base`, the loader that vLLM uses by default.

    Args:
        decoders: the module ``vllm.multimodal.video_decoders``.
    """
    for name in _USED:
        getattr(base, name)
    source_type, target_type = decoders.VideoSourceMetadata, decoders.VideoTargetMetadata
    check_size = decoders.check_frame_pixel_limit

    class CodecPatchVideoBackend(base):
        """Frames as of OpenCV, by index: those that cannot be decoded are left out, unless `frame_recovery`."""

        @classmethod
        def load_bytes(
            cls,
            data: bytes,
            num_frames: int = -1,
            fps: float = -1,
            max_duration: float = 300,
            frame_recovery: bool = False,
            *,
            backend: str = NAME,
            video_track: int = 0,
            decode_threads: int | None = None,
            **kwargs: Any,
        ) -> tuple[Any, dict[str, Any]]:
            """Returns frames, [T, H, W, 3] uint8 of NumPy, and their metadata, as vLLM's own loaders do.

            Args:
                num_frames: this many at most, -1 for all.
                fps: this many per second at most, -1 for all.
                frame_recovery: an earlier or later frame takes the place of one that cannot be decoded.
                backend: ignored.
                video_track: which track of video, from 0, as OpenCV does; -1: the best one.
                decode_threads: of the decoder; by default as many as it takes by itself.
                kwargs: of the way of sampling.

            Raises:
                ValueError: the video cannot be read, or its frames are too large for ``VLLM_MAX_IMAGE_PIXELS``.
            """
            options = {"video_track": video_track, "decode_threads": decode_threads, **_CPU}
            probe = _read(data, frame_indices=[0], width=16, height=16, **options)
            check_size(probe.width, probe.height)
            total, rate = max(1, round(probe.duration_sec * probe.fps)), _rate_of(probe.fps)
            source = cls._prepare_source(source_type(total, rate, total / rate if rate > 0 else 0))
            target = target_type(num_frames, fps, max_duration)
            wanted = cls.compute_frames_index_to_sample(source=source, target=target, **kwargs)
            frames, valid = _decoded(data, sorted(set(wanted)), frame_recovery, options)
            described = cls.create_hf_metadata(
                source=source, valid_frame_indices=valid, video_backend=NAME + cls._sampling_suffix
            )
            return frames, described

    return CodecPatchVideoBackend


def _rate_of(fps: float) -> float:
    """Returns the rate without what times in nanoseconds add: 30 for 29.9999999975, which would sample other frames."""
    simple = float(Fraction(fps).limit_denominator(1001))
    return simple if abs(simple - fps) < 1e-9 * fps else fps


def _read(data: bytes, **options: Any) -> Clip:
    try:
        return read(data, **options)
    except CodecPatchError as error:
        raise ValueError(str(error)) from error  # which vLLM takes for the fault of a request


def _decoded(data: bytes, indices: Sequence[int], recovery: bool, options: dict[str, Any]) -> tuple[Any, list[int]]:
    """Returns the frames that could be decoded, and their indices; all of them with `recovery`."""
    import numpy

    clip = _read(data, frame_indices=indices or [0], **options)
    frames = numpy.asarray(clip.frames)
    if not indices:
        return frames[:0], []
    if recovery:
        return frames, list(indices)
    own = [position for position, status in enumerate(clip.frame_status) if status in ("ok", "damaged")]
    if len(own) == len(indices):
        return frames, list(indices)
    return frames[own], [indices[position] for position in own]
