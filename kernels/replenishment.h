// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#replenishment: scores of patches by what the replayed clip loses without them.
#pragma once

#include "kernels/placescores.h"
#include "kernels/select.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cps {

// Scores the patches of clips with one geometry. Not thread-safe; allocates only in the constructor: memory for one
// place in all frames.
class ReplenishmentScorer {
public:
  // `planes` at target size, as PictureResizer writes them, of `frames` frames.
  ReplenishmentScorer(Size target, int planes, int patch, SelectionUnit unit, int frames);

  // `pixels`: the frames, one after the other. Writes the score of each patch, frame by frame, row by row: that of its
  // unit, divided by the number of the unit's samples. Scores of frame 0 are of another kind: select_patches() ranks
  // them above all others.
  void run(const uint16_t *pixels, double *scores);

  // The same of [frames, height, width, planes] code values of 8 bits.
  void run(const uint8_t *pixels, double *scores);

private:
  template <typename Sample> void score_places(const Sample *pixels, double *scores);
  void load_place(const uint16_t *pixels, int place);
  void load_place(const uint8_t *pixels, int place);

  Size target_;
  int planes_, patch_, side_, frames_;
  size_t samples_, stride_;    // of a unit in one frame, and where the next frame begins in codes_
  std::vector<int16_t> codes_; // the place's samples in all frames
  std::vector<KeptFrame> kept_;
  std::vector<int64_t> gains_;
};

} // namespace cps
