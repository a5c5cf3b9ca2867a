// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/planner/timeline.h"

#include "gst/elements/common/editlists.h"
#include "gst/elements/common/frametime.h"
#include "gst/elements/common/upstream.h"

#include <algorithm>

namespace cps {

void Timeline::look_upstream(GstPad *sinkpad, const std::string &stream_id) {
  track_ = taken_track(sinkpad, stream_id);
  segments_cut_ = !track_.shows_all && segments_cut(sinkpad);
}

const Edit *Timeline::find_edit(GstClockTime pts) const {
  const auto shows = [pts](const Edit &edit) { return pts >= edit.start && pts < edit.stop; }; // NONE is the maximum
  const auto found = std::find_if(track_.edits.begin(), track_.edits.end(), shows);
  return found == track_.edits.end() ? nullptr : &*found;
}

// Also converts positions outside the segment.
static int64_t stream_time(GstSegment segment, GstClockTime position) {
  segment.stop = GST_CLOCK_TIME_NONE;
  guint64 time = 0;
  const gint sign = segment.format == GST_FORMAT_TIME && GST_CLOCK_TIME_IS_VALID(position)
                        ? gst_segment_to_stream_time_full(&segment, GST_FORMAT_TIME, position, &time)
                        : 0;
  return sign == 0 ? kUntimed : sign * static_cast<int64_t>(time);
}

UnitTimes Timeline::times_of(GstBuffer *unit, const GstSegment &segment) const {
  UnitTimes times;
  times.pts = GST_BUFFER_PTS(unit);
  times.dts = GST_BUFFER_DTS(unit);
  if (!is_edited()) {
    times.time = stream_time(segment, times.pts);
    times.decode_time = stream_time(segment, times.dts);
  } else if (const Edit *edit = find_edit(times.pts)) {
    times.time = static_cast<int64_t>(edit->time + (times.pts - edit->start));
  }
  return times;
}

bool Timeline::is_cut(GstBuffer *unit, const GstSegment &segment) const {
  const GstClockTime pts = GST_BUFFER_PTS(unit);
  if (is_edited())
    return !find_edit(pts);
  return segments_cut_ && !in_segment(segment, pts);
}

GstClockTime Timeline::declared_end(GstPad *sinkpad) const {
  // The track's own end is preferred, because headers of fragmented files may describe a longer presentation.
  return track_.id != 0 ? track_.end : declared_duration(sinkpad);
}

GstSegment whole_stream(const GstSegment &first, int64_t first_time) {
  GstSegment whole = first;
  if (first.format != GST_FORMAT_TIME)
    return whole;
  if (first_time != kUntimed)
    whole.time = std::min(whole.time, static_cast<guint64>(first_time));
  whole.start = whole.position = whole.time;
  whole.stop = whole.duration = GST_CLOCK_TIME_NONE;
  whole.offset = 0;
  return whole;
}

} // namespace cps
