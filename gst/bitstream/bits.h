// SPDX-License-Identifier: LGPL-2.1-or-later
// Reads header fields.
#pragma once

#include <gst/base/gstbitreader.h>

#include <cstddef>
#include <cstdint>

namespace cps {

class Bits {
public:
  Bits(const uint8_t *data, size_t size) : reader_{} { gst_bit_reader_init(&reader_, data, static_cast<guint>(size)); }

  void skip(unsigned bits) { ended_ |= !gst_bit_reader_skip(&reader_, bits); }
  // UINT32_MAX after the end.
  uint32_t read(unsigned bits) {
    guint32 value = 0;
    ended_ |= !gst_bit_reader_get_bits_uint32(&reader_, &value, bits);
    return ended_ ? UINT32_MAX : value;
  }
  // Counts ones up to a zero, at most `most`.
  unsigned ones(unsigned most) {
    unsigned count = 0;
    while (count < most && read(1) == 1)
      ++count;
    return count;
  }
  // True after a read beyond the end.
  bool ended() const { return ended_; }

private:
  GstBitReader reader_;
  bool ended_ = false;
};

} // namespace cps
