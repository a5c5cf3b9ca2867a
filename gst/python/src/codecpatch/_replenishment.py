# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ranking by replenishment, of frames that are in memory already; docs/preinfer.md says why.

The rule is that of docs/spec.md, section 8, for blocks of RGB frames.
"""

from __future__ import annotations

from typing import Any

import numpy

from . import _library

Array = Any
"""A ``numpy.ndarray``."""


def scores(frames: Array, side: int) -> Array:
    """Returns the scores by which blocks are ranked, ``[T, places]`` float32; those of frame 0 are of another kind.

    Args:
        frames: ``[T, H, W, 3]`` uint8.
        side: of a block, in pixels.
    """
    count, height, width, _ = frames.shape
    frames = numpy.ascontiguousarray(frames)
    result = numpy.empty((count, height // side * (width // side)), numpy.float32)
    score = _library.library().cps_replenishment_scores
    if not score(frames.ctypes.data, count, height, width, side, result.ctypes.data):
        raise MemoryError
    return result


def selected(scores: Array, canvases: int) -> Array:
    """Returns which blocks fill this many canvases, or one for each frame if that is less: ``[T, places]`` bool."""
    count, places = scores.shape
    result = numpy.zeros(count * places, bool)
    result[:places] = True
    rest = places * (min(canvases, count) - 1)
    result[places + numpy.argsort(-scores.ravel()[places:], kind="stable")[:rest]] = True
    return result.reshape(count, places)


def packed(frames: Array, frame_ids: Array, chosen: Array, patch: int) -> tuple[Array, Array]:
    """Returns canvases and patch positions of the blocks of `chosen`, as in section 11 of docs/spec.md."""
    count, height, width, _ = frames.shape
    side = 2 * patch
    rows, columns = height // side, width // side
    frame, place = numpy.nonzero(chosen)
    row, column = numpy.divmod(place, columns)
    canvases = len(frame) // (rows * columns)
    blocks = frames.reshape(count, rows, side, columns, side, 3)[frame, row, :, column]
    images = blocks.reshape(canvases, rows, columns, side, side, 3).transpose(0, 1, 3, 2, 4, 5)
    corners = numpy.stack([numpy.asarray(frame_ids)[frame], 2 * row, 2 * column], axis=1)
    positions = numpy.empty((canvases, rows, 2, columns, 2, 3), numpy.int32)
    positions[:] = corners.reshape(canvases, rows, 1, columns, 1, 3)
    positions[:, :, 1, :, :, 1] += 1
    positions[:, :, :, :, 1, 2] += 1
    return images.reshape(canvases, height, width, 3), positions.reshape(-1, 3)
