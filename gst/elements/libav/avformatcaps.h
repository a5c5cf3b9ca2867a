// SPDX-License-Identifier: LGPL-2.1-or-later
// GStreamer caps for the streams that libavformat finds.
#pragma once

#include "gst/elements/common/elementtools.h"

struct AVStream;

namespace cps {

// Caps for the parsers and decoders used here; nullptr if there is no decoder for the codec.
Owned<GstCaps> caps_of_stream(const AVStream *stream);

} // namespace cps
