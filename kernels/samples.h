// How the kernels read samples: one row of a plane at a time, by column.
#pragma once

#include "kernels/plane.h"

namespace cps {

// Word is uint8_t for planes of 8 bits, else uint16_t. Bits above the code value are not trusted to be 0: sums and
// histograms are sized for code values.
template <typename Word> class SampleRow {
public:
  SampleRow(const PlaneView &plane, int y)
      : data_(plane.data + y * plane.stride), step_(plane.step), shift_(plane.shift), mask_((1 << plane.bits) - 1) {}

  int operator[](int x) const {
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

// Calls function(Word()) with the word type of `bits`-bit samples.
template <typename Function> inline void with_word(int bits, const Function &function) {
  if (bits > 8) // NOLINT(bugprone-branch-clone): the calls differ by type
    function(uint16_t());
  else
    function(uint8_t());
}

} // namespace cps
