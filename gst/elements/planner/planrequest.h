// SPDX-License-Identifier: LGPL-2.1-or-later
// The request of a downstream sampler to a planner, and the plan in reply.
#pragma once

#include "gst/bitstream/streamindex.h"
#include "gst/elements/common/elementtools.h"

#include <string>
#include <vector>

namespace cps {

// The sampler's options; nullptr if there is no sampler downstream of `srcpad`.
Owned<GstStructure> query_sampling_request(GstPad *srcpad);

// Warns that the stream is not indexed because of `reason`, half a sentence, if a sampler downstream of `srcpad` needs
// the count of its frames. Windows go by running time then.
void report_unindexed(GstElement *planner, GstPad *srcpad, const std::string &reason);

// An indexed stream, as known to its planner, `element`.
struct IndexedStream {
  GstElement *element;
  const StreamIndex &index;
  const GstSegment *section; // the application's seek; nullptr: whole stream
  double nominal_fps;        // from the caps, 0 if unset
  GstClockTime declared_end; // according to the container, GST_CLOCK_TIME_NONE if unknown
};

// Plans the request. Returns nullptr after posting an error. Posts a warning if the stream ends long before the end
// that its container declares.
Owned<CpsPlan> plan_for(const IndexedStream &stream, const GstStructure *request);

// The frames of all positions.
std::vector<uint64_t> planned_frames(const CpsPlan &plan);

// The most positions that a clip has.
guint longest_clip(const CpsPlan &plan);

} // namespace cps
