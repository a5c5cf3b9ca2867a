// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that libavformat reads although GStreamer has a demuxer for them.
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

// Errors in GStreamer (1.22): mxfdemux aborts the process on unexpected files, avidemux mistakes palette changes for
// pictures, and the 4XM media type stands for both the container and the codec.
// `caps` are the caps of `pad`, in a parsebin.
bool is_misread(GstPad *pad, const GstCaps *caps);

// Replaces the factories that a parsebin would try by that of avformatdemux if the first of them is unreliable:
// gst-libav's demuxers mistake the end of a file for missing data and loop there, and rmdemux (1.22) crashes on damaged
// headers, or allocates the sizes that they declare. Returns nullptr for all others, and if libavformat is not
// available.
GValueArray *better_demuxers(GValueArray *factories);

} // namespace cps
