# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ranking by replenishment, of frames that are in memory already; docs/preinfer.md says why.

The rule is that of docs/spec.md, section 8, for blocks of RGB frames. All sums are exact.
"""

from __future__ import annotations

from typing import Any

import numpy

Array = Any
"""A ``numpy.ndarray``."""

_EXACT = 1024  # products of values of -128 to 127 whose sum float32 holds exactly: 2^24 / 2^14
_NEVER = numpy.iinfo(numpy.int64).max


def distances(frames: Array, side: int) -> Array:
    """Returns the squared differences of all pairs of frames, for each place: ``[places, T, T]`` int64.

    Args:
        frames: ``[T, H, W, 3]`` uint8.
        side: of a block, in pixels.
    """
    count, height, width, _ = frames.shape
    columns = width // side
    result = numpy.empty((height // side * columns, count, count), numpy.int64)
    for row in range(height // side):
        band = frames[:, row * side : (row + 1) * side].reshape(count, side, columns, 3 * side)
        samples = band.transpose(2, 0, 1, 3).reshape(columns, count, -1).astype(numpy.float32)
        samples -= 128
        products = numpy.zeros((columns, count, count))
        for begin in range(0, samples.shape[2], _EXACT):
            part = samples[:, :, begin : begin + _EXACT]
            products += part @ part.swapaxes(1, 2)
        own = numpy.diagonal(products, axis1=1, axis2=2)
        result[row * columns : (row + 1) * columns] = own[:, :, None] + own[:, None, :] - 2 * products
    return result


def scores_of(between: Array) -> Array:
    """Returns the score of each block from its `distances`: ``[T, places]`` int64. Those of frame 0 are 0."""
    places, count, _ = between.shape
    sums = numpy.zeros((places, count, count + 1), numpy.int64)
    numpy.cumsum(between, axis=2, out=sums[:, :, 1:])
    place, every = numpy.arange(places), numpy.arange(count)
    sums -= sums[:, every, every][:, :, None]  # now [a, e] is the error of showing frame a until frame e

    def gain(before: Array, frame: Array, after: Array) -> Array:
        return sums[place, before, after] - sums[place, before, frame] - sums[place, frame, after]

    before, after = (numpy.tile(numpy.arange(count + 1) + step, (places, 1)) for step in (-1, 1))
    gains = numpy.full((places, count + 1), _NEVER)
    gains[:, 1:count] = between[:, every[:-1], every[1:]]
    result = numpy.zeros((count, places), numpy.int64)
    floor = numpy.zeros(places, numpy.int64)
    for _ in range(count - 1):
        frame = count - gains[:, ::-1].argmin(axis=1)  # the larger of equal ones
        result[frame, place] = score = numpy.maximum(gains[place, frame], floor)
        floor = score + 1
        left, right = before[place, frame], after[place, frame]
        gains[place, frame] = _NEVER
        after[place, left], before[place, right] = right, left
        far = numpy.maximum(before[place, left], 0)
        gains[place, left] = numpy.where(left > 0, gain(far, left, right), _NEVER)
        far, inside = numpy.minimum(after[place, right], count), numpy.minimum(right, count - 1)
        gains[place, right] = numpy.where(right < count, gain(left, inside, far), _NEVER)
    return result


def per_sample(scores: Array, side: int) -> Array:
    """Returns scores as in ``meta_scores``, by which blocks are ranked: float32."""
    return (scores / (3 * side * side)).astype(numpy.float32)


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
