// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/libav/ffv1checksums.h"

extern "C" {
#include <libavutil/crc.h>
#include <libavutil/intreadwrite.h>
}

namespace cps {

// The footer after the data of a slice: the size of the data (three bytes), a status (one byte), and a checksum (four
// bytes). RFC 9043, 4.9.
static constexpr size_t kFooter = 8;

bool has_wrong_ffv1_checksum(const uint8_t *data, size_t size) {
  const AVCRC *table = av_crc_get_table(AV_CRC_32_IEEE);
  bool wrong = false;
  for (size_t end = size; end > 0;) {
    if (end < kFooter || AV_RB24(data + end - kFooter) + kFooter > end)
      return false; // the sizes do not add up, so these are no such slices
    const size_t slice = AV_RB24(data + end - kFooter) + kFooter;
    end -= slice;
    wrong |= av_crc(table, 0, data + end, slice) != 0;
  }
  return wrong;
}

} // namespace cps
