// SPDX-License-Identifier: LGPL-2.1-or-later
// Demuxers that come to the end of the source before they have shown a pad, and say nothing of it.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <string>

namespace cps {

// Among what parses a source, the factory's name of an element that has read all that it is going to, and has no pad to
// show for it; empty where there is none. rmdemux (1.22) sends the end to the pads that it has; of a header that is cut
// off that is none, and everyone waits. An element may be just about to show its pads: ask twice, a while apart.
std::string silent_element(GstElement *parsebin);

} // namespace cps
