// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole frames as RGB on the device: what RgbConverter does in system memory, with equal results.
#pragma once

#include "gst/cuda/device.h"
#include "kernels/pixels.h"

namespace cps::cuda {

// Enqueues on the device's stream; the caller has its context current and synchronises. `picture` and `rgb`, which
// becomes [height, width, 3], are in device memory. False: the reason is in the device's error().
bool convert_to_rgb(Device &device, const PictureView &picture, const ColorTransform &color, uint8_t *rgb);

} // namespace cps::cuda
