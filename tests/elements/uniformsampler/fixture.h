// SPDX-License-Identifier: LGPL-2.1-or-later
// Streams of stamped and of plain frames for a uniformsampler, and what the frames that come out must be.
#pragma once

#include "tests/common/frames.h"
#include "tests/common/harness.h"
#include "tests/common/text.h"

#include <gst/codecpatch/codecpatch.h>

#include <string>
#include <vector>

namespace sampler {

using test::Harness;
using test::Owned;

using Ids = std::vector<guint64>;

// Frames are told apart by their size: frame i has i + 1 bytes.
inline Owned<GstBuffer> plain(guint64 id) {
  Owned<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, id + 1, nullptr));
  GST_BUFFER_PTS(buffer.get()) = test::time_of(id);
  return buffer;
}

inline Owned<GstBuffer> stamped(guint64 id, guint64 total = 10, CpsFrameFlags flags = CPS_FRAME_FLAG_NONE) {
  Owned<GstBuffer> buffer = test::stamped(plain(id), id, total, flags);
  GST_BUFFER_PTS(buffer.get()) = 12345; // decoders rewrite it
  return buffer;
}

inline Owned<GstCaps> caps(const char *framerate = "25/1") {
  return Owned<GstCaps>(gst_caps_from_string(
      (std::string("video/x-raw, format=I420, width=64, height=48, framerate=") + framerate).c_str()));
}

// The picture that a buffer holds.
inline guint64 picture_of(GstBuffer *buffer) {
  return gst_buffer_get_size(buffer) - 1;
}

inline Ids pictures_of(const std::vector<Owned<GstBuffer>> &buffers) {
  Ids ids;
  for (const auto &buffer : buffers)
    ids.push_back(picture_of(buffer.get()));
  return ids;
}

inline Ids range(guint64 begin, guint64 end) {
  Ids ids;
  for (guint64 id = begin; id < end; ++id)
    ids.push_back(id);
  return ids;
}

inline std::string text_of(const Ids &ids) {
  std::string text;
  for (const guint64 id : ids)
    text += std::to_string(id) + " ";
  return text;
}

#define assert_ids(actual, ...) assert_text(text_of(actual), text_of(__VA_ARGS__))

// Pushes all of them; the flow of each but the last that was needed is OK, and EOS after that.
inline void push_stamped(const Harness &sampler, const Ids &ids, guint64 total = 10) {
  bool ended = false;
  for (const guint64 id : ids) {
    const GstFlowReturn flow = sampler.push(stamped(id, total));
    fail_unless(flow == GST_FLOW_EOS || (flow == GST_FLOW_OK && !ended), "frame %d: %s", static_cast<int>(id),
                gst_flow_get_name(flow));
    ended = flow == GST_FLOW_EOS;
  }
}

inline void push_plain(const Harness &sampler, guint64 begin, guint64 end) {
  for (guint64 id = begin; id < end; ++id)
    if (sampler.push(plain(id)) != GST_FLOW_OK)
      break;
}

// Of a stream that is played as it is, from `start` on.
inline GstSegment segment_from(GstClockTime start, GstClockTime stop = GST_CLOCK_TIME_NONE) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.position = start;
  segment.stop = stop;
  return segment;
}

// The application seeks there.
inline void seek_to(const Harness &sampler, const GstSegment &segment) {
  gst_harness_push_upstream_event(sampler.get(),
                                  gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                                                     static_cast<gint64>(segment.start), GST_SEEK_TYPE_SET,
                                                     static_cast<gint64>(segment.stop)));
}

// A plan of frames that all have a time, the first of which is a random-access one.
inline GstEvent *plan_event(const Ids &ids, guint64 total) {
  CpsPlan *plan = cps_plan_new(static_cast<guint>(ids.size()));
  plan->total = total;
  plan->fps = 25;
  plan->duration = test::time_of(total);
  for (size_t i = 0; i < ids.size(); ++i)
    plan->frames[i] = {ids[i], test::time_of(ids[i]), i == 0};
  gst_structure_set(plan->options, "uniform-strategy", G_TYPE_STRING, "skip", nullptr);
  return cps_event_new_plan(plan);
}

// The one sequence that a sampler with these properties makes of `total` stamped frames, and that it ends the stream.
inline Ids sample(test::Properties properties, guint64 total) {
  Harness sampler("uniformsampler", properties);
  sampler.start(caps().get());
  push_stamped(sampler, range(0, total), total);
  sampler.check_quiet();
  fail_unless(sampler.pull_event(GST_EVENT_EOS) != nullptr);
  return pictures_of(sampler.pull_all());
}

// The error of a sampler with these properties at the first of `total` stamped frames.
inline void check_refused(test::Properties properties, guint64 total, const char *part) {
  Harness sampler("uniformsampler", properties);
  sampler.start(caps().get());
  fail_unless(sampler.push(stamped(0, total)) == GST_FLOW_ERROR);
  sampler.check_error(part);
  fail_unless(sampler.pull() == nullptr);
}

// Each has the number of the picture that it shows.
inline void check_own_numbers(const std::vector<Owned<GstBuffer>> &buffers) {
  for (const auto &buffer : buffers)
    assert_equals_uint64(cps_buffer_get_frame_meta(buffer.get())->frame_id, picture_of(buffer.get()));
}

// Metas of a whole sequence, but for what the plan says.
inline void check_numbered(const std::vector<Owned<GstBuffer>> &buffers, guint clip_index) {
  for (size_t i = 0; i < buffers.size(); ++i) {
    const CpsFrameMeta *meta = cps_buffer_get_frame_meta(buffers[i].get());
    fail_unless(meta != nullptr);
    assert_equals_int(gst_buffer_get_n_meta(buffers[i].get(), CPS_FRAME_META_API_TYPE), 1);
    assert_equals_int(meta->seq_pos, i);
    assert_equals_int(meta->seq_len, buffers.size());
    assert_equals_int(meta->clip_index, clip_index);
    fail_unless(meta->flags & CPS_FRAME_FLAG_WANTED);
    assert_equals_uint64(GST_BUFFER_PTS(buffers[i].get()), meta->pts);
    fail_unless(GST_BUFFER_DTS(buffers[i].get()) == GST_CLOCK_TIME_NONE);
  }
}

// An option of a clip in ns, -2 if it is missing.
inline gint64 time_option(const CpsPlan *plan, const char *name) {
  gint64 value = -2;
  gst_structure_get_int64(plan->options, name, &value);
  return value;
}

inline CpsFrameStatus status_of(GstBuffer *buffer) {
  return cps_buffer_get_frame_meta(buffer)->status;
}

inline std::function<bool(GstQuery *)> with_duration(GstClockTime duration) {
  return [duration](GstQuery *query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_DURATION)
      return false;
    gst_query_set_duration(query, GST_FORMAT_TIME, static_cast<gint64>(duration));
    return true;
  };
}

// The tests, a file each.
TCase *number_tests();
TCase *plan_tests();
TCase *missing_tests();
TCase *stream_tests();
TCase *orientation_tests();
TCase *window_tests();
TCase *live_tests();

} // namespace sampler
