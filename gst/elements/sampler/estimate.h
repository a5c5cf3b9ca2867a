// SPDX-License-Identifier: LGPL-2.1-or-later
// Sampling plans for streams whose frames nobody has counted.
#pragma once

#include "gst/elements/common/elementtools.h"

namespace cps {

// What is known of such a stream.
struct StreamFacts {
  guint64 stamped_total = 0;                   // N by the word of the frames' own metas, 0 where unknown
  double fps = 0;                              // 0 where unknown
  GstClockTime duration = GST_CLOCK_TIME_NONE; // of the whole stream
  GstSegment segment;                          // what is played of it
  GstClockTime origin = 0;                     // stream time of the first frame
};

// Plans by uniformsampler's `options`. Posts a warning that the plan is an estimate, where it is, or an error in
// `element`'s name and returns nullptr.
Owned<CpsPlan> estimate_plan(GstElement *element, const GstStructure *options, const StreamFacts &facts);

} // namespace cps
