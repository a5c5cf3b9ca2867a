# SPDX-License-Identifier: LGPL-2.1-or-later
"""OneVision-Encoder: patches of a clip, packed into square frames."""

from __future__ import annotations

from typing import NamedTuple

from .._tensors import Tensor
from ..clip import Clip
from . import _pixels

_TIMES = 64  # rope_temporal_size of the published model
_SIDE = 16


class OneVisionInputs(NamedTuple):
    """What OneVision-Encoder takes."""

    pixel_values: Tensor
    """``[1, 3, n, side * P, side * P]`` float32"""
    visible_indices: Tensor | None
    """``[1, K]`` int64: t * side**2 + row * side + column, of the place that each patch comes from. None if the grid of
    the clip is not `side` by `side`."""
    patch_positions: Tensor
    """``[1, K, 3]`` int64: t, row and column of the place that each patch comes from."""

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The arguments of the model, by name: positions instead of indices if there are none."""
        if self.visible_indices is None:
            return {"pixel_values": self.pixel_values, "patch_positions": self.patch_positions}
        return {"pixel_values": self.pixel_values, "visible_indices": self.visible_indices}


def onevision_encoder(clip: Clip, side: int | None = None) -> OneVisionInputs:
    """Packs the patches of a clip into n frames of `side` by `side` patches, with the places that they come from.

    Patch k is in frame k // side**2, row k // side % side and column k % side of ``pixel_values``; normalised with the
    mean and standard deviation of CLIP. The model embeds each patch by itself, and takes position from
    ``visible_indices``, which counts in a grid of 64 times, `side` rows and `side` columns, or from
    ``patch_positions``, which fits any grid (``OneVisionEncoderModel.forward`` in the model's repository).

    t is the position in the sequence, spread over 0 to 63: position * 63 // (T - 1), as for whole frames in the model
    card; so it is the position itself for 64 frames.

    Args:
        clip: patches of ``output_dtype="u8"``, of 64 sampled frames at most, of the model's ``patch_size``.
        side: the packed frames have side**2 patches; by default the grid of the clip if that is square, else 16.
            ``visible_indices`` needs a grid of `side` by `side`, that is a square video with the default.

    Raises:
        ValueError: wrong output or type; K is 0 or not divisible by side**2; more than 64 frames were sampled.
    """
    patches = _pixels.tensor_of(clip, "patches", "patches")
    if len(patches) == 0:
        raise ValueError("the clip has no patches: set k_keep to n times side**2")
    _pixels.check_pixels('patches (see output_dtype="u8")', patches, (None, 3, None, patches.shape[-1]))
    rows, columns = clip.metadata["grid_height"], clip.metadata["grid_width"]
    if side is None:
        side = rows if rows == columns else _SIDE
    kept, _, _, size = patches.shape
    if side < 1 or kept % side**2:
        raise ValueError(f"the number of patches must be divisible by {side}**2, not {kept}: set k_keep when reading")
    frames = len(clip.sampled_frame_ids)
    if frames > _TIMES:
        raise ValueError(f"the model knows {_TIMES} times, but the clip has {frames} sampled frames")
    work, fields = _pixels.to_work(patches), _pixels.to_work(clip.tensors["meta_fields"])
    count = kept // side**2
    out = _pixels.empty((1, 3, count, side * size, side * size), "float32", work)
    _pixels.fill(
        _pixels.permuted(out[0].reshape(3, count, side, size, side, size), 1, 0, 2, 3, 4, 5),
        _pixels.permuted(work.reshape(count, side**2, 3, size, size), 0, 2, 1, 3, 4),
        (3, side, side, size, size),
        (0, 1, 3, 2, 4),
        _pixels.CLIP,
    )
    positions = _pixels.empty((1, kept, 3), "int64", fields)
    positions[0, :, 0] = fields[:, 0] * (_TIMES - 1) // max(frames - 1, 1)
    positions[0, :, 1:] = fields[:, 4:]
    indices = None
    if rows == columns == side:
        indices = _pixels.from_work((positions[..., 0] * side + positions[..., 1]) * side + positions[..., 2], patches)
    return OneVisionInputs(_pixels.from_work(out, patches), indices, _pixels.from_work(positions, patches))
