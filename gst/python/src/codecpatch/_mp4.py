# SPDX-License-Identifier: LGPL-2.1-or-later
"""The key frames that an MP4 or QuickTime file lists, without decoding."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

_LARGEST_INDEX = 1 << 28  # bytes; a film of ten hours has less


def key_samples(path: str | os.PathLike[str], track: int, frames: int) -> list[int] | None:
    """Returns the numbers of the key frames of a track of video, from 0, as the file lists them: in decoding order.

    All frames if the file lists none, because all of them are key frames then. None if the file is not MP4, is
    fragmented, or has no such track.

    Args:
        track: which of the tracks of video, from 0.
        frames: how many frames the track has.
    """
    try:
        with open(path, "rb") as file:
            index = _movie(file)
    except OSError:
        return None
    if index is None or _child(index, b"mvex") is not None:
        return None
    tracks = [body for kind, body in _boxes(index) if kind == b"trak" and _is_video(body)]
    if not 0 <= track < len(tracks):
        return None
    table = _child(tracks[track], b"mdia", b"minf", b"stbl")
    if table is None:
        return None
    listed = _child(table, b"stss")
    if listed is None:
        return list(range(frames))
    if len(listed) < 8:
        return None
    count = struct.unpack_from(">I", listed, 4)[0]
    if len(listed) < 8 + 4 * count:
        return None
    # The first frame counts as one, even if the list leaves it out.
    return sorted({0, *(number - 1 for number in struct.unpack_from(f">{count}I", listed, 8) if number > 0)})


def _movie(file: BinaryIO) -> memoryview | None:
    """Returns the body of the ``moov`` box."""
    size = os.fstat(file.fileno()).st_size
    begin = 0
    while begin + 8 <= size:
        file.seek(begin)
        head = file.read(16)
        length, kind, used = _head(head, size - begin)
        if length < used or not kind.isascii():
            return None
        if kind == b"moov":
            length = min(length, size - begin)
            if length > _LARGEST_INDEX:
                return None
            file.seek(begin + used)
            return memoryview(file.read(length - used))
        begin += length
    return None


def _head(data: bytes | memoryview, left: int) -> tuple[int, bytes, int]:
    """Returns the length of a box, its type, and the length of its head."""
    length, kind = struct.unpack_from(">I4s", data)
    if length == 1 and len(data) >= 16:
        return struct.unpack_from(">Q", data, 8)[0], kind, 16
    return length or left, kind, 8


def _boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    while len(data) >= 8:
        length, kind, used = _head(data, len(data))
        if length < used:
            return
        yield kind, data[used:length]
        data = data[length:]


def _child(data: memoryview, *path: bytes) -> memoryview | None:
    for name in path:
        found = next((body for kind, body in _boxes(data) if kind == name), None)
        if found is None:
            return None
        data = found
    return data


def _is_video(track: memoryview) -> bool:
    handler = _child(track, b"mdia", b"hdlr")
    return handler is not None and bytes(handler[8:12]) == b"vide"
