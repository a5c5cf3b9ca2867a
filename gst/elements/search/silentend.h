// SPDX-License-Identifier: LGPL-2.1-or-later
// Detects demuxers that reach the end of the source without adding a pad and without an error.
#pragma once

#include "gst/elements/common/elementtools.h"

#include <string>

namespace cps {

// Returns the factory name of a parsing element that has read its whole input and has no source pads; empty if there is
// none. rmdemux (1.22) sends EOS to its existing pads. If the header is truncated there are none, and the pipeline
// hangs. An element may be about to add its pads: call twice, some time apart.
std::string silent_element(GstElement *parsebin);

} // namespace cps
