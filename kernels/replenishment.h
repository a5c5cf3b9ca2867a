// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#replenishment: scores of units by what the replayed clip loses without them, and the selection by these
// scores.
#pragma once

#include "kernels/select.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cps {

// Side of a unit in pixels at target size.
inline int unit_side(int patch, SelectionUnit unit) {
  return unit == SelectionUnit::Block2x2 ? 2 * patch : patch;
}

// Scores the units of clips with one geometry. Not thread-safe; allocates only in the constructor: memory for one place
// in all frames.
class ReplenishmentScorer {
public:
  // `planes` at target size, as PictureResizer writes them, of `frames` frames.
  ReplenishmentScorer(Size target, int planes, int patch, SelectionUnit unit, int frames);

  size_t units() const;                            // of a frame
  size_t unit_samples() const { return samples_; } // of all planes

  // `pixels`: the frames, one after the other. Writes frames() * units() scores, frame by frame. Those of frame 0 are
  // of another kind: select_replenished() puts them above all others.
  void run(const uint16_t *pixels, int64_t *scores);

private:
  void load_place(const uint16_t *pixels, size_t place);
  int64_t distance(size_t a, size_t b) const;
  int64_t distance_sum(size_t a, size_t begin, size_t end) const;
  int64_t distance_to_grey() const;
  void score_place(int64_t *scores, size_t step);

  Size target_;
  int planes_, side_;
  size_t frames_, samples_, stride_;
  std::vector<int16_t> codes_; // the place's samples in all frames, `stride_` a frame

  // Of a frame that is kept: its neighbours among those that are kept, the error of showing it until the next one, and
  // of showing the one before until the next one.
  struct Kept {
    size_t previous, next;
    int64_t own, without;
  };
  std::vector<Kept> kept_;
  std::vector<int64_t> gains_; // of frames 1 and up; kDropped if dropped
};

// Returns the best `count` units, ascending, by (frame 0 first, score descending, lower index first).
std::vector<int64_t> select_replenished(const int64_t *scores, int frames, size_t units, int64_t count);

// Writes the score of each patch for `meta_scores`: that of its unit, divided by the number of its samples.
void spread_scores(const int64_t *scores, int frames, size_t unit_samples, SelectionUnit unit, Size grid,
                   double *patch_scores);

} // namespace cps
