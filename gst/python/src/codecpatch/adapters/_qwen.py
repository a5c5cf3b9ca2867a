# SPDX-License-Identifier: LGPL-2.1-or-later
"""Qwen2-VL, Qwen2.5-VL and Qwen3-VL: rows of patches of frame pairs; sampling and sizes as in qwen-vl-utils."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from .. import _tensors
from .._tensors import Tensor
from ..clip import Clip
from . import _pixels

_MERGE, _PAIR = 2, 2


class _Model(NamedTuple):
    patch: int
    statistics: _pixels.Statistics


_MODELS = {
    "qwen2": _Model(14, _pixels.CLIP),
    "qwen2.5": _Model(14, _pixels.CLIP),
    "qwen3": _Model(16, _pixels.HALF),
}


class QwenInputs(NamedTuple):
    """What a Qwen model takes, of all videos."""

    pixel_values_videos: Tensor
    """``[sum of gt * gh * gw, 3 * 2 * P * P]`` float32: a row for each patch of two frames."""
    video_grid_thw: Tensor
    """``[B, 3]`` int64: pairs of frames, rows and columns of patches"""
    second_per_grid_ts: Tensor | None
    """``[B]`` float32: the seconds from one pair of frames to the next, for Qwen2.5-VL; None for the others."""
    video_metadata: list[dict[str, Any]]
    """For each video, the arguments of ``transformers.video_utils.VideoMetadata``, of which the processor of Qwen3-VL
    takes ``frames_indices`` and ``fps`` to write times into the prompt."""
    prompt_runs: list[list[tuple[str, int]]]
    """For each video, what its part of the prompt consists of: a text, and the number of ``<|video_pad|>`` that follow
    it between ``<|vision_start|>`` and ``<|vision_end|>``. For Qwen3-VL there is one for each pair of frames, with the
    text ``<1.2 seconds>``; for the others one for all, without a text."""

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The arguments of the model, by name."""
        names = ("pixel_values_videos", "video_grid_thw", "second_per_grid_ts")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


def qwen_vl(
    clips: Clip | Tensor | Sequence[Clip | Tensor], model: str = "qwen3", *, fps: float | None = None
) -> QwenInputs:
    """Returns the inputs of a Qwen model, which its video processor would make of these frames.

    A row is a patch of two frames: red, green, blue, each of both frames, each row by row. Rows are in block order: the
    four patches of each block of 2x2 are neighbours, blocks go row by row, then pair by pair. If the number of frames
    is odd, the last one is repeated. Normalised with the mean and standard deviation of CLIP, for Qwen3-VL with 0.5 and
    0.5: ``Qwen2VLVideoProcessor`` and ``Qwen3VLVideoProcessor`` of transformers, with ``do_resize`` and
    ``do_sample_frames`` off.

    ``second_per_grid_ts`` is 2 divided by the sampled rate, which is (sampled frames) / (all frames of the section) *
    (frame rate of the source), as ``VideoMetadata.sampled_fps``.

    Args:
        clips: a clip of ``output="frames"``, or ``[T, H, W, 3]`` uint8, or a sequence of them; sizes may differ.
        model: ``"qwen2"``, ``"qwen2.5"``, ``"qwen3"``.
        fps: of frames that are not a clip, how many there are a second, 2 by default; of a clip that does not know it,
            the frame rate of the source.

    Raises:
        ValueError: wrong output, type or shape; height or width is not divisible by 28 (Qwen3-VL: 32); the frame rate
            is unknown; there is no such model.
    """
    patch, statistics = _model(model)
    given = _pixels.listed(clips)
    videos = [_pixels.frames_of(clip) for clip in given]
    unit = patch * _MERGE
    for video in videos:
        _pixels.check_sides(*video.shape[1:3], unit, f"set align={unit} when reading, see qwen_vl_options()")
        if _tensors.is_array(video) != _tensors.is_array(videos[0]):
            raise ValueError("videos of one batch must be tensors of one framework")
    grids = [[-(-len(video) // _PAIR), video.shape[1] // patch, video.shape[2] // patch] for video in videos]
    works = [_pixels.to_work(video) for video in videos]
    width = 3 * _PAIR * patch * patch
    rows = _pixels.empty((sum(math.prod(grid) for grid in grids), width), "float32", works[0])
    begin = 0
    for work, grid in zip(works, grids):
        end = begin + math.prod(grid)
        _fill_rows(rows[begin:end], work, grid, patch, statistics)
        begin = end
    metadata = [_metadata_of(clip, fps) for clip in given]
    seconds = None
    if model == "qwen2.5":
        rates = [len(data["frames_indices"]) / data["total_num_frames"] * data["fps"] for data in metadata]
        seconds = _pixels.from_work(_pixels.array([_PAIR / rate for rate in rates], "float32", works[0]), videos[0])
    return QwenInputs(
        _pixels.from_work(rows, videos[0]),
        _pixels.from_work(_pixels.array(grids, "int64", works[0]), videos[0]),
        seconds,
        metadata,
        [_runs(data, grid, model) for data, grid in zip(metadata, grids)],
    )


def _model(name: str) -> _Model:
    if name not in _MODELS:
        raise ValueError(f"model must be one of {', '.join(_MODELS)}, not {name!r}")
    return _MODELS[name]


def _fill_rows(rows: Tensor, frames: Tensor, grid: list[int], patch: int, statistics: _pixels.Statistics) -> None:
    pairs, down, across = grid[0], grid[1] // _MERGE, grid[2] // _MERGE
    out = rows.reshape(pairs, down, across, _MERGE, _MERGE, 3, _PAIR, patch, patch)
    split = (3, _PAIR, down, _MERGE, patch, across, _MERGE, patch)
    order = (2, 5, 3, 6, 0, 1, 4, 7)
    whole = len(frames) // _PAIR
    size = frames.shape[1:]
    if whole:
        pixels = frames[: whole * _PAIR].reshape(whole, _PAIR, *size)
        _pixels.fill(out[:whole], _pixels.permuted(pixels, 0, 4, 1, 2, 3), split, order, statistics)
    if whole < pairs:
        pixels = _pixels.concatenated([frames[-1:], frames[-1:]]).reshape(1, _PAIR, *size)
        _pixels.fill(out[whole:], _pixels.permuted(pixels, 0, 4, 1, 2, 3), split, order, statistics)


def _metadata_of(clip: Any, fps: float | None) -> dict[str, Any]:
    is_clip = not hasattr(clip, "shape")
    count, height, width, _ = clip.frames.shape if is_clip else clip.shape
    rate = float((clip.fps or fps or 0) if is_clip else (fps or 2))
    if not 0 < rate < math.inf:
        raise ValueError("the frame rate of the clip is unknown: set fps" if not fps else f"fps is a rate, not {fps}")
    ids = list(clip.sampled_frame_ids) if is_clip else list(range(count))
    total = _frames_of_section(clip, ids, rate) if is_clip else count
    return {
        "total_num_frames": total,
        "fps": rate,
        "width": width,
        "height": height,
        "duration": total / rate,
        "video_backend": "codecpatch",
        "frames_indices": ids,
    }


def _frames_of_section(clip: Clip, ids: list[int], rate: float) -> int:
    """Returns how many frames of the source the sampled ones stand for."""
    if clip.metadata.get("clip_length") or clip.duration_sec <= 0:
        # One of several clips of a section: as many as its frames are apart.
        steps = len(ids) - 1
        return round((ids[-1] - ids[0]) / steps * len(ids)) or 1 if steps and ids[-1] > ids[0] else len(ids)
    begin = clip.start or 0.0
    end = clip.duration_sec if clip.stop is None else min(clip.stop, clip.duration_sec)
    return max(round((end - begin) * rate), 1)


def _runs(data: dict[str, Any], grid: list[int], model: str) -> list[tuple[str, int]]:
    tokens = grid[1] * grid[2] // _MERGE**2
    if model != "qwen3":
        return [("", grid[0] * tokens)]
    times = [index / data["fps"] for index in data["frames_indices"]]
    times += times[-1:] * (len(times) % _PAIR)
    means = [(first + last) / 2 for first, last in zip(times[::_PAIR], times[1::_PAIR])]
    return [(f"<{mean:.1f} seconds>", tokens) for mean in means]


def qwen_vl_options(
    model: str = "qwen3",
    *,
    total_frames: int | None = None,
    video_fps: float | None = None,
    nframes: int | None = None,
    fps: float | None = None,
    min_frames: int = 4,
    max_frames: int = 768,
    min_pixels: int | None = None,
    max_pixels: int | None = None,
    total_pixels: float | None = None,
) -> dict[str, Any]:
    """Returns options for :func:`codecpatch.read` that sample and resize as qwen-vl-utils 0.0.14 does.

    The rules are those of ``smart_nframes``, ``smart_resize`` and ``fetch_video`` in qwen_vl_utils/vision_process.py;
    a token is 28x28 pixels, for Qwen3-VL 32x32, and the arguments have the names and defaults of its video elements.

    - Frames: (duration) * `fps`, 2 a second, at least `min_frames`, at most `max_frames` and all that there are,
      rounded down to an even number; evenly from the first to the last frame.
    - Size: sides are multiples of a token; the area of a frame is from `min_pixels`, 128 tokens, to `max_pixels`, 768
      tokens, and to `total_pixels`, 90 % of 128000 tokens, divided by the pairs of frames, but not below 1.05 *
      `min_pixels`. Bicubic, with antialiasing.

    These rules need the length of the video. With `total_frames` and `video_fps`, the frames are exactly those of
    qwen-vl-utils, as ``frame_indices``. Without, ``read`` gets ``fps`` and ``max_frames``: the number of frames may be
    odd or less than `min_frames`, each may be the neighbour of theirs, and a video of more than 300 sampled frames is
    not reduced for `total_pixels`. Pixels differ from torchvision's by a few levels either way, because here the planes
    of the video are resized, before they become RGB.

    Args:
        model: ``"qwen2"``, ``"qwen2.5"``, ``"qwen3"``.
        total_frames: the frames of the video: ``round(clip.duration_sec * clip.fps)`` of any clip of it.
        video_fps: its frame rate: ``clip.fps``.
        nframes: this number of frames, rounded to an even one, instead of a rate.
        fps: frames to sample a second, 2 by default.

    Raises:
        ValueError: both `nframes` and `fps`; only one of `total_frames` and `video_fps`; no even number of frames, from
            2 to all, fits; min_pixels is more than max_pixels.
    """
    unit = _model(model).patch * _MERGE
    if nframes is not None and fps is not None:
        raise ValueError("nframes and fps exclude each other")
    if (total_frames is None) != (video_fps is None):
        raise ValueError("total_frames and video_fps go together")
    least = 128 * unit**2 if min_pixels is None else min_pixels
    frames: dict[str, Any]
    if total_frames is not None and video_fps is not None:
        count = _count(total_frames, video_fps, nframes, 2.0 if fps is None else fps, min_frames, max_frames)
        frames = {"frame_indices": _evenly(total_frames, count)}
    elif nframes is not None:
        count = round(nframes / _PAIR) * _PAIR
        if count < _PAIR:
            raise ValueError(f"nframes must be {_PAIR} or more, not {nframes}")
        frames = {"sequence_length": count}
    else:
        count = _PAIR  # unknown: no share of total_pixels
        frames = {"fps": 2.0 if fps is None else fps, "max_frames": max_frames // _PAIR * _PAIR}
    budget = 128000 * unit**2 * 0.9 if total_pixels is None else total_pixels
    most = max(min(768 * unit**2, budget / count * _PAIR), int(least * 1.05))
    most = most if max_pixels is None else min(max_pixels, most)
    if most < least:
        raise ValueError(f"min_pixels, {least}, is more than max_pixels, {int(most)}")
    return {
        "output": "frames",
        **frames,
        "resample": "bicubic",
        "size_rule": "floor",
        "align": unit,
        "min_pixels": least,
        "max_pixels": int(most),
    }


def _count(total: int, rate: float, nframes: int | None, fps: float, least: int, most: int) -> int:
    if total < 1 or not rate > 0 or not fps > 0:
        raise ValueError(f"total_frames, video_fps and fps must be more than 0, not {total}, {rate} and {fps}")
    if nframes is not None:
        count = round(nframes / _PAIR) * _PAIR
    else:
        ceiling = min(most, total) // _PAIR * _PAIR
        wanted = max(total / rate * fps, math.ceil(least / _PAIR) * _PAIR)
        count = math.floor(min(wanted, ceiling, total) / _PAIR) * _PAIR
    if not _PAIR <= count <= total:
        raise ValueError(f"the number of frames must be from {_PAIR} to {total}, not {count}")
    return count


def _evenly(total: int, count: int) -> list[int]:
    """Returns `count` frames from 0 to `total` - 1, by torch.linspace() if there is PyTorch, as in qwen-vl-utils.

    Its float32 decides which way a frame in the middle of two is rounded.
    """
    if _tensors.framework().__name__ == "torch":
        import torch

        return torch.linspace(0, total - 1, count).round().long().tolist()
    import numpy

    return numpy.linspace(0, total - 1, count, dtype=numpy.float32).round().astype(numpy.int64).tolist()
