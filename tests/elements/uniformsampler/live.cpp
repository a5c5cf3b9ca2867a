// SPDX-License-Identifier: LGPL-2.1-or-later
// Windows of streams that nobody knows in advance: docs/spec.md#windows.
#include "tests/elements/uniformsampler/fixture.h"

#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

using namespace sampler;

namespace {

constexpr GstClockTime kFrame = 40 * GST_MSECOND;

// A sampler that pushes at once, although a harness is a live source.
class Live : public Harness {
public:
  explicit Live(test::Properties properties) : Harness("uniformsampler", properties) { set("leaky", "no"); }
};

Owned<GstBuffer> at(guint64 picture, GstClockTime pts, bool discont = false) {
  Owned<GstBuffer> buffer = plain(picture);
  GST_BUFFER_PTS(buffer.get()) = pts;
  if (discont)
    GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
  return buffer;
}

void push_frames(const Harness &sampler, guint64 begin, guint64 end) {
  for (guint64 i = begin; i < end; ++i)
    fail_unless(sampler.push(at(i, i * kFrame)) == GST_FLOW_OK);
}

// "2: 5 7 9" for clip 2 with these pictures, ":" between clips.
std::string clips_text(const std::vector<Owned<GstBuffer>> &buffers) {
  std::string text;
  for (const auto &buffer : buffers) {
    const CpsFrameMeta *meta = cps_buffer_get_frame_meta(buffer.get());
    if (meta->seq_pos == 0)
      text += "clip " + std::to_string(meta->clip_index) + ": ";
    text += std::to_string(picture_of(buffer.get())) + " ";
    assert_equals_uint64(GST_BUFFER_PTS(buffer.get()), meta->pts);
  }
  return text;
}

} // namespace

static std::string clips_of(test::Properties properties, guint64 end) {
  const Live sampler(properties);
  sampler.start(caps().get());
  push_frames(sampler, 0, end);
  return clips_text(sampler.pull_all());
}

GST_START_TEST(test_positions_are_even_in_time) {
  Live sampler({{"sequence-length", "4"}, {"window", "400000000"}});
  sampler.start(caps().get());
  push_frames(sampler, 5, 25); // positions at 200, 300, 400, 500 ms; 600, ...
  sampler.check_quiet();
  // 300 ms is between 280 and 320: the earlier one.
  assert_text(clips_text(sampler.pull_all()), "clip 0: 5 7 10 12 clip 1: 15 17 20 22 ");
  for (gint64 clip = 0; clip < 2; ++clip) {
    const Owned<GstEvent> event = sampler.pull_event(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY);
    const CpsPlan *plan = cps_event_parse_plan(event.get());
    assert_equals_int(plan->n_frames, 4);
    assert_equals_int64(time_option(plan, "start"), 200000000 + clip * 400000000);
    assert_equals_int64(time_option(plan, "stop"), 600000000 + clip * 400000000);
  }
}
GST_END_TEST;

// A clip goes out with its last frame, or with the next one if only that tells which is nearer.
GST_START_TEST(test_clips_are_not_late) {
  Live sampler({{"sequence-length", "4"}, {"window", "480000000"}});
  sampler.start(caps().get()); // positions at 0, 120, 240, 360 ms
  push_frames(sampler, 0, 9);
  assert_text(clips_text(sampler.pull_all()), "clip 0: 0 3 6 ");
  push_frames(sampler, 9, 10);
  assert_text(clips_text(sampler.pull_all()), "9 ");
}
GST_END_TEST;

GST_START_TEST(test_windows_overlap) {
  assert_text(clips_of({{"sequence-length", "2"}, {"window", "400000000"}, {"hop", "120000000"}}, 15),
              "clip 0: 0 5 clip 1: 3 8 clip 2: 6 11 clip 3: 9 14 clip 4: 12 ");
}
GST_END_TEST;

GST_START_TEST(test_windows_with_gaps_between) {
  assert_text(clips_of({{"sequence-length", "2"}, {"window", "80000000"}, {"hop", "400000000"}}, 22),
              "clip 0: 0 1 clip 1: 10 11 clip 2: 20 21 ");
}
GST_END_TEST;

GST_START_TEST(test_rates) {
  assert_text(clips_of({{"sample-fps", "5/1"}, {"window", "600000000"}}, 16), "clip 0: 0 5 10 clip 1: 15 ");
  assert_text(clips_of({{"sample-fps", "5/1"}, {"window", "600000000"}, {"max-frames", "2"}}, 16),
              "clip 0: 0 7 clip 1: 15 ");
}
GST_END_TEST;

// The end completes windows that have begun, by the last frame.
GST_START_TEST(test_the_end_completes) {
  Live sampler({{"sequence-length", "4"}, {"window", "400000000"}, {"hop", "200000000"}});
  sampler.start(caps().get());
  push_frames(sampler, 0, 8);
  sampler.event(gst_event_new_eos());
  assert_text(clips_text(sampler.pull_all()), "clip 0: 0 2 5 7 clip 1: 5 7 7 7 ");
  fail_unless(sampler.pull_event(GST_EVENT_EOS) != nullptr);
  sampler.check_quiet();
}
GST_END_TEST;

// Slow streams repeat frames.
GST_START_TEST(test_slow_streams) {
  Live sampler({{"sequence-length", "4"}, {"window", "400000000"}});
  sampler.start(caps().get());
  for (guint64 i = 0; i < 4; ++i)
    sampler.push(at(i, i * 250 * GST_MSECOND));
  assert_text(clips_text(sampler.pull_all()), "clip 0: 0 0 1 1 clip 1: 2 2 2 3 ");
}
GST_END_TEST;

// What is after a jump is another clip, and its times are later, whatever the source says.
static void check_restart(const char *what, const std::function<void(const Harness &)> &interrupt, guint64 picture,
                          bool is_counted_on = true) {
  Live sampler({{"sequence-length", "4"}, {"window", "400000000"}});
  sampler.start(caps().get());
  push_frames(sampler, 0, 15);
  assert_text(clips_text(sampler.pull_all()), "clip 0: 0 2 5 7 clip 1: 10 12 ");
  interrupt(sampler);
  fail_unless(test::contains(sampler.warning(), "Clip 1 is left out"), "%s", what);
  sampler.check_quiet();
  const auto after = sampler.pull_all();
  assert_text(clips_text(after), "clip 2: " + std::to_string(picture) + " ");
  fail_unless(GST_BUFFER_PTS(after[0].get()) >= 15 * kFrame, "%s", what);
  assert_equals_uint64(cps_buffer_get_frame_meta(after[0].get())->frame_id, is_counted_on ? 15 : 0);
  fail_unless(sampler.pull_event(GST_EVENT_CUSTOM_DOWNSTREAM) != nullptr, "%s: the rest of clip 1 is expected", what);
}

GST_START_TEST(test_interruptions) {
  check_restart(
      "gap", [](const Harness &sampler) { sampler.push(at(40, 40 * kFrame)); }, 40);
  check_restart(
      "jump", [](const Harness &sampler) { sampler.push(at(41, 41 * kFrame, true)); }, 41);
  check_restart(
      "back", [](const Harness &sampler) { sampler.push(at(3, 3 * kFrame)); }, 3);
  check_restart(
      "segment",
      [](const Harness &sampler) {
        const GstSegment again = segment_from(0);
        sampler.event(gst_event_new_segment(&again));
        sampler.push(at(0, 0));
      },
      0);
  check_restart(
      "caps",
      [](const Harness &sampler) {
        sampler.event(gst_event_new_caps(caps("50/1").get()));
        sampler.push(at(15, 15 * kFrame));
      },
      15);
}
GST_END_TEST;

// Negative times of a source that has been sought while it was paused.
GST_START_TEST(test_times_that_are_none) {
  Live sampler({{"sequence-length", "2"}, {"window", "80000000"}});
  sampler.start(caps().get());
  for (const guint64 picture : {0, 1, 2, 3})
    sampler.push(at(picture, picture % 2 == 0 ? guint64{0} - 25 * GST_MSECOND : picture * kFrame));
  sampler.check_quiet();
  assert_text(clips_text(sampler.pull_all()), "clip 0: 0 1 clip 1: 2 3 ");
}
GST_END_TEST;

// Lost packets alone end nothing.
GST_START_TEST(test_small_gaps) {
  Live sampler({{"sequence-length", "4"}, {"window", "400000000"}});
  sampler.start(caps().get());
  push_frames(sampler, 0, 3);
  sampler.push(at(6, 6 * kFrame, true));
  sampler.push(at(8, 8 * kFrame, true));
  sampler.check_quiet();
  assert_text(clips_text(sampler.pull_all()), "clip 0: 0 2 6 8 ");
}
GST_END_TEST;

GST_START_TEST(test_refusals) {
  for (const auto &[name, value, part] :
       {std::tuple("frame-ids", "<1, 2>", "frame-ids and window"), std::tuple("clip-length", "2", "clip-length"),
        std::tuple("start", "5", "start and stop"), std::tuple("hop", "1000", "hop must be"),
        std::tuple("sequence-length", "0", "0 frames"), std::tuple("sample-fps", "100000000/1", "frames, it must")}) {
    Live sampler({{"window", "400000000"}, {name, value}});
    sampler.start(caps().get());
    fail_unless(sampler.push(at(0, 0)) == GST_FLOW_ERROR, "%s", name);
    sampler.check_error(part);
    sampler.event(gst_event_new_caps(caps("50/1").get())); // there is no window that it could interrupt
  }
}
GST_END_TEST;

// Windows of a camera need a window and a frame.
GST_START_TEST(test_latency) {
  Live sampler({{"sequence-length", "4"}, {"window", "400000000"}});
  sampler.on_query = [](GstQuery *query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
      return false;
    gst_query_set_latency(query, TRUE, 5, 100);
    return true;
  };
  sampler.start(caps().get());
  const auto check = [&](GstClockTime least, GstClockTime most) {
    const Owned<GstQuery> query(gst_query_new_latency());
    fail_unless(gst_pad_peer_query(sampler.get()->sinkpad, query.get()));
    GstClockTime min, max;
    gst_query_parse_latency(query.get(), nullptr, &min, &max);
    assert_equals_uint64(min, least);
    assert_equals_uint64(max, most);
  };
  check(5, 100);
  push_frames(sampler, 0, 1);
  check(440 * GST_MSECOND + 5, 440 * GST_MSECOND + 100);
  GstMessage *message = gst_bus_pop_filtered(sampler.bus(), GST_MESSAGE_LATENCY);
  fail_unless(message != nullptr);
  gst_message_unref(message);
}
GST_END_TEST;

namespace {

// Blocks the frames behind an element until it is opened.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  guint waiting = 0;

  static GstPadProbeReturn wait(GstPad *, GstPadProbeInfo *, gpointer gate) {
    auto &self = *static_cast<Gate *>(gate);
    std::unique_lock<std::mutex> lock(self.mutex);
    self.waiting++;
    self.changed.notify_all();
    self.changed.wait(lock, [&self] { return self.open; });
    return GST_PAD_PROBE_OK;
  }
  void wait_for_frame() {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [this] { return waiting > 0; });
  }
  void set_open() {
    const std::lock_guard<std::mutex> lock(mutex);
    open = true;
    changed.notify_all();
  }
};

std::vector<std::pair<guint, guint64>> dropped_of(const Harness &sampler) {
  std::vector<std::pair<guint, guint64>> clips;
  while (GstMessage *message = gst_bus_pop_filtered(sampler.bus(), GST_MESSAGE_ELEMENT)) {
    guint clip = 0;
    guint64 count = 0;
    const GstStructure *details = gst_message_get_structure(message);
    if (gst_structure_has_name(details, "clip-dropped")) {
      fail_unless(
          gst_structure_get(details, "clip-index", G_TYPE_UINT, &clip, "dropped", G_TYPE_UINT64, &count, nullptr));
      clips.emplace_back(clip, count);
    }
    gst_message_unref(message);
  }
  return clips;
}

} // namespace

// While downstream has the first frame of clip 0, clips 1 to 8 are dropped: 9 waits, and 10 has begun.
GST_START_TEST(test_leaky) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}, {"window", "80000000"}, {"leaky", "downstream"}});
  Gate gate;
  gst_pad_add_probe(sampler.get()->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, Gate::wait, &gate, nullptr);
  sampler.start(caps().get());
  push_frames(sampler, 0, 1);
  gate.wait_for_frame();
  push_frames(sampler, 1, 21);
  const auto dropped = dropped_of(sampler);
  assert_equals_int(dropped.size(), 8);
  for (guint i = 0; i < 8; ++i)
    fail_unless(dropped[i] == std::make_pair(i + 1, guint64{i} + 1));
  gate.set_open();
  sampler.event(gst_event_new_eos());
  std::vector<Owned<GstBuffer>> frames;
  while (frames.size() < 6)
    frames.emplace_back(gst_harness_pull(sampler.get()));
  assert_text(clips_text(frames), "clip 0: 0 1 clip 9: 18 19 clip 10: 20 20 ");
}
GST_END_TEST;

// Flushes, stops and errors of downstream end the task, whatever it waits for.
GST_START_TEST(test_leaky_stops) {
  for (const bool flush : {true, false}) {
    Harness sampler("uniformsampler", {{"sequence-length", "2"}, {"window", "80000000"}, {"leaky", "downstream"}});
    sampler.start(caps().get());
    push_frames(sampler, 0, 5);
    if (flush) {
      sampler.flush();
      push_frames(sampler, 0, 5);
    } else {
      sampler.restart(GST_STATE_READY);
      sampler.start(caps().get());
      push_frames(sampler, 0, 5);
    }
    gst_pad_set_active(sampler.get()->sinkpad, FALSE); // downstream refuses from now on
    GstFlowReturn flow = GST_FLOW_OK;
    for (guint64 i = 5; flow == GST_FLOW_OK; ++i) {
      flow = sampler.push(at(i, i * kFrame));
      std::this_thread::yield();
    }
    assert_equals_int(flow, GST_FLOW_FLUSHING);
  }
}
GST_END_TEST;

// With leaky=no nothing is lost, and with a queue nothing is lost of a stream that waits.
GST_START_TEST(test_not_leaky) {
  Harness sampler("uniformsampler", {{"sequence-length", "2"}, {"window", "80000000"}, {"leaky", "no"}});
  sampler.on_query = [](GstQuery *query) {
    if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY)
      gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
    return GST_QUERY_TYPE(query) == GST_QUERY_LATENCY;
  };
  sampler.start(caps().get());
  push_frames(sampler, 0, 100);
  assert_equals_int(sampler.pull_all().size(), 100);
  fail_unless(dropped_of(sampler).empty());
}
GST_END_TEST;

// Nothing grows with the number of windows, and frames are released.
GST_START_TEST(test_holds_few_frames) {
  Live sampler({{"sequence-length", "4"}, {"window", "400000000"}, {"hop", "200000000"}});
  sampler.start(caps().get());
  std::vector<Owned<GstBuffer>> frames;
  for (guint64 i = 0; i < 500; ++i) {
    frames.push_back(at(i, i * kFrame));
    sampler.push(Owned<GstBuffer>(gst_buffer_ref(frames.back().get())));
    sampler.pull_all();
    gsize held = 0;
    for (const auto &frame : frames)
      held += GST_MINI_OBJECT_REFCOUNT_VALUE(frame.get()) > 1 ? 1 : 0;
    fail_unless(held <= 6, "%d frames are held", static_cast<int>(held));
  }
}
GST_END_TEST;

TCase *sampler::live_tests() {
  TCase *tests = test::subject("live");
  tcase_add_test(tests, test_positions_are_even_in_time);
  tcase_add_test(tests, test_clips_are_not_late);
  tcase_add_test(tests, test_windows_overlap);
  tcase_add_test(tests, test_windows_with_gaps_between);
  tcase_add_test(tests, test_rates);
  tcase_add_test(tests, test_the_end_completes);
  tcase_add_test(tests, test_slow_streams);
  tcase_add_test(tests, test_interruptions);
  tcase_add_test(tests, test_times_that_are_none);
  tcase_add_test(tests, test_small_gaps);
  tcase_add_test(tests, test_refusals);
  tcase_add_test(tests, test_latency);
  tcase_add_test(tests, test_leaky);
  tcase_add_test(tests, test_leaky_stops);
  tcase_add_test(tests, test_not_leaky);
  tcase_add_test(tests, test_holds_few_frames);
  return tests;
}
