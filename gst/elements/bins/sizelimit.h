// SPDX-License-Identifier: LGPL-2.1-or-later
// Pictures that are larger than max-source-pixels are refused: by the stream's header, and again wherever the size
// changes or shows only later.
#pragma once

#include "gst/elements/common/elementtools.h"
#include "kernels/plane.h"

namespace cps {

// The default of max-source-pixels, 0. Films of 8K are read (7680x4320, 8192x4320). But a few hundred bytes can
// announce pictures of that size, which take gigabytes to decode, so a small source is believed less: 4096x2304 pixels,
// and kPixelsPerByte more for each byte that it has.
constexpr guint64 kMostPixels = guint64{8192} * 4352;
constexpr guint64 kPixelsOfSmallest = guint64{4096} * 2304;
constexpr guint64 kPixelsPerByte = 256;

struct SizeLimit {
  GstBin *bin;     // whose error it is
  guint64 pixels;  // the most
  bool by_default; // nobody has set it
};

// `max_source_pixels`: the property. `video`: where the coded video comes out.
SizeLimit size_limit(GstBin *bin, guint64 max_source_pixels, GstPad *video);

// Zero where the caps do not tell.
Size coded_size(const GstCaps *caps);

// False after an error message.
bool check_size(const SizeLimit &limit, Size size);

// Looks at all that comes out of the pad. What is too large goes no further, and is an error.
void watch_size(const SizeLimit &limit, GstPad *pad);

} // namespace cps
