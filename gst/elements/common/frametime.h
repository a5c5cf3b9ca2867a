// SPDX-License-Identifier: LGPL-2.1-or-later
// Frame rates, durations, and positions in segments.
#pragma once

#include <gst/video/video.h>

namespace cps {

// Frames per second; 0 if unknown.
double frame_rate(gint num, gint den);
double frame_rate(const GstVideoInfo &info);

// Duration reported by the peer of `sinkpad`; GST_CLOCK_TIME_NONE if unknown.
GstClockTime peer_duration(GstPad *sinkpad);

// Index of the frame at `time`, and the reverse, for frames at equal intervals.
guint64 frame_at(GstClockTime time, double fps);
GstClockTime frame_time(guint64 frame, double fps);

// Converts stream time to a position in `segment`; unchanged if there is no segment or its format is not time.
// GST_CLOCK_TIME_NONE for times before the segment.
GstClockTime position_in(const GstSegment *segment, gint64 stream_time);

// Time in `segment` of a frame without time stamp, assuming frames at equal intervals from the start of the segment.
GstClockTime synthesized_pts(const GstSegment &segment, guint64 frame, double fps);

// True if the segment plays a frame that begins at `pts`, or if there are no times.
bool in_segment(const GstSegment &segment, GstClockTime pts);

} // namespace cps
