// SPDX-License-Identifier: LGPL-2.1-or-later
// What GStreamer calls the streams that libavformat finds.
#pragma once

#include "gst/elements/common/elementtools.h"

struct AVStream;

namespace cps {

// The caps that parsers and decoders here take. nullptr where there is no decoder for the codec.
Owned<GstCaps> caps_of_stream(const AVStream *stream);

} // namespace cps
