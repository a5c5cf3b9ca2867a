// SPDX-License-Identifier: LGPL-2.1-or-later
// Sampling plans for streams whose frames have been indexed.
#pragma once

#include "gst/bitstream/streamindex.h"
#include "gst/elements/common/elementtools.h"

#include <string>

namespace cps {

// Plans by a sampler's `options` over the frames of `index`. `section`: what the application sought, which restricts
// the plan, and in which the frames' times are given; nullptr: all of the stream, in stream time. `nominal_fps` is the
// caps' frame rate, 0 where they have none. nullptr with a sentence that names the option at fault in `error`.
Owned<CpsPlan> plan_from_index(const StreamIndex &index, const GstStructure *options, const GstSegment *section,
                               double nominal_fps, std::string &error);

} // namespace cps
