// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/cpsreplenishment.h"

#include "kernels/replenishment.h"

#include <algorithm>
#include <climits>
#include <exception>
#include <vector>

namespace {

constexpr guint kChannels = 3;

bool fits(guint n_frames, guint height, guint width, guint side) {
  constexpr guint64 kMost = INT_MAX;
  return n_frames > 0 && side > 0 && height > 0 && width > 0 && height % side == 0 && width % side == 0 &&
         n_frames <= kMost && guint64{height} * width * kChannels <= kMost;
}

} // namespace

/**
 * cps_replenishment_scores:
 * @frames: (array): samples of 8 bits, [@n_frames, @height, @width, 3], such as RGB
 * @n_frames: number of frames
 * @height: height of a frame in pixels, a multiple of @side
 * @width: width of a frame in pixels, a multiple of @side
 * @side: side of a block in pixels
 * @scores: (array) (out caller-allocates): of the blocks, frame by frame, row by row:
 *   [@n_frames, @height / @side, @width / @side]
 *
 * Scores the blocks of a clip that is in memory by section 8 of docs/spec.md, on these samples: what a replay loses
 * without the block, for each of its samples, as in `meta_scores`. Those of frame 0 tell how much its blocks differ
 * from grey; section 8 ranks them above all others. Blocks. Thread-safe.
 *
 * Returns: %FALSE if a size is 0, too large or no multiple, or if there is not enough memory
 */
gboolean cps_replenishment_scores(const guint8 *frames, guint n_frames, guint height, guint width, guint side,
                                  gfloat *scores) {
  g_return_val_if_fail(frames && scores, FALSE);
  if (!fits(n_frames, height, width, side))
    return FALSE;
  try {
    const auto patch = static_cast<int>(side);
    std::vector<double> all(size_t{n_frames} * (height / side) * (width / side));
    cps::ReplenishmentScorer scorer({static_cast<int>(width), static_cast<int>(height)}, kChannels, patch,
                                    cps::SelectionUnit::Patch, static_cast<int>(n_frames));
    scorer.run(frames, all.data());
    std::transform(all.begin(), all.end(), scores, [](double score) { return static_cast<gfloat>(score); });
    return TRUE;
  } catch (const std::exception &) {
    return FALSE;
  }
}
