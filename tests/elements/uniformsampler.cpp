// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/common/frames.h"
#include "tests/common/harness.h"
#include "tests/common/text.h"

#include <gst/codecpatch/codecpatch.h>

#include <algorithm>
#include <map>

using test::Harness;
using test::Owned;

namespace {

using Ids = std::vector<guint64>;

// Frames are told apart by their size: frame i has i + 1 bytes.
Owned<GstBuffer> plain(guint64 id) {
  Owned<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, id + 1, nullptr));
  GST_BUFFER_PTS(buffer.get()) = test::time_of(id);
  return buffer;
}

Owned<GstBuffer> stamped(guint64 id, guint64 total = 10, CpsFrameFlags flags = CPS_FRAME_FLAG_NONE) {
  Owned<GstBuffer> buffer = test::stamped(plain(id), id, total, flags);
  GST_BUFFER_PTS(buffer.get()) = 12345; // decoders rewrite it
  return buffer;
}

Owned<GstCaps> caps(const char *framerate = "25/1") {
  return Owned<GstCaps>(gst_caps_from_string(
      (std::string("video/x-raw, format=I420, width=64, height=48, framerate=") + framerate).c_str()));
}

// The picture that a buffer holds.
guint64 picture_of(GstBuffer *buffer) {
  return gst_buffer_get_size(buffer) - 1;
}

Ids pictures_of(const std::vector<Owned<GstBuffer>> &buffers) {
  Ids ids;
  for (const auto &buffer : buffers)
    ids.push_back(picture_of(buffer.get()));
  return ids;
}

Ids range(guint64 begin, guint64 end) {
  Ids ids;
  for (guint64 id = begin; id < end; ++id)
    ids.push_back(id);
  return ids;
}

std::string text_of(const Ids &ids) {
  std::string text;
  for (const guint64 id : ids)
    text += std::to_string(id) + " ";
  return text;
}

#define assert_ids(actual, ...) assert_text(text_of(actual), text_of(__VA_ARGS__))

// Pushes all of them; the flow of each but the last that was needed is OK, and EOS after that.
void push_stamped(const Harness &sampler, const Ids &ids, guint64 total = 10) {
  bool ended = false;
  for (const guint64 id : ids) {
    const GstFlowReturn flow = sampler.push(stamped(id, total));
    fail_unless(flow == GST_FLOW_EOS || (flow == GST_FLOW_OK && !ended), "frame %d: %s", static_cast<int>(id),
                gst_flow_get_name(flow));
    ended = flow == GST_FLOW_EOS;
  }
}

void push_plain(const Harness &sampler, guint64 begin, guint64 end) {
  for (guint64 id = begin; id < end; ++id)
    if (sampler.push(plain(id)) != GST_FLOW_OK)
      break;
}

// Of a stream that is played as it is, from `start` on.
GstSegment segment_from(GstClockTime start, GstClockTime stop = GST_CLOCK_TIME_NONE) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.time = segment.position = start;
  segment.stop = stop;
  return segment;
}

// The application seeks there.
void seek_to(const Harness &sampler, const GstSegment &segment) {
  gst_harness_push_upstream_event(sampler.get(),
                                  gst_event_new_seek(1.0, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET,
                                                     static_cast<gint64>(segment.start), GST_SEEK_TYPE_SET,
                                                     static_cast<gint64>(segment.stop)));
}

// A plan of frames that all have a time, the first of which is a random-access one.
GstEvent *plan_event(const Ids &ids, guint64 total) {
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
Ids sample(test::Properties properties, guint64 total) {
  Harness sampler("uniformsampler", properties);
  sampler.start(caps().get());
  push_stamped(sampler, range(0, total), total);
  sampler.check_quiet();
  fail_unless(sampler.pull_event(GST_EVENT_EOS) != nullptr);
  return pictures_of(sampler.pull_all());
}

// The error of a sampler with these properties at the first of `total` stamped frames.
void check_refused(test::Properties properties, guint64 total, const char *part) {
  Harness sampler("uniformsampler", properties);
  sampler.start(caps().get());
  fail_unless(sampler.push(stamped(0, total)) == GST_FLOW_ERROR);
  sampler.check_error(part);
  fail_unless(sampler.pull() == nullptr);
}

GstEvent *rotation(const char *value, GstTagScope scope = GST_TAG_SCOPE_STREAM) {
  GstTagList *tags = gst_tag_list_new(GST_TAG_IMAGE_ORIENTATION, value, nullptr);
  gst_tag_list_set_scope(tags, scope);
  return gst_event_new_tag(tags);
}

// Of all frames that came out since the last call.
void check_orientations(const Harness &sampler, const std::vector<CpsOrientation> &expected) {
  const auto frames = sampler.pull_all();
  assert_equals_int(frames.size(), expected.size());
  for (size_t i = 0; i < frames.size(); ++i)
    assert_equals_int(cps_buffer_get_frame_meta(frames[i].get())->orientation, expected[i]);
}

constexpr test::Properties kRotating = {{"sequence-length", "2"}, {"apply-rotation", "true"}};

// Each has the number of the picture that it shows.
void check_own_numbers(const std::vector<Owned<GstBuffer>> &buffers) {
  for (const auto &buffer : buffers)
    assert_equals_uint64(cps_buffer_get_frame_meta(buffer.get())->frame_id, picture_of(buffer.get()));
}

// Metas of a whole sequence, but for what the plan says.
void check_numbered(const std::vector<Owned<GstBuffer>> &buffers, guint clip_index) {
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

CpsFrameStatus status_of(GstBuffer *buffer) {
  return cps_buffer_get_frame_meta(buffer)->status;
}

std::function<bool(GstQuery *)> with_duration(GstClockTime duration) {
  return [duration](GstQuery *query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_DURATION)
      return false;
    gst_query_set_duration(query, GST_FORMAT_TIME, static_cast<gint64>(duration));
    return true;
  };
}

} // namespace

// Where the plan comes from

GST_START_TEST(stamped_frames) {
  assert_ids(sample({{"sequence-length", "4"}}, 10), {0, 3, 6, 9});
  assert_ids(sample({{"sequence-length", "3"}}, 10), {0, 4, 9});
}
GST_END_TEST

GST_START_TEST(metas) {
  Harness sampler("uniformsampler", {{"sequence-length", "3"}});
  sampler.start(caps().get());
  for (guint64 id = 0; id < 10; ++id)
    sampler.push(stamped(id, 10, id == 4 ? CPS_FRAME_FLAG_RANDOM_ACCESS : CPS_FRAME_FLAG_NONE));
  const auto frames = sampler.pull_all();
  check_numbered(frames, 0);
  const guint64 ids[] = {0, 4, 9};
  for (size_t i = 0; i < 3; ++i) {
    const CpsFrameMeta *meta = cps_buffer_get_frame_meta(frames[i].get());
    assert_equals_uint64(meta->frame_id, ids[i]);
    assert_equals_uint64(meta->total, 10);
    assert_equals_uint64(meta->pts, test::time_of(ids[i]));
    assert_equals_int(meta->status, CPS_FRAME_STATUS_OK);
    assert_equals_int((meta->flags & CPS_FRAME_FLAG_RANDOM_ACCESS) != 0, i == 1);
  }
}
GST_END_TEST

GST_START_TEST(plan_event_decides) {
  Harness sampler("uniformsampler", {{"sequence-length", "9"}, {"total-frames", "77"}});
  sampler.start(caps().get());
  fail_unless(sampler.event(plan_event({2, 5}, 50)));
  push_stamped(sampler, {0, 1, 2, 3, 4, 5}, 0);
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {2, 5});
  check_numbered(frames, 0);
  assert_equals_uint64(cps_buffer_get_frame_meta(frames[1].get())->total, 50);
  sampler.check_quiet();

  // One plan goes on, the sampler's: with both elements' options.
  const Owned<GstEvent> sent = sampler.pull_event(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY);
  const CpsPlan *plan = sent ? cps_event_parse_plan(sent.get()) : nullptr;
  fail_unless(plan != nullptr);
  assert_equals_int(plan->n_frames, 2);
  assert_equals_uint64(plan->frames[1].frame_id, 5);
  assert_equals_uint64(plan->total, 50);
  assert_equals_float(plan->fps, 25.0);
  assert_equals_uint64(plan->duration, test::time_of(50));
  assert_text(gst_structure_get_string(plan->options, "uniform-strategy"), "skip");
  guint length = 0;
  fail_unless(gst_structure_get_uint(plan->options, "sequence-length", &length) && length == 9);
  fail_unless(sampler.pull_event(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY) == nullptr);
}
GST_END_TEST

GST_START_TEST(planned_mode_drops_unstamped) {
  Harness sampler("uniformsampler");
  sampler.start(caps().get());
  sampler.event(plan_event({1, 2}, 50));
  fail_unless(sampler.push(plain(7)) == GST_FLOW_OK);
  fail_unless(sampler.push(stamped(1)) == GST_FLOW_OK);
  fail_unless(sampler.push(plain(2)) == GST_FLOW_OK);
  fail_unless(sampler.push(test::stamped(plain(7), CPS_FRAME_ID_NONE, 10)) == GST_FLOW_OK);
  fail_unless(sampler.push(stamped(2)) == GST_FLOW_EOS);
  assert_ids(pictures_of(sampler.pull_all()), {1, 2});
}
GST_END_TEST

GST_START_TEST(stamps_drop_unstamped) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}});
  sampler.start(caps().get());
  sampler.push(stamped(0, 2));
  sampler.push(plain(1));
  sampler.push(plain(2));
  assert_ids(pictures_of(sampler.pull_all()), {0});
  fail_unless(sampler.push(stamped(1, 2)) == GST_FLOW_EOS);
}
GST_END_TEST

GST_START_TEST(total_frames) {
  Harness sampler("uniformsampler", {{"sequence-length", "3"}, {"total-frames", "9"}});
  sampler.start(caps().get());
  push_plain(sampler, 0, 9);
  sampler.check_quiet();
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {0, 4, 8});
  check_numbered(frames, 0);
  for (const auto &frame : frames) {
    const CpsFrameMeta *meta = cps_buffer_get_frame_meta(frame.get());
    assert_equals_uint64(meta->frame_id, picture_of(frame.get()));
    assert_equals_uint64(meta->pts, test::time_of(meta->frame_id));
    assert_equals_uint64(meta->total, 9);
    fail_if(meta->flags & CPS_FRAME_FLAG_RANDOM_ACCESS);
  }
}
GST_END_TEST

// The property is the application's word; it knows better than the stamps.
GST_START_TEST(total_frames_before_stamps) {
  Harness sampler("uniformsampler", {{"sequence-length", "3"}, {"total-frames", "5"}});
  sampler.start(caps().get());
  push_stamped(sampler, range(0, 10), 10);
  assert_ids(pictures_of(sampler.pull_all()), {0, 2, 4});
}
GST_END_TEST

// The frames of the caller are not written to, and come out without a copy of their pixels.
GST_START_TEST(frames_of_others) {
  Harness sampler("uniformsampler", {{"sequence-length", "1"}, {"total-frames", "9"}});
  sampler.start(caps().get());
  const Owned<GstBuffer> mine = plain(0);
  fail_unless(sampler.push(Owned<GstBuffer>(gst_buffer_ref(mine.get()))) == GST_FLOW_EOS);
  const Owned<GstBuffer> out = sampler.pull();
  fail_unless(out != nullptr && out != mine);
  fail_unless(gst_buffer_peek_memory(out.get(), 0) == gst_buffer_peek_memory(mine.get(), 0));
  fail_unless(cps_buffer_get_frame_meta(mine.get()) == nullptr);
}
GST_END_TEST

GST_START_TEST(duration_and_rate) {
  Harness sampler("uniformsampler", {{"sequence-length", "3"}});
  sampler.on_query = with_duration(test::time_of(9));
  sampler.start(caps().get());
  push_plain(sampler, 0, 9);
  assert_ids(pictures_of(sampler.pull_all()), {0, 4, 8});
  const std::string warning = sampler.warning();
  fail_unless(test::contains(warning, "estimate (9 "), "%s", warning.c_str());
  fail_unless(test::contains(warning, "frameplanner") && test::contains(warning, "total-frames"));
  sampler.check_quiet();

  const Owned<GstEvent> sent = sampler.pull_event(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY);
  const CpsPlan *plan = cps_event_parse_plan(sent.get());
  assert_equals_uint64(plan->total, 9);
  assert_equals_float(plan->fps, 25.0);
  assert_equals_uint64(plan->duration, test::time_of(9));
}
GST_END_TEST

// A planner that could not index says so with an empty plan.
GST_START_TEST(empty_plan_event) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}});
  sampler.on_query = with_duration(test::time_of(5));
  sampler.start(caps().get());
  sampler.event(plan_event({}, 0));
  push_plain(sampler, 0, 5);
  assert_ids(pictures_of(sampler.pull_all()), {0, 4});
  fail_unless(test::contains(sampler.warning(), "estimate"));
  const Owned<GstEvent> sent = sampler.pull_event(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY);
  assert_text(gst_structure_get_string(cps_event_parse_plan(sent.get())->options, "uniform-strategy"), "skip");
}
GST_END_TEST

GST_START_TEST(nothing_known) {
  for (const char *framerate : {"0/1", "25/1"}) {
    Harness sampler("uniformsampler");
    if (g_str_equal(framerate, "0/1"))
      sampler.on_query = with_duration(GST_SECOND);
    sampler.start(caps(framerate).get());
    fail_unless(sampler.push(plain(0)) == GST_FLOW_ERROR);
    const std::string error = sampler.error();
    fail_unless(test::contains(error, "set total-frames"), "%s", error.c_str());
    fail_unless(sampler.error().empty() && sampler.warning().empty());
    fail_unless(sampler.pull() == nullptr);
  }
}
GST_END_TEST

GST_START_TEST(too_short_for_a_frame) {
  Harness sampler("uniformsampler");
  sampler.on_query = with_duration(GST_MSECOND);
  sampler.start(caps().get());
  fail_unless(sampler.push(plain(0)) == GST_FLOW_ERROR);
  sampler.check_error("too short");
}
GST_END_TEST

GST_START_TEST(answers_the_planner) {
  const Harness sampler("uniformsampler", {{"sequence-length", "5"},
                                           {"frame-ids", "<3, 1, 3>"},
                                           {"start", "7"},
                                           {"sample-fps", "5/2"},
                                           {"max-frames", "6"}});
  const Owned<GstQuery> query(cps_query_new_plan_request());
  fail_unless(gst_pad_peer_query(sampler.get()->srcpad, query.get()));
  const Owned<GstStructure> answer(cps_query_get_plan_request(query.get()));
  fail_unless(answer != nullptr);
  guint length = 0, most = 0;
  gint64 start = 0, stop = 0;
  gint num = 0, den = 0;
  fail_unless(gst_structure_get_uint(answer.get(), "sequence-length", &length) && length == 5);
  fail_unless(gst_structure_get_uint(answer.get(), "max-frames", &most) && most == 6);
  fail_unless(gst_structure_get_int64(answer.get(), "start", &start) && start == 7);
  fail_unless(gst_structure_get_int64(answer.get(), "stop", &stop) && stop == -1);
  fail_unless(gst_structure_get_fraction(answer.get(), "sample-fps", &num, &den) && num == 5 && den == 2);
  const GValue *ids = gst_structure_get_value(answer.get(), "frame-ids");
  fail_unless(ids && gst_value_array_get_size(ids) == 3);
  assert_equals_int(g_value_get_int(gst_value_array_get_value(ids, 1)), 1);
  fail_unless(gst_structure_has_field(answer.get(), "total-frames"));
  fail_unless(gst_structure_has_field(answer.get(), "on-error"));
}
GST_END_TEST

// The plans of docs/spec.md#sampling

GST_START_TEST(one_frame) {
  assert_ids(sample({{"sequence-length", "1"}}, 10), {0});
}
GST_END_TEST

GST_START_TEST(more_positions_than_frames) {
  Harness sampler("uniformsampler", {{"sequence-length", "7"}});
  sampler.start(caps().get());
  push_stamped(sampler, {0, 1, 2}, 3);
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {0, 0, 0, 1, 1, 1, 2});
  check_numbered(frames, 0);
  for (const auto &[a, b] : {std::pair(0, 1), std::pair(1, 2), std::pair(3, 4), std::pair(4, 5)}) {
    fail_unless(frames[a] != frames[b]);
    fail_unless(gst_buffer_peek_memory(frames[a].get(), 0) == gst_buffer_peek_memory(frames[b].get(), 0));
    assert_equals_int(status_of(frames[b].get()), CPS_FRAME_STATUS_OK);
  }
}
GST_END_TEST

GST_START_TEST(frame_ids) {
  assert_ids(sample({{"frame-ids", "<3, 1, 3, 9, 1>"}}, 10), {3, 1, 3, 9, 1});
  assert_ids(sample({{"frame-ids", "<0>"}, {"sequence-length", "5"}, {"sample-fps", "5/1"}}, 10), {0});
}
GST_END_TEST

GST_START_TEST(frame_ids_repeats_share) {
  Harness sampler("uniformsampler", {{"frame-ids", "<3, 1, 3>"}});
  sampler.start(caps().get());
  push_stamped(sampler, range(0, 10));
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {3, 1, 3});
  check_numbered(frames, 0);
  fail_unless(gst_buffer_peek_memory(frames[0].get(), 0) == gst_buffer_peek_memory(frames[2].get(), 0));
  assert_equals_uint64(cps_buffer_get_frame_meta(frames[2].get())->frame_id, 3);
}
GST_END_TEST

GST_START_TEST(frame_ids_out_of_range) {
  check_refused({{"frame-ids", "<0, 10>"}}, 10, "frame-ids has 10");
  check_refused({{"frame-ids", "<0, -1>"}}, 10, "frame-ids has -1");
}
GST_END_TEST

GST_START_TEST(section) {
  assert_ids(sample({{"sequence-length", "3"}, {"start", "120000000"}, {"stop", "320000000"}}, 10), {3, 5, 7});
  assert_ids(sample({{"sequence-length", "2"}, {"start", "120000001"}}, 10), {4, 9});
  assert_ids(sample({{"sequence-length", "2"}, {"stop", "120000001"}}, 10), {0, 3});
  assert_ids(sample({{"sequence-length", "2"}, {"start", "0"}, {"stop", "1"}}, 10), {0, 0});
}
GST_END_TEST

GST_START_TEST(section_of_nothing) {
  check_refused({{"start", "400000000"}}, 10, "between start and stop");
  check_refused({{"start", "1"}, {"stop", "2"}}, 10, "between start and stop");
  check_refused({{"start", "2"}, {"stop", "1"}}, 10, "start is 2");
}
GST_END_TEST

GST_START_TEST(section_needs_a_rate) {
  Harness sampler("uniformsampler", {{"start", "40000000"}, {"total-frames", "10"}});
  sampler.start(caps("0/1").get());
  fail_unless(sampler.push(plain(0)) == GST_FLOW_ERROR);
  sampler.check_error("frame rate");
}
GST_END_TEST

GST_START_TEST(rate) {
  assert_ids(sample({{"sample-fps", "10/1"}}, 10), {0, 2, 5, 7});
  assert_ids(sample({{"sample-fps", "25/1"}}, 4), {0, 1, 2, 3});
  assert_ids(sample({{"sample-fps", "25/1"}, {"max-frames", "3"}}, 10), {0, 4, 9});
  assert_ids(sample({{"sample-fps", "25/2"}, {"start", "120000000"}, {"stop", "320000000"}}, 10), {3, 5, 7});
}
GST_END_TEST

GST_START_TEST(no_positions) {
  check_refused({{"sequence-length", "0"}}, 10, "sequence-length");
}
GST_END_TEST

// More than anybody can mean, by either way to know the number of frames.
GST_START_TEST(too_many) {
  check_refused({{"sequence-length", "2000000"}}, 10, "sequence-length is 2000000");
  check_refused({{"sample-fps", "2147483647/1"}, {"max-frames", "2000000000"}}, 50, "sample-fps");
  for (const test::Properties &properties :
       {test::Properties{{"total-frames", "4000000000000"}, {"start", "0"}},
        test::Properties{{"total-frames", "4000000000000"}, {"stop", "1000000000"}},
        test::Properties{{"total-frames", "4000000000000"}, {"sample-fps", "1/1"}, {"max-frames", "4"}}}) {
    Harness sampler("uniformsampler", properties);
    sampler.start(caps().get());
    fail_unless(sampler.push(plain(0)) == GST_FLOW_ERROR);
    sampler.check_error("total-frames");
  }
  Harness sampler("uniformsampler",
                  {{"total-frames", "50"}, {"sample-fps", "2147483647/1"}, {"max-frames", "2000000000"}});
  sampler.start(caps().get());
  fail_unless(sampler.push(plain(0)) == GST_FLOW_ERROR);
  sampler.check_error("max-frames");
}
GST_END_TEST

// What needs no times has no such limit.
GST_START_TEST(very_many_frames) {
  Harness sampler("uniformsampler", {{"total-frames", "4000000000000"}, {"sequence-length", "1"}});
  sampler.start(caps().get());
  fail_unless(sampler.push(plain(0)) == GST_FLOW_EOS);
  sampler.check_quiet();
  assert_ids(pictures_of(sampler.pull_all()), {0});
}
GST_END_TEST

// Order, and frames that do not come

GST_START_TEST(out_of_order_arrival) {
  Harness sampler("uniformsampler", {{"sequence-length", "10"}});
  sampler.start(caps().get());
  push_stamped(sampler, {3, 0, 2, 1, 9, 8, 4, 5, 7, 6});
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), range(0, 10));
  check_numbered(frames, 0);
  sampler.check_quiet();
}
GST_END_TEST

// Each goes out as soon as all before it have.
GST_START_TEST(pushes_at_once) {
  Harness sampler("uniformsampler", {{"sequence-length", "4"}});
  sampler.start(caps().get());
  sampler.push(stamped(1, 4));
  fail_unless(sampler.pull() == nullptr);
  sampler.push(stamped(0, 4));
  assert_ids(pictures_of(sampler.pull_all()), {0, 1});
  sampler.push(stamped(2, 4));
  assert_ids(pictures_of(sampler.pull_all()), {2});
}
GST_END_TEST

// The decoder's pool is left alone: frames that no position needs are released.
GST_START_TEST(keeps_no_other_frames) {
  Harness sampler("uniformsampler", {{"frame-ids", "<20, 1>"}});
  sampler.start(caps().get());
  for (guint64 id = 0; id < 15; ++id) {
    const Owned<GstBuffer> frame = stamped(id, 30);
    sampler.push(Owned<GstBuffer>(gst_buffer_ref(frame.get())));
    ASSERT_MINI_OBJECT_REFCOUNT(frame.get(), "frame", (id == 1 ? 2 : 1));
  }
}
GST_END_TEST

GST_START_TEST(missing_is_substituted) {
  Harness sampler("uniformsampler", {{"sequence-length", "4"}});
  sampler.start(caps().get());
  push_stamped(sampler, {0, 1, 2, 3, 4, 5, 7, 8, 9}); // 6 is wanted
  assert_ids(pictures_of(sampler.pull_all()), {0, 3});
  sampler.check_quiet();
  fail_unless(sampler.event(gst_event_new_eos()));
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {3, 9});
  const CpsFrameMeta *meta = cps_buffer_get_frame_meta(frames[0].get());
  assert_equals_int(meta->status, CPS_FRAME_STATUS_SUBSTITUTED);
  assert_equals_uint64(meta->frame_id, 6);
  assert_equals_uint64(meta->pts, test::time_of(6));
  assert_equals_uint64(GST_BUFFER_PTS(frames[0].get()), test::time_of(6));
  assert_equals_int(meta->seq_pos, 2);
  assert_equals_int(meta->seq_len, 4);
  assert_equals_int(status_of(frames[1].get()), CPS_FRAME_STATUS_OK);
  const std::string warning = sampler.warning();
  fail_unless(test::contains(warning, "Frame 6 ") && test::contains(warning, "before"), "%s", warning.c_str());
  sampler.check_quiet();
  fail_unless(sampler.pull_event(GST_EVENT_EOS) != nullptr);
  fail_unless(sampler.pull_event(GST_EVENT_EOS) == nullptr);
}
GST_END_TEST

// What stands in is no random-access point, unless the missing frame itself is one.
GST_START_TEST(substitute_has_the_flags_of_the_plan) {
  Harness sampler("uniformsampler");
  sampler.start(caps().get());
  CpsPlan *plan = cps_plan_new(3);
  plan->total = 10;
  plan->frames[0] = {1, 1000, TRUE};
  plan->frames[1] = {2, 2000, FALSE};
  plan->frames[2] = {3, 3000, TRUE};
  sampler.event(cps_event_new_plan(plan));
  sampler.push(stamped(1, 10, CPS_FRAME_FLAG_RANDOM_ACCESS));
  sampler.event(gst_event_new_eos());
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {1, 1, 1});
  check_numbered(frames, 0);
  for (int i = 0; i < 3; ++i) {
    const CpsFrameMeta *meta = cps_buffer_get_frame_meta(frames[i].get());
    assert_equals_int((meta->flags & CPS_FRAME_FLAG_RANDOM_ACCESS) != 0, i != 1);
    assert_equals_uint64(meta->frame_id, i + 1);
    assert_equals_int(meta->status, i == 0 ? CPS_FRAME_STATUS_OK : CPS_FRAME_STATUS_SUBSTITUTED);
    if (i > 0)
      assert_equals_uint64(meta->pts, 1000 * (i + 1));
  }
}
GST_END_TEST

GST_START_TEST(missing_is_an_error) {
  Harness sampler("uniformsampler", {{"sequence-length", "4"}, {"on-error", "fail"}});
  sampler.start(caps().get());
  push_stamped(sampler, {0, 1, 2, 3, 4, 5, 7, 8, 9});
  sampler.event(gst_event_new_eos());
  assert_ids(pictures_of(sampler.pull_all()), {0, 3});
  sampler.check_error("Frame 6 ");
  fail_unless(sampler.warning().empty());
}
GST_END_TEST

// Decoders say of some frames that they made up what is lost.
Owned<GstBuffer> damaged(guint64 id, guint64 total) {
  Owned<GstBuffer> frame = stamped(id, total);
  GST_BUFFER_FLAG_SET(frame.get(), GST_BUFFER_FLAG_CORRUPTED);
  return frame;
}

GST_START_TEST(damage_is_told) {
  Harness sampler("uniformsampler", {{"sequence-length", "6"}});
  sampler.start(caps().get());
  sampler.push(stamped(0, 3));
  sampler.push(damaged(1, 3));
  sampler.push(stamped(2, 3));
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {0, 0, 0, 1, 1, 2});
  for (size_t i = 0; i < frames.size(); ++i) {
    const CpsFrameMeta *meta = cps_buffer_get_frame_meta(frames[i].get());
    const bool is_damaged = meta->frame_id == 1;
    assert_equals_int(meta->status, is_damaged ? CPS_FRAME_STATUS_DAMAGED : CPS_FRAME_STATUS_OK);
    assert_equals_uint64(meta->pts, test::time_of(meta->frame_id));
  }
  const std::string warning = sampler.warning(); // once, however often the frame comes
  fail_unless(test::contains(warning, "Frame 1 is damaged"), "%s", warning.c_str());
  sampler.check_quiet();
}
GST_END_TEST

GST_START_TEST(damage_may_fail) {
  Harness sampler("uniformsampler", {{"sequence-length", "3"}, {"on-error", "fail"}});
  sampler.start(caps().get());
  sampler.push(stamped(0, 3));
  fail_unless(sampler.push(damaged(1, 3)) == GST_FLOW_ERROR);
  sampler.check_error("Frame 1 is damaged");
}
GST_END_TEST

// Nobody asks for it.
GST_START_TEST(damage_between_the_sampled_frames) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}, {"on-error", "fail"}});
  sampler.start(caps().get());
  sampler.push(stamped(0, 3));
  sampler.push(damaged(1, 3));
  sampler.push(stamped(2, 3));
  assert_ids(pictures_of(sampler.pull_all()), {0, 2});
  sampler.check_quiet();
}
GST_END_TEST

GST_START_TEST(missing_at_position_0) {
  Harness sampler("uniformsampler", {{"sequence-length", "4"}});
  sampler.start(caps().get());
  push_stamped(sampler, range(1, 10));
  fail_unless(sampler.pull() == nullptr);
  sampler.event(gst_event_new_eos());
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {3, 3, 6, 9});
  check_numbered(frames, 0);
  assert_equals_int(status_of(frames[0].get()), CPS_FRAME_STATUS_MISSING);
  assert_equals_int(status_of(frames[1].get()), CPS_FRAME_STATUS_OK);
  assert_equals_uint64(cps_buffer_get_frame_meta(frames[0].get())->frame_id, 0);
  fail_unless(test::contains(sampler.warning(), "a later frame"));
}
GST_END_TEST

// No decoder reorders by more than 16 pictures: a frame is given up without waiting for the end.
GST_START_TEST(overtaken) {
  Harness sampler("uniformsampler", {{"frame-ids", "<0, 1, 30>"}});
  sampler.start(caps().get());
  sampler.push(stamped(0, 40));
  assert_ids(pictures_of(sampler.pull_all()), {0});
  for (guint64 id = 2; id < 18; ++id)
    sampler.push(stamped(id, 40)); // 16 of them
  fail_unless(sampler.pull() == nullptr);
  sampler.check_quiet();
  sampler.push(stamped(18, 40));
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {0});
  assert_equals_int(status_of(frames[0].get()), CPS_FRAME_STATUS_SUBSTITUTED);
  fail_unless(test::contains(sampler.warning(), "Frame 1 "));
  // Too late now.
  fail_unless(sampler.push(stamped(1, 40)) == GST_FLOW_OK);
  fail_unless(sampler.pull() == nullptr);
  fail_unless(sampler.push(stamped(30, 40)) == GST_FLOW_EOS);
  assert_ids(pictures_of(sampler.pull_all()), {30});
}
GST_END_TEST

GST_START_TEST(late_by_16) {
  Harness sampler("uniformsampler", {{"frame-ids", "<0, 1, 30>"}});
  sampler.start(caps().get());
  sampler.push(stamped(0, 40));
  for (guint64 id = 2; id < 18; ++id)
    sampler.push(stamped(id, 40));
  sampler.push(stamped(1, 40));
  assert_ids(pictures_of(sampler.pull_all()), {0, 1});
  sampler.check_quiet();
}
GST_END_TEST

GST_START_TEST(nothing_decoded) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}});
  sampler.start(caps().get());
  sampler.event(plan_event({0, 5}, 10));
  sampler.event(gst_event_new_eos());
  fail_unless(test::contains(sampler.error(), "without a decoded frame"));
  fail_unless(sampler.pull() == nullptr);
}
GST_END_TEST

GST_START_TEST(nothing_wanted_decoded) {
  Harness sampler("uniformsampler");
  sampler.start(caps().get());
  sampler.event(plan_event({0, 5}, 10));
  sampler.push(stamped(1));
  sampler.push(stamped(2));
  sampler.event(gst_event_new_eos());
  fail_unless(test::contains(sampler.error(), "None of the sampled frames"));
  fail_unless(sampler.pull() == nullptr);
}
GST_END_TEST

// An estimate may be too high: the clip is never short.
GST_START_TEST(early_eos) {
  Harness sampler("uniformsampler", {{"sequence-length", "3"}, {"total-frames", "20"}});
  sampler.start(caps().get());
  push_plain(sampler, 0, 12);
  fail_unless(sampler.event(gst_event_new_eos()));
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {0, 9, 9});
  check_numbered(frames, 0);
  assert_equals_uint64(cps_buffer_get_frame_meta(frames[2].get())->frame_id, 19);
  assert_equals_uint64(cps_buffer_get_frame_meta(frames[2].get())->pts, test::time_of(19));
  assert_equals_int(status_of(frames[2].get()), CPS_FRAME_STATUS_SUBSTITUTED);
}
GST_END_TEST

// The end

GST_START_TEST(ends_after_the_last_position) {
  Harness sampler("uniformsampler", {{"frame-ids", "<0, 4>"}});
  sampler.start(caps().get());
  for (guint64 id = 0; id < 4; ++id)
    fail_unless(sampler.push(stamped(id)) == GST_FLOW_OK);
  fail_unless(sampler.pull_event(GST_EVENT_EOS) == nullptr);
  fail_unless(sampler.push(stamped(4)) == GST_FLOW_EOS);
  fail_unless(sampler.pull_event(GST_EVENT_EOS) != nullptr);
  fail_unless(sampler.push(stamped(5)) == GST_FLOW_EOS);
  fail_unless(sampler.event(gst_event_new_eos()));
  fail_unless(sampler.pull_event(GST_EVENT_EOS) == nullptr); // once is enough
  assert_equals_int(sampler.pull_all().size(), 2);
}
GST_END_TEST

// While a line is stopped from its end on, decoders drop frames and pass on the end of the stream.
GST_START_TEST(end_after_downstream_stops) {
  Harness sampler("uniformsampler", {{"frame-ids", "<0, 4>"}});
  sampler.start(caps().get());
  gst_pad_set_active(sampler.get()->sinkpad, FALSE);
  fail_unless(sampler.push(stamped(0)) == GST_FLOW_FLUSHING);
  sampler.event(gst_event_new_eos());
  sampler.check_quiet();
}
GST_END_TEST

// What ends the stream is due to the seek that began it.
GST_START_TEST(events_have_the_number_of_the_segment) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}, {"total-frames", "3"}});
  sampler.start(caps().get());
  push_plain(sampler, 0, 3);
  for (const guint32 seqnum : {gst_util_seqnum_next(), gst_util_seqnum_next()}) {
    while (sampler.pull_event(GST_EVENT_EOS)) {
    }
    sampler.event(gst_event_new_flush_start());
    sampler.event(gst_event_new_flush_stop(TRUE));
    GstSegment whole;
    gst_segment_init(&whole, GST_FORMAT_TIME);
    GstEvent *segment = gst_event_new_segment(&whole);
    gst_event_set_seqnum(segment, seqnum);
    sampler.event(segment);
    push_plain(sampler, 0, 3);
    for (const GstEventType type : {GST_EVENT_SEGMENT, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, GST_EVENT_EOS}) {
      const Owned<GstEvent> event = sampler.pull_event(type);
      fail_unless(event != nullptr, "no %s", gst_event_type_get_name(type));
      fail_unless(gst_event_get_seqnum(event.get()) == seqnum, "%s", gst_event_type_get_name(type));
    }
  }
}
GST_END_TEST

// The end of a segment is the end of its clip.
GST_START_TEST(segment_done_ends_the_clip) {
  Harness sampler("uniformsampler", {{"sequence-length", "3"}, {"total-frames", "9"}});
  sampler.start(caps().get());
  push_plain(sampler, 0, 8);
  sampler.event(gst_event_new_segment_done(GST_FORMAT_TIME, 0));
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {0, 4, 4});
  assert_equals_int(status_of(frames[2].get()), CPS_FRAME_STATUS_SUBSTITUTED);
}
GST_END_TEST

GST_START_TEST(drops_qos) {
  const Harness sampler("uniformsampler");
  sampler.start(caps().get());
  while (Owned<GstEvent> event{gst_harness_try_pull_upstream_event(sampler.get())})
    ;
  gst_harness_push_upstream_event(sampler.get(), gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 0.5, 10, 20));
  gst_harness_push_upstream_event(sampler.get(), gst_event_new_navigation(gst_structure_new_empty("other")));
  const Owned<GstEvent> first(gst_harness_try_pull_upstream_event(sampler.get()));
  fail_unless(first && GST_EVENT_TYPE(first.get()) == GST_EVENT_NAVIGATION);
}
GST_END_TEST

// More than one clip

GST_START_TEST(flush_begins_a_clip) {
  Harness sampler("uniformsampler", {{"sequence-length", "3"}});
  sampler.start(caps().get());
  push_stamped(sampler, {0, 1, 2, 3, 4, 5});
  assert_ids(pictures_of(sampler.pull_all()), {0, 4});
  sampler.flush();
  for (guint clip = 1; clip < 3; ++clip) {
    push_stamped(sampler, range(0, 10));
    const auto frames = sampler.pull_all();
    assert_ids(pictures_of(frames), {0, 4, 9});
    check_numbered(frames, clip);
    sampler.flush();
  }
  sampler.check_quiet();
}
GST_END_TEST

// Frames of before a flush are forgotten.
GST_START_TEST(flush_forgets) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}});
  sampler.start(caps().get());
  push_stamped(sampler, {1, 9});
  sampler.flush();
  push_stamped(sampler, {0});
  assert_ids(pictures_of(sampler.pull_all()), {0});
}
GST_END_TEST

GST_START_TEST(new_stream_begins_a_clip) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}});
  sampler.start(caps().get());
  push_stamped(sampler, range(0, 10));
  sampler.event(gst_event_new_eos());
  check_numbered(sampler.pull_all(), 0);
  sampler.start(caps().get(), nullptr, "second");
  push_stamped(sampler, range(0, 5), 5);
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {0, 4});
  check_numbered(frames, 1);
}
GST_END_TEST

GST_START_TEST(states) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}});
  for (const GstState state : {GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_NULL}) {
    sampler.restart(state);
    sampler.start(caps().get());
    push_stamped(sampler, {0, 3, 5}); // amid a clip
    sampler.flush();
    push_stamped(sampler, range(0, 10));
    const auto frames = sampler.pull_all();
    assert_ids(pictures_of(frames), {0, 0, 9});
    assert_equals_int(cps_buffer_get_frame_meta(frames[0].get())->clip_index, 0);
    assert_equals_int(cps_buffer_get_frame_meta(frames[1].get())->clip_index, 1);
    sampler.restart(GST_STATE_READY);
  }
  sampler.check_quiet();
}
GST_END_TEST

// A plan of before does not outlive READY.
GST_START_TEST(ready_forgets_the_plan) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}});
  sampler.start(caps().get());
  sampler.event(plan_event({3}, 10));
  sampler.restart(GST_STATE_READY);
  sampler.start(caps().get());
  push_stamped(sampler, range(0, 10));
  assert_ids(pictures_of(sampler.pull_all()), {0, 9});
}
GST_END_TEST

// Orientation

GST_START_TEST(orientation_of_tags) {
  const std::pair<const char *, CpsOrientation> rows[] = {
      {"rotate-0", CPS_ORIENTATION_IDENTITY},    {"rotate-90", CPS_ORIENTATION_90R},
      {"rotate-180", CPS_ORIENTATION_180},       {"rotate-270", CPS_ORIENTATION_90L},
      {"flip-rotate-0", CPS_ORIENTATION_HORIZ},  {"flip-rotate-90", CPS_ORIENTATION_UR_LL},
      {"flip-rotate-180", CPS_ORIENTATION_VERT}, {"flip-rotate-270", CPS_ORIENTATION_UL_LR},
      {"upside-down", CPS_ORIENTATION_IDENTITY},
  };
  for (const auto &[tag, orientation] : rows)
    for (const bool before_caps : {false, true}) {
      const Harness sampler("uniformsampler", kRotating);
      if (before_caps) {
        sampler.event(gst_event_new_stream_start("test"));
        sampler.event(rotation(tag));
      }
      sampler.start(caps().get());
      if (!before_caps)
        sampler.event(rotation(tag));
      push_stamped(sampler, range(0, 10));
      check_orientations(sampler, {orientation, orientation});
      const Owned<GstEvent> tags = sampler.pull_event(GST_EVENT_TAG); // goes on as it is
      fail_unless(tags != nullptr);
      sampler.check_quiet();
    }
}
GST_END_TEST

// By default, whatever tags or stamps say, and where there are none.
GST_START_TEST(orientation_is_identity) {
  const Harness ignoring("uniformsampler", {{"sequence-length", "2"}});
  ignoring.start(caps().get());
  ignoring.event(rotation("rotate-90"));
  for (guint64 id = 0; id < 10; ++id) {
    Owned<GstBuffer> frame = stamped(id);
    cps_buffer_get_frame_meta(frame.get())->orientation = CPS_ORIENTATION_180;
    ignoring.push(std::move(frame));
  }
  check_orientations(ignoring, {CPS_ORIENTATION_IDENTITY, CPS_ORIENTATION_IDENTITY});
  const Harness untagged("uniformsampler", kRotating);
  untagged.start(caps().get());
  push_stamped(untagged, range(0, 10));
  check_orientations(untagged, {CPS_ORIENTATION_IDENTITY, CPS_ORIENTATION_IDENTITY});
}
GST_END_TEST

GST_START_TEST(orientation_of_frames_without_stamps) {
  const Harness sampler("uniformsampler",
                        {{"sequence-length", "2"}, {"apply-rotation", "true"}, {"total-frames", "10"}});
  sampler.start(caps().get());
  sampler.event(rotation("rotate-270"));
  push_plain(sampler, 0, 10);
  check_orientations(sampler, {CPS_ORIENTATION_90L, CPS_ORIENTATION_90L});
}
GST_END_TEST

// Tags of the stream come before those of its container, whichever is told first.
GST_START_TEST(orientation_of_stream_and_container) {
  for (const bool stream_first : {false, true}) {
    const Harness sampler("uniformsampler", kRotating);
    sampler.start(caps().get());
    if (stream_first)
      sampler.event(rotation("rotate-90"));
    sampler.event(rotation("rotate-180", GST_TAG_SCOPE_GLOBAL));
    if (!stream_first) {
      push_stamped(sampler, {0});
      check_orientations(sampler, {CPS_ORIENTATION_180});
      sampler.event(rotation("rotate-90"));
    }
    sampler.event(gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "says nothing of it", nullptr)));
    push_stamped(sampler, range(stream_first ? 0 : 1, 10));
    const std::vector<CpsOrientation> rest(stream_first ? 2 : 1, CPS_ORIENTATION_90R);
    check_orientations(sampler, rest);
  }
}
GST_END_TEST

// It belongs to the frames that come behind it: those that wait for their turn keep theirs.
GST_START_TEST(orientation_changes) {
  const Harness sampler("uniformsampler", {{"frame-ids", "<9, 2, 9>"}, {"apply-rotation", "true"}});
  sampler.start(caps().get());
  push_stamped(sampler, range(0, 5));
  sampler.event(rotation("rotate-90"));
  push_stamped(sampler, range(5, 10));
  check_orientations(sampler, {CPS_ORIENTATION_90R, CPS_ORIENTATION_IDENTITY, CPS_ORIENTATION_90R});
}
GST_END_TEST

// A seek keeps it, for tags do not come again; another stream does not.
GST_START_TEST(orientation_of_the_next_stream) {
  const Harness sampler("uniformsampler", kRotating);
  sampler.start(caps().get());
  sampler.event(rotation("rotate-90"));
  push_stamped(sampler, {0, 3});
  sampler.flush();
  push_stamped(sampler, range(0, 10));
  check_orientations(sampler, {CPS_ORIENTATION_90R, CPS_ORIENTATION_90R, CPS_ORIENTATION_90R});
  sampler.start(caps().get()); // the same stream once more
  push_stamped(sampler, range(0, 10));
  check_orientations(sampler, {CPS_ORIENTATION_90R, CPS_ORIENTATION_90R});
  sampler.start(caps().get(), nullptr, "second");
  push_stamped(sampler, range(0, 10));
  check_orientations(sampler, {CPS_ORIENTATION_IDENTITY, CPS_ORIENTATION_IDENTITY});
  sampler.event(rotation("rotate-180"));
  sampler.restart(GST_STATE_READY);
  sampler.start(caps().get(), nullptr, "second");
  push_stamped(sampler, range(0, 10));
  check_orientations(sampler, {CPS_ORIENTATION_IDENTITY, CPS_ORIENTATION_IDENTITY});
}
GST_END_TEST

GST_START_TEST(caps_change) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}});
  sampler.start(caps().get());
  sampler.push(stamped(0));
  const Owned<GstCaps> other(gst_caps_from_string("video/x-raw, format=RGB, width=32, height=16, framerate=30/1"));
  fail_unless(sampler.event(gst_event_new_caps(other.get())));
  sampler.push(stamped(9));
  assert_equals_int(sampler.pull_all().size(), 2);
  Owned<GstEvent> first = sampler.pull_event(GST_EVENT_CAPS), second = sampler.pull_event(GST_EVENT_CAPS);
  GstCaps *seen;
  gst_event_parse_caps(second.get(), &seen);
  fail_unless(gst_caps_is_equal(seen, other.get()));
}
GST_END_TEST

// Frames of memory that this element knows nothing of.
GST_START_TEST(any_memory) {
  Harness sampler("uniformsampler", {{"sequence-length", "1"}});
  const Owned<GstCaps> other(gst_caps_from_string("video/x-raw(memory:CUDAMemory), format=NV12, width=32, height=16"));
  sampler.start(other.get());
  fail_unless(sampler.push(stamped(0)) == GST_FLOW_EOS);
  sampler.check_quiet();
}
GST_END_TEST

// Segments, where frames are numbered here

GST_START_TEST(frames_before_the_segment_do_not_count) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}, {"total-frames", "5"}});
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = test::time_of(3);
  sampler.start(caps().get(), &segment);
  push_plain(sampler, 0, 10);
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {3, 7});
  assert_equals_uint64(cps_buffer_get_frame_meta(frames[0].get())->frame_id, 0);
  assert_equals_uint64(cps_buffer_get_frame_meta(frames[1].get())->frame_id, 4);
}
GST_END_TEST

// After a seek only the part that is played is sampled, and frames keep their number in the stream.
GST_START_TEST(seek_narrows_the_section) {
  Harness sampler("uniformsampler", {{"sequence-length", "3"}, {"total-frames", "20"}});
  sampler.on_query = with_duration(test::time_of(20));
  const GstSegment segment = segment_from(test::time_of(5), test::time_of(12));
  seek_to(sampler, segment);
  sampler.start(caps().get(), &segment);
  push_plain(sampler, 2, 15);
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {5, 8, 11});
  check_own_numbers(frames);
}
GST_END_TEST

// Decoders cut off what of a frame is before the segment: it is frame 5 that begins within its last quarter.
GST_START_TEST(seek_between_frames) {
  Harness sampler("uniformsampler", {{"sequence-length", "3"}, {"total-frames", "20"}});
  sampler.on_query = with_duration(test::time_of(20));
  const GstSegment segment = segment_from(test::time_of(5) + 30 * GST_MSECOND, test::time_of(12));
  seek_to(sampler, segment);
  sampler.start(caps().get(), &segment);
  Owned<GstBuffer> cut = plain(5);
  GST_BUFFER_PTS(cut.get()) = segment.start;
  GST_BUFFER_DURATION(cut.get()) = 10 * GST_MSECOND;
  fail_unless(sampler.push(std::move(cut)) == GST_FLOW_OK);
  push_plain(sampler, 6, 15);
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {6, 8, 11});
  check_own_numbers(frames);
}
GST_END_TEST

// What the stream begins with is not forgotten.
GST_START_TEST(seek_after_late_start) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}, {"total-frames", "5"}});
  GstSegment segment = segment_from(test::time_of(5));
  sampler.start(caps().get(), &segment);
  push_plain(sampler, 5, 10);
  fail_unless(sampler.pull_all().size() == 2);
  segment = segment_from(test::time_of(7));
  seek_to(sampler, segment);
  sampler.flush(&segment);
  push_plain(sampler, 7, 10);
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {7, 9});
  assert_equals_uint64(cps_buffer_get_frame_meta(frames[0].get())->frame_id, 2);
  assert_equals_uint64(cps_buffer_get_frame_meta(frames[1].get())->frame_id, 4);
}
GST_END_TEST

// The seek has come to the demuxer by way of another branch.
GST_START_TEST(seek_elsewhere) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}, {"total-frames", "10"}});
  sampler.on_query = with_duration(test::time_of(10));
  GstSegment segment = segment_from(0);
  sampler.start(caps().get(), &segment);
  segment = segment_from(test::time_of(7));
  sampler.flush(&segment);
  push_plain(sampler, 7, 10);
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {7, 9});
  assert_equals_uint64(cps_buffer_get_frame_meta(frames[0].get())->frame_id, 7);
}
GST_END_TEST

// Some streams begin at any time by themselves, such as those of a transport stream.
GST_START_TEST(late_start_is_no_seek) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}, {"total-frames", "5"}});
  const GstSegment segment = segment_from(test::time_of(5));
  sampler.start(caps().get(), &segment);
  push_plain(sampler, 5, 10);
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {5, 9});
  check_numbered(frames, 0);
  assert_equals_uint64(cps_buffer_get_frame_meta(frames[0].get())->frame_id, 0);
  assert_equals_uint64(cps_buffer_get_frame_meta(frames[1].get())->frame_id, 4);
}
GST_END_TEST

// A frame without a time gets one, in the segment like all others.
GST_START_TEST(times_are_made_up_in_the_segment) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}, {"total-frames", "5"}});
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.position = GST_SECOND;
  sampler.start(caps().get(), &segment);
  for (guint64 id = 0; id < 5; ++id) {
    Owned<GstBuffer> frame = plain(id);
    GST_BUFFER_PTS(frame.get()) = GST_CLOCK_TIME_NONE;
    sampler.push(std::move(frame));
  }
  const auto frames = sampler.pull_all();
  check_numbered(frames, 0);
  assert_equals_uint64(GST_BUFFER_PTS(frames[0].get()), GST_SECOND);
  assert_equals_uint64(GST_BUFFER_PTS(frames[1].get()), GST_SECOND + test::time_of(4));
}
GST_END_TEST

static Suite *uniformsampler_suite() {
  Suite *suite = suite_create("uniformsampler");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, test::kWatchdogSeconds);
  tcase_add_test(tests, stamped_frames);
  tcase_add_test(tests, metas);
  tcase_add_test(tests, plan_event_decides);
  tcase_add_test(tests, planned_mode_drops_unstamped);
  tcase_add_test(tests, stamps_drop_unstamped);
  tcase_add_test(tests, total_frames);
  tcase_add_test(tests, total_frames_before_stamps);
  tcase_add_test(tests, frames_of_others);
  tcase_add_test(tests, duration_and_rate);
  tcase_add_test(tests, empty_plan_event);
  tcase_add_test(tests, nothing_known);
  tcase_add_test(tests, too_short_for_a_frame);
  tcase_add_test(tests, answers_the_planner);
  tcase_add_test(tests, one_frame);
  tcase_add_test(tests, more_positions_than_frames);
  tcase_add_test(tests, frame_ids);
  tcase_add_test(tests, frame_ids_repeats_share);
  tcase_add_test(tests, frame_ids_out_of_range);
  tcase_add_test(tests, section);
  tcase_add_test(tests, section_of_nothing);
  tcase_add_test(tests, section_needs_a_rate);
  tcase_add_test(tests, rate);
  tcase_add_test(tests, no_positions);
  tcase_add_test(tests, too_many);
  tcase_add_test(tests, very_many_frames);
  tcase_add_test(tests, out_of_order_arrival);
  tcase_add_test(tests, pushes_at_once);
  tcase_add_test(tests, keeps_no_other_frames);
  tcase_add_test(tests, missing_is_substituted);
  tcase_add_test(tests, substitute_has_the_flags_of_the_plan);
  tcase_add_test(tests, missing_is_an_error);
  tcase_add_test(tests, damage_is_told);
  tcase_add_test(tests, damage_may_fail);
  tcase_add_test(tests, damage_between_the_sampled_frames);
  tcase_add_test(tests, missing_at_position_0);
  tcase_add_test(tests, overtaken);
  tcase_add_test(tests, late_by_16);
  tcase_add_test(tests, nothing_decoded);
  tcase_add_test(tests, nothing_wanted_decoded);
  tcase_add_test(tests, early_eos);
  tcase_add_test(tests, ends_after_the_last_position);
  tcase_add_test(tests, events_have_the_number_of_the_segment);
  tcase_add_test(tests, segment_done_ends_the_clip);
  tcase_add_test(tests, drops_qos);
  tcase_add_test(tests, flush_begins_a_clip);
  tcase_add_test(tests, flush_forgets);
  tcase_add_test(tests, new_stream_begins_a_clip);
  tcase_add_test(tests, states);
  tcase_add_test(tests, ready_forgets_the_plan);
  tcase_add_test(tests, orientation_of_tags);
  tcase_add_test(tests, orientation_is_identity);
  tcase_add_test(tests, orientation_of_frames_without_stamps);
  tcase_add_test(tests, orientation_of_stream_and_container);
  tcase_add_test(tests, orientation_changes);
  tcase_add_test(tests, orientation_of_the_next_stream);
  tcase_add_test(tests, caps_change);
  tcase_add_test(tests, any_memory);
  tcase_add_test(tests, frames_before_the_segment_do_not_count);
  tcase_add_test(tests, seek_narrows_the_section);
  tcase_add_test(tests, end_after_downstream_stops);
  tcase_add_test(tests, seek_between_frames);
  tcase_add_test(tests, seek_after_late_start);
  tcase_add_test(tests, seek_elsewhere);
  tcase_add_test(tests, late_start_is_no_seek);
  tcase_add_test(tests, times_are_made_up_in_the_segment);
  return suite;
}

GST_CHECK_MAIN(uniformsampler)
