// SPDX-License-Identifier: LGPL-2.1-or-later
// docs/spec.md#energy: computes the small luma, in which motion is searched. Reads only the rows with taps, each of
// them once.
#pragma once

#include "kernels/geometry.h"
#include "kernels/samples.h"

#include <algorithm>

namespace cps {

// A row of luma code values, summed as exact integers.
template <typename Word> class CodeRow : public SampleRow<Word> {
public:
  CPS_HD CodeRow(const PictureView &picture, int y) : SampleRow<Word>(picture.plane[0], y) {}
};

// A row of R, G, B, converted to float luma and summed as double.
template <typename Word> class RgbRow {
public:
  using Value = double;
  CPS_HD RgbRow(const PictureView &picture, int y)
      : r_(picture.plane[0], y), g_(picture.plane[1], y), b_(picture.plane[2], y) {}
  CPS_HD Value operator[](int x) const {
    const auto luma = rgb_luma(static_cast<float>(r_[x]), static_cast<float>(g_[x]), static_cast<float>(b_[x]));
    return static_cast<double>(luma);
  }

private:
  SampleRow<Word> r_, g_, b_;
};

// Luma from a bilinear sum over den_x * den_y = `den`. The quotient is rounded to double first, which cannot change the
// float while den < 2^29.
template <typename Value> CPS_HD inline float luma_of_sum(Value sum, double den) {
  return static_cast<float>(static_cast<double>(sum) / den);
}
CPS_HD inline double luma_den(int32_t den_x, int32_t den_y) {
  return static_cast<double>(den_x) * static_cast<double>(den_y);
}

// For any size.
template <typename Row>
void resize_luma(const PictureView &picture, const TapTable &x_taps, const TapTable &y_taps, float *out) {
  const double den = luma_den(x_taps.den, y_taps.den);
  for (const Tap &y : y_taps.taps) {
    const Row top(picture, y.first), bottom(picture, y.second);
    for (const Tap &x : x_taps.taps)
      *out++ = luma_of_sum(bilinear_sum(top, bottom, x, y, x_taps.den, y_taps.den), den);
  }
}

// docs/spec.md#energy: the search radius, in samples of the small luma.
inline int search_radius(Size small) {
  return std::clamp(std::min(small.width, small.height) / 2, 1, kMaxRadius);
}

// True if the resize is the mean of the middle 2x2 of each 4x4 cell, and the sum of those four samples fits in 16 bits.
inline bool has_quad_sums(const PictureView &layout, Size small) {
  return layout.model != ColorModel::Rgb && layout.plane[0].bits <= 12 && small.width * 4 == layout.size.width &&
         small.height * 4 == layout.size.height;
}

// docs/spec.md#energy, frame-difference: what counts as 1, in the units of the small luma: code values, or sums of
// four.
inline float full_luma(int bits, bool quad_sums) {
  return static_cast<float>((255 << (bits - 8)) * (quad_sums ? 4 : 1));
}

// The sum of those four samples. The rows are 4 y + 1 and the one below; `x` is a column of the small luma.
template <typename Word> CPS_HD inline int quad_sum(const SampleRow<Word> &top, const SampleRow<Word> &bottom, int x) {
  const int left = 4 * x + 1, right = left + 1;
  return top[left] + top[right] + bottom[left] + bottom[right];
}

template <typename Word> void sum_quads(const PictureView &picture, Size small, int16_t *out) {
  for (int y = 0; y < small.height; ++y) {
    const SampleRow<Word> top(picture.plane[0], 4 * y + 1), bottom(picture.plane[0], 4 * y + 2);
    for (int x = 0; x < small.width; ++x)
      *out++ = static_cast<int16_t>(quad_sum(top, bottom, x));
  }
}

} // namespace cps
