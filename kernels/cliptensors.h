// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#outputs: the tensors of the selected patches, from what is kept of a clip's frames.
#pragma once

#include "kernels/pixels.h"

#include <cstdint>
#include <vector>

namespace cps {

// What is kept of the frames of a clip. The arrays have an element, or a part, for each frame.
struct KeptFrames {
  const uint16_t *pixels; // planes at target size, as PictureResizer writes them
  size_t samples;         // of a frame
  const double *scores;   // of its patches, row by row
  Size grid;
  const int64_t *ids;
  const uint8_t *random_access;
};

// Writes patches, [K,3,P,P] of the cutter's type, fields, [K,6], and scores, [K], for the `selected` patches.
void write_patch_tensors(const KeptFrames &frames, const PatchCutter &cutter, const std::vector<int64_t> &selected,
                         void *patches, int64_t *fields, float *scores);

} // namespace cps
