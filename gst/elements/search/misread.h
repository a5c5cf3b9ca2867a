// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that libavformat is to read though GStreamer has a demuxer for them.
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

// What GStreamer (1.22) gets wrong: mxfdemux ends the process on files that it does not expect, avidemux takes changes
// of the palette for pictures, and what is called 4XM is the container and the codec.
// `caps` are those of `pad`, in a parsebin.
bool is_misread(GstPad *pad, const GstCaps *caps);

// In place of the factories that a parsebin would take, avformatdemux's, where the first of them reads, but not well:
// the demuxers of gst-libav take the end of a file for "nothing yet" and turn in circles behind it, and rmdemux (1.22)
// crashes on damaged headers, or allocates what they say. nullptr for all others, and where there is no libavformat.
GValueArray *better_demuxers(GValueArray *factories);

} // namespace cps
