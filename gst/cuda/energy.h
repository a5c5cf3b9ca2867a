// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#energy on the device, with the same results as cps::EnergyMaps in system memory.
#pragma once

#include "gst/cuda/device.h"
#include "kernels/energy.h"
#include "kernels/kernelargs.h"

namespace cps::cuda {

// Computes the energy maps of a sequence's pictures, in order. Functions enqueue on the device's stream; the caller
// makes its context current and synchronises. Functions that return false set the device's error().
class Energy {
public:
  explicit Energy(Device &device) : device_(device) {}

  // Prepares for pictures like `layout`. Allocates; may be called again for another layout.
  bool prepare(const PictureView &layout, const EnergyOptions &options);

  Size map_size() const { return small_; }

  // `picture` and `energy` are in device memory; `energy` has map_size() floats, row by row. `first` starts a sequence.
  bool next(const PictureView &picture, bool first, float *energy);

  // Repeats the picture of the last next().
  bool repeat(float *energy);

private:
  bool compare(const char *kernel, const float *previous, float *energy);

  Device &device_;
  Size small_;
  bool quads_ = false;
  const char *kernel_ = nullptr; // computes the small luma of a picture
  EnergySearchArgs search_;
  Memory tables_, current_, previous_, residual_, motion_, ranks_, candidates_;
};

} // namespace cps::cuda
