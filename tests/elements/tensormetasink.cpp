// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/common/folder.h"
#include "tests/common/harness.h"
#include "tests/common/obstacles.h"
#include "tests/common/safetensors.h"
#include "tests/common/tensors.h"
#include "tests/common/text.h"

#include <gst/codecpatch/codecpatch.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>

using test::Folder;
using test::Harness;
using test::Owned;

namespace {

constexpr guint64 kForever = GST_CLOCK_TIME_NONE;

class Sink : public Harness {
public:
  explicit Sink(test::Properties properties = {}) : Harness("tensormetasink", properties, false) { begin(); }

  void begin() const {
    const Owned<GstBuffer> one = test::tensor_buffer();
    start(test::caps_of(one.get()).get());
  }

  GstFlowReturn push_clip(guint index) const {
    Owned<GstBuffer> buffer = test::tensor_buffer(3, index);
    return push(std::move(buffer));
  }

  Owned<GstSample> pull_sample() const {
    GstSample *sample = nullptr;
    g_signal_emit_by_name(element(), "pull-tensors", &sample);
    return Owned<GstSample>(sample);
  }
  Owned<GstSample> try_pull_sample(guint64 timeout) const {
    GstSample *sample = nullptr;
    g_signal_emit_by_name(element(), "try-pull-tensors", timeout, &sample);
    return Owned<GstSample>(sample);
  }

  // The clips in the queue.
  std::vector<guint> drain() const {
    std::vector<guint> indices;
    while (Owned<GstSample> sample = try_pull_sample(0))
      indices.push_back(index_of(sample.get()));
    return indices;
  }

  static guint index_of(GstSample *sample) {
    return cps_buffer_get_tensor_meta(gst_sample_get_buffer(sample))->clip->clip_index;
  }
};

using Indices = std::vector<guint>;

// A thread that pushes clips 0.. until the flow is not OK.
class Pusher {
public:
  Pusher(const Sink &sink, guint count)
      : thread_([this, &sink, count] {
          for (guint i = 0; i < count && flow_ == GST_FLOW_OK; ++i) {
            flow_ = sink.push_clip(i);
            pushed_ += flow_ == GST_FLOW_OK;
          }
        }) {}
  ~Pusher() {
    if (thread_.joinable())
      thread_.join();
  }

  guint pushed() const { return pushed_; }
  void wait_for(guint count) const {
    while (pushed_ < count)
      g_usleep(1000);
  }
  GstFlowReturn join() {
    thread_.join();
    return flow_;
  }

private:
  std::atomic<guint> pushed_{0};
  std::atomic<GstFlowReturn> flow_{GST_FLOW_OK};
  std::thread thread_;
};

// Long enough for a thread to do what it must not; too short only hides a fault, never makes one.
void give_time() {
  g_usleep(50 * 1000);
}

// The error with which the sink refuses to start.
std::string start_error(const std::string &location) {
  const Owned<GstElement> sink = test::make_element("tensormetasink", {{"location", location.c_str()}});
  const Owned<GstBus> bus(gst_bus_new());
  gst_element_set_bus(sink.get(), bus.get());
  const GstStateChangeReturn result = gst_element_set_state(sink.get(), GST_STATE_PAUSED);
  const std::string error = test::pop_report(bus.get(), GST_MESSAGE_ERROR);
  fail_unless((result == GST_STATE_CHANGE_FAILURE) == !error.empty(), "%s", error.c_str());
  gst_element_set_state(sink.get(), GST_STATE_NULL);
  gst_element_set_bus(sink.get(), nullptr);
  return error;
}

// The name of the file that clip `index` is written to.
std::string name_of(const char *pattern, guint index) {
  const Folder folder;
  const Sink sink({{"location", folder.file(pattern).c_str()}});
  fail_unless(sink.push_clip(index) == GST_FLOW_OK);
  sink.check_quiet();
  const std::vector<std::string> files = folder.files();
  assert_equals_int(files.size(), 1);
  return files[0];
}

} // namespace

// The queue

GST_START_TEST(defaults) {
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
GST_END_TEST

// No preroll: PAUSED is reached without a buffer.
GST_START_TEST(paused_at_once) {
  const Owned<GstElement> sink = test::make_element("tensormetasink");
  fail_unless(gst_element_set_state(sink.get(), GST_STATE_PAUSED) == GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state(sink.get(), GST_STATE_NULL);
}
GST_END_TEST

GST_START_TEST(samples) {
  const Sink sink;
  const Owned<GstBuffer> buffer = test::tensor_buffer(3, 5);
  fail_unless(sink.push(Owned<GstBuffer>(gst_buffer_ref(buffer.get()))) == GST_FLOW_OK);
  const Owned<GstSample> sample = sink.pull_sample();
  fail_unless(sample && gst_sample_get_buffer(sample.get()) == buffer.get());
  fail_unless(gst_caps_is_equal(gst_sample_get_caps(sample.get()), test::caps_of(buffer.get()).get()));
  assert_equals_int(gst_sample_get_segment(sample.get())->format, GST_FORMAT_TIME);
  fail_unless(sink.try_pull_sample(0) == nullptr);
}
GST_END_TEST

// Each sample has the caps of its own tensors.
GST_START_TEST(caps_change) {
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
GST_END_TEST

GST_START_TEST(refuses_other_caps) {
  const Sink sink;
  const Owned<GstCaps> caps(gst_caps_from_string("other/tensors, format=flexible"));
  sink.event(gst_event_new_caps(caps.get()));
  fail_unless(sink.push_clip(0) == GST_FLOW_NOT_NEGOTIATED);
}
GST_END_TEST

GST_START_TEST(order) {
  const Sink sink;
  for (guint i = 0; i < 40; ++i)
    fail_unless(sink.push_clip(i) == GST_FLOW_OK);
  for (guint i = 0; i < 40; ++i)
    assert_equals_int(Sink::index_of(sink.pull_sample().get()), i);
}
GST_END_TEST

GST_START_TEST(pull_waits) {
  const Sink sink;
  std::atomic<int> seen{-1};
  std::thread puller([&] { seen = static_cast<int>(Sink::index_of(sink.pull_sample().get())); });
  give_time();
  assert_equals_int(seen, -1);
  sink.push_clip(3);
  puller.join();
  assert_equals_int(seen, 3);
}
GST_END_TEST

GST_START_TEST(try_pull_times_out) {
  const Sink sink;
  fail_unless(sink.try_pull_sample(0) == nullptr);
  fail_unless(sink.try_pull_sample(5 * GST_MSECOND) == nullptr);
  sink.push_clip(4);
  assert_equals_int(Sink::index_of(sink.try_pull_sample(0).get()), 4);
}
GST_END_TEST

// Times of centuries must not overflow into none.
GST_START_TEST(try_pull_waits_long) {
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
GST_END_TEST

GST_START_TEST(signal_tells) {
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
GST_END_TEST

// What the application says goes upstream.
GST_START_TEST(signal_returns_a_flow) {
  const Sink sink;
  g_signal_connect(sink.element(), "new-tensors",
                   G_CALLBACK((+[](GstElement *, gpointer) -> GstFlowReturn { return GST_FLOW_EOS; })), nullptr);
  fail_unless(sink.push_clip(0) == GST_FLOW_EOS);
}
GST_END_TEST

GST_START_TEST(max_buffers_waits) {
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
GST_END_TEST

GST_START_TEST(max_buffers_drops) {
  const Sink sink({{"max-buffers", "2"}, {"drop", "true"}});
  for (guint i = 0; i < 5; ++i)
    fail_unless(sink.push_clip(i) == GST_FLOW_OK);
  fail_unless(sink.drain() == Indices({3, 4}));
}
GST_END_TEST

GST_START_TEST(drop_needs_a_limit) {
  const Sink sink({{"drop", "true"}});
  for (guint i = 0; i < 5; ++i)
    fail_unless(sink.push_clip(i) == GST_FLOW_OK);
  fail_unless(sink.drain() == Indices({0, 1, 2, 3, 4}));
}
GST_END_TEST

// Letting go

GST_START_TEST(state_change_ends_push) {
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
GST_END_TEST

GST_START_TEST(state_change_ends_pull) {
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL}) {
    const Sink sink;
    std::thread puller([&] { fail_unless(sink.pull_sample() == nullptr); });
    give_time();
    gst_element_set_state(sink.element(), state);
    puller.join();
    fail_unless(sink.pull_sample() == nullptr); // and does not begin to wait
  }
}
GST_END_TEST

GST_START_TEST(flush_ends_push) {
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
GST_END_TEST

// PAUSED holds a push that waits, and lets it go on.
GST_START_TEST(pause_keeps_push) {
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
GST_END_TEST

GST_START_TEST(eos_after_the_queue) {
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
GST_END_TEST

GST_START_TEST(eos_ends_pull) {
  const Sink sink;
  std::thread puller([&] { fail_unless(sink.pull_sample() == nullptr); });
  give_time();
  sink.event(gst_event_new_eos());
  puller.join();
}
GST_END_TEST

// EOS waits for nobody: a full queue may be emptied after it.
GST_START_TEST(eos_with_a_full_queue) {
  const Sink sink({{"max-buffers", "1"}});
  sink.push_clip(0);
  fail_unless(sink.event(gst_event_new_eos()));
  GstMessage *message = gst_bus_pop_filtered(sink.bus(), GST_MESSAGE_EOS);
  fail_unless(message != nullptr);
  gst_message_unref(message);
  assert_equals_int(Sink::index_of(sink.pull_sample().get()), 0);
}
GST_END_TEST

GST_START_TEST(flush_after_eos) {
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
GST_END_TEST

// A restart is a new stream: nothing of the old is left, and its end neither.
GST_START_TEST(restarts) {
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
GST_END_TEST

GST_START_TEST(no_description) {
  const Sink sink;
  fail_unless(sink.push(Owned<GstBuffer>(gst_buffer_new_allocate(nullptr, 8, nullptr))) == GST_FLOW_ERROR);
  sink.check_error("patchselect");
  fail_unless(sink.try_pull_sample(0) == nullptr);
}
GST_END_TEST

// Files

GST_START_TEST(writes) {
  const Folder folder;
  const Sink sink({{"location", folder.file("clip-%05d.safetensors").c_str()}});
  for (const guint index : {0u, 7u}) {
    fail_unless(sink.push_clip(index) == GST_FLOW_OK);
    GstMessage *message = gst_bus_pop_filtered(sink.bus(), GST_MESSAGE_ELEMENT);
    fail_unless(message != nullptr);
    const GstStructure *structure = gst_message_get_structure(message);
    guint told = 99;
    fail_unless(gst_structure_has_name(structure, "tensors-written"));
    fail_unless(gst_structure_get_uint(structure, "clip-index", &told) && told == index);
    const std::string path = gst_structure_get_string(structure, "location");
    gst_message_unref(message);
    assert_text(path, folder.file(index ? "clip-00007.safetensors" : "clip-00000.safetensors"));
    const test::Safetensors file = test::read_safetensors(path);
    assert_text(file.metadata.at("clip_index"), std::to_string(index));
    fail_unless(file.tensors.at("patches").as<guint16>() ==
                test::elements_of<guint16>(test::tensor_buffer().get(), "patches"));
  }
  assert_equals_int(folder.files().size(), 2);
  fail_unless(sink.try_pull_sample(0) == nullptr); // written, not queued
  sink.check_quiet();
}
GST_END_TEST

GST_START_TEST(patterns) {
  assert_text(name_of("%d", 12), "12");
  assert_text(name_of("a%db", 0), "a0b");
  assert_text(name_of("%05d", 12), "00012");
  assert_text(name_of("%3d", 12), " 12");
  assert_text(name_of("%03d", 12345), "12345");
  assert_text(name_of("%0d", 12), "12");
  assert_text(name_of("100%%-%d", 12), "100%-12");
  assert_text(name_of("%%d", 12), "%d");
  assert_text(name_of("plain", 12), "plain");
  assert_text(name_of("%d", G_MAXUINT), "4294967295");
}
GST_END_TEST

GST_START_TEST(bad_patterns) {
  for (const char *pattern :
       {"%", "a%", "%s", "%d%d", "%05d-%d", "%5", "%n", "%05x", "%-5d", "%ld", "%.3d", "% d", "%999d", "%%%"}) {
    const Folder folder;
    const std::string error = start_error(folder.file(pattern));
    fail_unless(test::contains(error, "location") && test::contains(error, "pattern"), "%s: \"%s\"", pattern,
                error.c_str());
    fail_unless(folder.files().empty());
  }
}
GST_END_TEST

GST_START_TEST(bad_folders) {
  const Folder folder;
  fail_unless(g_file_set_contents(folder.file("file").c_str(), "x", 1, nullptr));
  for (const char *location : {"none/clip", "file/clip"}) {
    const std::string error = start_error(folder.file(location));
    fail_unless(test::contains(error, "Cannot write to the folder"), "%s: %s", location, error.c_str());
  }
  fail_unless(chmod(folder.path().c_str(), 0555) == 0);
  {
    const test::Unprivileged user;
    fail_unless(test::contains(start_error(folder.file("clip")), folder.path().c_str()));
  }
  fail_unless(chmod(folder.path().c_str(), 0755) == 0);
  assert_text(start_error(folder.file("clip")), "");
  assert_text(start_error(""), "");
}
GST_END_TEST

// A refusal is not for ever.
GST_START_TEST(starts_after_a_refusal) {
  const Folder folder;
  const Owned<GstElement> sink = test::make_element("tensormetasink", {{"location", "%s"}});
  fail_unless(gst_element_set_state(sink.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE);
  gst_element_set_state(sink.get(), GST_STATE_NULL);
  gst_util_set_object_arg(G_OBJECT(sink.get()), "location", folder.file("clip").c_str());
  fail_unless(gst_element_set_state(sink.get(), GST_STATE_PLAYING) == GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state(sink.get(), GST_STATE_NULL);
}
GST_END_TEST

// The location counts that is set when the stream begins.
GST_START_TEST(location_set_in_ready) {
  const Folder folder;
  const Sink sink({{"location", folder.file("old-%d").c_str()}});
  for (const char *bad : {"clip-%s.safetensors", "none/clip"}) {
    gst_element_set_state(sink.element(), GST_STATE_READY);
    sink.set("location", folder.file(bad).c_str());
    fail_unless(gst_element_set_state(sink.element(), GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE, "%s", bad);
    sink.check_error("location");
    fail_unless(folder.files().empty());
  }
  sink.set("location", folder.file("new-%d").c_str());
  sink.restart(GST_STATE_READY);
  sink.begin();
  fail_unless(sink.push_clip(3) == GST_FLOW_OK);
  sink.check_quiet();
  fail_unless(folder.files() == std::vector<std::string>{"new-3"});
}
GST_END_TEST

GST_START_TEST(location_set_in_playing) {
  const Folder folder;
  const Sink sink({{"location", folder.file("old-%d").c_str()}});
  fail_unless(sink.push_clip(0) == GST_FLOW_OK);
  sink.set("location", folder.file("new-%s").c_str());
  fail_unless(sink.push_clip(1) == GST_FLOW_OK);
  sink.set("location", "");
  fail_unless(sink.push_clip(2) == GST_FLOW_OK);
  sink.set("location", folder.file("new-%d").c_str());
  fail_unless(sink.push_clip(3) == GST_FLOW_OK);
  sink.check_quiet();
  std::vector<std::string> files = folder.files();
  std::sort(files.begin(), files.end());
  fail_unless(files == std::vector<std::string>({"old-0", "old-1", "old-2", "old-3"}));
  fail_unless(sink.drain().empty());

  sink.restart(GST_STATE_READY);
  sink.begin();
  fail_unless(sink.push_clip(4) == GST_FLOW_OK);
  assert_equals_int(folder.files().size(), 5);
  fail_unless(g_file_test(folder.file("new-4").c_str(), G_FILE_TEST_EXISTS));
}
GST_END_TEST

// Before there is anything to lose.
GST_START_TEST(obstacles) {
  for (const test::Obstacle &obstacle : test::obstacles()) {
    const Folder folder;
    if (!obstacle.make(folder.file("clip"))) {
      g_print("skipped: may not make %s\n", obstacle.name);
      continue;
    }
    const std::string error = start_error(folder.file("clip"));
    fail_unless(test::contains(error, obstacle.name) && test::contains(error, "location"), "%s", error.c_str());
    fail_unless(folder.files() == std::vector<std::string>{"clip"});
  }
}
GST_END_TEST

GST_START_TEST(write_fails) {
  const Folder folder;
  const Sink sink({{"location", folder.file("clip").c_str()}});
  fail_unless(mkdir(folder.file("clip").c_str(), 0755) == 0);
  fail_unless(sink.push_clip(0) == GST_FLOW_ERROR);
  GstMessage *message = gst_bus_pop_filtered(sink.bus(), GST_MESSAGE_ERROR);
  fail_unless(message != nullptr);
  GError *error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  fail_unless(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE));
  fail_unless(strstr(error->message, folder.file("clip").c_str()) && strstr(error->message, "location"), "%s",
              error->message);
  g_error_free(error);
  gst_message_unref(message);
  fail_unless(folder.files() == std::vector<std::string>{"clip"});
  fail_unless(gst_bus_pop_filtered(sink.bus(), GST_MESSAGE_ELEMENT) == nullptr);
}
GST_END_TEST

GST_START_TEST(writes_to_the_disk) {
  const Folder folder;
  const Sink sink({{"location", folder.file("%d").c_str()}, {"fsync", "true"}});
  fail_unless(sink.push_clip(0) == GST_FLOW_OK);
  sink.check_quiet();
  fail_unless(folder.files() == std::vector<std::string>{"0"});
}
GST_END_TEST

GST_START_TEST(disk_full) {
  const Folder folder;
  const Sink sink({{"location", folder.file("clip-%d").c_str()}});
  fail_unless(sink.push_clip(0) == GST_FLOW_OK);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit old;
  getrlimit(RLIMIT_FSIZE, &old);
  const struct rlimit small = {300, old.rlim_max};
  fail_unless(setrlimit(RLIMIT_FSIZE, &small) == 0);
  fail_unless(sink.push_clip(1) == GST_FLOW_ERROR);
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, old_handler);
  sink.check_error("clip-1");
  fail_unless(folder.files() == std::vector<std::string>{"clip-0"});
}
GST_END_TEST

// Both: the application asks for it with max-buffers.
GST_START_TEST(writes_and_queues) {
  const Folder folder;
  const Sink sink({{"location", folder.file("%d").c_str()}, {"max-buffers", "2"}, {"drop", "true"}});
  for (guint i = 0; i < 3; ++i)
    fail_unless(sink.push_clip(i) == GST_FLOW_OK);
  assert_equals_int(folder.files().size(), 3);
  fail_unless(sink.drain() == Indices({1, 2}));
}
GST_END_TEST

GST_START_TEST(location_reads_back) {
  const Owned<GstElement> sink = test::make_element("tensormetasink", {{"location", "clip"}});
  gchar *location = nullptr;
  g_object_get(sink.get(), "location", &location, nullptr);
  assert_text(location, "clip");
  g_free(location);
  g_object_set(sink.get(), "location", nullptr, nullptr);
  g_object_get(sink.get(), "location", &location, nullptr);
  fail_unless(location == nullptr);
}
GST_END_TEST

static Suite *tensormetasink_suite() {
  Suite *suite = suite_create("tensormetasink");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, test::kWatchdogSeconds);
  tcase_add_test(tests, defaults);
  tcase_add_test(tests, paused_at_once);
  tcase_add_test(tests, samples);
  tcase_add_test(tests, caps_change);
  tcase_add_test(tests, refuses_other_caps);
  tcase_add_test(tests, order);
  tcase_add_test(tests, pull_waits);
  tcase_add_test(tests, try_pull_times_out);
  tcase_add_test(tests, try_pull_waits_long);
  tcase_add_test(tests, signal_tells);
  tcase_add_test(tests, signal_returns_a_flow);
  tcase_add_test(tests, max_buffers_waits);
  tcase_add_test(tests, max_buffers_drops);
  tcase_add_test(tests, drop_needs_a_limit);
  tcase_add_test(tests, state_change_ends_push);
  tcase_add_test(tests, state_change_ends_pull);
  tcase_add_test(tests, flush_ends_push);
  tcase_add_test(tests, pause_keeps_push);
  tcase_add_test(tests, eos_after_the_queue);
  tcase_add_test(tests, eos_ends_pull);
  tcase_add_test(tests, eos_with_a_full_queue);
  tcase_add_test(tests, flush_after_eos);
  tcase_add_test(tests, restarts);
  tcase_add_test(tests, no_description);
  tcase_add_test(tests, writes);
  tcase_add_test(tests, patterns);
  tcase_add_test(tests, bad_patterns);
  tcase_add_test(tests, bad_folders);
  tcase_add_test(tests, starts_after_a_refusal);
  tcase_add_test(tests, location_set_in_ready);
  tcase_add_test(tests, location_set_in_playing);
  tcase_add_test(tests, obstacles);
  tcase_add_test(tests, write_fails);
  tcase_add_test(tests, writes_to_the_disk);
  tcase_add_test(tests, disk_full);
  tcase_add_test(tests, writes_and_queues);
  tcase_add_test(tests, location_reads_back);
  return suite;
}

GST_CHECK_MAIN(tensormetasink)
