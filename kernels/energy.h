// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#energy, energy-mode motion-residual: the change of each spot of a picture since the previous sampled
// picture.
#pragma once

#include "kernels/plane.h"

#include <memory>

namespace cps {

class MotionSearch;

// Computes the energy maps of a sequence's pictures, in order. One source size and sample depth per object; not
// thread-safe. Allocates only in the constructor.
class MotionResidual {
public:
  // `layout`: any picture of the sequence; only its size, model and depth are used.
  // `percentile`: normalises the maps; clamped to 1..100.
  MotionResidual(const PictureView &layout, double percentile);
  ~MotionResidual();
  MotionResidual(const MotionResidual &) = delete;
  MotionResidual &operator=(const MotionResidual &) = delete;

  Size map_size() const;

  // Writes map_size() floats in 0..1, row by row. `first` starts a sequence: its map is 0.
  void next(const PictureView &picture, bool first, float *energy);

  // Repeats the picture of the last next() without reading its pixels again.
  void repeat(float *energy);

private:
  std::unique_ptr<MotionSearch> search_;
};

} // namespace cps
