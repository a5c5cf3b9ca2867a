// Spec 3: the luma that motion is searched in. Reads the rows that a tap needs, and each of them once.
#pragma once

#include "kernels/arith.h"
#include "kernels/geometry.h"
#include "kernels/samples.h"

namespace cps {

// A row of code values as they are, summed in exact integers.
template <typename Word> class CodeRow {
public:
  using Value = int64_t;
  CodeRow(const PictureView &picture, int y) : row_(picture.plane[0], y) {}
  Value operator[](int x) const { return row_[x]; }

private:
  SampleRow<Word> row_;
};

// A row of R, G, B turned into float luma, summed in double.
template <typename Word> class RgbRow {
public:
  using Value = double;
  RgbRow(const PictureView &picture, int y)
      : r_(picture.plane[0], y), g_(picture.plane[1], y), b_(picture.plane[2], y) {}
  Value operator[](int x) const {
    const auto luma = rgb_luma(static_cast<float>(r_[x]), static_cast<float>(g_[x]), static_cast<float>(b_[x]));
    return static_cast<double>(luma);
  }

private:
  SampleRow<Word> r_, g_, b_;
};

// Any size. The quotient is rounded to double first, which cannot change the float while den < 2^29.
template <typename Row>
void resize_luma(const PictureView &picture, const TapTable &x_taps, const TapTable &y_taps, float *out) {
  const double den = static_cast<double>(x_taps.den) * static_cast<double>(y_taps.den);
  for (const Tap &y : y_taps.taps) {
    const Row top(picture, y.first), bottom(picture, y.second);
    for (const Tap &x : x_taps.taps) {
      const auto upper = blend<typename Row::Value>(top[x.first], top[x.second], x.frac, x_taps.den);
      const auto lower = blend<typename Row::Value>(bottom[x.first], bottom[x.second], x.frac, x_taps.den);
      *out++ = static_cast<float>(static_cast<double>(blend(upper, lower, y.frac, y_taps.den)) / den);
    }
  }
}

// True where the resize is the mean of the middle 2x2 of each 4x4 cell and the sum of those four fits in 16 bits.
inline bool has_quad_sums(const PictureView &layout, Size small) {
  return layout.model != ColorModel::Rgb && layout.plane[0].bits <= 12 && small.width * 4 == layout.size.width &&
         small.height * 4 == layout.size.height;
}

// Those sums.
template <typename Word> void sum_quads(const PictureView &picture, Size small, int16_t *out) {
  for (int y = 0; y < small.height; ++y) {
    const SampleRow<Word> top(picture.plane[0], 4 * y + 1), bottom(picture.plane[0], 4 * y + 2);
    for (int x = 1; x < 4 * small.width; x += 4)
      *out++ = static_cast<int16_t>(top[x] + top[x + 1] + bottom[x] + bottom[x + 1]);
  }
}

} // namespace cps
