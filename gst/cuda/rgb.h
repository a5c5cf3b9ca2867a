// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts whole frames to RGB on the device, with the same results as RgbConverter in system memory.
#pragma once

#include "gst/cuda/device.h"
#include "kernels/pixels.h"

namespace cps::cuda {

// Enqueues on the device's stream; the caller makes its context current and synchronises. `picture` and `rgb`, the
// output [height, width, 3], are in device memory. On failure returns false and sets the device's error().
bool convert_to_rgb(Device &device, const PictureView &picture, const ColorTransform &color, uint8_t *rgb);

} // namespace cps::cuda
