// SPDX-License-Identifier: LGPL-2.1-or-later
// Live sources: a bin opens one again that fails, and windows of one drop clips where downstream is slow. And windows
// of sources that cannot seek.
#include "tests/common/text.h"
#include "tests/common/watchdog.h"
#include "tests/pipelines/bins.h"
#include "tests/pipelines/gate.h"
#include "tests/pipelines/livesource.h"

#include <gio/gio.h>

#include <atomic>
#include <random>
#include <set>
#include <thread>
#include <unistd.h>

namespace {

using namespace pipes;

std::string camera_line(const char *codec, const char *reconnect, const std::string &end, int window_ms = 50) {
  return "patchstreambin name=bin decode-backend=cpu uri=cpstestlive:" + std::string(codec) +
         " allow-uri-schemes=cpstestlive k-keep=4 sequence-length=4 window=" + std::to_string(window_ms) +
         "000000 reconnect=" + reconnect + " ! " + end;
}
constexpr const char *kSink = "tensormetasink name=sink";

// The messages of a line, as they come.
class Messages {
public:
  explicit Messages(const Line &line) : bus_(gst_element_get_bus(line.pipeline())) {}

  // Waits for the next message of the types, and returns its text; "EOS" of the end, and "" if it does not come.
  std::string next(int types, GstClockTime patience = kPatience) {
    const Owned<GstMessage> message(
        gst_bus_timed_pop_filtered(bus_.get(), patience, static_cast<GstMessageType>(types)));
    if (!message)
      return "";
    GError *error = nullptr;
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR)
      gst_message_parse_error(message.get(), &error, nullptr);
    else if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_WARNING)
      gst_message_parse_warning(message.get(), &error, nullptr);
    else
      return gst_message_type_get_name(GST_MESSAGE_TYPE(message.get()));
    const Owned<GError> owned(error);
    return error->message;
  }

  // Waits for a warning with this part. Errors and the end must not come.
  void expect_warning(const char *part) {
    for (;;) {
      const std::string text = next(GST_MESSAGE_WARNING | GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
      if (text.find(part) != std::string::npos)
        return;
      fail_unless(text.find("left out") != std::string::npos, "\"%s\" instead of \"%s\"", text.c_str(), part);
    }
  }
  void expect_no_error() {
    const std::string text = next(GST_MESSAGE_ERROR | GST_MESSAGE_EOS, 0);
    fail_unless(text.empty(), "%s", text.c_str());
  }

private:
  Owned<GstBus> bus_;
};

// The clips of a line, whose indices and times never go back.
class Clips {
public:
  explicit Clips(const Line &line) : sink_(line.get("sink")) {}

  void take(int count) {
    for (; count > 0; count--)
      fail_unless(take_one(kPatience), "no clip");
  }
  void take_waiting() {
    while (take_one(0))
      ;
  }

private:
  bool take_one(GstClockTime patience) {
    GstSample *pulled = nullptr;
    g_signal_emit_by_name(sink_.get(), "try-pull-tensors", guint64{patience}, &pulled);
    if (!pulled)
      return false;
    const Owned<GstSample> sample(pulled);
    const Tensors tensors = read_tensors(pulled);
    const CpsClip &clip = *tensors.clip;
    fail_unless(static_cast<gint64>(clip.clip_index) > last_index_, "clip %u after %d", clip.clip_index,
                static_cast<int>(last_index_));
    last_index_ = clip.clip_index;
    for (guint i = 0; i < clip.n_frames; i++) {
      fail_unless(GST_CLOCK_TIME_IS_VALID(clip.frames[i].pts) && clip.frames[i].pts >= last_time_, "clip %u, frame %u",
                  clip.clip_index, i);
      fail_unless(clip.frames[i].status == CPS_FRAME_STATUS_OK);
      last_time_ = clip.frames[i].pts;
    }
    return true;
  }

  Owned<GstElement> sink_;
  gint64 last_index_ = -1;
  GstClockTime last_time_ = 0;
};

} // namespace

// --- Reconnect ---

static void check_goes_on(const char *codec, const char *what, const std::function<void()> &interrupt,
                          bool is_opened_again = true) {
  Line line(camera_line(codec, "0.01", kSink));
  g_print("%s, %s\n", codec, what);
  Watchdog watchdog(line.pipeline(), std::string(codec) + ", " + what);
  Messages messages(line);
  Clips clips(line);
  Cameras &cameras = Cameras::get();
  line.start();
  clips.take(2);
  const guint attempts = cameras.attempts();
  watchdog.note("interrupts");
  interrupt();
  if (is_opened_again) {
    messages.expect_warning("interrupted");
    watchdog.note("waits for the camera");
    cameras.wait_for_attempts(attempts + 1);
  }
  cameras.wait_for_pictures(20); // of the camera that is back
  clips.take_waiting();
  watchdog.note("waits for clips");
  clips.take(5);
  messages.expect_no_error();
  watchdog.note("stops");
  line.reach(GST_STATE_NULL);
  cameras.wait_until_all_are_gone();
}

GST_START_TEST(test_clips_go_on) {
  register_camera();
  Cameras &cameras = Cameras::get();
  const auto refuse = [&](bool says_why, bool ends) {
    cameras.plan({3, says_why, ends, 0});
    cameras.cut();
  };
  for (const char *codec : {"h264", "raw"}) {
    check_goes_on(codec, "an error", [&] { cameras.cut(); });
    check_goes_on(codec, "an end", [&] { cameras.end(); });
    check_goes_on(codec, "failed attempts", [&] { refuse(true, false); });
    check_goes_on(codec, "attempts that fail without a word", [&] { refuse(false, false); });
    check_goes_on(codec, "attempts that end at once", [&] { refuse(true, true); });
    check_goes_on(
        codec, "silence, and times from 0",
        [&] {
          cameras.set_silent(true);
          g_usleep(30000);
          cameras.set_silent(false);
        },
        false);
  }
}
GST_END_TEST;

GST_START_TEST(test_no_reconnect) {
  register_camera();
  for (const bool fails : {true, false}) {
    Line line(camera_line("h264", "0", kSink));
    Clips clips(line);
    line.start();
    clips.take(1);
    if (fails)
      Cameras::get().cut();
    else
      Cameras::get().end();
    const Outcome outcome = line.finish();
    fail_unless(outcome.eos == !fails);
    assert_text(outcome.error, fails ? "The cable is cut." : "");
    fail_if(outcome.warned_of("interrupted"));
  }
}
GST_END_TEST;

// The first attempt must succeed, because the URI may be wrong.
GST_START_TEST(test_first_attempt) {
  register_camera();
  Cameras::get().plan({1, true, false, 0});
  Line line(camera_line("h264", "0.01", kSink));
  assert_text(line.run().error, "The cable is cut.");
}
GST_END_TEST;

// Stopped while the camera is opened again, or is about to be, or has just been.
GST_START_TEST(test_stops) {
  register_camera();
  Cameras &cameras = Cameras::get();
  Line line(camera_line("raw", "0.004", kSink, 10));
  const Owned<GstElement> bin = line.get("bin");
  const size_t children = children_of(bin.get()).size();
  Watchdog watchdog(line.pipeline(), "stops");
  Messages messages(line);
  std::atomic<unsigned> planned{0}; // a camera that has delivered nothing is not opened again
  line.on_buffer("planner", "src", [&planned](GstPad *, GstBuffer *) { planned++; });
  std::mt19937 dice(1);
  const auto below = [&](unsigned limit) { return static_cast<gulong>(dice() % limit); };
  for (int round = 0; round < (g_getenv("CPS_ALL") ? 200 : 60); round++) {
    watchdog.note("round " + std::to_string(round));
    cameras.plan({});
    line.start();
    for (const unsigned least = planned + 1 + static_cast<unsigned>(below(3)); planned < least;)
      g_usleep(100);
    cameras.plan({static_cast<int>(below(3)), below(2) == 0, below(2) == 0, below(4000)});
    if (below(2))
      cameras.cut();
    else
      cameras.end();
    g_usleep(below(16000));
    line.reach(below(4) ? GST_STATE_NULL : GST_STATE_READY);
    messages.expect_no_error();
    line.forget_messages();
    assert_equals_uint64(children_of(bin.get()).size(), children);
  }
  line.reach(GST_STATE_NULL);
  cameras.wait_until_all_are_gone();
}
GST_END_TEST;

// What fails, or has enough, behind the source, does so for good.
GST_START_TEST(test_other_errors) {
  register_camera();
  {
    Line line(camera_line("h264", "0.01", kSink));
    Clips clips(line);
    Messages messages(line);
    line.start();
    clips.take(1);
    const Owned<GstElement> decoder = child_of(line.get("bin").get(), "avdec_h264");
    fail_unless(decoder != nullptr);
    GST_ELEMENT_ERROR(decoder.get(), STREAM, DECODE, ("The decoder fails."), (nullptr));
    assert_text(messages.next(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING), "The decoder fails.");
  }
  {
    Line line(camera_line("h264", "0.01", "identity error-after=2 ! fakesink"));
    Messages messages(line);
    line.start();
    fail_unless(messages.next(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING).find("Failed") == 0);
    // Then the source says that its data are refused.
    const std::string text = messages.next(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
    fail_unless(text.find("Internal data stream error") == 0, "%s", text.c_str());
  }
  {
    Line line(camera_line("h264", "0.01", "identity eos-after=2 ! fakesink"));
    Messages messages(line);
    const Owned<GstElement> planner = child_of(line.get("bin").get(), "frameplanner");
    const Owned<GstPad> pad(gst_element_get_static_pad(planner.get(), "sink"));
    std::atomic<bool> ended{false};
    gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        [](GstPad *, GstPadProbeInfo *info, gpointer flag) {
          if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS)
            *static_cast<std::atomic<bool> *>(flag) = true;
          return GST_PAD_PROBE_OK;
        },
        &ended, nullptr);
    Watchdog watchdog(line.pipeline(), "the end of downstream");
    line.start();
    assert_text(messages.next(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_EOS), "eos");
    while (!ended) {
      g_usleep(1000);
      assert_text(messages.next(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING, 0), "");
    }
    line.stop();
  }
}
GST_END_TEST;

// --- Slow downstream ---

namespace {

std::string windows_line(const std::string &source, const std::string &options,
                         const std::string &end = " ! fakesink name=sink sync=false async=false") {
  return "videotestsrc name=source " + source + " ! video/x-raw,format=I420,width=64,height=48,framerate=100/1 ! " +
         "uniformsampler name=sampler sequence-length=5 window=50000000 " + options + end;
}

// The clips that leave a sampler or are dropped.
class SampledClips {
public:
  explicit SampledClips(Line &line) : bus_(gst_element_get_bus(line.pipeline())) {
    line.on_buffer("sink", "sink", [this](GstPad *, GstBuffer *buffer) {
      const CpsFrameMeta *meta = cps_buffer_get_frame_meta(buffer);
      const std::lock_guard<std::mutex> lock(mutex_);
      frames_.emplace_back(meta->clip_index, meta->seq_pos);
      changed_.notify_all();
    });
  }

  // Waits for that many clips that are dropped.
  void wait_for_drops(guint count) {
    while (dropped_.size() < count) {
      const Owned<GstMessage> message(
          gst_bus_timed_pop_filtered(bus_.get(), kPatience, static_cast<GstMessageType>(kReports | GST_MESSAGE_ERROR)));
      fail_unless(message && GST_MESSAGE_TYPE(message.get()) != GST_MESSAGE_ERROR, "no clip is dropped");
      read_drop(message.get());
    }
  }
  void read_drops() {
    while (const Owned<GstMessage> message{gst_bus_pop_filtered(bus_.get(), kReports)})
      read_drop(message.get());
  }
  const std::set<guint> &dropped() const { return dropped_; }

  void wait_for_frames(size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    const std::chrono::nanoseconds patience(kPatience);
    const size_t least = frames_.size() + count;
    fail_unless(changed_.wait_for(lock, patience, [&] { return frames_.size() >= least; }), "no frames");
  }
  std::vector<std::pair<guint, guint>> frames() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return frames_;
  }

  // The number of clips that are left out, with a warning.
  guint left_out() const { return left_out_; }

private:
  static constexpr auto kReports = static_cast<GstMessageType>(GST_MESSAGE_ELEMENT | GST_MESSAGE_WARNING);

  void read_drop(GstMessage *message) {
    left_out_ += GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING;
    if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ELEMENT)
      return;
    const GstStructure *details = gst_message_get_structure(message);
    if (!gst_structure_has_name(details, "clip-dropped"))
      return;
    guint clip = 0;
    guint64 count = 0;
    fail_unless(
        gst_structure_get(details, "clip-index", G_TYPE_UINT, &clip, "dropped", G_TYPE_UINT64, &count, nullptr));
    fail_unless(dropped_.insert(clip).second);
    assert_equals_uint64(count, dropped_.size());
  }

  Owned<GstBus> bus_;
  std::set<guint> dropped_;
  guint left_out_ = 0;
  std::mutex mutex_; // protects the members below
  std::condition_variable changed_;
  std::vector<std::pair<guint, guint>> frames_; // clip and position
};

// Counts the pieces of memory that a source needs.
class Memory {
public:
  explicit Memory(Line &line) {
    line.on_buffer("sampler", "sink", [this](GstPad *, GstBuffer *buffer) {
      const std::lock_guard<std::mutex> lock(mutex_);
      pieces_.insert(gst_buffer_peek_memory(buffer, 0));
    });
  }
  size_t count() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return pieces_.size();
  }

private:
  std::mutex mutex_;
  std::set<GstMemory *> pieces_;
};

} // namespace

// Each clip is whole or dropped, and the memory is that of three clips.
GST_START_TEST(test_drops_whole_clips) {
  Line line(windows_line("is-live=true", ""));
  Watchdog watchdog(line.pipeline(), "drops");
  SampledClips clips(line);
  Memory memory(line);
  {
    Gate gate(line, "sampler", "src");
    gate.close();
    line.start();
    clips.wait_for_drops(20);
    fail_unless(memory.count() <= 24, "%d pieces of memory", static_cast<int>(memory.count()));
  }
  watchdog.note("waits for clips");
  clips.wait_for_frames(40);
  line.reach(GST_STATE_PAUSED);
  const auto frames = clips.frames();
  line.stop();
  clips.read_drops();
  guint clip = 0, position = 0, missing = 0;
  for (const auto &[is_clip, is_position] : frames) {
    for (; position == 0 && clip < is_clip; clip++)
      missing += clips.dropped().count(clip) ? 0 : 1;
    fail_unless(is_clip == clip && is_position == position, "position %u of clip %u instead of %u of %u", is_position,
                is_clip, position, clip);
    position = (position + 1) % 5;
    clip += position == 0;
  }
  // On a busy machine the source itself leaves out frames; the clips that this interrupts are left out with a warning.
  fail_unless(missing <= clips.left_out(), "%u clips are missing", missing);
}
GST_END_TEST;

// A source that waits loses nothing.
GST_START_TEST(test_drops_nothing) {
  for (const char *leaky : {"auto", "no"}) {
    Line line(windows_line("num-buffers=100", std::string("leaky=") + leaky));
    Watchdog watchdog(line.pipeline(), leaky);
    SampledClips clips(line);
    {
      Gate gate(line, "sampler", "src");
      gate.close();
      line.start();
      g_usleep(50000);
    }
    fail_unless(line.finish().eos);
    assert_equals_uint64(clips.frames().size(), 100);
    clips.read_drops();
    fail_unless(clips.dropped().empty());
  }
}
GST_END_TEST;

// The queue's task waits for frames, or downstream has blocked it.
GST_START_TEST(test_states_of_the_queue) {
  for (const bool live : {true, false}) {
    Line line(windows_line(live ? "is-live=true" : "", "leaky=downstream", ""));
    Watchdog watchdog(line.pipeline(), live ? "live" : "not live");
    Taker taker(line, "sampler");
    Messages messages(line);
    Gate gate(line, "sampler", "src");
    const Owned<GstElement> source = line.get("source");
    std::mt19937 dice(1);
    const auto below = [&](unsigned limit) { return static_cast<gulong>(dice() % limit); };
    line.reach(GST_STATE_PLAYING);
    for (int round = 0; round < 100; round++) {
      below(2) ? gate.close() : gate.open();
      g_usleep(below(4) ? below(12000) : 0);
      const gulong act = below(4);
      watchdog.note("round " + std::to_string(round) + ", act " + std::to_string(act));
      if (act < 2) {
        line.start(act ? GST_STATE_PAUSED : GST_STATE_READY);
        g_usleep(below(5000));
        line.start();
      } else {
        gst_element_seek_simple(source.get(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0);
      }
      if (round % 10 == 9) {
        watchdog.note("waits for frames");
        gate.open();
        taker.wait_for_frames(15);
      }
    }
    messages.expect_no_error();
    gate.close();
    watchdog.note("stops");
    line.reach(GST_STATE_NULL);
  }
}
GST_END_TEST;

// --- Sources that cannot seek ---

namespace {

constexpr const char *kWindows = "sequence-length=4 window=800000000 ";
constexpr int kFrames = 60; // 2.4 s

void check_clips(const std::string &what, const Outcome &outcome, const Frames &frames) {
  fail_unless(outcome.eos, "%s: %s", what.c_str(), outcome.error.c_str());
  fail_if(outcome.warned_of("estimate"), "%s", what.c_str());
  std::vector<int> expected;
  for (int i = 0; i < 12; i++)
    expected.push_back(5 * i);
  check_numbers(what, numbers_of(frames.all()), expected);
}

} // namespace

GST_START_TEST(test_pipes) {
  const TempDir folder;
  const std::string path = folder.file("clip.ts");
  encode(path, kH264B, "mpegtsmux", kFrames);
  const std::string bytes = read_file(path);
  for (const bool in_bin : {true, false}) {
    int ends[2];
    fail_unless(pipe(ends) == 0);
    const std::string fd = std::to_string(ends[0]);
    Line line(in_bin ? bin_of("uniformdecodebin", "", kWindows + ("uri=fd://" + fd)) + " allow-uri-schemes=fd ! " +
                           "fakesink name=sink"
                     : "fdsrc fd=" + fd + " ! tsdemux ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler " +
                           kWindows + " ! fakesink name=sink");
    Frames frames;
    frames.watch(line, "sink", "sink");
    std::thread writer([&bytes, fd = ends[1]] {
      for (size_t done = 0; done < bytes.size();)
        done += static_cast<size_t>(write(fd, bytes.data() + done, bytes.size() - done));
      close(fd);
    });
    const Outcome outcome = line.run();
    writer.join();
    line.stop();
    close(ends[0]);
    check_clips(in_bin ? "a pipe in a bin" : "a pipe", outcome, frames);
  }
}
GST_END_TEST;

GST_START_TEST(test_streams_that_cannot_seek) {
  const TempDir folder;
  for (const char *muxer : {"mpegtsmux", "matroskamux streamable=true"}) {
    const std::string path = folder.file("clip");
    encode(path, kH264B, muxer, kFrames);
    const std::string bytes = read_file(path);
    // A converter's stream cannot seek.
    const Owned<GInputStream> memory(
        g_memory_input_stream_new_from_data(bytes.data(), static_cast<gssize>(bytes.size()), nullptr));
    GCharsetConverter *converter = g_charset_converter_new("ISO-8859-1", "ISO-8859-1", nullptr);
    const Owned<GInputStream> once(g_converter_input_stream_new(memory.get(), G_CONVERTER(converter)));
    g_object_unref(converter);
    Line line(bin_of("uniformdecodebin", "", kWindows) + " ! fakesink name=sink");
    g_object_set(line.get("bin").get(), "stream", once.get(), nullptr);
    Frames frames;
    frames.watch(line, "sink", "sink");
    const Outcome outcome = line.run();
    check_clips(muxer, outcome, frames);
  }
}
GST_END_TEST;

static Suite *live_suite() {
  Suite *suite = suite_create("pipelines-live");
  TCase *tests = make_tests(suite);
  tcase_add_test(tests, test_clips_go_on);
  tcase_add_test(tests, test_no_reconnect);
  tcase_add_test(tests, test_first_attempt);
  tcase_add_test(tests, test_stops);
  tcase_add_test(tests, test_other_errors);
  tcase_add_test(tests, test_drops_whole_clips);
  tcase_add_test(tests, test_drops_nothing);
  tcase_add_test(tests, test_states_of_the_queue);
  tcase_add_test(tests, test_pipes);
  tcase_add_test(tests, test_streams_that_cannot_seek);
  return suite;
}

GST_CHECK_MAIN(live)
