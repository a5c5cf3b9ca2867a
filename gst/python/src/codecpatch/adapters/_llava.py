# SPDX-License-Identifier: LGPL-2.1-or-later
"""LLaVA-OneVision-2 and Mage-VL: canvases as images, with the place that each patch comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .._tensors import Tensor
from ..clip import Clip
from . import _pixels

_MERGE = 2


class LlavaInputs(NamedTuple):
    """What LLaVA-OneVision-2 takes, of all clips; N is the number of canvases of all of them."""

    pixel_values: Tensor
    """``[N * rows * columns, 3 * P * P]`` float32: a row for each patch: red, green, blue, each row by row."""
    image_grid_thw: Tensor
    """``[N, 3]`` int64: 1, rows, columns"""
    patch_positions: Tensor
    """``[N * rows * columns, 3]`` int64: frame in the source, row and column of each patch of `pixel_values`."""
    prompt_runs: list[list[tuple[str, int]]]
    """For each clip, what its part of the prompt consists of: the text of a time, ``<1.2 seconds>``, and the number of
    ``<|image_pad|>`` that follow it, for each stretch of patches of one frame."""

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The arguments of the model, by name."""
        return {name: getattr(self, name) for name in ("pixel_values", "image_grid_thw", "patch_positions")}


def llava_onevision2(clips: Clip | Sequence[Clip], *, fps: float | None = None) -> LlavaInputs:
    """Returns the inputs of LLaVA-OneVision-2 and of Mage-VL, which take canvases as images.

    Rows are in block order: the four patches of each block of 2x2 patches are neighbours (top left, top right, bottom
    left, bottom right), and blocks go row by row. Pixels are normalised with the mean and standard deviation of CLIP,
    as the processor of Qwen2-VL in transformers does, whose layout this is. A canvas whose positions are all negative
    is empty, and left out.

    Args:
        clips: a clip of ``output="canvases"``, or a sequence of them; sizes may differ.
        fps: the frame rate of the source, for the seconds in the prompt; by default the clip's.

    Raises:
        ValueError: wrong output, type or shape; the grid is odd; a canvas is partly empty; the frame rate is unknown.
    """
    parts = [_of_clip(clip, fps) for clip in _pixels.listed(clips)]
    return LlavaInputs(
        *(_pixels.concatenated([part[index] for part in parts]) for index in range(3)),
        prompt_runs=[part.prompt_runs[0] for part in parts],
    )


def _of_clip(clip: Clip, fps: float | None) -> LlavaInputs:
    tensor = _pixels.tensor_of(clip, "canvases", "canvases")
    _pixels.check_pixels("canvases", tensor, (None, None, None, 3))
    canvases, positions = _pixels.to_work(tensor), _pixels.to_work(clip.tensors["patch_positions"])
    size, rows, columns = (clip.metadata[name] for name in ("patch_size", "grid_height", "grid_width"))
    if rows % _MERGE or columns % _MERGE:
        raise ValueError(f"the grid must be even, to be cut into blocks of 2x2 patches, not {rows}x{columns}")
    if tuple(canvases.shape[1:3]) != (rows * size, columns * size) or len(positions) != len(canvases) * rows * columns:
        raise ValueError(
            f"canvases of {rows}x{columns} patches of {size} pixels do not have the shape {list(canvases.shape)}, with "
            f"{len(positions)} positions"
        )
    if not fps and not clip.fps:
        raise ValueError("the frame rate of the clip is unknown: set fps")
    by_canvas = positions.reshape(len(canvases), rows * columns, 3)
    empty = by_canvas[..., 0] < 0
    if bool(empty.any()):
        if bool((empty.any(1) & ~empty.all(1)).any()):
            raise ValueError("a canvas is partly empty: some of its positions are negative, and others are not")
        canvases, by_canvas = canvases[~empty.all(1)], by_canvas[~empty.all(1)]

    count = len(canvases)
    blocks = (rows // _MERGE, _MERGE, columns // _MERGE, _MERGE)
    values = _pixels.empty((count, *blocks[::2], _MERGE, _MERGE, 3, size, size), "float32", canvases)
    split = (3, blocks[0], _MERGE, size, blocks[2], _MERGE, size)
    _pixels.fill(values, _pixels.permuted(canvases, 0, 3, 1, 2), split, (1, 4, 2, 5, 0, 3, 6), _pixels.CLIP)
    in_blocks = _pixels.permuted(by_canvas.reshape(count, *blocks, 3), 0, 1, 3, 2, 4, 5).reshape(-1, 3)
    grid = _pixels.array([[1, rows, columns]] * count, "int64", canvases).reshape(-1, 3)
    return LlavaInputs(
        _pixels.from_work(values.reshape(count * rows * columns, 3 * size * size), tensor),
        _pixels.from_work(grid, tensor),
        _pixels.from_work(in_blocks, tensor),
        [_runs(in_blocks[:: _MERGE**2, 0].tolist(), float(fps or clip.fps))],
    )


def _runs(frames: list[int], fps: float) -> list[tuple[str, int]]:
    """Returns text and number of blocks for each stretch of blocks of one frame."""
    runs: list[tuple[str, int]] = []
    begin = 0
    for end in range(1, len(frames) + 1):
        if end == len(frames) or frames[end] != frames[begin]:
            runs.append((f"<{frames[begin] / fps:.1f} seconds>", end - begin))
            begin = end
    return runs
