# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of windows have in common: how clips are read and compared, and a source that waits."""

from __future__ import annotations

import threading
from fractions import Fraction

import codecpatch
import pytest
import support
from support import assert_same

FRAME = Fraction(1, 30)  # how long each of the 60 frames of the clip lasts


def read_windows(source, **options) -> list[codecpatch.Clip]:
    with codecpatch.open(source, **options) as session:
        return list(session)


def assert_equal(one: codecpatch.Clip, other: codecpatch.Clip, *differs: str) -> None:
    assert_same(one.tensors, other.tensors)
    metadata = [{**found.metadata, **dict.fromkeys(differs)} for found in (one, other)]
    assert metadata[0] == metadata[1]


class Gate(support.NoSeek):
    """The data of a file that cannot seek. What is behind `share` of it comes when the gate opens."""

    def __init__(self, data: bytes, share: float) -> None:
        super().__init__(data)
        self.open = threading.Event()
        self._left = int(share * len(data))

    def readinto(self, target):
        if self._left <= 0:
            self.open.wait()
        count = super().readinto(memoryview(target)[:4096])
        self._left -= count
        return count


# A clip for each frame. The plan is an estimate, and says so, because there is only one pass.
EACH_FRAME = {
    **{"frame_indices": range(60), "clip_length": 1, "k_keep": 4},
    **{"uniform_strategy": "stream", "total_frames": 60, "stall_timeout": 0},
}

shut = pytest.mark.parametrize("gate", [0], indirect=True)
