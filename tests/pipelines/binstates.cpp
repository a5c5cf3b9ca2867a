// SPDX-License-Identifier: LGPL-2.1-or-later
// uniformdecodebin and patchstreambin through their states: started and stopped at any moment, several at once.
#include "tests/common/watchdog.h"
#include "tests/pipelines/bins.h"

#include <atomic>
#include <random>

namespace {

using namespace pipes;

constexpr int kFrames = 50;

// The clips that bins change between.
class Clips {
public:
  Clips() {
    encode(h264_, kH264B, "mp4mux", kFrames);
    encode(raw_, kH264, "", kFrames / 2);
    encode_with_audio(sound_, kFrames, "matroskamux");
  }

  std::vector<std::string> paths() const { return {h264_, raw_, sound_}; }

private:
  TempDir folder_;
  std::string h264_ = folder_.file("clip.mp4"), raw_ = folder_.file("clip.h264"), sound_ = folder_.file("clip.mkv");
};

Tensors tensors_of(const std::string &path) {
  Outcome outcome = run(patches_of(path));
  outcome.only_clip();
  return std::move(outcome.clips[0]);
}

std::vector<Tensors> tensors_of(const Clips &clips) {
  std::vector<Tensors> all;
  for (const std::string &path : clips.paths())
    all.push_back(tensors_of(path));
  return all;
}

void check_same(const Outcome &outcome, const Tensors &expected) {
  const Tensors &clip = outcome.only_clip();
  fail_unless(clip.pixels == expected.pixels && clip.fields == expected.fields && clip.scores == expected.scores);
  assert_equals_uint64(clip.clip->clip_index, 0);
  fail_unless(outcome.warnings.empty(), "%s", outcome.warnings[0].c_str());
}

// Counts the elements that the bin adds, and those of them that are gone for good.
class Census {
public:
  explicit Census(GstElement *bin) : before_(children_of(bin).size()) {
    g_signal_connect(bin, "deep-element-added", G_CALLBACK(+[](GstBin *, GstBin *, GstElement *child, Census *self) {
                       self->added_++;
                       g_object_weak_ref(
                           G_OBJECT(child), [](gpointer census, GObject *) { static_cast<Census *>(census)->gone_++; },
                           self);
                     }),
                     this);
  }

  // After READY.
  void check(const Line &line) const {
    line.forget_messages(); // they keep who posted them
    const Owned<GstElement> bin = line.get("bin");
    assert_equals_uint64(children_of(bin.get()).size(), before_);
    fail_unless(GST_OBJECT_FLAG_IS_SET(bin.get(), GST_ELEMENT_FLAG_SOURCE));
    // The threads of GStreamer's pool may let go of what they had in hand a moment later.
    for (int i = 0; i < 500 && added_ != gone_; i++)
      g_usleep(10000);
    fail_unless(added_ > 0 && added_ == gone_, "%d of %d elements are left", added_ - gone_, added_.load());
  }

private:
  size_t before_;
  std::atomic<int> added_{0}, gone_{0};
};

} // namespace

// The source is started before other elements are: what it sends finds them ready all the same.
GST_START_TEST(test_early_source) {
  const Clips clips;
  for (const std::string &path : clips.paths()) {
    struct Linked {
      std::mutex mutex;
      std::condition_variable changed;
      bool done = false;
    } linked;
    Line line(patches_of(path));
    const Owned<GstElement> bin = line.get("bin");
    g_signal_connect(bin.get(), "notify::resolved-decoder",
                     G_CALLBACK(+[](GstElement *element, GParamSpec *, Linked *state) {
                       const std::lock_guard<std::mutex> lock(state->mutex);
                       state->done = !text_property(element, "resolved-decoder").empty();
                       state->changed.notify_all();
                     }),
                     &linked);
    // Holds the change of states where the source has just been started.
    const Owned<GstBus> bus(gst_element_get_bus(line.pipeline()));
    gst_bus_set_sync_handler(
        bus.get(),
        [](GstBus *, GstMessage *message, gpointer data) {
          GstState state = GST_STATE_NULL;
          if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_STATE_CHANGED)
            gst_message_parse_state_changed(message, nullptr, &state, nullptr);
          if (state == GST_STATE_PAUSED && g_str_has_prefix(GST_OBJECT_NAME(GST_MESSAGE_SRC(message)), "filesrc")) {
            auto *wait = static_cast<Linked *>(data);
            std::unique_lock<std::mutex> lock(wait->mutex);
            wait->changed.wait_for(lock, std::chrono::nanoseconds(kPatience), [wait] { return wait->done; });
            lock.unlock();
            g_usleep(20000); // for the first data to get as far as it can
          }
          return GST_BUS_PASS;
        },
        &linked, nullptr);
    line.run().only_clip();
    gst_bus_set_sync_handler(bus.get(), nullptr, nullptr, nullptr);
  }
}
GST_END_TEST;

GST_START_TEST(test_cycles) {
  const Clips clips;
  const std::vector<std::string> paths = clips.paths();
  const std::vector<Tensors> expected = tensors_of(clips);
  Line line(patches_of(paths[0]));
  const Owned<GstElement> bin = line.get("bin");
  const Census census(bin.get());
  Watchdog watchdog(line.pipeline(), "cycles");
  for (size_t round = 0; round < 20; round++) {
    watchdog.note("round " + std::to_string(round));
    const size_t which = round % paths.size();
    set_text(bin.get(), "uri", uri_of(paths[which]));
    check_same(line.run(), expected[which]);
    if (round % 3 == 0) { // from its beginning, in the same state
      line.reach(GST_STATE_READY);
      census.check(line);
      check_same(line.run(), expected[which]);
    }
    line.reach(round % 2 ? GST_STATE_READY : GST_STATE_NULL);
    census.check(line);
  }
}
GST_END_TEST;

// Stopped while it looks for the video, indexes, decodes or has ended.
GST_START_TEST(test_stopped_at_any_time) {
  const Clips clips;
  const std::vector<std::string> paths = clips.paths();
  const std::vector<Tensors> expected = tensors_of(clips);
  std::mt19937 random(static_cast<unsigned>(__i__));
  Line line(patches_of(paths[0]));
  const Owned<GstElement> bin = line.get("bin");
  const Census census(bin.get());
  Watchdog watchdog(line.pipeline(), "stopped at any time");
  for (int round = 0; round < 30; round++) {
    const size_t which = random() % paths.size();
    const gulong delay = random() % 20000;
    const GstState start = random() % 4 ? GST_STATE_PLAYING : GST_STATE_PAUSED;
    const GstState stop = random() % 2 ? GST_STATE_READY : GST_STATE_NULL;
    watchdog.note(paths[which].substr(paths[which].rfind('.')) + " for " + std::to_string(delay) + " us, then " +
                  gst_element_state_get_name(stop));
    set_text(bin.get(), "uri", uri_of(paths[which]));
    line.start(start);
    g_usleep(delay);
    if (random() % 2)
      set_text(bin.get(), "uri", uri_of(paths[random() % paths.size()])); // for the next time
    line.reach(stop);
    census.check(line);
  }
  set_text(bin.get(), "uri", uri_of(paths[1]));
  check_same(line.run(), expected[1]);
}
GST_END_TEST;

// A bin that is dropped in the middle of a stream takes all with it.
GST_START_TEST(test_dropped) {
  const Clips clips;
  for (const std::string &path : clips.paths())
    for (gulong delay = 0; delay < 20000; delay += 4000) {
      Line line(patches_of(path));
      const Owned<GstElement> bin = line.get("bin");
      const Census census(bin.get());
      line.start();
      g_usleep(delay);
      line.start(GST_STATE_NULL);
      census.check(line);
      gst_bin_remove(GST_BIN(line.pipeline()), bin.get());
      // Threads of GStreamer may be about to let go of it.
      for (GstClockTime waited = 0; GST_OBJECT_REFCOUNT_VALUE(bin.get()) > 1 && waited < kPatience;
           waited += GST_MSECOND)
        g_usleep(1000);
      assert_equals_int(GST_OBJECT_REFCOUNT_VALUE(bin.get()), 1);
    }
}
GST_END_TEST;

GST_START_TEST(test_in_parallel) {
  const Clips clips;
  const std::vector<std::string> paths = clips.paths();
  const std::vector<Tensors> expected = tensors_of(clips);
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 4; i++)
    threads.emplace_back([&, i] {
      for (size_t round = 0; round < 5; round++) {
        const size_t which = (i + round) % paths.size();
        const Outcome outcome = run(patches_of(paths[which]));
        good += outcome.eos && outcome.clips.size() == 1 && outcome.clips[0].pixels == expected[which].pixels &&
                outcome.clips[0].fields == expected[which].fields;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  fail_unless_equals_int(good, 20);
}
GST_END_TEST;

static Suite *binstates_suite() {
  Suite *suite = suite_create("pipelines-binstates");
  TCase *tests = make_tests(suite);
  tcase_add_test(tests, test_early_source);
  tcase_add_test(tests, test_cycles);
  tcase_add_loop_test(tests, test_stopped_at_any_time, 0, 4);
  tcase_add_test(tests, test_dropped);
  tcase_add_test(tests, test_in_parallel);
  return suite;
}

GST_CHECK_MAIN(binstates)
