// How the kernels read samples: one row of a plane at a time, by column.
#pragma once

#include "kernels/arith.h"
#include "kernels/geometry.h"
#include "kernels/plane.h"

namespace cps {

// Word is uint8_t for planes of 8 bits, else uint16_t. Bits above the code value are not trusted to be 0: sums and
// histograms are sized for code values.
template <typename Word> class SampleRow {
public:
  using Value = int64_t; // what sums of samples are made in

  CPS_HD SampleRow(const PlaneView &plane, int y)
      : data_(plane.data + y * plane.stride), step_(plane.step), shift_(plane.shift), mask_((1 << plane.bits) - 1) {}

  CPS_HD int operator[](int x) const {
    const uint8_t *p = data_ + static_cast<ptrdiff_t>(x) * step_;
    if constexpr (sizeof(Word) == 1)
      return *p;
    else
      return (p[0] | p[1] << 8) >> shift_ & mask_; // bytes, for a crop may leave words unaligned
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

} // namespace cps
