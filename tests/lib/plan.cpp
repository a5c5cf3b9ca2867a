// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/codecpatch/owned.h"

#include <gst/check/gstcheck.h>
#include <gst/codecpatch/codecpatch.h>

using cps::Owned;

namespace {

Owned<CpsPlan> some_plan() {
  CpsPlan *plan = cps_plan_new(2);
  plan->total = 100;
  plan->frames[0] = {3, 120 * GST_MSECOND, TRUE};
  plan->frames[1] = {99, GST_CLOCK_TIME_NONE, FALSE};
  plan->fps = 25.5;
  plan->duration = 4 * GST_SECOND;
  gst_structure_set(plan->options, "sequence-length", G_TYPE_UINT, 2u, nullptr);
  return Owned<CpsPlan>(plan);
}

void check_plan(const CpsPlan *plan) {
  fail_unless(plan != nullptr);
  assert_equals_uint64(plan->total, 100);
  assert_equals_int(plan->n_frames, 2);
  assert_equals_uint64(plan->frames[0].frame_id, 3);
  assert_equals_uint64(plan->frames[0].pts, 120 * GST_MSECOND);
  fail_unless(plan->frames[0].random_access);
  assert_equals_uint64(plan->frames[1].frame_id, 99);
  fail_unless(plan->frames[1].pts == GST_CLOCK_TIME_NONE);
  fail_if(plan->frames[1].random_access);
  assert_equals_float(plan->fps, 25.5);
  assert_equals_uint64(plan->duration, 4 * GST_SECOND);
  guint length = 0;
  fail_unless(gst_structure_get_uint(plan->options, "sequence-length", &length) && length == 2);
}

} // namespace

GST_START_TEST(test_new_plans_know_nothing) {
  const Owned<CpsPlan> plan(cps_plan_new(3)), none(cps_plan_new(0));
  assert_equals_uint64(plan->total, 0);
  assert_equals_float(plan->fps, 0.0);
  fail_unless(plan->duration == GST_CLOCK_TIME_NONE);
  assert_equals_uint64(plan->frames[2].frame_id, 0);
  assert_equals_int(gst_structure_n_fields(plan->options), 0);
  assert_equals_int(none->n_frames, 0);
}
GST_END_TEST;

GST_START_TEST(test_copies_are_apart) {
  Owned<CpsPlan> plan = some_plan();
  const Owned<CpsPlan> copy(cps_plan_copy(plan.get()));
  plan->frames[0].frame_id = 4;
  gst_structure_set(plan->options, "sequence-length", G_TYPE_UINT, 5u, nullptr);
  plan.reset();
  check_plan(copy.get());
}
GST_END_TEST;

GST_START_TEST(test_event_carries_the_plan) {
  Owned<CpsPlan> plan = some_plan();
  const CpsPlan *sent = plan.get();
  Owned<GstEvent> event(cps_event_new_plan(plan.release()));
  fail_unless(GST_EVENT_IS_STICKY(event.get()));
  fail_unless(GST_EVENT_IS_DOWNSTREAM(event.get()) && GST_EVENT_IS_SERIALIZED(event.get()));
  fail_unless(cps_event_parse_plan(event.get()) == sent);
  const Owned<GstEvent> copy(gst_event_copy(event.get()));
  check_plan(cps_event_parse_plan(event.get()));
  event.reset();
  check_plan(cps_event_parse_plan(copy.get()));
}
GST_END_TEST;

GST_START_TEST(test_other_events_have_no_plan) {
  const Owned<GstEvent> eos(gst_event_new_eos());
  fail_unless(cps_event_parse_plan(eos.get()) == nullptr);
  const Owned<GstEvent> sticky(
      gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, gst_structure_new_empty("Other")));
  fail_unless(cps_event_parse_plan(sticky.get()) == nullptr);
  const Owned<GstEvent> passing(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty("CpsPlan")));
  fail_unless(cps_event_parse_plan(passing.get()) == nullptr);
}
GST_END_TEST;

// A pad keeps the last plan.
GST_START_TEST(test_event_replaces_the_one_before) {
  GstPad *pad = gst_pad_new("src", GST_PAD_SRC);
  gst_pad_set_active(pad, TRUE);
  gst_pad_push_event(pad, gst_event_new_stream_start("test"));
  gst_pad_push_event(pad, cps_event_new_plan(cps_plan_new(7)));
  gst_pad_push_event(pad, cps_event_new_plan(some_plan().release()));
  const Owned<GstEvent> kept(gst_pad_get_sticky_event(pad, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, 0));
  check_plan(cps_event_parse_plan(kept.get()));
  fail_unless(gst_pad_get_sticky_event(pad, GST_EVENT_CUSTOM_DOWNSTREAM_STICKY, 1) == nullptr);
  gst_object_unref(pad);
}
GST_END_TEST;

GST_START_TEST(test_query_carries_options) {
  const Owned<GstQuery> query(cps_query_new_plan_request());
  fail_unless(cps_query_is_plan_request(query.get()));
  fail_unless(cps_query_get_plan_request(query.get()) == nullptr); // nobody has answered
  const Owned<GstStructure> options(gst_structure_new("options", "sequence-length", G_TYPE_UINT, 9u, "start",
                                                      G_TYPE_INT64, G_GINT64_CONSTANT(-1), nullptr));
  cps_query_set_plan_request(query.get(), options.get());
  const Owned<GstStructure> answer(cps_query_get_plan_request(query.get()));
  fail_unless(answer && gst_structure_is_equal(answer.get(), options.get()));
}
GST_END_TEST;

GST_START_TEST(test_other_queries_are_no_request) {
  const Owned<GstQuery> latency(gst_query_new_latency());
  fail_if(cps_query_is_plan_request(latency.get()));
  const Owned<GstQuery> custom(gst_query_new_custom(GST_QUERY_CUSTOM, gst_structure_new_empty("Other")));
  fail_if(cps_query_is_plan_request(custom.get()));
  const Owned<GstQuery> bare(gst_query_new_custom(GST_QUERY_CUSTOM, nullptr));
  fail_if(cps_query_is_plan_request(bare.get()));
}
GST_END_TEST;

static Suite *plan_suite() {
  Suite *suite = suite_create("plan");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, test_new_plans_know_nothing);
  tcase_add_test(tests, test_copies_are_apart);
  tcase_add_test(tests, test_event_carries_the_plan);
  tcase_add_test(tests, test_other_events_have_no_plan);
  tcase_add_test(tests, test_event_replaces_the_one_before);
  tcase_add_test(tests, test_query_carries_options);
  tcase_add_test(tests, test_other_queries_are_no_request);
  return suite;
}

GST_CHECK_MAIN(plan)
