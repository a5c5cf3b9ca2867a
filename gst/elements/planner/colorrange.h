// SPDX-License-Identifier: LGPL-2.1-or-later
// The range of sample values, where containers have it wrong.
#pragma once

#include "gst/bitstream/pictureparser.h"
#include "gst/elements/common/elementtools.h"

namespace cps {

// The caps with the range that the parameter sets tell. qtdemux up to 1.22 at least loses the full-range flag of the
// container's colour box, and parsers and decoders prefer the container's word to the stream's. av1dec knows no other
// word at all.
Owned<GstCaps> with_true_range(GstCaps *caps, const PictureParser *parser);

} // namespace cps
