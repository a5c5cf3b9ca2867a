// SPDX-License-Identifier: LGPL-2.1-or-later
// The plans of docs/spec.md#sampling.
#include "tests/elements/uniformsampler/fixture.h"

using namespace sampler;

GST_START_TEST(test_one_frame) {
  assert_ids(sample({{"sequence-length", "1"}}, 10), {0});
}
GST_END_TEST;

GST_START_TEST(test_more_positions_than_frames) {
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
GST_END_TEST;

GST_START_TEST(test_frame_ids) {
  assert_ids(sample({{"frame-ids", "<3, 1, 3, 9, 1>"}}, 10), {3, 1, 3, 9, 1});
  assert_ids(sample({{"frame-ids", "<0>"}, {"sequence-length", "5"}, {"sample-fps", "5/1"}}, 10), {0});
}
GST_END_TEST;

GST_START_TEST(test_frame_ids_repeats_share) {
  Harness sampler("uniformsampler", {{"frame-ids", "<3, 1, 3>"}});
  sampler.start(caps().get());
  push_stamped(sampler, range(0, 10));
  const auto frames = sampler.pull_all();
  assert_ids(pictures_of(frames), {3, 1, 3});
  check_numbered(frames, 0);
  fail_unless(gst_buffer_peek_memory(frames[0].get(), 0) == gst_buffer_peek_memory(frames[2].get(), 0));
  assert_equals_uint64(cps_buffer_get_frame_meta(frames[2].get())->frame_id, 3);
}
GST_END_TEST;

GST_START_TEST(test_frame_ids_out_of_range) {
  check_refused({{"frame-ids", "<0, 10>"}}, 10, "frame-ids has 10");
  check_refused({{"frame-ids", "<0, -1>"}}, 10, "frame-ids has -1");
}
GST_END_TEST;

GST_START_TEST(test_section) {
  assert_ids(sample({{"sequence-length", "3"}, {"start", "120000000"}, {"stop", "320000000"}}, 10), {3, 5, 7});
  assert_ids(sample({{"sequence-length", "2"}, {"start", "120000001"}}, 10), {4, 9});
  assert_ids(sample({{"sequence-length", "2"}, {"stop", "120000001"}}, 10), {0, 3});
  assert_ids(sample({{"sequence-length", "2"}, {"start", "0"}, {"stop", "1"}}, 10), {0, 0});
}
GST_END_TEST;

GST_START_TEST(test_section_of_nothing) {
  check_refused({{"start", "400000000"}}, 10, "between start and stop");
  check_refused({{"start", "1"}, {"stop", "2"}}, 10, "between start and stop");
  check_refused({{"start", "2"}, {"stop", "1"}}, 10, "start is 2");
}
GST_END_TEST;

GST_START_TEST(test_section_needs_a_rate) {
  Harness sampler("uniformsampler", {{"start", "40000000"}, {"total-frames", "10"}});
  sampler.start(caps("0/1").get());
  fail_unless(sampler.push(plain(0)) == GST_FLOW_ERROR);
  sampler.check_error("frame rate");
}
GST_END_TEST;

GST_START_TEST(test_rate) {
  assert_ids(sample({{"sample-fps", "10/1"}}, 10), {0, 2, 5, 7});
  assert_ids(sample({{"sample-fps", "25/1"}}, 4), {0, 1, 2, 3});
  assert_ids(sample({{"sample-fps", "25/1"}, {"max-frames", "3"}}, 10), {0, 4, 9});
  assert_ids(sample({{"sample-fps", "25/2"}, {"start", "120000000"}, {"stop", "320000000"}}, 10), {3, 5, 7});
}
GST_END_TEST;

GST_START_TEST(test_no_positions) {
  check_refused({{"sequence-length", "0"}}, 10, "sequence-length");
}
GST_END_TEST;

// More than anybody can mean, by either way to know the number of frames.
GST_START_TEST(test_too_many) {
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
GST_END_TEST;

// What needs no times has no such limit.
GST_START_TEST(test_very_many_frames) {
  Harness sampler("uniformsampler", {{"total-frames", "4000000000000"}, {"sequence-length", "1"}});
  sampler.start(caps().get());
  fail_unless(sampler.push(plain(0)) == GST_FLOW_EOS);
  sampler.check_quiet();
  assert_ids(pictures_of(sampler.pull_all()), {0});
}
GST_END_TEST;

TCase *sampler::plan_tests() {
  TCase *tests = test::subject("plans");
  tcase_add_test(tests, test_one_frame);
  tcase_add_test(tests, test_more_positions_than_frames);
  tcase_add_test(tests, test_frame_ids);
  tcase_add_test(tests, test_frame_ids_repeats_share);
  tcase_add_test(tests, test_frame_ids_out_of_range);
  tcase_add_test(tests, test_section);
  tcase_add_test(tests, test_section_of_nothing);
  tcase_add_test(tests, test_section_needs_a_rate);
  tcase_add_test(tests, test_rate);
  tcase_add_test(tests, test_no_positions);
  tcase_add_test(tests, test_too_many);
  tcase_add_test(tests, test_very_many_frames);
  return tests;
}
