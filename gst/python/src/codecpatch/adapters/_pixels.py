# SPDX-License-Identifier: LGPL-2.1-or-later
"""Normalised pixels in the order that a model takes, and what the adapters share.

The arithmetic is that of the processors of transformers, in ``rescale_and_normalize`` of image_processing_backends.py:
the division by 255 goes into mean and standard deviation, and then (x - mean * 255) / (std * 255), all float32.
Therefore a result equals theirs bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .. import _tensors
from .._tensors import Tensor


class Statistics(NamedTuple):
    """Mean and standard deviation of red, green and blue, of pixels from 0 to 1."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


CLIP = Statistics((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
HALF = Statistics((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
IMAGENET = Statistics((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

_AT_ONCE = 16  # parts that PyTorch normalises in one step


def fill(out: Tensor, pixels: Tensor, split: Sequence[int], order: Sequence[int], statistics: Statistics) -> None:
    """Writes normalised pixels, part by part.

    Args:
        out: float32; the first dimension counts the parts, the others are those of `split` in `order`.
        pixels: ``[parts, 3, ...]`` uint8.
        split: the shape that a part is seen as, with the same elements in the same order; begins with 3.
        order: the dimension of `split` for each dimension of a part of `out`.
    """
    if _tensors.is_array(pixels):
        _fill_array(out, pixels, split, order, statistics)
    else:
        _fill_torch(out, pixels, split, order, statistics)


def _fill_array(out: Any, pixels: Any, split: Sequence[int], order: Sequence[int], statistics: Statistics) -> None:
    import numpy

    means, stds = (numpy.array(values, numpy.float32) * numpy.float32(255) for values in statistics)
    in_place = list(order) == list(range(len(order))) and tuple(split) == pixels.shape[1:]
    # One part at a time, because it stays in the cache until it is complete.
    planes = numpy.empty(pixels.shape[1:], numpy.float32)
    ordered, targets = planes.reshape(split).transpose(order), out
    if order[-1] == len(order) - 1 and out.flags.c_contiguous:
        # Rows of pixels stay together, and are copied faster as one element each.
        row = numpy.dtype((numpy.void, split[-1] * planes.itemsize))
        ordered = planes.reshape(split).view(row)[..., 0].transpose(order[:-1])
        targets = out.view(row)[..., 0]
    for part, target, source in zip(out, targets, pixels):
        planes = part if in_place else planes
        for plane, codes, mean, std in zip(planes, source, means, stds):
            numpy.copyto(plane, codes)
            plane -= mean
            plane /= std
        if not in_place:
            numpy.copyto(target, ordered)


def _fill_torch(out: Any, pixels: Any, split: Sequence[int], order: Sequence[int], statistics: Statistics) -> None:
    import torch

    per_channel = (3,) + (1,) * (pixels.dim() - 2)
    mean, std = (
        (torch.tensor(values, dtype=torch.float32, device=pixels.device) * 255).reshape(per_channel)
        for values in statistics
    )
    for begin in range(0, len(pixels), _AT_ONCE):
        planes = pixels[begin : begin + _AT_ONCE].to(torch.float32).sub_(mean).div_(std)
        ordered = planes.reshape(-1, *split).permute(0, *(dimension + 1 for dimension in order))
        out[begin : begin + _AT_ONCE].copy_(ordered)


def to_work(tensor: Tensor) -> Tensor:
    """Returns what the adapters work on: NumPy's view of a tensor on the CPU, if there is NumPy, else the tensor.

    NumPy computes on one thread, which is faster here than PyTorch's threads, because they wait for each other after
    each small step.
    """
    if _tensors.is_array(tensor) or tensor.device.type != "cpu":
        return tensor
    try:
        return tensor.detach().numpy()
    except (ImportError, RuntimeError):  # PyTorch without NumPy, or built for another one
        return tensor


def from_work(result: Tensor, like: Tensor) -> Tensor:
    """Returns a result of :func:`to_work`'s kind as a tensor of the framework of `like`. Nothing is copied."""
    if _tensors.is_array(result) and not _tensors.is_array(like):
        import torch

        return torch.from_numpy(result)
    return result


def empty(shape: Sequence[int], dtype: str, like: Tensor) -> Tensor:
    if _tensors.is_array(like):
        import numpy

        return numpy.empty(shape, dtype)
    import torch

    return torch.empty(tuple(shape), dtype=getattr(torch, dtype), device=like.device)


def array(values: Any, dtype: str, like: Tensor) -> Tensor:
    if _tensors.is_array(like):
        import numpy

        return numpy.array(values, dtype)
    import torch

    return torch.tensor(values, dtype=getattr(torch, dtype), device=like.device)


def permuted(tensor: Tensor, *order: int) -> Tensor:
    return tensor.transpose(order) if _tensors.is_array(tensor) else tensor.permute(order)


def concatenated(parts: Sequence[Tensor]) -> Tensor:
    """Returns the parts as one; a single part is not copied."""
    if len(parts) == 1:
        return parts[0]
    if _tensors.is_array(parts[0]):
        import numpy

        return numpy.concatenate(parts)
    import torch

    return torch.cat(list(parts))


def listed(clips: Any) -> list[Any]:
    """Returns one clip, or tensor, or a sequence of them, as a list. ValueError if there is none."""
    alone = hasattr(clips, "tensors") or hasattr(clips, "shape")
    result = [clips] if alone else list(clips)
    if not result:
        raise ValueError("there is no clip to adapt")
    return result


def tensor_of(clip: Any, name: str, output: str) -> Tensor:
    """Returns a tensor of a clip. ValueError if the clip has another output."""
    tensors = getattr(clip, "tensors", None)
    if tensors is None:
        raise ValueError(f"a clip of codecpatch.read() is needed, not {type(clip).__name__}")
    if name not in tensors:
        raise ValueError(f'a clip of output="{output}" is needed, but this one has only {", ".join(tensors)}')
    return tensors[name]


def check_pixels(name: str, pixels: Tensor, shape: Sequence[int | None]) -> None:
    """ValueError if pixels are not uint8, or not of this shape, in which None is any length from 1."""
    found = list(pixels.shape)
    fits = len(found) == len(shape) and all(
        length > 0 and wanted in (None, length) for length, wanted in zip(found, shape)
    )
    if not fits:
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise ValueError(f"{name} must have the shape [{wanted}], not {found}")
    kind = str(pixels.dtype).removeprefix("torch.")
    if kind != "uint8":
        raise ValueError(f"{name} must be uint8, not {kind}; normalising is left to the adapter")


def frames_of(clip: Any) -> Tensor:
    """Returns ``[T, H, W, 3]`` uint8: the frames of a clip, or frames that are given as such. ValueError if there are
    none."""
    frames = clip if hasattr(clip, "shape") else tensor_of(clip, "frames", "frames")
    check_pixels("frames", frames, (None, None, None, 3))
    return frames


def check_sides(height: int, width: int, unit: int, hint: str) -> None:
    """ValueError if a side is not divisible by `unit`."""
    if height % unit or width % unit:
        raise ValueError(f"height and width must be divisible by {unit}, not {height}x{width} (HxW): {hint}")
