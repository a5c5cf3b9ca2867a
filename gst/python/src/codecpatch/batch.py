# SPDX-License-Identifier: LGPL-2.1-or-later
"""Batches of clips of different lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from . import _tensors
from ._tensors import Tensor

_NAMES = ("patches", "meta_fields", "meta_scores")
# For a batch without clips, whose sizes and types are unknown.
_NO_CLIP = {"patches": ((0, 3, 0, 0), "float32"), "meta_fields": ((0, 6), "int64"), "meta_scores": ((0,), "float32")}


class PackedClips(NamedTuple):
    """Concatenated clips, the input of attention kernels for sequences of variable length."""

    patches: Tensor
    """``[sum of K, 3, P, P]``"""
    meta_fields: Tensor
    """``[sum of K, 6]`` int64"""
    meta_scores: Tensor
    """``[sum of K]`` float32"""
    cu_seqlens: Tensor
    """``[B + 1]`` int32: clip b has the rows from ``cu_seqlens[b]`` to ``cu_seqlens[b + 1]``, exclusive."""


class PaddedClips(NamedTuple):
    """Stacked clips; shorter ones are padded with zeros at the end."""

    patches: Tensor
    """``[B, largest K, 3, P, P]``"""
    meta_fields: Tensor
    """``[B, largest K, 6]`` int64"""
    meta_scores: Tensor
    """``[B, largest K]`` float32"""
    mask: Tensor
    """``[B, largest K]`` bool: true for a patch, false for padding."""


class FrameBatch(NamedTuple):
    """Stacked frames; shorter clips are padded with zeros at the end."""

    frames: Tensor
    """``[B, largest T, H, W, 3]`` uint8"""
    mask: Tensor
    """``[B, largest T]`` bool: true for a frame, false for padding."""


def collate_packed(clips: Sequence[Any]) -> PackedClips:
    """Concatenates clips. They are copied.

    Args:
        clips: clips, or sessions and results of ``codecpatch.compat``, with patches of one size, type and device. An
            empty list gives a batch without clips.
    """
    parts = _parts(clips)
    ends = [0]
    for patches in parts["patches"]:
        ends.append(ends[-1] + len(patches))
    like = parts["patches"][0] if clips else None
    joined = {name: _concatenate(parts[name]) if clips else _nothing(name) for name in _NAMES}
    return PackedClips(**joined, cu_seqlens=_array(ends, "int32", like))


def collate_padded(clips: Sequence[Any]) -> PaddedClips:
    """Stacks clips, pads the shorter ones with zeros at the end, and adds a mask of the patches. They are copied.

    Args:
        clips: as for :func:`collate_packed`.
    """
    parts = _parts(clips)
    counts = [len(patches) for patches in parts["patches"]]
    longest = max(counts, default=0)
    like = parts["patches"][0] if clips else None
    joined = {name: _pad(parts[name], longest) if clips else _nothing(name)[None][:0] for name in _NAMES}
    return PaddedClips(**joined, mask=_mask(counts, longest, like))


def collate_frames(clips: Sequence[Any]) -> FrameBatch:
    """Stacks the frames of clips, pads the shorter ones with zeros at the end, and adds a mask of the frames. They are
    copied.

    Args:
        clips: clips with frames, of :func:`codecpatch.read` with ``output="frames"``, or tensors ``[T, H, W, 3]``, as
            :class:`codecpatch.Video` returns them; or ``[T, 3, H, W]``. All of one size: the options ``height`` and
            ``width``, or ``size`` of a Video, make them so. An empty list gives a batch without frames.
    """
    parts = [_frames_of(clip) for clip in clips]
    _check_alike("frames", parts)
    counts = [len(frames) for frames in parts]
    longest = max(counts, default=0)
    frames = _pad(parts, longest) if parts else _array([], "uint8", None).reshape(0, 0, 0, 0, 3)
    return FrameBatch(frames, _mask(counts, longest, parts[0] if parts else None))


def _frames_of(clip: Any) -> Tensor:
    if isinstance(clip, Exception):
        raise TypeError(f"a batch is of frames, not of errors: leave out {clip!r}")
    frames = clip.frames if hasattr(clip, "tensors") else clip
    if getattr(frames, "ndim", None) != 4:
        raise TypeError("frames are a clip with frames, or a tensor of four dimensions")
    return frames


def _mask(counts: list[int], longest: int, like: Tensor | None) -> Tensor:
    rows = _array([[row < count for row in range(longest)] for count in counts], "bool", like)
    return rows.reshape(len(counts), longest)


def _parts(clips: Sequence[Any]) -> dict[str, list[Tensor]]:
    """Returns the tensors of all clips by name. ValueError if their types or sizes differ."""
    rows = [_tensors_of(clip) for clip in clips]
    for name, parts in zip(_NAMES, zip(*rows)):
        _check_alike(name, parts)
    return {name: [row[index] for row in rows] for index, name in enumerate(_NAMES)}


def _check_alike(name: str, parts: Sequence[Tensor]) -> None:
    for part in parts:
        if (part.dtype, part.shape[1:]) != (parts[0].dtype, parts[0].shape[1:]):
            raise ValueError(
                f"clips of one batch must be alike, but {name} are {_kind(parts[0])} here and {_kind(part)} there"
            )


def _tensors_of(clip: Any) -> tuple[Tensor, Tensor, Tensor]:
    if hasattr(clip, "metadata_tensors"):
        return (clip.patches, *clip.metadata_tensors)
    if "canvases" in getattr(clip, "tensors", ()):
        raise ValueError("batches are of patches, but a clip has canvases: concatenate or stack clip.canvases instead")
    return clip.patches, clip.meta_fields, clip.meta_scores


def _kind(tensor: Tensor) -> str:
    return f"{tensor.dtype} {list(tensor.shape[1:])}"


# --- For PyTorch and for NumPy ---


def _concatenate(parts: list[Tensor]) -> Tensor:
    if _tensors.is_array(parts[0]):
        import numpy

        return numpy.concatenate(parts)
    import torch

    return torch.cat(parts)


def _pad(parts: list[Tensor], longest: int) -> Tensor:
    padded = _zeros((len(parts), longest, *parts[0].shape[1:]), parts[0])
    for row, part in zip(padded, parts):
        row[: len(part)] = part
    return padded


def _zeros(shape: tuple[int, ...], like: Tensor) -> Tensor:
    if _tensors.is_array(like):
        import numpy

        return numpy.zeros(shape, like.dtype)
    return like.new_zeros(shape)


def _array(values: list[Any], dtype: str, like: Tensor | None) -> Tensor:
    """Returns an array of the framework and on the device of `like`."""
    if _tensors.framework().__name__ == "numpy" if like is None else _tensors.is_array(like):
        import numpy

        return numpy.array(values, dtype)
    import torch

    return torch.tensor(values, dtype=getattr(torch, dtype), device=None if like is None else like.device)


def _nothing(name: str) -> Tensor:
    shape, dtype = _NO_CLIP[name]
    return _array([], dtype, None).reshape(shape)
