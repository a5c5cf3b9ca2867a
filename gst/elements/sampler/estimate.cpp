// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/sampler/estimate.h"

#include "gst/elements/common/frametime.h"
#include "gst/elements/common/samplingoptions.h"

namespace cps {

static constexpr guint kMaxTimedFrames = 1 << 26; // four weeks at 25 frames a second

// The number of frames: set by the application, stamped on the frames, or estimated from duration and frame rate.
// Returns 0 after posting an error.
static guint64 total_frames(GstElement *element, const GstStructure *options, const StreamFacts &facts) {
  guint64 given = 0;
  gst_structure_get_uint64(options, "total-frames", &given);
  if (given > 0)
    return given;
  if (facts.stamped_total > 0)
    return facts.stamped_total;
  if (facts.fps <= 0 || !GST_CLOCK_TIME_IS_VALID(facts.duration)) {
    GST_ELEMENT_ERROR(element, LIBRARY, SETTINGS,
                      ("The number of frames is unknown, and cannot be found out here: set total-frames."),
                      ("%s is unknown and no frameplanner is upstream", facts.fps <= 0 ? "frame rate" : "duration"));
    return 0;
  }
  const guint64 estimate = frame_at(facts.duration, facts.fps);
  if (estimate == 0)
    GST_ELEMENT_ERROR(element, STREAM, FORMAT, ("The stream is too short to have a frame."), (nullptr));
  else
    GST_ELEMENT_WARNING(element, STREAM, FORMAT,
                        ("The number of frames is an estimate (%" G_GUINT64_FORMAT
                         " from duration and frame rate): put "
                         "a frameplanner before the decoder, or set total-frames, to sample exact frames.",
                         estimate),
                        (nullptr));
  return estimate;
}

// True if the segment omits a part of the stream, as after a seek.
static bool is_partial(const StreamFacts &facts) {
  const GstSegment &segment = facts.segment;
  if (segment.format != GST_FORMAT_TIME || facts.fps <= 0)
    return false;
  const guint64 stop = gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, segment.stop);
  return segment.time > facts.origin ||
         (GST_CLOCK_TIME_IS_VALID(stop) && GST_CLOCK_TIME_IS_VALID(facts.duration) && stop < facts.duration);
}

Owned<CpsPlan> estimate_plan(GstElement *element, const GstStructure *options, const StreamFacts &facts) {
  const guint64 total = total_frames(element, options, facts);
  if (total == 0)
    return nullptr;

  SamplingPlan request = sampling_plan(options);
  if (is_partial(facts))
    narrow_to_segment(request, facts.segment);
  std::vector<uint64_t> times;
  if (sampling_needs_times(request)) {
    if (facts.fps <= 0) {
      GST_ELEMENT_ERROR(element, LIBRARY, SETTINGS,
                        ("start, stop, window and sample-fps need a frame rate, or a frameplanner before the decoder."),
                        (nullptr));
      return nullptr;
    }
    if (total > kMaxTimedFrames) {
      GST_ELEMENT_ERROR(
          element, LIBRARY, SETTINGS,
          ("start, stop and sample-fps go with %u frames at most; total-frames, or duration x frame rate, "
           "is %" G_GUINT64_FORMAT ".",
           kMaxTimedFrames, total),
          (nullptr));
      return nullptr;
    }
    times.reserve(total);
    for (guint64 i = 0; i < total; i++)
      times.push_back(facts.origin + frame_time(i, facts.fps));
  }
  Sampling sampling;
  std::string error;
  if (!resolve_sampling(request, total, times, sampling, error)) {
    GST_ELEMENT_ERROR(element, LIBRARY, SETTINGS, ("%s", error.c_str()), (nullptr));
    return nullptr;
  }
  return new_plan(sampling, total, facts.fps, facts.duration);
}

} // namespace cps
