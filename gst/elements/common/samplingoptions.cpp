// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/common/samplingoptions.h"

namespace cps {

// Properties for stream times have -1 for "not set".
static uint64_t time_option(const GstStructure *options, const char *name) {
  gint64 value = -1;
  gst_structure_get_int64(options, name, &value);
  return value < 0 ? kNoTime : static_cast<uint64_t>(value);
}

SamplingPlan sampling_plan(const GstStructure *options) {
  SamplingPlan plan;
  gst_structure_get_uint(options, "sequence-length", &plan.sequence_length);
  gst_structure_get_uint(options, "max-frames", &plan.max_frames);
  gst_structure_get_fraction(options, "sample-fps", &plan.rate_num, &plan.rate_den);
  plan.start = time_option(options, "start");
  plan.stop = time_option(options, "stop");
  gst_structure_get_uint64(options, "window", &plan.window);
  gst_structure_get_uint64(options, "hop", &plan.hop);
  gst_structure_get_uint(options, "clip-length", &plan.clip_length);
  const GValue *ids = gst_structure_get_value(options, "frame-ids");
  for (guint i = 0; ids && GST_VALUE_HOLDS_ARRAY(ids) && i < gst_value_array_get_size(ids); i++) {
    const GValue *id = gst_value_array_get_value(ids, i);
    plan.frame_ids.push_back(G_VALUE_HOLDS_INT(id) ? g_value_get_int(id) : -1);
  }
  return plan;
}

void narrow_to_segment(SamplingPlan &plan, const GstSegment &segment) {
  if (segment.format != GST_FORMAT_TIME)
    return;
  if (segment.time > 0 && (plan.start == kNoTime || plan.start < segment.time))
    plan.start = segment.time;
  const guint64 stop = gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, segment.stop);
  if (GST_CLOCK_TIME_IS_VALID(stop) && (plan.stop == kNoTime || plan.stop > stop))
    plan.stop = stop;
}

Owned<CpsPlan> new_plan(const Sampling &sampling, guint64 total, double fps, GstClockTime duration) {
  Owned<CpsPlan> plan(cps_plan_new(static_cast<guint>(sampling.ids.size())));
  plan->total = total;
  plan->fps = fps;
  plan->duration = duration;
  for (size_t i = 0; i < sampling.ids.size(); i++)
    plan->frames[i] = {sampling.ids[i], GST_CLOCK_TIME_NONE, FALSE};
  std::vector<CpsPlanClip> clips;
  clips.reserve(sampling.clips.size());
  for (const SampledClip &clip : sampling.clips)
    clips.push_back({static_cast<guint>(clip.first), clip.length, clip.start, clip.stop}); // kNoTime is NONE
  cps_plan_set_clips(plan.get(), clips.data(), static_cast<guint>(clips.size()));
  return plan;
}

} // namespace cps
