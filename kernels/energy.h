// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#energy, energy-mode motion-residual: how much each spot of a picture changed since the one sampled
// before it.
#pragma once

#include "kernels/plane.h"

#include <memory>

namespace cps {

class MotionSearch;

// Energy maps of the pictures of a sequence, in order. One source size and sample depth per object; not thread-safe.
// Allocates in the constructor only.
class MotionResidual {
public:
  // `layout`: any picture of the sequence; its size, model and depth count, not its pixels.
  // `percentile`: what the maps are normalised by, clamped to 1..100.
  MotionResidual(const PictureView &layout, double percentile);
  ~MotionResidual();
  MotionResidual(const MotionResidual &) = delete;
  MotionResidual &operator=(const MotionResidual &) = delete;

  Size map_size() const;

  // Writes map_size() floats in 0..1, row by row. `first` starts a sequence: its map is 0.
  void next(const PictureView &picture, bool first, float *energy);

  // The same picture as the last next() once more, without reading its pixels again.
  void repeat(float *energy);

private:
  std::unique_ptr<MotionSearch> search_;
};

} // namespace cps
