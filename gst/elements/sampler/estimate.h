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

// Index of the frame at `time`, and back, with frames that lie evenly.
guint64 frame_at(GstClockTime time, double fps);
GstClockTime frame_time(guint64 frame, double fps);

// Stream time as a position in `segment`; as it is where there is none, or none that counts time. GST_CLOCK_TIME_NONE
// for what lies before.
GstClockTime position_in(const GstSegment *segment, gint64 stream_time);

// The time in `segment` of a frame that has none: frames lie evenly, and the stream begins where the segment says.
GstClockTime made_up_time(const GstSegment &segment, guint64 frame, double fps);

// Plans by uniformsampler's `options`. Posts a warning that the plan is an estimate, where it is, or an error in
// `element`'s name and returns nullptr.
Owned<CpsPlan> estimate_plan(GstElement *element, const GstStructure *options, const StreamFacts &facts);

} // namespace cps
