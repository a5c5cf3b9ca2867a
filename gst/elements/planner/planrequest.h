// SPDX-License-Identifier: LGPL-2.1-or-later
// What a sampler downstream asks a planner for, and the answer.
#pragma once

#include "gst/bitstream/streamindex.h"
#include "gst/elements/common/elementtools.h"

namespace cps {

// The sampler's options, nullptr where there is none downstream of `srcpad`.
Owned<GstStructure> query_sampling_request(GstPad *srcpad);

// An indexed stream, as its planner, `element`, knows it.
struct IndexedStream {
  GstElement *element;
  const StreamIndex &index;
  const GstSegment *section; // what the application sought of it; nullptr: all
  double nominal_fps;        // the caps', 0 where they have none
  GstClockTime declared_end; // by the word of its container, GST_CLOCK_TIME_NONE where that has none
};

// Plans what is asked for. nullptr after an error message; warns where the stream ends long before its container does.
Owned<CpsPlan> plan_for(const IndexedStream &stream, const GstStructure *request);

} // namespace cps
