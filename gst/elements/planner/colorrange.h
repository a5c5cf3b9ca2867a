// SPDX-License-Identifier: LGPL-2.1-or-later
// Corrects the range of sample values where containers are wrong.
#pragma once

#include "gst/bitstream/pictureparser.h"
#include "gst/elements/common/elementtools.h"

namespace cps {

// Returns the caps with the range from the parameter sets. Needed because qtdemux (at least up to 1.22) loses the
// full-range flag of the container's colour box, and because parsers and decoders prefer the container's value to the
// stream's. av1dec uses only the container's value.
Owned<GstCaps> with_true_range(GstCaps *caps, const PictureParser *parser);

} // namespace cps
