// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#pixels at source size on the device, for one frame; rgb.cpp is the CPU version.
// Minimum memory traffic: the frame once, and three bytes per pixel.
#include "kernels/device.h"
#include "kernels/kernelargs.h"
#include "kernels/samples.h"

namespace cps {

template <typename Word>
__device__ inline uint16_t stored_chroma(const RgbArgs &args, const PlaneView &plane, int x, int y) {
  const PictureView &picture = args.picture;
  const Tap x_tap = source_tap(x, args.sub_x_bits, picture.phase_x, plane.width);
  const Tap y_tap = source_tap(y, args.sub_y_bits, picture.phase_y, plane.height);
  const SampleRow<Word> top(plane, y_tap.first), bottom(plane, y_tap.second);
  const auto sum = bilinear_sum(top, bottom, x_tap, y_tap, 2 << args.sub_x_bits, 2 << args.sub_y_bits);
  return stored_sample_at_source(static_cast<int32_t>(sum),
                                 source_unit_bits(args.sub_x_bits, args.sub_y_bits, plane.bits));
}

template <typename Word> __device__ inline void convert(const RgbArgs &args, int x, int y) {
  const PictureView &picture = args.picture;
  uint16_t stored[3];
#pragma unroll
  for (int i = 0; i < 3; ++i) {
    const PlaneView &plane = picture.plane[i];
    if (i >=
        args.planes) // for grey pictures luma is read as chroma, because the colour transform multiplies chroma by 0
      stored[i] = stored[0];
    else if (i > 0 && picture.model == ColorModel::Yuv)
      stored[i] = stored_chroma<Word>(args, plane, x, y);
    else
      stored[i] = stored_sample_at_source(SampleRow<Word>(plane, y)[x], plane.bits - 8);
  }
  uint8_t *const out = args.rgb + 3 * (static_cast<int64_t>(y) * picture.size.width + x);
#pragma unroll
  for (int channel = 0; channel < 3; ++channel) {
    const float *const m = args.color.matrix[channel];
    out[channel] =
        float_to_byte(color_value(m[0], m[1], m[2], args.color.offset[channel], stored[0], stored[1], stored[2]));
  }
}

} // namespace cps

CPS_KERNEL(cps_rgb, cps::RgbArgs, cps::kRgbThreads) {
  const int y = static_cast<int>(blockIdx.x) / args.blocks_per_row;
  const int x =
      (static_cast<int>(blockIdx.x) - y * args.blocks_per_row) * cps::kRgbThreads + static_cast<int>(threadIdx.x);
  if (x >= args.picture.size.width)
    return;
  if (args.picture.plane[0].bits > 8)
    cps::convert<uint16_t>(args, x, y);
  else
    cps::convert<uint8_t>(args, x, y);
}
