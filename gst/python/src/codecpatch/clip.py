# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clips, the results of a session."""

from __future__ import annotations

import ctypes
import json
from dataclasses import dataclass
from typing import Any

from . import _library, _tensors
from ._tensors import Tensor

# Text even if it is valid JSON. Other values that are not JSON are text as well.
_TEXTS = frozenset({"source"})


@dataclass(frozen=True, eq=False, repr=False)
class Clip:
    """The tensors and the metadata of one clip: one sequence of sampled frames.

    Tensors are PyTorch's if PyTorch is installed, else NumPy's. The caller owns them: they stay valid after the session
    is closed, share their memory with nothing else, and may be freed on any thread. Clips can be pickled.
    """

    tensors: dict[str, Tensor]
    """By name: ``patches``, ``meta_fields``, ``meta_scores``; or ``frames``."""
    metadata: dict[str, Any]
    """The metadata, by the names of docs/formats.md: lists, numbers, booleans, texts."""

    @property
    def patches(self) -> Tensor:
        """``[K, 3, P, P]``, of type ``output_dtype``: red, green, blue; rows from the top; 0 to 255 unless scaled."""
        return self._tensor("patches")

    @property
    def meta_fields(self) -> Tensor:
        """``[K, 6]`` int64: seq_pos, frame_id, is_i, patch_linear_idx, patch_h_idx, patch_w_idx."""
        return self._tensor("meta_fields")

    @property
    def meta_scores(self) -> Tensor:
        """``[K]`` float32: the sum of the energy over the patch's pixels, 0 to P squared; with ``ranking="replenishment"``
        the squared error per sample that a replay without the patch has, summed over frames."""
        return self._tensor("meta_scores")

    @property
    def frames(self) -> Tensor:
        """``[T, H, W, 3]`` uint8: the sampled frames; red, green and blue per pixel; rows from the top."""
        return self._tensor("frames")

    @property
    def sampled_frame_ids(self) -> list[int]:
        """The index of each sampled frame in the display order of the whole stream."""
        return self.metadata["sampled_frame_ids"]

    @property
    def pts_ns(self) -> list[int | None]:
        """The stream time of each sampled frame in nanoseconds, None if unknown."""
        return self.metadata["pts_ns"]

    @property
    def is_i(self) -> list[bool]:
        """For each sampled frame, true if decoding can start at it."""
        return self.metadata["is_i"]

    @property
    def frame_status(self) -> list[str]:
        """The status of each sampled frame: ok; substituted: the picture of an earlier frame; missing: the picture of a
        later frame; damaged: its own picture, of which the decoder concealed parts."""
        return self.metadata["frame_status"]

    @property
    def fps(self) -> float:
        """The average frame rate of the stream, 0 if unknown."""
        return float(self.metadata["fps"])

    @property
    def duration_sec(self) -> float:
        """The duration of the stream in seconds."""
        return float(self.metadata["duration_sec"])

    @property
    def source(self) -> str:
        """The name of the source."""
        return self.metadata["source"]

    @property
    def width(self) -> int:
        """The width of the frames in pixels, after cropping and rotation."""
        return self.metadata["source_width"]

    @property
    def height(self) -> int:
        """The height of the frames in pixels, after cropping and rotation."""
        return self.metadata["source_height"]

    @property
    def clip_index(self) -> int:
        """The number of the clip in its session, from 0."""
        return self.metadata["clip_index"]

    def _tensor(self, name: str) -> Tensor:
        try:
            return self.tensors[name]
        except KeyError:
            raise AttributeError(
                f'this clip has no {name}, only {", ".join(self.tensors)}: set output="frames" for frames, '
                '"patches" for the others'
            ) from None

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {list(tensor.shape)}" for name, tensor in self.tensors.items())
        return f"<codecpatch.Clip {self.clip_index} of {self.source!r}: {shapes}>"


def clip_of(tensors: int, source: str) -> Clip:
    """Returns the clip of a ``CpsTensors *``, which the caller keeps."""
    library = _library.library()
    by_name = {}
    for index in range(library.cps_tensors_get_count(tensors)):
        name = library.cps_tensors_get_name(tensors, index)
        managed, error = _library.call(library.cps_tensors_to_dlpack, tensors, name)
        _library.check(error, source)
        by_name[name.decode()] = _tensors.take_tensor(managed)
    return Clip(by_name, metadata_of(library, tensors))


def metadata_of(library: ctypes.CDLL, tensors: int) -> dict[str, Any]:
    """Returns the metadata of a ``CpsTensors *``."""
    texts: dict[str, str] = {}

    @_library.METADATA_FUNC
    def collect(key: bytes, value: bytes, _: Any) -> None:
        texts[key.decode()] = value.decode("utf-8", "replace")

    library.cps_tensors_foreach_metadata(tensors, collect, None)
    return {key: text if key in _TEXTS else _value(text) for key, text in texts.items()}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
