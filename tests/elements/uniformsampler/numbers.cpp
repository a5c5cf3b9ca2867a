// SPDX-License-Identifier: LGPL-2.1-or-later
// How many frames there are, and which is which: stamps, plans, properties, and estimates.
#include "tests/elements/uniformsampler/fixture.h"

using namespace sampler;

GST_START_TEST(test_stamped_frames) {
  assert_ids(sample({{"sequence-length", "4"}}, 10), {0, 3, 6, 9});
  assert_ids(sample({{"sequence-length", "3"}}, 10), {0, 4, 9});
}
GST_END_TEST;

GST_START_TEST(test_metas) {
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
GST_END_TEST;

GST_START_TEST(test_plan_event_decides) {
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
GST_END_TEST;

GST_START_TEST(test_planned_mode_drops_unstamped) {
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
GST_END_TEST;

GST_START_TEST(test_stamps_drop_unstamped) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}});
  sampler.start(caps().get());
  sampler.push(stamped(0, 2));
  sampler.push(plain(1));
  sampler.push(plain(2));
  assert_ids(pictures_of(sampler.pull_all()), {0});
  fail_unless(sampler.push(stamped(1, 2)) == GST_FLOW_EOS);
}
GST_END_TEST;

GST_START_TEST(test_total_frames) {
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
GST_END_TEST;

// The property is the application's word; it knows better than the stamps.
GST_START_TEST(test_total_frames_before_stamps) {
  Harness sampler("uniformsampler", {{"sequence-length", "3"}, {"total-frames", "5"}});
  sampler.start(caps().get());
  push_stamped(sampler, range(0, 10), 10);
  assert_ids(pictures_of(sampler.pull_all()), {0, 2, 4});
}
GST_END_TEST;

// The frames of the caller are not written to, and come out without a copy of their pixels.
GST_START_TEST(test_frames_of_others) {
  Harness sampler("uniformsampler", {{"sequence-length", "1"}, {"total-frames", "9"}});
  sampler.start(caps().get());
  const Owned<GstBuffer> mine = plain(0);
  fail_unless(sampler.push(Owned<GstBuffer>(gst_buffer_ref(mine.get()))) == GST_FLOW_EOS);
  const Owned<GstBuffer> out = sampler.pull();
  fail_unless(out != nullptr && out != mine);
  fail_unless(gst_buffer_peek_memory(out.get(), 0) == gst_buffer_peek_memory(mine.get(), 0));
  fail_unless(cps_buffer_get_frame_meta(mine.get()) == nullptr);
}
GST_END_TEST;

GST_START_TEST(test_duration_and_rate) {
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
GST_END_TEST;

// A planner that could not index says so with an empty plan.
GST_START_TEST(test_empty_plan_event) {
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
GST_END_TEST;

GST_START_TEST(test_nothing_known) {
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
GST_END_TEST;

GST_START_TEST(test_too_short_for_a_frame) {
  Harness sampler("uniformsampler");
  sampler.on_query = with_duration(GST_MSECOND);
  sampler.start(caps().get());
  fail_unless(sampler.push(plain(0)) == GST_FLOW_ERROR);
  sampler.check_error("too short");
}
GST_END_TEST;

GST_START_TEST(test_answers_the_planner) {
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
GST_END_TEST;

TCase *sampler::number_tests() {
  TCase *tests = test::subject("numbers");
  tcase_add_test(tests, test_stamped_frames);
  tcase_add_test(tests, test_metas);
  tcase_add_test(tests, test_plan_event_decides);
  tcase_add_test(tests, test_planned_mode_drops_unstamped);
  tcase_add_test(tests, test_stamps_drop_unstamped);
  tcase_add_test(tests, test_total_frames);
  tcase_add_test(tests, test_total_frames_before_stamps);
  tcase_add_test(tests, test_frames_of_others);
  tcase_add_test(tests, test_duration_and_rate);
  tcase_add_test(tests, test_empty_plan_event);
  tcase_add_test(tests, test_nothing_known);
  tcase_add_test(tests, test_too_short_for_a_frame);
  tcase_add_test(tests, test_answers_the_planner);
  return tests;
}
