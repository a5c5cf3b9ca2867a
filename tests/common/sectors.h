// SPDX-License-Identifier: LGPL-2.1-or-later
// Counts the bytes of a picture that a resize reads, as defined in docs/benchmarks.md.
#pragma once

#include "kernels/geometry.h"
#include "kernels/pixels.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace test {

// The set of 32-byte sectors of planes that contain taps.
class Sectors {
public:
  void add(const cps::PlaneView &plane, const cps::TapTable &x_taps, const cps::TapTable &y_taps) {
    const std::vector<ptrdiff_t> columns = places(x_taps), rows = places(y_taps);
    for (const ptrdiff_t row : rows)
      for (const ptrdiff_t column : columns)
        sectors_.push_back(reinterpret_cast<size_t>(plane.data + row * plane.stride + column * plane.step) / 32);
    std::sort(sectors_.begin(), sectors_.end());
    sectors_.erase(std::unique(sectors_.begin(), sectors_.end()), sectors_.end());
  }

  // Adds those of the luma that motion is searched in (docs/spec.md#energy).
  void add_small_luma(const cps::PictureView &view) {
    const cps::Size small = cps::small_size(view.size);
    const auto x = cps::bilinear_taps(view.size.width, 1, 0, view.size.width, small.width),
               y = cps::bilinear_taps(view.size.height, 1, 0, view.size.height, small.height);
    const int planes = view.model == cps::ColorModel::Rgb ? 3 : 1;
    for (int i = 0; i < planes; ++i)
      add(view.plane[i], x, y);
  }

  // Adds those of the picture that patches are cut from (docs/spec.md#pixels).
  void add_target(const cps::PictureView &view, cps::Size target) {
    const cps::PictureTables taps(view, target);
    for (int i = 0; i < view.planes(); ++i) {
      const int kind = view.model == cps::ColorModel::Yuv && i > 0 ? 1 : 0;
      add(view.plane[i], taps.x_taps[kind], taps.y_taps[kind]);
    }
  }

  double bytes() const { return 32.0 * static_cast<double>(sectors_.size()); }

private:
  static std::vector<ptrdiff_t> places(const cps::TapTable &table) {
    std::vector<ptrdiff_t> places;
    for (const cps::Tap &tap : table.taps)
      places.insert(places.end(), {tap.first, tap.second});
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    return places;
  }

  std::vector<size_t> sectors_;
};

} // namespace test
