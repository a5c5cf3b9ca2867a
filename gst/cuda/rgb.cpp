// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/cuda/rgb.h"

#include "kernels/kernelargs.h"
#include "kernels/samples.h"

namespace cps::cuda {

bool convert_to_rgb(Device &device, const PictureView &picture, const ColorTransform &color, uint8_t *rgb) {
  RgbArgs args;
  args.picture = picture;
  args.planes = picture.planes();
  args.sub_x_bits = factor_bits(picture.sub_x);
  args.sub_y_bits = factor_bits(picture.sub_y);
  args.color = color;
  args.blocks_per_row = (picture.size.width + kRgbThreads - 1) / kRgbThreads;
  args.rgb = rgb;
  const auto blocks = static_cast<unsigned>(args.blocks_per_row) * static_cast<unsigned>(picture.size.height);
  return device.launch("cps_rgb", {blocks}, kRgbThreads, 0, &args);
}

} // namespace cps::cuda
