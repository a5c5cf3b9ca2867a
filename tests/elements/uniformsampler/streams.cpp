// SPDX-License-Identifier: LGPL-2.1-or-later
// Ends, seeks, and more than one clip.
#include "tests/elements/uniformsampler/fixture.h"

using namespace sampler;

GST_START_TEST(test_ends_after_the_last_position) {
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
GST_END_TEST;

// While a line is stopped from its end on, decoders drop frames and pass on the end of the stream.
GST_START_TEST(test_end_after_downstream_stops) {
  Harness sampler("uniformsampler", {{"frame-ids", "<0, 4>"}});
  sampler.start(caps().get());
  gst_pad_set_active(sampler.get()->sinkpad, FALSE);
  fail_unless(sampler.push(stamped(0)) == GST_FLOW_FLUSHING);
  sampler.event(gst_event_new_eos());
  sampler.check_quiet();
}
GST_END_TEST;

// What ends the stream is due to the seek that began it.
GST_START_TEST(test_events_have_the_number_of_the_segment) {
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
GST_END_TEST;

// The end of a segment is the end of its clip.
GST_START_TEST(test_segment_done_ends_the_clip) {
  Harness sampler("uniformsampler", {{"sequence-length", "3"}, {"total-frames", "9"}});
  sampler.start(caps().get());
  push_plain(sampler, 0, 8);
  sampler.event(gst_event_new_segment_done(GST_FORMAT_TIME, 0));
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {0, 4, 4});
  assert_equals_int(status_of(frames[2].get()), CPS_FRAME_STATUS_SUBSTITUTED);
}
GST_END_TEST;

GST_START_TEST(test_drops_qos) {
  const Harness sampler("uniformsampler");
  sampler.start(caps().get());
  while (Owned<GstEvent> event{gst_harness_try_pull_upstream_event(sampler.get())})
    ;
  gst_harness_push_upstream_event(sampler.get(), gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 0.5, 10, 20));
  gst_harness_push_upstream_event(sampler.get(), gst_event_new_navigation(gst_structure_new_empty("other")));
  const Owned<GstEvent> first(gst_harness_try_pull_upstream_event(sampler.get()));
  fail_unless(first && GST_EVENT_TYPE(first.get()) == GST_EVENT_NAVIGATION);
}
GST_END_TEST;

// More than one clip

GST_START_TEST(test_flush_begins_a_clip) {
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
GST_END_TEST;

// Frames of before a flush are forgotten.
GST_START_TEST(test_flush_forgets) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}});
  sampler.start(caps().get());
  push_stamped(sampler, {1, 9});
  sampler.flush();
  push_stamped(sampler, {0});
  assert_ids(pictures_of(sampler.pull_all()), {0});
}
GST_END_TEST;

GST_START_TEST(test_new_stream_begins_a_clip) {
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
GST_END_TEST;

GST_START_TEST(test_states) {
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
GST_END_TEST;

// A plan of before does not outlive READY.
GST_START_TEST(test_ready_forgets_the_plan) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}});
  sampler.start(caps().get());
  sampler.event(plan_event({3}, 10));
  sampler.restart(GST_STATE_READY);
  sampler.start(caps().get());
  push_stamped(sampler, range(0, 10));
  assert_ids(pictures_of(sampler.pull_all()), {0, 9});
}
GST_END_TEST;

// Caps

GST_START_TEST(test_caps_change) {
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
GST_END_TEST;

// Frames of memory that this element knows nothing of.
GST_START_TEST(test_any_memory) {
  Harness sampler("uniformsampler", {{"sequence-length", "1"}});
  const Owned<GstCaps> other(gst_caps_from_string("video/x-raw(memory:CUDAMemory), format=NV12, width=32, height=16"));
  sampler.start(other.get());
  fail_unless(sampler.push(stamped(0)) == GST_FLOW_EOS);
  sampler.check_quiet();
}
GST_END_TEST;

// Segments, where frames are numbered here

GST_START_TEST(test_frames_before_the_segment_do_not_count) {
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
GST_END_TEST;

// After a seek only the part that is played is sampled, and frames keep their number in the stream.
GST_START_TEST(test_seek_narrows_the_section) {
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
GST_END_TEST;

// Decoders cut off what of a frame is before the segment: it is frame 5 that begins within its last quarter.
GST_START_TEST(test_seek_between_frames) {
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
GST_END_TEST;

// What the stream begins with is not forgotten.
GST_START_TEST(test_seek_after_late_start) {
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
GST_END_TEST;

// The seek has come to the demuxer by way of another branch.
GST_START_TEST(test_seek_elsewhere) {
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
GST_END_TEST;

// Some streams begin at any time by themselves, such as those of a transport stream.
GST_START_TEST(test_late_start_is_no_seek) {
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
GST_END_TEST;

// A frame without a time gets one, in the segment like all others.
GST_START_TEST(test_times_are_made_up_in_the_segment) {
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
GST_END_TEST;

TCase *sampler::stream_tests() {
  TCase *tests = test::subject("streams");
  tcase_add_test(tests, test_ends_after_the_last_position);
  tcase_add_test(tests, test_end_after_downstream_stops);
  tcase_add_test(tests, test_events_have_the_number_of_the_segment);
  tcase_add_test(tests, test_segment_done_ends_the_clip);
  tcase_add_test(tests, test_drops_qos);
  tcase_add_test(tests, test_flush_begins_a_clip);
  tcase_add_test(tests, test_flush_forgets);
  tcase_add_test(tests, test_new_stream_begins_a_clip);
  tcase_add_test(tests, test_states);
  tcase_add_test(tests, test_ready_forgets_the_plan);
  tcase_add_test(tests, test_caps_change);
  tcase_add_test(tests, test_any_memory);
  tcase_add_test(tests, test_frames_before_the_segment_do_not_count);
  tcase_add_test(tests, test_seek_narrows_the_section);
  tcase_add_test(tests, test_seek_between_frames);
  tcase_add_test(tests, test_seek_after_late_start);
  tcase_add_test(tests, test_seek_elsewhere);
  tcase_add_test(tests, test_late_start_is_no_seek);
  tcase_add_test(tests, test_times_are_made_up_in_the_segment);
  return tests;
}
