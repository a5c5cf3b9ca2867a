// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole pictures as RGB: docs/spec.md#pixels at source size, with what PictureResizer and PatchCutter give, and no
// planes between.
#pragma once

#include "kernels/pixels.h"

namespace cps {

// Converts pictures of one layout to packed RGB, a byte a channel, row by row. Only the constructor allocates. Not
// thread-safe.
class RgbConverter {
public:
  RgbConverter(const PictureView &layout, const ColorTransform &color);

  // Writes [height, width, 3]. RGB of 8 bits is copied.
  void run(const PictureView &picture, uint8_t *out);

private:
  const uint16_t *stored_row(const PictureView &picture, int index, int y);

  ColorTransform color_;
  std::vector<uint16_t> rows_[3]; // stored samples of one row, one at each position of luma
  std::vector<int32_t> blended_;  // of chroma, between two rows; with a sample more at either side
};

} // namespace cps
