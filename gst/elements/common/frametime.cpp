// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/common/frametime.h"

#include <cmath>

namespace cps {

double frame_rate(gint num, gint den) {
  return num > 0 && den > 0 ? static_cast<double>(num) / den : 0.0;
}

double frame_rate(const GstVideoInfo &info) {
  return frame_rate(GST_VIDEO_INFO_FPS_N(&info), GST_VIDEO_INFO_FPS_D(&info));
}

GstClockTime peer_duration(GstPad *sinkpad) {
  gint64 duration = -1;
  if (!gst_pad_peer_query_duration(sinkpad, GST_FORMAT_TIME, &duration) || duration <= 0)
    return GST_CLOCK_TIME_NONE;
  return static_cast<GstClockTime>(duration);
}

guint64 frame_at(GstClockTime time, double fps) {
  return static_cast<guint64>(std::llround(static_cast<double>(time) * fps / GST_SECOND));
}

GstClockTime frame_time(guint64 frame, double fps) {
  return static_cast<GstClockTime>(std::llround(static_cast<double>(frame) / fps * GST_SECOND));
}

GstClockTime position_in(const GstSegment *segment, gint64 stream_time) {
  if (stream_time < 0)
    return GST_CLOCK_TIME_NONE;
  const auto time = static_cast<GstClockTime>(stream_time);
  if (!segment || segment->format != GST_FORMAT_TIME)
    return time;
  guint64 position = 0;
  const gint sign = gst_segment_position_from_stream_time_full(segment, GST_FORMAT_TIME, time, &position);
  return sign > 0 ? position : GST_CLOCK_TIME_NONE;
}

GstClockTime synthesized_pts(const GstSegment &segment, guint64 frame, double fps) {
  const GstClockTime time = frame_time(frame, fps), position = position_in(&segment, static_cast<gint64>(time));
  return GST_CLOCK_TIME_IS_VALID(position) ? position : time;
}

bool in_segment(const GstSegment &segment, GstClockTime pts) {
  if (segment.format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID(pts))
    return true;
  return pts >= segment.start && (!GST_CLOCK_TIME_IS_VALID(segment.stop) || pts < segment.stop);
}

} // namespace cps
