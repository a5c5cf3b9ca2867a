// SPDX-License-Identifier: LGPL-2.1-or-later
// Sampling plans for indexed streams.
#pragma once

#include "gst/bitstream/streamindex.h"
#include "gst/elements/common/elementtools.h"

#include <string>

namespace cps {

// Frames per second of the whole stream, 0 if unknown. Prefers `nominal_fps`, the frame rate of the caps (0: unset), if
// it agrees with the times, because times are rounded and that rate is a fraction.
double average_fps(const StreamIndex &index, double nominal_fps);

// Plans the frames of `index` by a sampler's `options`. `section` is the segment of the application's seek; it
// restricts the plan, and frame times are positions in it. nullptr: the whole stream, in stream time. `nominal_fps` is
// the caps' frame rate, 0 if they have none. Returns nullptr if an option is invalid, with a sentence that names the
// option in `error`.
Owned<CpsPlan> plan_from_index(const StreamIndex &index, const GstStructure *options, const GstSegment *section,
                               double nominal_fps, std::string &error);

} // namespace cps
