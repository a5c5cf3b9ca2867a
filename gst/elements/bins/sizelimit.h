// SPDX-License-Identifier: LGPL-2.1-or-later
// Refuses pictures larger than max-source-pixels: first by the stream's header, then whenever the size changes or
// becomes known later.
#pragma once

#include "gst/elements/common/elementtools.h"
#include "kernels/plane.h"

namespace cps {

// The limit if max-source-pixels is 0, the default. 8K films are accepted (7680x4320, 8192x4320). But a few hundred
// bytes can announce pictures of that size, which take gigabytes to decode. Therefore the limit for a small source is
// lower: 4096x2304 pixels, plus kPixelsPerByte for each byte of the source.
constexpr guint64 kMostPixels = guint64{8192} * 4352;
constexpr guint64 kPixelsOfSmallest = guint64{4096} * 2304;
constexpr guint64 kPixelsPerByte = 256;

struct SizeLimit {
  GstBin *bin;     // posts the error
  guint64 pixels;  // the maximum
  bool by_default; // the application has not set it
};

// `max_source_pixels` is the value of the property, `video` the pad that outputs the coded video.
SizeLimit size_limit(GstBin *bin, guint64 max_source_pixels, GstPad *video);

// Returns zero if the caps do not contain the size.
Size coded_size(const GstCaps *caps);

// Returns false after posting an error.
bool check_size(const SizeLimit &limit, Size size);

// Checks the caps and picture headers that leave the pad. Drops pictures that are too large, and posts an error.
void watch_size(const SizeLimit &limit, GstPad *pad);

} // namespace cps
