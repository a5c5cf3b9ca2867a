// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/planner/indexplan.h"

#include "gst/elements/common/frametime.h"
#include "gst/elements/common/samplingoptions.h"

#include <algorithm>
#include <cmath>

namespace cps {

double average_fps(const StreamIndex &index, double nominal_fps) {
  const std::vector<int64_t> &times = index.times();
  if (times.size() < 2 || times.front() == times.back())
    return nominal_fps;
  const auto span = static_cast<double>(times.back() - times.front());
  const double measured = static_cast<double>(times.size() - 1) * GST_SECOND / span;
  // No more than times that are rounded to milliseconds explain, because the nominal rate may be a guess of a demuxer,
  // and 30 is only a thousandth away from 30000/1001.
  const double rounding = std::min(1e-3, GST_MSECOND / span);
  return std::fabs(measured - nominal_fps) <= rounding * measured ? nominal_fps : measured;
}

Owned<CpsPlan> plan_from_index(const StreamIndex &index, const GstStructure *options, const GstSegment *section,
                               double nominal_fps, std::string &error) {
  SamplingPlan request = sampling_plan(options);
  if (section)
    narrow_to_segment(request, *section);
  if (sampling_needs_times(request) && !index.times_error().empty()) {
    error = "This stream cannot be sampled by time, because " + index.times_error() +
            ": sequence-length or frame-ids sample it by number.";
    return nullptr;
  }
  Sampling sampling;
  std::vector<uint64_t> times(index.times().begin(), index.times().end()); // none is negative
  if (times.empty())
    times.assign(index.frames(), kNoTime);
  if (!resolve_sampling(request, index.frames(), times, sampling, error))
    return nullptr;
  const double fps = average_fps(index, nominal_fps);
  Owned<CpsPlan> plan =
      new_plan(sampling, index.frames(), fps, fps > 0 ? frame_time(index.frames(), fps) : GST_CLOCK_TIME_NONE);
  for (size_t i = 0; i < sampling.ids.size(); i++) {
    const auto id = static_cast<uint32_t>(sampling.ids[i]);
    plan->frames[i] = {id, position_in(section, index.time(id)), index.frame(id).random_access};
  }
  return plan;
}

} // namespace cps
