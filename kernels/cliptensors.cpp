// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kernels/cliptensors.h"

#include "kernels/ranking.h"

namespace cps {

void write_patch_tensors(const KeptFrames &frames, const PatchCutter &cutter, const std::vector<int64_t> &selected,
                         void *patches, int64_t *fields, float *scores) {
  const int64_t per_frame = int64_t{frames.grid.width} * frames.grid.height;
  auto *out = static_cast<uint8_t *>(patches);
  for (const int64_t index : selected) {
    const int64_t position = index / per_frame, within = index % per_frame;
    cutter.run(frames.pixels + static_cast<size_t>(position) * frames.samples, within, out);
    out += cutter.patch_bytes();
    write_patch_row(fields, position, frames.ids[position], frames.random_access[position] != 0, index, within,
                    frames.grid.width);
    fields += 6;
    *scores++ = static_cast<float>(frames.scores[index]);
  }
}

} // namespace cps
