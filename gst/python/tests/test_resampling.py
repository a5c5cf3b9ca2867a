# SPDX-License-Identifier: LGPL-2.1-or-later
"""Resampling and target sizes, beside PyTorch's and Qwen's."""

from __future__ import annotations

import math

import codecpatch
import numpy
import pytest
from support import array

WIDTH, HEIGHT = 150, 98


def pictures(count: int) -> numpy.ndarray:
    """Noise that no conversion of range clips."""
    return numpy.random.default_rng(1).integers(30, 220, (count, HEIGHT, WIDTH), dtype=numpy.uint8)


def y4m(frames: numpy.ndarray) -> bytes:
    """A file with these pictures as luma, and grey chroma."""
    count, height, width = frames.shape
    chroma = bytes([128]) * (2 * ((height + 1) // 2) * ((width + 1) // 2))
    head = f"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C420jpeg\n".encode()
    return head + b"".join(b"FRAME\n" + frame.tobytes() + chroma for frame in frames)


def whole(clip: codecpatch.Clip) -> numpy.ndarray:
    """The green channel of all patches as one picture for each frame."""
    grid = clip.metadata["grid_height"], clip.metadata["grid_width"]
    patches = array(clip.patches)[:, 1].reshape(-1, *grid, 14, 14)
    return patches.transpose(0, 1, 3, 2, 4).reshape(len(patches), 14 * grid[0], 14 * grid[1])


@pytest.mark.parametrize("input_size", [56, 84, 224])
def test_bicubic_is_that_of_torch(input_size):
    torch = pytest.importorskip("torch")
    source = y4m(pictures(2))
    options = {"resample": "bicubic", "k_keep": 10**6, "input_size": input_size, "output_dtype": "f32"}
    ours = whole(codecpatch.read(source, sequence_length=2, **options))
    frames = array(codecpatch.read(source, sequence_length=2, output="frames").frames)[..., 1]
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(frames.astype(numpy.float32))[:, None], ours.shape[1:], mode="bicubic", antialias=True
    )[:, 0].numpy()
    difference = numpy.abs(ours - theirs.clip(0, 255))
    assert difference.mean() < 1 and difference.max() < 3, (difference.mean(), difference.max())
    bilinear = whole(codecpatch.read(source, sequence_length=2, **{**options, "resample": "bilinear"}))
    assert numpy.abs(bilinear - ours).mean() > 2  # which is not the same


def test_area_of_whole_pixels():
    source = y4m(pictures(1)[:, :56, :112])
    options = {"sequence_length": 1, "k_keep": 10**6, "output_dtype": "f32", "min_pixels": 1, "max_pixels": 28 * 56}
    ours = whole(codecpatch.read(source, resample="area", **options))
    frames = array(codecpatch.read(source, sequence_length=1, output="frames").frames)[..., 1]
    means = frames.reshape(1, 28, 2, 56, 2).mean((2, 4))
    assert numpy.abs(ours - means).max() < 0.51  # frames are rounded


def smart_resize(height: int, width: int, factor: int, least: int, most: int) -> tuple[int, int]:
    """As in Qwen2-VL's preprocessor."""
    rows, columns = (max(factor, round(side / factor) * factor) for side in (height, width))
    if rows * columns > most:
        scale = math.sqrt(height * width / most)
        return tuple(max(factor, math.floor(side / scale / factor) * factor) for side in (height, width))
    if rows * columns < least:
        scale = math.sqrt(least / (height * width))
        return tuple(math.ceil(side * scale / factor) * factor for side in (height, width))
    return rows, columns


@pytest.mark.parametrize("least, most", [(1, 4000), (56 * 56, 28 * 28 * 1280), (40000, 10**7), (3136, 12000)])
def test_floor_rule(least, most):
    source = y4m(pictures(1))
    options = {"size_rule": "floor", "min_pixels": least, "max_pixels": most, "k_keep": 0, "sequence_length": 1}
    metadata = codecpatch.read(source, **options).metadata
    expected = smart_resize(HEIGHT, WIDTH, 28, least, most)
    assert (metadata["target_height"], metadata["target_width"]) == expected
