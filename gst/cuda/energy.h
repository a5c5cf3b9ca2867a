// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#energy on the device: what cps::MotionResidual does in system memory, with equal results.
#pragma once

#include "gst/cuda/device.h"
#include "kernels/kernelargs.h"

namespace cps::cuda {

// Energy maps of the pictures of a sequence, in order. Methods enqueue on the device's stream; the caller has its
// context current and synchronises. False: the reason is in the device's error().
class Energy {
public:
  explicit Energy(Device &device) : device_(device) {}

  // For pictures like `layout`. Allocates; may be called again for others.
  bool prepare(const PictureView &layout, double percentile);

  Size map_size() const { return small_; }

  // `picture` and `energy` are in device memory: map_size() floats row by row. `first` starts a sequence.
  bool next(const PictureView &picture, bool first, float *energy);

  // The same picture as the last next() once more.
  bool repeat(float *energy);

private:
  bool compare(const char *kernel, const float *previous, float *energy);

  Device &device_;
  Size small_;
  bool quads_ = false;
  const char *kernel_ = nullptr; // of small luma from a picture
  EnergySearchArgs search_;
  Memory tables_, current_, previous_, residual_, motion_, ranks_, candidates_;
};

} // namespace cps::cuda
