// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#energy: the change of each spot of a picture since the previous sampled picture.
#pragma once

#include "kernels/plane.h"

#include <memory>

namespace cps {

enum class EnergyMode { MotionResidual, FrameDifference };

struct EnergyOptions {
  EnergyMode mode = EnergyMode::MotionResidual;
  double percentile = 95.0; // normalises the maps of MotionResidual; clamped to 1..100
};

// Computes the energy maps of a sequence's pictures, in order. One source size and sample depth per object; not
// thread-safe. Allocates only in the constructor.
class EnergyMaps {
public:
  // `layout`: any picture of the sequence; only its size, model and depth are used.
  EnergyMaps(const PictureView &layout, const EnergyOptions &options);
  ~EnergyMaps();
  EnergyMaps(const EnergyMaps &) = delete;
  EnergyMaps &operator=(const EnergyMaps &) = delete;

  Size map_size() const;

  // Writes map_size() floats in 0..1, row by row. `first` starts a sequence: its map is 0.
  void next(const PictureView &picture, bool first, float *energy);

  // Repeats the picture of the last next() without reading its pixels again.
  void repeat(float *energy);

  class Computation;

private:
  std::unique_ptr<Computation> computation_;
};

} // namespace cps
