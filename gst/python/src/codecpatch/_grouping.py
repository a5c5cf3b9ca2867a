# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which frames codecpatch-preinfer samples, and how it groups them: docs/preinfer.md has the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy

from . import _replenishment
from ._replenishment import Array

_FARTHEST = 4  # frames that a sample moves off a key frame
_MANY = 32


def evenly(frames: int, count: int) -> list[int]:
    """Returns `count` of this many frames, or all of them. Rounds as NumPy does, because cv-preinfer does."""
    return numpy.linspace(0, frames - 1, min(count, frames), dtype=numpy.int32).tolist()


def at_rate(frames: int, fps: float, rate: float) -> list[int]:
    """Returns a frame for each 1 / `rate` seconds; if that is more often than there are frames, some repeat."""
    count = max(1, int(numpy.ceil(frames / fps * rate)))
    return [min(frames - 1, round(index / rate * fps)) for index in range(count)]


def off_key_frames(ids: Iterable[int], frames: int, is_key: Callable[[int], bool]) -> list[int]:
    """Moves samples to the nearest frame that is no key frame; fills up what then is there twice; sorts."""
    wanted = list(ids)
    moved = list(dict.fromkeys(_moved(frame, frames, is_key) for frame in wanted))
    if len(moved) < len(wanted):
        moved += _spare(moved, len(wanted) - len(moved), frames, is_key)
    return sorted(moved)


def _moved(frame: int, frames: int, is_key: Callable[[int], bool]) -> int:
    if not is_key(frame):
        return frame
    near = (frame + sign * step for step in range(1, _FARTHEST + 1) for sign in (1, -1))
    return next((other for other in near if 0 <= other < frames and not is_key(other)), frame)


def _spare(used: list[int], count: int, frames: int, is_key: Callable[[int], bool]) -> list[int]:
    """Returns unused frames: those near to used ones first, then near to the middle; key frames last."""
    sorted_ids = numpy.array(sorted(used))
    free = numpy.setdiff1d(numpy.arange(frames), sorted_ids)
    behind = numpy.searchsorted(sorted_ids, free)
    to_left = numpy.abs(free - sorted_ids[numpy.maximum(behind - 1, 0)])
    to_right = numpy.abs(free - sorted_ids[numpy.minimum(behind, len(sorted_ids) - 1)])
    order = numpy.lexsort((free, numpy.abs(free - frames // 2), numpy.minimum(to_left, to_right)))
    spare: list[int] = []
    for frame in free[order].tolist():
        if len(spare) == count:
            return spare
        if not is_key(frame):
            spare.append(frame)
    rest = [frame for frame in free.tolist() if frame not in set(spare)]
    return spare + rest[: count - len(spare)]


class KeyFrames:
    """Key frames of which one learns only by reading: collects the questions, to be answered all at once.

    Args:
        read: tells for each of these frames if it is a key frame.
    """

    def __init__(self, read: Callable[[Sequence[int]], Sequence[bool]]) -> None:
        self._read, self._known, self._asked = read, dict[int, bool](), set[int]()

    def _is_key(self, frame: int) -> bool:
        if frame not in self._known:
            self._asked.add(frame)
        return self._known.get(frame, False)

    def avoid(self, ids: list[int], frames: int) -> list[int]:
        """Returns what :func:`off_key_frames` does."""
        rounds = 0
        while True:
            result = off_key_frames(ids, frames, self._is_key)
            if not self._asked:
                return result
            asked, self._asked = sorted(self._asked), set()
            self._known.update(zip(asked, self._read(asked)))
            rounds += 1
            # So many samples and their neighbours: so is every frame, and none is moved.
            if rounds == 2 and len(self._known) >= _MANY and all(self._known.values()):
                return off_key_frames(ids, frames, lambda frame: True)


class Collected:
    """Frames as they come, and the scores of their blocks, ranked in spans while other frames are decoded.

    Each span begins with the last frame of the one before, which has its scores from there.

    Args:
        count: how many frames there will be.
        side: of a block, in pixels.
        span: frames of a span, not counting the first.
    """

    def __init__(self, count: int, side: int, span: int) -> None:
        self._count, self._side, self._span = count, side, span
        self._done, self._begin = 0, 0
        self.frames, self.scores = numpy.empty(0), numpy.empty(0)

    def add(self, frames: Array) -> None:
        if self._done == 0:
            places = frames.shape[1] // self._side * (frames.shape[2] // self._side)
            self.frames = numpy.empty((self._count, *frames.shape[1:]), numpy.uint8)
            self.scores = numpy.zeros((self._count, places), numpy.float32)
        self.frames[self._done : self._done + len(frames)] = frames
        self._done += len(frames)
        while self._done > self._begin + self._span or self._done == self._count > self._begin + 1:
            span = self.frames[self._begin : min(self._begin + self._span + 1, self._done)]
            part = _replenishment.scores(span, self._side)
            self.scores[self._begin + 1 : self._begin + len(part)] = part[1:]
            self._begin += len(part) - 1


def by_readiness(scores: Array, images: int, size: int, least: int, most: int) -> list[tuple[int, int]]:
    """Groups frames such that each group has as many blocks that really change as its canvases hold.

    A block really changes if its score is one of the k highest and more than 0. k is the largest number for which the
    groups are no more than those of `size` frames.

    Args:
        scores: of the blocks of all frames, ``[n, places]``.
        images: canvases of a group.
        least, most: frames of a group.

    Returns: first frame of each group, and the one after its last.
    """
    count, places = scores.shape
    limit = max(-(-count // size), -(-count // most))
    ranked = numpy.sort(scores, axis=None)[::-1]
    budget = (images - 1) * places

    def groups(k: int) -> list[tuple[int, int]]:
        real = (scores >= ranked[k - 1]).sum(axis=1) if k else numpy.zeros(count, numpy.int64)
        return _filled(numpy.cumsum(real), budget, least, most)

    low, high = 0, int((ranked > 0).sum()) + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if len(groups(middle)) <= limit else (low, middle)
    return groups(low)


def _filled(sums: Array, budget: int, least: int, most: int) -> list[tuple[int, int]]:
    """Cuts frames into groups whose frames but the first have at most `budget` changes; `sums` adds them up."""
    count, begin = len(sums), 0
    result = []
    while begin < count:
        end = int(numpy.searchsorted(sums, sums[begin] + budget, side="right"))
        end = min(max(end, begin + least), begin + most, count)
        if 0 < count - end < least:  # the rest would be too short for a group
            end = count if count - begin <= most else max(begin + least, count - least)
        result.append((begin, end))
        begin = end
    return result


def fixed(count: int, size: int) -> list[tuple[int, int]]:
    return [(begin, min(begin + size, count)) for begin in range(0, count, size)]
