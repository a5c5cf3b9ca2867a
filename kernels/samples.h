// SPDX-License-Identifier: LGPL-2.1-or-later
// Access to samples: one row of a plane at a time, by column.
#pragma once

#include "kernels/arith.h"
#include "kernels/geometry.h"
#include "kernels/plane.h"

#include <type_traits>

namespace cps {

// Word is uint8_t for planes of 8 bits, else uint16_t. Bits above the code value are masked, because sums and
// histograms are sized for code values. kStep is the plane's step if known at compile time, so that loops may
// vectorise.
template <typename Word, int kStep = 0> class SampleRow {
public:
  using Value = int64_t; // type for sums of samples
  static constexpr bool kFixedStep = kStep != 0;

  CPS_HD SampleRow(const PlaneView &plane, int y)
      : data_(plane.data + y * plane.stride), step_(plane.step), shift_(plane.shift), mask_((1 << plane.bits) - 1) {}

  CPS_HD int operator[](int x) const {
    const uint8_t *p = data_ + static_cast<ptrdiff_t>(x) * (kStep != 0 ? kStep : step_);
    if constexpr (sizeof(Word) == 1)
      return *p;
    else
      return (p[0] | p[1] << 8) >> shift_ & mask_; // bytes, because words may be unaligned after a crop
  }

private:
  const uint8_t *data_;
  int step_, shift_, mask_;
};

// The bilinear sum of four samples, times den_x * den_y.
template <typename Row>
CPS_HD inline typename Row::Value bilinear_sum(const Row &top, const Row &bottom, const Tap &x, const Tap &y,
                                               int32_t den_x, int32_t den_y) {
  using Value = typename Row::Value;
  const auto upper = blend<Value>(top[x.first], top[x.second], x.frac, den_x);
  const auto lower = blend<Value>(bottom[x.first], bottom[x.second], x.frac, den_x);
  return blend(upper, lower, y.frac, den_y);
}

// Calls function(Word()) with the word type of `bits`-bit samples.
template <typename Function> inline void with_word(int bits, const Function &function) {
  if (bits > 8) // NOLINT(bugprone-branch-clone): the calls differ by type
    function(uint16_t());
  else
    function(uint8_t());
}

// Calls function(row_at), where row_at(y) is a row of the plane; its type contains the step if that is a common one.
template <typename Function> inline void with_rows(const PlaneView &plane, const Function &function) {
  with_word(plane.bits, [&](auto word) {
    using Word = decltype(word);
    constexpr int kBytes = sizeof(Word);
    const auto with_step = [&](auto step) {
      function([&](int y) { return SampleRow<Word, decltype(step)::value>(plane, y); });
    };
    switch (plane.step) {
    case kBytes:
      return with_step(std::integral_constant<int, kBytes>());
    case 2 * kBytes:
      return with_step(std::integral_constant<int, 2 * kBytes>());
    case 3 * kBytes:
      return with_step(std::integral_constant<int, 3 * kBytes>());
    case 4 * kBytes:
      return with_step(std::integral_constant<int, 4 * kBytes>());
    default:
      return with_step(std::integral_constant<int, 0>());
    }
  });
}

// Samples at source size, where every weight is a power of two. Subsampling factors are given as log2.

// The tap of luma position `position` among the `samples` of a row or column: the same as bilinear_taps() for as many
// outputs as positions, with weights of 2 << sub_bits.
CPS_HD inline Tap source_tap(int position, int sub_bits, int phase, int samples) {
  const int at = 2 * (position + phase) + 1 - (1 << sub_bits), den_bits = sub_bits + 1;
  const int most = (samples - 1) << den_bits, clamped = at < 0 ? 0 : at < most ? at : most;
  const int first = clamped >> den_bits;
  return {first, first + 1 < samples ? first + 1 : first, clamped & ((1 << den_bits) - 1)};
}

// stored_sample() for a unit of 1 << unit_bits; `sum` is below 2^22.
CPS_HD inline uint16_t stored_sample_at_source(int32_t sum, int unit_bits) {
  return static_cast<uint16_t>(((sum << 8) + ((1 << unit_bits) >> 1)) >> unit_bits);
}
inline int factor_bits(int factor) {
  int bits = 0;
  while (1 << bits < factor)
    ++bits;
  return bits;
}
CPS_HD inline int source_unit_bits(int sub_x_bits, int sub_y_bits, int bits) {
  return sub_x_bits + 1 + sub_y_bits + 1 + bits - 8;
}

} // namespace cps
