# SPDX-License-Identifier: LGPL-2.1-or-later
"""What worker processes run. A module of its own, so that they can import it."""

from __future__ import annotations

import codecpatch
from support import checksum


def read(task: tuple[str, int]) -> list[int]:
    path, count = task
    return checksum(codecpatch.read(path, k_keep=count))


def checksum_of_batch(batch: codecpatch.PackedClips) -> list[int]:
    return checksum(codecpatch.Clip(batch._asdict(), {}))


def read_in_fork(path: str) -> str:
    """In a fork of a process that has run a session: what is raised."""
    try:
        codecpatch.read(path)
    except RuntimeError as error:
        return f"{type(error).__name__} {error}"
    return "nothing was raised"


def fail(path: str) -> None:
    codecpatch.read(path)


class Dataset:
    """A data set as torch.utils.data has them, without torch."""

    def __init__(self, path: str, length: int = 8) -> None:
        self._path, self._length = path, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> codecpatch.Clip:
        return codecpatch.read(self._path, k_keep=index + 1)


def collate_good(items: list) -> tuple[codecpatch.FrameBatch, list]:
    """A batch of what could be read, and the paths of what could not."""
    errors = [item for item in items if isinstance(item, Exception)]
    clips = [item for item in items if not isinstance(item, Exception)]
    return codecpatch.collate_frames(clips), [error.path for error in errors]
