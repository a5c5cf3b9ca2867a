// SPDX-License-Identifier: LGPL-2.1-or-later
// The order of frames, and frames that do not come or are damaged.
#include "tests/elements/uniformsampler/fixture.h"

using namespace sampler;

GST_START_TEST(test_out_of_order_arrival) {
  Harness sampler("uniformsampler", {{"sequence-length", "10"}});
  sampler.start(caps().get());
  push_stamped(sampler, {3, 0, 2, 1, 9, 8, 4, 5, 7, 6});
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), range(0, 10));
  check_numbered(frames, 0);
  sampler.check_quiet();
}
GST_END_TEST;

// Each goes out as soon as all before it have.
GST_START_TEST(test_pushes_at_once) {
  Harness sampler("uniformsampler", {{"sequence-length", "4"}});
  sampler.start(caps().get());
  sampler.push(stamped(1, 4));
  fail_unless(sampler.pull() == nullptr);
  sampler.push(stamped(0, 4));
  assert_ids(pictures_of(sampler.pull_all()), {0, 1});
  sampler.push(stamped(2, 4));
  assert_ids(pictures_of(sampler.pull_all()), {2});
}
GST_END_TEST;

// The decoder's pool is left alone: frames that no position needs are released.
GST_START_TEST(test_keeps_no_other_frames) {
  Harness sampler("uniformsampler", {{"frame-ids", "<20, 1>"}});
  sampler.start(caps().get());
  for (guint64 id = 0; id < 15; ++id) {
    const Owned<GstBuffer> frame = stamped(id, 30);
    sampler.push(Owned<GstBuffer>(gst_buffer_ref(frame.get())));
    ASSERT_MINI_OBJECT_REFCOUNT(frame.get(), "frame", (id == 1 ? 2 : 1));
  }
}
GST_END_TEST;

GST_START_TEST(test_missing_is_substituted) {
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
GST_END_TEST;

// What stands in is no random-access point, unless the missing frame itself is one.
GST_START_TEST(test_substitute_has_the_flags_of_the_plan) {
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
GST_END_TEST;

GST_START_TEST(test_missing_is_an_error) {
  Harness sampler("uniformsampler", {{"sequence-length", "4"}, {"on-error", "fail"}});
  sampler.start(caps().get());
  push_stamped(sampler, {0, 1, 2, 3, 4, 5, 7, 8, 9});
  sampler.event(gst_event_new_eos());
  assert_ids(pictures_of(sampler.pull_all()), {0, 3});
  sampler.check_error("Frame 6 ");
  fail_unless(sampler.warning().empty());
}
GST_END_TEST;

// Decoders say of some frames that they made up what is lost.
static Owned<GstBuffer> damaged(guint64 id, guint64 total) {
  Owned<GstBuffer> frame = stamped(id, total);
  GST_BUFFER_FLAG_SET(frame.get(), GST_BUFFER_FLAG_CORRUPTED);
  return frame;
}

GST_START_TEST(test_damage_is_told) {
  Harness sampler("uniformsampler", {{"sequence-length", "6"}});
  sampler.start(caps().get());
  sampler.push(stamped(0, 3));
  sampler.push(damaged(1, 3));
  sampler.push(stamped(2, 3));
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {0, 0, 0, 1, 1, 2});
  for (const auto &frame : frames) {
    const CpsFrameMeta *meta = cps_buffer_get_frame_meta(frame.get());
    const bool is_damaged = meta->frame_id == 1;
    assert_equals_int(meta->status, is_damaged ? CPS_FRAME_STATUS_DAMAGED : CPS_FRAME_STATUS_OK);
    assert_equals_uint64(meta->pts, test::time_of(meta->frame_id));
  }
  const std::string warning = sampler.warning(); // once, however often the frame comes
  fail_unless(test::contains(warning, "Frame 1 is damaged"), "%s", warning.c_str());
  sampler.check_quiet();
}
GST_END_TEST;

GST_START_TEST(test_damage_may_fail) {
  Harness sampler("uniformsampler", {{"sequence-length", "3"}, {"on-error", "fail"}});
  sampler.start(caps().get());
  sampler.push(stamped(0, 3));
  fail_unless(sampler.push(damaged(1, 3)) == GST_FLOW_ERROR);
  sampler.check_error("Frame 1 is damaged");
}
GST_END_TEST;

// Nobody asks for it.
GST_START_TEST(test_damage_between_the_sampled_frames) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}, {"on-error", "fail"}});
  sampler.start(caps().get());
  sampler.push(stamped(0, 3));
  sampler.push(damaged(1, 3));
  sampler.push(stamped(2, 3));
  assert_ids(pictures_of(sampler.pull_all()), {0, 2});
  sampler.check_quiet();
}
GST_END_TEST;

GST_START_TEST(test_missing_at_position_0) {
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
GST_END_TEST;

// No decoder reorders by more than 16 pictures: a frame is given up without waiting for the end.
GST_START_TEST(test_overtaken) {
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
GST_END_TEST;

GST_START_TEST(test_late_by_16) {
  Harness sampler("uniformsampler", {{"frame-ids", "<0, 1, 30>"}});
  sampler.start(caps().get());
  sampler.push(stamped(0, 40));
  for (guint64 id = 2; id < 18; ++id)
    sampler.push(stamped(id, 40));
  sampler.push(stamped(1, 40));
  assert_ids(pictures_of(sampler.pull_all()), {0, 1});
  sampler.check_quiet();
}
GST_END_TEST;

GST_START_TEST(test_nothing_decoded) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}});
  sampler.start(caps().get());
  sampler.event(plan_event({0, 5}, 10));
  sampler.event(gst_event_new_eos());
  fail_unless(test::contains(sampler.error(), "without a decoded frame"));
  fail_unless(sampler.pull() == nullptr);
}
GST_END_TEST;

GST_START_TEST(test_nothing_wanted_decoded) {
  Harness sampler("uniformsampler");
  sampler.start(caps().get());
  sampler.event(plan_event({0, 5}, 10));
  sampler.push(stamped(1));
  sampler.push(stamped(2));
  sampler.event(gst_event_new_eos());
  fail_unless(test::contains(sampler.error(), "None of the sampled frames"));
  fail_unless(sampler.pull() == nullptr);
}
GST_END_TEST;

// An estimate may be too high: the clip is never short.
GST_START_TEST(test_early_eos) {
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
GST_END_TEST;

TCase *sampler::missing_tests() {
  TCase *tests = test::subject("missing");
  tcase_add_test(tests, test_out_of_order_arrival);
  tcase_add_test(tests, test_pushes_at_once);
  tcase_add_test(tests, test_keeps_no_other_frames);
  tcase_add_test(tests, test_missing_is_substituted);
  tcase_add_test(tests, test_substitute_has_the_flags_of_the_plan);
  tcase_add_test(tests, test_missing_is_an_error);
  tcase_add_test(tests, test_damage_is_told);
  tcase_add_test(tests, test_damage_may_fail);
  tcase_add_test(tests, test_damage_between_the_sampled_frames);
  tcase_add_test(tests, test_missing_at_position_0);
  tcase_add_test(tests, test_overtaken);
  tcase_add_test(tests, test_late_by_16);
  tcase_add_test(tests, test_nothing_decoded);
  tcase_add_test(tests, test_nothing_wanted_decoded);
  tcase_add_test(tests, test_early_eos);
  return tests;
}
