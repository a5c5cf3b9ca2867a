// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/cliptensors.h"

namespace cps {

void write_patch_tensors(const KeptFrames &frames, const PatchCutter &cutter, const PatchLayout &layout,
                         const std::vector<int64_t> &selected, void *pixels, int64_t *fields, float *scores) {
  const int64_t per_frame = int64_t{layout.grid.width} * layout.grid.height;
  auto *const out = static_cast<uint8_t *>(pixels);
  for (size_t i = 0; i < selected.size(); ++i) {
    const int64_t index = selected[i], position = index / per_frame, row = layout.row(static_cast<int64_t>(i));
    cutter.run(frames.pixels + static_cast<size_t>(position) * frames.samples, index % per_frame,
               out + static_cast<size_t>(layout.first_value(row)) * cutter.value_bytes());
    layout.write_fields(fields + layout.fields() * row, index, frames.ids[position],
                        frames.random_access[position] != 0);
    scores[row] = static_cast<float>(frames.scores[index]);
  }
}

} // namespace cps
