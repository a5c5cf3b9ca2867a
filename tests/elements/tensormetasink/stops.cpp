// SPDX-License-Identifier: LGPL-2.1-or-later
// What ends a wait: states, flushes, and the end of the stream.
#include "tests/elements/tensormetasink/fixture.h"

using namespace sink;

GST_START_TEST(test_state_change_ends_push) {
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL}) {
    const Sink sink({{"max-buffers", "1"}});
    Pusher pusher(sink, 9);
    pusher.wait_for(1);
    give_time();
    gst_element_set_state(sink.element(), state);
    fail_unless(pusher.join() == GST_FLOW_FLUSHING);
    assert_equals_int(pusher.pushed(), 1);
  }
}
GST_END_TEST;

GST_START_TEST(test_state_change_ends_pull) {
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL}) {
    const Sink sink;
    std::thread puller([&] { fail_unless(sink.pull_sample() == nullptr); });
    give_time();
    gst_element_set_state(sink.element(), state);
    puller.join();
    fail_unless(sink.pull_sample() == nullptr); // and does not begin to wait
  }
}
GST_END_TEST;

GST_START_TEST(test_flush_ends_push) {
  const Sink sink({{"max-buffers", "1"}});
  Pusher pusher(sink, 9);
  pusher.wait_for(1);
  give_time();
  fail_unless(sink.event(gst_event_new_flush_start()));
  fail_unless(pusher.join() == GST_FLOW_FLUSHING);
  fail_unless(sink.event(gst_event_new_flush_stop(TRUE)));
  fail_unless(sink.try_pull_sample(0) == nullptr); // the queue is flushed
  sink.begin();
  fail_unless(sink.push_clip(7) == GST_FLOW_OK);
  assert_equals_int(Sink::index_of(sink.pull_sample().get()), 7);
}
GST_END_TEST;

// PAUSED holds a push that waits, and lets it go on.
GST_START_TEST(test_pause_keeps_push) {
  const Sink sink({{"max-buffers", "1"}});
  Pusher pusher(sink, 2);
  pusher.wait_for(1);
  give_time();
  fail_unless(gst_element_set_state(sink.element(), GST_STATE_PAUSED) != GST_STATE_CHANGE_FAILURE);
  assert_equals_int(Sink::index_of(sink.pull_sample().get()), 0);
  give_time();
  fail_unless(gst_element_set_state(sink.element(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE);
  assert_equals_int(Sink::index_of(sink.pull_sample().get()), 1);
  fail_unless(pusher.join() == GST_FLOW_OK);
}
GST_END_TEST;

GST_START_TEST(test_eos_after_the_queue) {
  const Sink sink;
  sink.push_clip(0);
  sink.push_clip(1);
  fail_unless(sink.event(gst_event_new_eos()));
  assert_equals_int(Sink::index_of(sink.pull_sample().get()), 0);
  assert_equals_int(Sink::index_of(sink.pull_sample().get()), 1);
  fail_unless(sink.pull_sample() == nullptr);
  fail_unless(sink.pull_sample() == nullptr);
  fail_unless(sink.try_pull_sample(kForever) == nullptr);
}
GST_END_TEST;

GST_START_TEST(test_eos_ends_pull) {
  const Sink sink;
  std::thread puller([&] { fail_unless(sink.pull_sample() == nullptr); });
  give_time();
  sink.event(gst_event_new_eos());
  puller.join();
}
GST_END_TEST;

// EOS waits for nobody: a full queue may be emptied after it.
GST_START_TEST(test_eos_with_a_full_queue) {
  const Sink sink({{"max-buffers", "1"}});
  sink.push_clip(0);
  fail_unless(sink.event(gst_event_new_eos()));
  GstMessage *message = gst_bus_pop_filtered(sink.bus(), GST_MESSAGE_EOS);
  fail_unless(message != nullptr);
  gst_message_unref(message);
  assert_equals_int(Sink::index_of(sink.pull_sample().get()), 0);
}
GST_END_TEST;

GST_START_TEST(test_flush_after_eos) {
  const Sink sink;
  sink.push_clip(0);
  sink.event(gst_event_new_eos());
  sink.flush();
  fail_unless(sink.try_pull_sample(0) == nullptr);
  std::thread puller([&] { assert_equals_int(Sink::index_of(sink.pull_sample().get()), 1); });
  give_time();
  fail_unless(sink.push_clip(1) == GST_FLOW_OK);
  puller.join();
}
GST_END_TEST;

// A restart is a new stream: nothing of the old is left, and its end neither.
GST_START_TEST(test_restarts) {
  const Sink sink;
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL, GST_STATE_READY}) {
    fail_unless(sink.push_clip(1) == GST_FLOW_OK);
    fail_unless(sink.push_clip(2) == GST_FLOW_OK);
    assert_equals_int(Sink::index_of(sink.pull_sample().get()), 1);
    sink.event(gst_event_new_eos());
    sink.restart(state);
    sink.begin();
    fail_unless(sink.try_pull_sample(0) == nullptr);
    std::atomic<int> seen{-1};
    std::thread puller([&] {
      const Owned<GstSample> sample = sink.pull_sample();
      seen = sample ? static_cast<int>(Sink::index_of(sample.get())) : -2;
    });
    give_time();
    assert_equals_int(seen, -1);
    fail_unless(sink.push_clip(3) == GST_FLOW_OK);
    puller.join();
    assert_equals_int(seen, 3);
  }
}
GST_END_TEST;

TCase *sink::stop_tests() {
  TCase *tests = test::subject("stops");
  tcase_add_test(tests, test_state_change_ends_push);
  tcase_add_test(tests, test_state_change_ends_pull);
  tcase_add_test(tests, test_flush_ends_push);
  tcase_add_test(tests, test_pause_keeps_push);
  tcase_add_test(tests, test_eos_after_the_queue);
  tcase_add_test(tests, test_eos_ends_pull);
  tcase_add_test(tests, test_eos_with_a_full_queue);
  tcase_add_test(tests, test_flush_after_eos);
  tcase_add_test(tests, test_restarts);
  return tests;
}
