// SPDX-License-Identifier: LGPL-2.1-or-later
// Resizes pictures on the device, with the same results as PictureResizer in system memory.
#pragma once

#include "gst/cuda/device.h"
#include "kernels/kernelargs.h"

namespace cps::cuda {

// Functions enqueue on the device's stream; the caller makes its context current and synchronises. Functions that
// return false set the device's error().
class Resizer {
public:
  explicit Resizer(Device &device) : device_(device) {}

  // Prepares for pictures like `layout`. Does nothing if that has been done.
  bool prepare(const PictureView &layout, const Target &target);

  const Target &target() const { return target_; }
  int64_t samples() const { return int64_t{args_.planes} * args_.target.width * args_.target.height; } // of a picture

  // Arguments of cps_frame for the prepared layout, without picture, energy and output.
  const FrameArgs &args() const { return args_; }

  // Writes samples() stored samples. Both are in device memory.
  bool run(const PictureView &picture, uint16_t *out);

private:
  Device &device_;
  bool prepared_ = false; // for layout_ and target_
  PictureView layout_;
  Target target_;
  FrameArgs args_;
  Memory tables_;
};

} // namespace cps::cuda
