// SPDX-License-Identifier: LGPL-2.1-or-later
// Sampling plans for streams whose frames have not been counted.
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

// Known facts about such a stream.
struct StreamFacts {
  guint64 stamped_total = 0;                   // N according to the frames' metas, 0 if unknown
  double fps = 0;                              // 0 if unknown
  GstClockTime duration = GST_CLOCK_TIME_NONE; // of the whole stream
  GstSegment segment;                          // the played segment
  GstClockTime origin = 0;                     // stream time of the first frame
};

// Plans by uniformsampler's `options`. Posts a warning if the plan is an estimate. On error posts an error from
// `element` and returns nullptr.
Owned<CpsPlan> estimate_plan(GstElement *element, const GstStructure *options, const StreamFacts &facts);

} // namespace cps
