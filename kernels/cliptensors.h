// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#outputs and #canvases: the tensors of the selected patches, from what is kept of a clip's frames.
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
  const int64_t *ids;
  const uint8_t *random_access;
};

// Writes the tensors of the `selected` patches: pixels of the cutter's type, fields and scores. The cutter has the
// strides of the layout.
void write_patch_tensors(const KeptFrames &frames, const PatchCutter &cutter, const PatchLayout &layout,
                         const std::vector<int64_t> &selected, void *pixels, int64_t *fields, float *scores);

} // namespace cps
