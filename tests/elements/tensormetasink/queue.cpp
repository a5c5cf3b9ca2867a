// SPDX-License-Identifier: LGPL-2.1-or-later
// Tensors that the application pulls.
#include "tests/elements/tensormetasink/fixture.h"

#include <algorithm>

using namespace sink;

GST_START_TEST(test_defaults) {
  const Sink sink;
  gboolean sync = TRUE, async = TRUE, last = TRUE, drop = TRUE, qos = TRUE, fsync = TRUE;
  guint most = 1;
  gchar *location = nullptr;
  g_object_get(sink.element(), "sync", &sync, "async", &async, "enable-last-sample", &last, "drop", &drop,
               "max-buffers", &most, "location", &location, "qos", &qos, "fsync", &fsync, nullptr);
  fail_if(sync || async || last || drop || qos || fsync);
  assert_equals_int(most, 0);
  fail_unless(location == nullptr);
}
GST_END_TEST;

// No preroll: PAUSED is reached without a buffer.
GST_START_TEST(test_paused_at_once) {
  const Owned<GstElement> sink = test::make_element("tensormetasink");
  fail_unless(gst_element_set_state(sink.get(), GST_STATE_PAUSED) == GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state(sink.get(), GST_STATE_NULL);
}
GST_END_TEST;

GST_START_TEST(test_samples) {
  const Sink sink;
  const Owned<GstBuffer> buffer = test::tensor_buffer(3, 5);
  fail_unless(sink.push(Owned<GstBuffer>(gst_buffer_ref(buffer.get()))) == GST_FLOW_OK);
  const Owned<GstSample> sample = sink.pull_sample();
  fail_unless(sample && gst_sample_get_buffer(sample.get()) == buffer.get());
  fail_unless(gst_caps_is_equal(gst_sample_get_caps(sample.get()), test::caps_of(buffer.get()).get()));
  assert_equals_int(gst_sample_get_segment(sample.get())->format, GST_FORMAT_TIME);
  fail_unless(sink.try_pull_sample(0) == nullptr);
}
GST_END_TEST;

// Each sample has the caps of its own tensors.
GST_START_TEST(test_caps_change) {
  const Sink sink;
  fail_unless(sink.push_clip(0) == GST_FLOW_OK);
  Owned<GstBuffer> other = test::tensor_buffer(7, 1);
  const Owned<GstCaps> caps = test::caps_of(other.get());
  fail_unless(sink.event(gst_event_new_caps(caps.get())));
  fail_unless(sink.push(std::move(other)) == GST_FLOW_OK);
  const Owned<GstSample> first = sink.pull_sample(), second = sink.pull_sample();
  fail_unless(gst_caps_is_equal(gst_sample_get_caps(first.get()), test::caps_of(test::tensor_buffer().get()).get()));
  fail_unless(gst_caps_is_equal(gst_sample_get_caps(second.get()), caps.get()));
}
GST_END_TEST;

GST_START_TEST(test_refuses_other_caps) {
  const Sink sink;
  const Owned<GstCaps> caps(gst_caps_from_string("other/tensors, format=flexible"));
  sink.event(gst_event_new_caps(caps.get()));
  fail_unless(sink.push_clip(0) == GST_FLOW_NOT_NEGOTIATED);
}
GST_END_TEST;

GST_START_TEST(test_order) {
  const Sink sink;
  for (guint i = 0; i < 40; ++i)
    fail_unless(sink.push_clip(i) == GST_FLOW_OK);
  for (guint i = 0; i < 40; ++i)
    assert_equals_int(Sink::index_of(sink.pull_sample().get()), i);
}
GST_END_TEST;

GST_START_TEST(test_pull_waits) {
  const Sink sink;
  std::atomic<int> seen{-1};
  std::thread puller([&] { seen = static_cast<int>(Sink::index_of(sink.pull_sample().get())); });
  give_time();
  assert_equals_int(seen, -1);
  sink.push_clip(3);
  puller.join();
  assert_equals_int(seen, 3);
}
GST_END_TEST;

GST_START_TEST(test_try_pull_times_out) {
  const Sink sink;
  fail_unless(sink.try_pull_sample(0) == nullptr);
  fail_unless(sink.try_pull_sample(5 * GST_MSECOND) == nullptr);
  sink.push_clip(4);
  assert_equals_int(Sink::index_of(sink.try_pull_sample(0).get()), 4);
}
GST_END_TEST;

// Times of centuries must not overflow into none.
GST_START_TEST(test_try_pull_waits_long) {
  for (const guint64 timeout :
       {kForever, static_cast<guint64>(G_MAXINT64), static_cast<guint64>(G_MAXINT64) / 4, guint64{3600} * GST_SECOND}) {
    const Sink sink;
    std::atomic<bool> got{false};
    std::thread puller([&] { got = sink.try_pull_sample(timeout) != nullptr; });
    give_time();
    sink.push_clip(0);
    puller.join();
    fail_unless(got);
  }
}
GST_END_TEST;

GST_START_TEST(test_signal_tells) {
  const Sink sink;
  struct Seen {
    guint count = 0;
    std::vector<guint> indices;
  } seen;
  g_signal_connect(sink.element(), "new-tensors", G_CALLBACK((+[](GstElement *element, gpointer data) -> GstFlowReturn {
                     auto *state = static_cast<Seen *>(data);
                     state->count++;
                     GstSample *sample = nullptr;
                     g_signal_emit_by_name(element, "pull-tensors", &sample); // from the handler itself
                     state->indices.push_back(Sink::index_of(sample));
                     gst_sample_unref(sample);
                     return GST_FLOW_OK;
                   })),
                   &seen);
  for (guint i = 0; i < 3; ++i)
    fail_unless(sink.push_clip(i) == GST_FLOW_OK);
  assert_equals_int(seen.count, 3);
  fail_unless(seen.indices == Indices({0, 1, 2}));
}
GST_END_TEST;

// What the application says goes upstream.
GST_START_TEST(test_signal_returns_a_flow) {
  const Sink sink;
  g_signal_connect(sink.element(), "new-tensors",
                   G_CALLBACK((+[](GstElement *, gpointer) -> GstFlowReturn { return GST_FLOW_EOS; })), nullptr);
  fail_unless(sink.push_clip(0) == GST_FLOW_EOS);
}
GST_END_TEST;

GST_START_TEST(test_max_buffers_waits) {
  Sink sink({{"max-buffers", "2"}});
  Pusher pusher(sink, 6);
  for (guint i = 0; i < 6; ++i) {
    const guint most = std::min(i + 2, 6u); // i have been pulled
    pusher.wait_for(most);
    give_time();
    assert_equals_int(pusher.pushed(), most);
    assert_equals_int(Sink::index_of(sink.pull_sample().get()), i);
  }
  fail_unless(pusher.join() == GST_FLOW_OK);
  fail_unless(sink.try_pull_sample(0) == nullptr);
}
GST_END_TEST;

GST_START_TEST(test_max_buffers_drops) {
  const Sink sink({{"max-buffers", "2"}, {"drop", "true"}});
  for (guint i = 0; i < 5; ++i)
    fail_unless(sink.push_clip(i) == GST_FLOW_OK);
  fail_unless(sink.drain() == Indices({3, 4}));
}
GST_END_TEST;

GST_START_TEST(test_drop_needs_a_limit) {
  const Sink sink({{"drop", "true"}});
  for (guint i = 0; i < 5; ++i)
    fail_unless(sink.push_clip(i) == GST_FLOW_OK);
  fail_unless(sink.drain() == Indices({0, 1, 2, 3, 4}));
}
GST_END_TEST;

GST_START_TEST(test_no_description) {
  const Sink sink;
  fail_unless(sink.push(Owned<GstBuffer>(gst_buffer_new_allocate(nullptr, 8, nullptr))) == GST_FLOW_ERROR);
  sink.check_error("patchselect");
  fail_unless(sink.try_pull_sample(0) == nullptr);
}
GST_END_TEST;

TCase *sink::queue_tests() {
  TCase *tests = test::subject("queue");
  tcase_add_test(tests, test_defaults);
  tcase_add_test(tests, test_paused_at_once);
  tcase_add_test(tests, test_samples);
  tcase_add_test(tests, test_caps_change);
  tcase_add_test(tests, test_refuses_other_caps);
  tcase_add_test(tests, test_order);
  tcase_add_test(tests, test_pull_waits);
  tcase_add_test(tests, test_try_pull_times_out);
  tcase_add_test(tests, test_try_pull_waits_long);
  tcase_add_test(tests, test_signal_tells);
  tcase_add_test(tests, test_signal_returns_a_flow);
  tcase_add_test(tests, test_max_buffers_waits);
  tcase_add_test(tests, test_max_buffers_drops);
  tcase_add_test(tests, test_drop_needs_a_limit);
  tcase_add_test(tests, test_no_description);
  return tests;
}
