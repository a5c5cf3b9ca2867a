// SPDX-License-Identifier: LGPL-2.1-or-later
// Corrects the range of sample values where containers are wrong.
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

// Returns the caps, with the full range of sample values if the parameter sets signal it (`full_range`). Needed because
// qtdemux (at least up to 1.22) loses the full-range flag of the container's colour box, and because parsers and
// decoders prefer the container's value to the stream's. av1dec uses only the container's value.
Owned<GstCaps> with_true_range(GstCaps *caps, bool full_range);

} // namespace cps
