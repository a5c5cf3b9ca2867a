// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole pictures as RGB, the long way: PictureResizer at source size, and PatchCutter with patches of one pixel.
#pragma once

#include "kernels/pixels.h"

#include <vector>

namespace reference {

// Of pictures of the model, with BT.709's colours.
inline cps::ColorTransform color_of(cps::ColorModel model, bool full_range = false) {
  switch (model) {
  case cps::ColorModel::Yuv:
    return cps::yuv_to_rgb(0.2126, 0.0722, full_range);
  case cps::ColorModel::Gray:
    return cps::gray_to_rgb(full_range);
  default:
    return cps::rgb_to_rgb();
  }
}

// [height, width, 3] of the target.
inline std::vector<uint8_t> whole_picture(const cps::PictureView &view, const cps::ColorTransform &color,
                                          const cps::Target &target) {
  const cps::PictureResizer resizer(view, target);
  std::vector<uint16_t> stored(resizer.samples());
  resizer.run(view, stored.data());
  const cps::PatchCutter cutter(target.size, resizer.planes(), 1, color, {}, cps::PixelType::U8);
  const size_t pixels = static_cast<size_t>(target.size.width) * static_cast<size_t>(target.size.height);
  std::vector<uint8_t> out(3 * pixels);
  for (size_t i = 0; i < pixels; ++i)
    cutter.run(stored.data(), static_cast<int64_t>(i), out.data() + 3 * i);
  return out;
}

// At its own size.
inline std::vector<uint8_t> whole_picture(const cps::PictureView &view, const cps::ColorTransform &color) {
  return whole_picture(view, color, view.size);
}

} // namespace reference
