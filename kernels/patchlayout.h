// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#outputs and #canvases: where the pixels and the metadata of a selected patch go, shared by the CPU and
// CUDA.
#pragma once

#include "kernels/plane.h"
#include "kernels/ranking.h"

namespace cps {

enum class OutputLayout { Patches, Canvas };

// Distances between neighbours in the output, in values.
struct PixelStrides {
  int64_t channel, row, column;
};

// Of one patch after the other, [3, patch, patch].
CPS_HD inline PixelStrides patch_strides(int patch) {
  return {static_cast<int64_t>(patch) * patch, patch, 1};
}

// The tensors of clips whose frames have `grid` patches, of `patch` pixels a side. Canvases have the grid of a frame;
// they need 2x2 blocks, and a grid with an even width.
struct PatchLayout {
  OutputLayout kind = OutputLayout::Patches;
  Size grid;
  int patch = 0;

  CPS_HD PixelStrides strides() const {
    if (kind == OutputLayout::Patches)
      return patch_strides(patch);
    return {1, 3 * static_cast<int64_t>(grid.width) * patch, 3};
  }

  // The row of the metadata tensors for number `i` of the selected patches. Canvases are numbered like frames, so that
  // block number s of the selection goes to place s.
  CPS_HD int64_t row(int64_t i) const {
    if (kind == OutputLayout::Patches)
      return i;
    return patch_of_block(first_patch_of_block(i / 4, grid.width), grid.width, i % 4);
  }

  // The first value of the pixels of the patch in this row. Canvases lie one below the other.
  CPS_HD int64_t first_value(int64_t row) const {
    if (kind == OutputLayout::Patches)
      return row * 3 * patch * patch;
    return row / grid.width * patch * strides().row + row % grid.width * patch * strides().column;
  }

  // Of meta_fields, or of patch_positions.
  CPS_HD int fields() const { return kind == OutputLayout::Patches ? 6 : 3; }

  // Writes the fields of patch `index` of the clip.
  CPS_HD void write_fields(int64_t *out, int64_t index, int64_t frame_id, bool random_access) const {
    const int64_t per_frame = static_cast<int64_t>(grid.width) * grid.height, within = index % per_frame;
    const int64_t patch_row = within / grid.width, patch_column = within % grid.width;
    if (kind == OutputLayout::Canvas) {
      out[0] = frame_id;
      out[1] = patch_row;
      out[2] = patch_column;
      return;
    }
    out[0] = index / per_frame;
    out[1] = frame_id;
    out[2] = random_access;
    out[3] = index;
    out[4] = patch_row;
    out[5] = patch_column;
  }
};

} // namespace cps
