// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/indexplan.h"

#include "gst/elements/estimate.h"
#include "gst/elements/options.h"

#include <algorithm>
#include <cmath>

namespace cps {

struct PtsRange {
  GstClockTime first = GST_CLOCK_TIME_NONE, last = GST_CLOCK_TIME_NONE;
};

// Empty where a frame has no time stamp.
static PtsRange pts_range(const StreamIndex &index) {
  PtsRange range;
  for (uint32_t id = 0; id < index.frames(); id++) {
    const GstClockTime pts = index.frame(id).pts;
    if (!GST_CLOCK_TIME_IS_VALID(pts))
      return {};
    range.first = id == 0 ? pts : std::min(range.first, pts);
    range.last = id == 0 ? pts : std::max(range.last, pts);
  }
  return range;
}

// Frames per second, the caps' where they have it right: time stamps are rounded, their fraction is not.
static double average_fps(const StreamIndex &index, double nominal_fps) {
  const PtsRange range = pts_range(index);
  if (index.frames() < 2 || !GST_CLOCK_TIME_IS_VALID(range.first) || range.first == range.last)
    return nominal_fps;
  const double measured =
      static_cast<double>(index.frames() - 1) * GST_SECOND / static_cast<double>(range.last - range.first);
  return std::fabs(measured - nominal_fps) < 1e-3 * measured ? nominal_fps : measured;
}

// A frame's time in the segment; where the container has none, frames lie evenly.
static GstClockTime frame_pts(const StreamIndex &index, uint32_t id, double fps) {
  const GstClockTime pts = index.frame(id).pts;
  return GST_CLOCK_TIME_IS_VALID(pts) || fps <= 0 ? pts : frame_time(id, fps);
}

static std::vector<uint64_t> stream_times(const StreamIndex &index, const GstSegment &segment, double fps) {
  // The frame may lie outside of what the segment plays, and has a stream time all the same.
  GstSegment whole = segment;
  whole.stop = GST_CLOCK_TIME_NONE;
  std::vector<uint64_t> times;
  times.reserve(index.frames());
  for (uint32_t id = 0; id < index.frames(); id++) {
    guint64 time = 0;
    const GstClockTime pts = frame_pts(index, id, fps);
    const int sign = GST_CLOCK_TIME_IS_VALID(pts) && whole.format == GST_FORMAT_TIME
                         ? gst_segment_to_stream_time_full(&whole, GST_FORMAT_TIME, pts, &time)
                         : 0;
    times.push_back(sign > 0 ? time : sign < 0 ? 0 : kNoTime);
  }
  return times;
}

Owned<CpsPlan> plan_from_index(const StreamIndex &index, const GstStructure *options, const GstSegment &segment,
                               bool partial, double nominal_fps, std::string &error) {
  const double fps = average_fps(index, nominal_fps);
  SamplingPlan request = sampling_plan(options);
  if (partial)
    narrow_to_segment(request, segment);
  std::vector<uint64_t> times, ids;
  if (sampling_needs_times(request))
    times = stream_times(index, segment, fps);
  if (!resolve_sampling(request, index.frames(), times, ids, error))
    return nullptr;

  Owned<CpsPlan> plan(cps_plan_new(static_cast<guint>(ids.size())));
  plan->total = index.frames();
  plan->fps = fps;
  plan->duration = fps > 0 ? frame_time(index.frames(), fps) : GST_CLOCK_TIME_NONE;
  for (size_t i = 0; i < ids.size(); i++) {
    const auto id = static_cast<uint32_t>(ids[i]);
    plan->frames[i] = {id, frame_pts(index, id, fps), index.frame(id).random_access};
  }
  return plan;
}

} // namespace cps
