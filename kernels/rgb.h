// SPDX-License-Identifier: LGPL-2.1-or-later
// Converts whole pictures to RGB: docs/spec.md#pixels at source size, with the same results as PictureResizer and
// PatchCutter, but without intermediate planes.
#pragma once

#include "kernels/pixels.h"

namespace cps {

// Converts pictures with one layout to packed RGB, one byte per channel, row by row. Only the constructor allocates.
// Not thread-safe.
class RgbConverter {
public:
  RgbConverter(const PictureView &layout, const ColorTransform &color);

  // Writes [height, width, 3]. Copies 8-bit RGB.
  void run(const PictureView &picture, uint8_t *out);

private:
  const uint16_t *stored_row(const PictureView &picture, int index, int y);

  ColorTransform color_;
  std::vector<uint16_t> rows_[3]; // stored samples of one row, one per luma position
  std::vector<int32_t> blended_;  // chroma interpolated between two rows, with one extra sample on each side
};

} // namespace cps
