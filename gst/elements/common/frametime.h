// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames and time: rates, durations, and positions in segments.
#pragma once

#include <gst/video/video.h>

namespace cps {

// Frames per second, 0 where that is unknown.
double frame_rate(gint num, gint den);
double frame_rate(const GstVideoInfo &info);

// How long what feeds `sinkpad` says that it is; GST_CLOCK_TIME_NONE where that is unknown.
GstClockTime peer_duration(GstPad *sinkpad);

// Index of the frame at `time`, and back, with frames that lie evenly.
guint64 frame_at(GstClockTime time, double fps);
GstClockTime frame_time(guint64 frame, double fps);

// Stream time as a position in `segment`; as it is where there is none, or none that counts time. GST_CLOCK_TIME_NONE
// for what lies before.
GstClockTime position_in(const GstSegment *segment, gint64 stream_time);

// The time in `segment` of a frame that has none: frames lie evenly, and the stream begins where the segment says.
GstClockTime synthesized_pts(const GstSegment &segment, guint64 frame, double fps);

// Does the segment play what begins at `pts`? Where there are no times, it does.
bool in_segment(const GstSegment &segment, GstClockTime pts);

} // namespace cps
