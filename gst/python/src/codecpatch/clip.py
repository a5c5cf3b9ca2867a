# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clips, the results of a session."""

from __future__ import annotations

import copy
import ctypes
import json
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import _library, _pictures, _tensors
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
    """By name: ``patches``, ``meta_fields``, ``meta_scores``; ``canvases``, ``patch_positions``, ``meta_scores``; or
    ``frames``."""
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
        """``[K]`` float32: the sum of the energy over the patch's pixels, 0 to P squared; with
        ``ranking="replenishment"`` how much the squared error per sample of a replay, summed over the frames, grows
        without the patch. Of canvases, in the order of ``patch_positions``."""
        return self._tensor("meta_scores")

    @property
    def canvases(self) -> Tensor:
        """``[N, H, W, 3]`` uint8: images made of the selected blocks of 2x2 patches, in the order of the clip; red, green
        and blue per pixel; rows from the top."""
        return self._tensor("canvases")

    @property
    def patch_positions(self) -> Tensor:
        """``[N * grid_height * grid_width, 3]`` int64: where each patch of the canvases comes from, row by row of each
        canvas: the index of its frame in the whole stream, its row and its column in that frame."""
        return self._tensor("patch_positions")

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
    def stream_frames(self) -> int:
        """The number of frames of the whole stream, 0 if unknown."""
        return self.metadata["stream_frames"]

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

    @property
    def start(self) -> float | None:
        """The start of the section that was sampled, or of the clip's window, in seconds of stream time. None if it is
        the start of the stream. ``metadata["start"]`` has it in nanoseconds, exactly, with -1 for None."""
        return _seconds(self.metadata["start"])

    @property
    def stop(self) -> float | None:
        """The end of the section that was sampled, or of the clip's window, exclusive, in seconds of stream time. None
        if it is the end of the stream. A window may end after the stream. ``metadata["stop"]`` has it in nanoseconds,
        exactly, with -1 for None."""
        return _seconds(self.metadata["stop"])

    def best(self, k: int) -> Clip:
        """Returns the best k patches as a new clip, which shares no memory with this one.

        The result equals that of reading the video again with ``k_keep=k``, in tensors and in metadata. The clip must
        have been read with ``ranking="replenishment"``.

        Args:
            k: the number of patches; 0 or less gives an empty clip. With ``selection_unit="block2x2"`` it must be
                divisible by 4. It may be more than the clip has only if a larger ``k_keep`` would give no more patches;
                the result then has all of them.

        Raises:
            ValueError: the patches are ranked by energy; k is more than the clip has; k is not divisible by 4; or the
                clip has canvases.
        """
        k = operator.index(k)
        if "canvases" in self.tensors:
            raise ValueError("best() selects patches, but this clip has canvases: read the video with fewer canvases")
        has, of_all = len(self.meta_scores), self._patches_of_all_frames()
        kept = min(max(k, 0), of_all)
        self._check_best(k, kept, has, of_all)
        unit = 4 if self.metadata["selection_unit"] == "block2x2" else 1
        scores, positions = self.meta_scores.tolist(), self.meta_fields[:, 0].tolist()
        # Frame 0 first, then by score. Of equal scores the lower index comes first, because sorted() is stable.
        ranked = sorted(range(0, has, unit), key=lambda row: (positions[row] > 0, -scores[row]))
        rows = [row + patch for row in sorted(ranked[: kept // unit]) for patch in range(unit)]
        tensors = {name: _tensors.copy_rows(tensor, rows) for name, tensor in self.tensors.items()}
        return Clip(tensors, {**copy.deepcopy(self.metadata), "k_keep": k})

    def to_image(
        self,
        mode: str = "sparse",
        frame: int | None = None,
        *,
        background: Sequence[int] = _pictures.BACKGROUND,
        dim: int = _pictures.DIM,
    ) -> Any:
        """Draws what was selected. Needs NumPy.

        Args:
            mode: ``"sparse"``: the patches that were selected in each frame; ``"hold"``: at each place the patch that
                was last selected there, which is what a model has seen; ``"mosaic"``: all patches, packed row by row,
                or the canvases; ``"scores"``: the scores of the patches that were selected in each frame, as colours
                with a legend. docs/pictures.md describes them exactly.
            frame: the number of a picture: the position of a frame in the sequence; negative numbers count from the
                end. None for all pictures.
            background: red, green and blue, 0 to 255, of places of which the clip has no patch.
            dim: with sparse and scores, how many percent of their value pixels keep that were selected in an earlier
                frame; 0 for the background instead.

        Returns:
            A new NumPy array of uint8, RGB: ``[n, H, W, 3]``, or ``[H, W, 3]`` if `frame` is given.

        Raises:
            ValueError: an argument is invalid, or the clip has no scores.
            IndexError: there is no such frame.
            CodecPatchError: the tensors do not fit the metadata, or NumPy is missing.
        """
        return _pictures.images(self, mode, frame, background, dim)

    def show(
        self,
        mode: str = "sparse",
        frame: int | None = None,
        *,
        background: Sequence[int] = _pictures.BACKGROUND,
        dim: int = _pictures.DIM,
    ) -> Any:
        """Opens the pictures of :meth:`to_image` in Pillow's viewer, all on one sheet. Needs Pillow.

        A notebook displays the result instead, as it displays the clip itself.

        Returns:
            The ``PIL.Image.Image``.
        """
        return _pictures.show(self, mode, frame, background, dim)

    def _repr_png_(self) -> bytes | None:
        return _pictures.notebook_png(self)

    def _patches_of_all_frames(self) -> int:
        return len(self.sampled_frame_ids) * self.metadata["grid_height"] * self.metadata["grid_width"]

    def _check_best(self, k: int, kept: int, has: int, of_all: int) -> None:
        if self.metadata["ranking"] != "replenishment":
            raise ValueError(
                'best() needs a clip of ranking="replenishment". Ranking by energy rounds its scores otherwise than '
                "meta_scores, which therefore do not tell the order of nearly equal patches: read the video with "
                f"k_keep={k}."
            )
        # A clip with fewer patches than its k_keep has all that there are.
        if kept > has >= self.metadata["k_keep"]:
            raise ValueError(
                f"this clip has only the best {has} of {of_all} patches: read the video with k_keep={k}, or with more"
            )
        if self.metadata["selection_unit"] == "block2x2" and kept % 4 != 0:
            raise ValueError(f'selection_unit="block2x2" needs a number of patches that is divisible by 4, not {k}')

    def _tensor(self, name: str) -> Tensor:
        try:
            return self.tensors[name]
        except KeyError:
            raise AttributeError(
                f'this clip has no {name}, only {", ".join(self.tensors)}: set output="frames" for frames, "canvases" '
                'for canvases and patch_positions, "patches" for the others'
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


def _seconds(nanoseconds: int) -> float | None:
    return None if nanoseconds < 0 else nanoseconds / 1_000_000_000


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
