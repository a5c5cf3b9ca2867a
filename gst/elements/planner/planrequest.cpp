// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/planner/planrequest.h"

#include "gst/elements/common/options.h"
#include "gst/elements/common/samplingoptions.h"
#include "gst/elements/planner/indexplan.h"

#include <algorithm>

namespace cps {

Owned<GstStructure> query_sampling_request(GstPad *srcpad) {
  const Owned<GstQuery> query(cps_query_new_plan_request());
  gst_pad_peer_query(srcpad, query.get());
  return Owned<GstStructure>(cps_query_get_plan_request(query.get()));
}

void report_unindexed(GstElement *planner, GstPad *srcpad, const std::string &reason) {
  const Owned<GstStructure> request = query_sampling_request(srcpad);
  if (!request || sampling_plan(request.get()).window == 0)
    GST_ELEMENT_WARNING(
        planner, STREAM, FORMAT,
        ("The stream cannot be indexed, because %s: the frames to sample will be estimated.", reason.c_str()),
        (nullptr));
}

// The latest end of the last picture. Containers do not declare its duration, so it is the longest of the earlier ones.
static int64_t end_of_pictures(const StreamIndex &index, double fps) {
  const std::vector<int64_t> &times = index.times();
  int64_t longest = fps > 0 ? static_cast<int64_t>(GST_SECOND / fps) : 0;
  for (size_t i = 1; i < times.size(); i++)
    longest = std::max(longest, times[i] - times[i - 1]);
  return times.back() + longest;
}

// Detects a truncated file, of which other frames are sampled than of the complete file. Returns false after posting an
// error.
static bool check_end(const IndexedStream &stream, double fps, bool fail) {
  const GstClockTime declared = stream.declared_end;
  if (!GST_CLOCK_TIME_IS_VALID(declared) || stream.index.times().empty())
    return true;
  const auto end = static_cast<GstClockTime>(end_of_pictures(stream.index, fps));
  if (end + GST_SECOND >= declared)
    return true;
  const double is = static_cast<double>(end) / GST_SECOND, should_be = static_cast<double>(declared) / GST_SECOND;
  if (fail) {
    GST_ELEMENT_ERROR(stream.element, STREAM, DEMUX,
                      ("The file is truncated: its pictures end at %.1f of %.1f seconds. on-error=substitute reads "
                       "what is there.",
                       is, should_be),
                      (nullptr));
    return false;
  }
  GST_ELEMENT_WARNING(stream.element, STREAM, DEMUX,
                      ("The file is truncated: its pictures end at %.1f of %.1f seconds. The frames to sample are "
                       "taken from what is there.",
                       is, should_be),
                      (nullptr));
  return true;
}

Owned<CpsPlan> plan_for(const IndexedStream &stream, const GstStructure *request) {
  std::string error;
  Owned<CpsPlan> plan = plan_from_index(stream.index, request, stream.section, stream.nominal_fps, error);
  if (!plan) {
    GST_ELEMENT_ERROR(stream.element, LIBRARY, SETTINGS, ("%s", error.c_str()),
                      ("asked for by the sampler downstream"));
    return nullptr;
  }
  const bool fail = option_enum(request, "on-error") == static_cast<gint>(OnError::Fail);
  return check_end(stream, plan->fps, fail) ? std::move(plan) : nullptr;
}

std::vector<uint64_t> planned_frames(const CpsPlan &plan) {
  std::vector<uint64_t> frames(plan.n_frames);
  std::transform(plan.frames, plan.frames + plan.n_frames, frames.begin(),
                 [](const CpsPlanFrame &frame) { return frame.frame_id; });
  return frames;
}

guint longest_clip(const CpsPlan &plan) {
  guint longest = 0;
  for (guint i = 0; i < plan.n_clips; i++)
    longest = std::max(longest, plan.clips[i].n_frames);
  return longest;
}

} // namespace cps
