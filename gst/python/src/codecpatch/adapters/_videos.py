# SPDX-License-Identifier: LGPL-2.1-or-later
"""Models that take whole videos, and cut them into tubelets themselves."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _tensors
from .._tensors import Tensor
from ..clip import Clip
from . import _pixels

_PATCH, _TUBELET = 16, 2


def videomae(clips: Clip | Tensor | Sequence[Clip | Tensor]) -> Tensor:
    """Returns ``pixel_values`` of VideoMAE: ``[B, T, 3, H, W]`` float32.

    Normalised with mean 0.5 and standard deviation 0.5, as ``VideoMAEVideoProcessor`` of transformers does. The older
    ``VideoMAEImageProcessor`` uses ImageNet's values and rounds otherwise.

    The published models take T = 16, H = W = 224: read clips with ``output="frames", sequence_length=16, width=224,
    height=224``. The processor cuts a square from the middle instead, and so loses the sides; ``width`` and ``height``
    distort. Rows of tubelets, in order (frame pair, row, column), are what the model's Conv3d makes of it.

    Args:
        clips: a clip of ``output="frames"``, ``[T, H, W, 3]`` uint8, or a sequence of them, all of one size. One clip
            gives B = 1.

    Raises:
        ValueError: wrong output, type or shape; T is odd; H or W is not divisible by 16.
    """
    return _videos(clips, _pixels.HALF)


def vjepa2(clips: Clip | Tensor | Sequence[Clip | Tensor]) -> Tensor:
    """Returns ``pixel_values_videos`` of V-JEPA 2: ``[B, T, 3, H, W]`` float32.

    Normalised with ImageNet's mean (0.485, 0.456, 0.406) and standard deviation (0.229, 0.224, 0.225), as
    ``VJEPA2VideoProcessor`` of transformers does.

    The published models take T = 64 (16 for Something-Something v2) and H = W = 256, or 384 with the names that say so:
    read clips with ``output="frames", sequence_length=64, width=256, height=256``. The processor cuts a square from the
    middle instead.

    Args:
        clips: as for :func:`videomae`.

    Raises:
        ValueError: as for :func:`videomae`.
    """
    return _videos(clips, _pixels.IMAGENET)


def _videos(clips: Clip | Tensor | Sequence[Clip | Tensor], statistics: _pixels.Statistics) -> Tensor:
    videos = [_pixels.frames_of(clip) for clip in _pixels.listed(clips)]
    count, height, width, _ = videos[0].shape
    for video in videos:
        if video.shape != videos[0].shape or _tensors.is_array(video) != _tensors.is_array(videos[0]):
            raise ValueError(
                f"clips of one batch must be alike, but there are {list(videos[0].shape)} and {list(video.shape)}"
            )
    if count % _TUBELET:
        raise ValueError(f"the model takes frames by pairs, so their number must be even, not {count}")
    _pixels.check_sides(height, width, _PATCH, "set width and height when reading")
    works = [_pixels.to_work(video) for video in videos]
    out = _pixels.empty((len(works), count, 3, height, width), "float32", works[0])
    for target, work in zip(out, works):
        _pixels.fill(target, _pixels.permuted(work, 0, 3, 1, 2), (3, height, width), (0, 1, 2), statistics)
    return _pixels.from_work(out, videos[0])
