# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a session yields."""

from __future__ import annotations

import ctypes
import json
from dataclasses import dataclass
from typing import Any

from . import _library, _tensors
from ._tensors import Tensor

# Plain text whatever it looks like; what else is no JSON is text, too.
_TEXTS = frozenset({"source"})


@dataclass(frozen=True, eq=False, repr=False)
class Clip:
    """The tensors and the metadata of one clip: one sequence of sampled frames.

    Tensors are PyTorch's where it is installed, else NumPy's. They are the caller's: they stay valid when the session
    is closed, share their memory with nothing else, and may be freed on any thread. Clips pickle.
    """

    tensors: dict[str, Tensor]
    """By name: ``patches``, ``meta_fields``, ``meta_scores``; or ``frames``."""
    metadata: dict[str, Any]
    """What is known beside them, by the names of docs/formats.md: lists, numbers, booleans, texts."""

    @property
    def patches(self) -> Tensor:
        """``[K, 3, P, P]``, of the ``output_dtype``: red, green, blue; rows from the top; 0 to 255 unless scaled."""
        return self._tensor("patches")

    @property
    def meta_fields(self) -> Tensor:
        """``[K, 6]`` int64: seq_pos, frame_id, is_i, patch_linear_idx, patch_h_idx, patch_w_idx."""
        return self._tensor("meta_fields")

    @property
    def meta_scores(self) -> Tensor:
        """``[K]`` float32: the sum of the energy over the patch's pixels, 0 to P squared."""
        return self._tensor("meta_scores")

    @property
    def frames(self) -> Tensor:
        """``[T, H, W, 3]`` uint8: the sampled frames; red, green, blue a pixel; rows from the top."""
        return self._tensor("frames")

    @property
    def sampled_frame_ids(self) -> list[int]:
        """The index of each sampled frame in the display order of the whole stream."""
        return self.metadata["sampled_frame_ids"]

    @property
    def pts_ns(self) -> list[int | None]:
        """The stream time of each sampled frame in nanoseconds, None where it is unknown."""
        return self.metadata["pts_ns"]

    @property
    def is_i(self) -> list[bool]:
        """Whether decoding can start at the sampled frame, for each."""
        return self.metadata["is_i"]

    @property
    def frame_status(self) -> list[str]:
        """What became of each sampled frame: ok; substituted: an earlier one's picture; missing: a later
        one's; damaged: its own, with parts that the decoder made up."""
        return self.metadata["frame_status"]

    @property
    def fps(self) -> float:
        """The average frame rate of the stream, 0 where it is unknown."""
        return float(self.metadata["fps"])

    @property
    def duration_sec(self) -> float:
        """The duration of the stream in seconds."""
        return float(self.metadata["duration_sec"])

    @property
    def source(self) -> str:
        """The name of what it was read from."""
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
    """The clip of a ``CpsTensors *``, which stays the caller's."""
    library = _library.library()
    by_name = {}
    for index in range(library.cps_tensors_get_count(tensors)):
        name = library.cps_tensors_get_name(tensors, index)
        managed, error = _library.call(library.cps_tensors_to_dlpack, tensors, name)
        _library.check(error, source)
        by_name[name.decode()] = _tensors.take_tensor(managed)
    return Clip(by_name, metadata_of(library, tensors))


def metadata_of(library: ctypes.CDLL, tensors: int) -> dict[str, Any]:
    """That of a ``CpsTensors *``."""
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
