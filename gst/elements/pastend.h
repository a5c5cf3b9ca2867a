// SPDX-License-Identifier: LGPL-2.1-or-later
// Elements that read on and on behind the end of a file.
#pragma once

#include <gst/gst.h>

namespace cps {

// The demuxers of gst-libav take an end for "nothing yet" where a file is cut off, and would ask `source` for more for
// ever. They get an error instead.
void stop_reading_past_end(GstPad *source);

} // namespace cps
