// SPDX-License-Identifier: LGPL-2.1-or-later
// Seeks, state changes and queries at random moments: nothing hangs, and no frame is other than it says. Flushes are
// those of seeks: where data is pulled from the source, GStreamer itself comes to a deadlock on others. CPS_SEED
// repeats a run's decisions, though not its timing; CPS_STEPS makes it longer; CPS_LINE picks one of kKinds.
#include "tests/common/watchdog.h"
#include "tests/pipelines/sections.h"

#include <algorithm>
#include <atomic>
#include <random>

namespace {

using namespace pipes;

constexpr int kSteps = 50; // of a line, by default
constexpr int kBurst = 6;  // at most, before the line is looked at

struct Kind {
  const char *name;
  const char *demuxer; // "" for a raw stream
  const char *muxer;
  int size; // 0: the usual
  bool audio;
  bool exact;        // frames are what they should be
  const char *queue; // before the video's parser
  const char *end;
  bool windows = false; // that overlap
};
constexpr const char *kTensors = "patchenergy ! patchselect k-keep=16 ! tensormetasink name=sink";
constexpr const char *kFake = "fakesink name=sink"; // waits for a frame in PAUSED, which takes a whole first reading
// Where tsdemux goes is not where an estimate has the frames, and decoders get pictures that refer to others before it.
constexpr Kind kKinds[] = {
    {"mp4", "qtdemux", "mp4mux", 0, false, true, "", kTensors},
    {"mkv", "matroskademux", "matroskamux", 0, false, true, "queue ! ", kFake},
    {"ts", "tsdemux", "mpegtsmux", kLarge, false, true, "", kFake},
    {"raw", "", "", 0, false, true, "", kTensors},
    {"mp4 with audio", "qtdemux", "mp4mux", 0, true, true, "", kFake},
    {"mp4 with audio, queued", "qtdemux", "mp4mux", 0, true, true, "queue ! ", kTensors},
    {"mkv with audio", "matroskademux", "matroskamux", 0, true, true, "queue ! ", kFake},
    {"ts with audio", "tsdemux", "mpegtsmux", kLarge, true, false, "queue ! ", kTensors},
    {"mp4 in windows", "qtdemux", "mp4mux", 0, false, true, "", kTensors, true},
    {"mkv in windows", "matroskademux", "matroskamux", 0, false, true, "queue ! ", kFake, true},
};

constexpr GstClockTime kWindow = 500 * GST_MSECOND, kHop = 200 * GST_MSECOND;

// The frames of all windows of a section.
std::vector<int> frames_of_windows(const Section &section) {
  std::vector<int> all;
  for (GstClockTime start = section.start; start < section.stop && start < kCount * GST_SECOND / kClipRate;
       start += kHop) {
    const Section window = {start, std::min(start + kWindow, section.stop)};
    constexpr GstClockTime kFrame = GST_SECOND / kClipRate;
    const GstClockTime next = (start + kFrame - 1) / kFrame;
    if (next >= kCount || next * kFrame >= window.stop) // no clip
      continue;
    const std::vector<int> frames = window.frames();
    all.insert(all.end(), frames.begin(), frames.end());
  }
  return all;
}

int from_environment(const char *name, int otherwise) {
  const char *text = g_getenv(name);
  return text ? static_cast<int>(g_ascii_strtoll(text, nullptr, 10)) : otherwise;
}

std::string line_of(const Kind &kind, const std::string &path) {
  std::string line = "filesrc location=" + path + " ! ";
  if (*kind.demuxer)
    line += std::string(kind.demuxer) + " name=demuxer ";
  line += *kind.queue ? "queue name=video ! h264parse" : "h264parse name=video";
  line += " ! frameplanner ! avdec_h264 ! uniformsampler name=sampler sequence-length=" + std::to_string(kLength) +
          (kind.windows ? " window=" + std::to_string(kWindow) + " hop=" + std::to_string(kHop) : "") + " ! " +
          kind.end;
  return kind.audio ? line + " queue name=audio ! fakesink" : line;
}

// A line that is sent about at random, and looked at in between.
class Walk {
public:
  Walk(const Kind &kind, const std::string &path, GstClockTime offset, int seed)
      : kind_(kind), offset_(offset), dice_(static_cast<unsigned>(seed)), line_(line_of(kind, path)),
        watchdog_(line_.pipeline(), std::string(kind.name) + ", CPS_SEED=" + std::to_string(seed)) {
    if (*kind.demuxer)
      link_pads(line_);
    bus_.reset(gst_element_get_bus(line_.pipeline()));
    current_.watch(line_, "sampler");
    all_.watch(line_, "sampler");
    const Owned<GstElement> sampler = line_.get("sampler");
    const Owned<GstPad> pad(gst_element_get_static_pad(sampler.get(), "src"));
    gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_EVENT_FLUSH,
        [](GstPad *, GstPadProbeInfo *info, gpointer self) {
          if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_FLUSH_STOP)
            static_cast<Walk *>(self)->current_.clear();
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
  }

  // Bins take the end of stream that a sink without preroll posted before a seek for one behind it, and theirs comes
  // early or not at all where there are two sinks. So it is what the sink gets that counts.
  void watch_end() {
    const Owned<GstElement> sink = line_.get("sink");
    const Owned<GstPad> pad(gst_element_get_static_pad(sink.get(), "sink"));
    gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        [](GstPad *, GstPadProbeInfo *info, gpointer self) {
          GstEvent *event = GST_PAD_PROBE_INFO_EVENT(info);
          if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
            static_cast<Walk *>(self)->ended_ = gst_event_get_seqnum(event);
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
  }

  void go(int steps) {
    watch_end();
    line_.start();
    while (steps > 0) {
      for (int burst = std::min(steps, 1 + below(kBurst)); burst > 0; burst--, steps--)
        step();
      settle();
    }
    watchdog_.note("stops");
    line_.reach(GST_STATE_NULL);
  }

private:
  int below(int limit) { return static_cast<int>(dice_() % static_cast<unsigned>(limit)); }
  void doze() { g_usleep(static_cast<gulong>(below(16) * 1000 + below(1000))); }

  // --- What applications do ---

  Section any_section() {
    const auto start = static_cast<GstClockTime>(below(5) == 0 ? 0 : below(2700)) * GST_MSECOND;
    const auto length = static_cast<GstClockTime>(300 + below(2000)) * GST_MSECOND;
    return {start, below(2) ? start + length : GST_CLOCK_TIME_NONE};
  }

  std::string text_of_section() const {
    const std::string stop =
        GST_CLOCK_TIME_IS_VALID(section_.stop) ? std::to_string(section_.stop / GST_MSECOND) : "the end";
    return "[" + std::to_string(section_.start / GST_MSECOND) + ", " + stop + ")";
  }

  void change(GstState state) {
    watchdog_.note(gst_element_state_get_name(state));
    gst_element_set_state(line_.pipeline(), state);
  }

  // Where matroskademux is told to seek before it has come to the first picture, it takes the first that comes for the
  // beginning of the stream from then on.
  bool may_seek() const {
    if (std::strcmp(kind_.demuxer, "matroskademux") != 0)
      return true;
    const Owned<GstElement> parser = line_.get("video");
    const Owned<GstPad> pad(gst_element_get_static_pad(parser.get(), "sink"));
    return Owned<GstEvent>(gst_pad_get_sticky_event(pad.get(), GST_EVENT_SEGMENT, 0)) != nullptr;
  }

  // Refused where there is no stream to seek in yet.
  bool seek(int flags) {
    if (!may_seek())
      return false;
    watchdog_.note("seek " + text_of_section() + (flags & GST_SEEK_FLAG_ACCURATE ? "" : " by key frames"));
    Owned<GstEvent> event = seek_event(section_, flags);
    seqnum_ = gst_event_get_seqnum(event.get());
    return gst_element_send_event(line_.pipeline(), event.release());
  }

  void query() {
    watchdog_.note("query");
    gint64 value;
    gst_element_query_position(line_.pipeline(), GST_FORMAT_TIME, &value);
    gst_element_query_duration(line_.pipeline(), GST_FORMAT_TIME, &value);
  }

  void restart(GstState by_way_of) {
    change(by_way_of);
    change(GST_STATE_PLAYING);
  }

  // Two threads of one application.
  void seek_meanwhile() {
    section_ = any_section();
    const GstState states[] = {GST_STATE_PLAYING, GST_STATE_PAUSED, GST_STATE_READY};
    const GstState state = states[below(3)];
    watchdog_.note(std::string(gst_element_state_get_name(state)) + " during the following");
    std::thread other([this, state] { gst_element_set_state(line_.pipeline(), state); });
    seek(GST_SEEK_FLAG_ACCURATE);
    other.join();
  }

  void step() {
    doze();
    switch (below(15)) {
    case 0:
    case 1:
    case 2:
    case 3:
      section_ = any_section();
      seek(GST_SEEK_FLAG_ACCURATE);
      break;
    case 4:
    case 5:
      section_ = any_section();
      seek(GST_SEEK_FLAG_KEY_UNIT);
      break;
    case 6:
      seek(GST_SEEK_FLAG_ACCURATE);
      break;
    case 7:
      change(GST_STATE_PAUSED);
      break;
    case 8:
      change(GST_STATE_PLAYING);
      break;
    case 9:
      restart(GST_STATE_READY);
      break;
    case 10:
      restart(GST_STATE_NULL);
      break;
    case 11:
      change(GST_STATE_READY);
      break;
    case 12:
      restart(GST_STATE_PAUSED);
      break;
    case 13:
      query();
      break;
    default:
      seek_meanwhile();
    }
    read_messages(0);
  }

  // --- What must be true ---

  void complain(const std::string &what) { fail_unless(false, "%s: %s", watchdog_.story().c_str(), what.c_str()); }

  // True at an end of stream that `seqnum` is due to, or any.
  bool read_message(GstMessage *message, guint32 seqnum) {
    GError *error = nullptr;
    switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_EOS:
      return seqnum == GST_SEQNUM_INVALID || gst_message_get_seqnum(message) == seqnum;
    case GST_MESSAGE_WARNING:
      gst_message_parse_warning(message, &error, nullptr);
      break;
    default:
      gst_message_parse_error(message, &error, nullptr);
    }
    const std::string text = std::string(GST_MESSAGE_SRC_NAME(message)) + ": " + error->message;
    g_error_free(error);
    if (text == "demuxer: Internal data stream error.") // when stopped amid its first pads; else no end would come
      return false;
    const auto says = [&](const char *part) { return text.find(part) != std::string::npos; };
    if (!(kind_.audio && (says("another branch") || says("estimate"))) && !(!kind_.exact && says("be decoded")))
      complain(text);
    return false;
  }

  // False after `patience`.
  bool read_messages(GstClockTime patience, guint32 seqnum = GST_SEQNUM_INVALID) {
    constexpr auto kTypes = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
    while (GstMessage *message = gst_bus_timed_pop_filtered(bus_.get(), patience, kTypes)) {
      const bool ended = read_message(message, seqnum);
      gst_message_unref(message);
      if (ended && patience > 0)
        return true;
    }
    return false;
  }

  void check_frames(const char *what, const std::vector<Seen> &frames) {
    for (const Seen &frame : frames)
      if (frame.frame_id != static_cast<guint64>(frame.number) || frame.status != CPS_FRAME_STATUS_OK)
        complain(std::string(what) + ": frame " + std::to_string(frame.number) + " is called " +
                 std::to_string(frame.frame_id) + ", status " + std::to_string(frame.status));
  }

  // Each clip is whole, and they are counted.
  void check_order(const char *what, const std::vector<Seen> &frames) {
    for (size_t i = 0; i < frames.size(); i++)
      if (frames[i].seq_pos != i % kLength || frames[i].clip_index != frames[0].clip_index + i / kLength)
        complain(std::string(what) + ": position " + std::to_string(frames[i].seq_pos) + " of clip " +
                 std::to_string(frames[i].clip_index) + " is frame " + std::to_string(i) + " of them");
  }

  void check_length() {
    fail_unless(current_.all().size() == kLength, "%s: %d frames", watchdog_.story().c_str(),
                static_cast<int>(current_.all().size()));
  }

  void expect(const Section &section) {
    watchdog_.note("waits for the end");
    if (!kind_.audio || seqnum_ == GST_SEQNUM_INVALID) {
      if (!read_messages(kPatience, seqnum_))
        complain("no end of stream");
    } else {
      for (guint64 waited = 0; ended_ != seqnum_; waited += GST_MSECOND) {
        if (waited > kPatience)
          complain("no end of stream");
        read_messages(GST_MSECOND, seqnum_);
      }
    }
    watchdog_.note("waits for the frames");
    for (guint64 waited = 0; waited < kPatience && current_.all().size() < kLength; waited += GST_MSECOND)
      g_usleep(1000); // the sound may end first
    if (!kind_.exact)
      return check_length();
    const std::vector<int> numbers = numbers_of(current_.all());
    check_numbers(watchdog_.story(), numbers,
                  kind_.windows ? frames_of_windows(section) : section.frames_like(numbers, offset_));
    check_frames("the clip", current_.all());
    check_order("the clips", current_.all());
    check_frames("before", all_.all());
    all_.clear();
  }

  void begin_again(GstState by_way_of) {
    watchdog_.note(std::string("again from ") + gst_element_state_get_name(by_way_of));
    line_.reach(by_way_of);
    line_.forget_messages();
    current_.clear();
    seqnum_ = GST_SEQNUM_INVALID;
    line_.start();
    expect({0, GST_CLOCK_TIME_NONE});
  }

  void seek_at_last(GstState state) {
    line_.start(state);
    section_ = any_section();
    while (!seek(GST_SEEK_FLAG_ACCURATE)) {
      g_usleep(1000);
      read_messages(0);
    }
    line_.start();
    expect(section_);
  }

  void settle() {
    watchdog_.note("settles");
    switch (below(kind_.exact ? 4 : 2)) {
    case 0:
      return begin_again(GST_STATE_READY);
    case 1:
      return begin_again(GST_STATE_NULL);
    case 2:
      return seek_at_last(GST_STATE_PLAYING);
    default:
      return seek_at_last(GST_STATE_PAUSED);
    }
  }

  const Kind &kind_;
  GstClockTime offset_;
  std::mt19937 dice_;
  Frames current_, all_; // since the last flush, since the last look
  Section section_ = {0, GST_CLOCK_TIME_NONE};
  guint32 seqnum_ = GST_SEQNUM_INVALID;            // of the last seek
  std::atomic<guint32> ended_{GST_SEQNUM_INVALID}; // of the last end at the sink
  Line line_;
  Owned<GstBus> bus_;
  Watchdog watchdog_;
};

// Streams in MPEG-TS begin at any time.
GstClockTime first_time(const std::string &path, const Kind &kind) {
  Kind alone = kind;
  alone.audio = alone.windows = false;
  alone.end = kTensors;
  Line line(line_of(alone, path));
  if (*kind.demuxer)
    link_pads(line);
  return line.run().only_clip().clip->frames[0].pts;
}

} // namespace

GST_START_TEST(test_random_walk) {
  const Kind &kind = kKinds[__i__];
  if (kind.audio && !have_elements({"avenc_aac"}))
    return;
  const TempDir folder;
  const std::string path = folder.file("clip");
  const int width = kind.size ? kind.size : kClipWidth, height = kind.size ? kind.size : kClipHeight;
  if (kind.audio)
    encode_with_audio(path, kCount, kind.muxer, width, height);
  else
    encode(path, kH264B, kind.muxer, kCount, width, height);
  Walk(kind, path, first_time(path, kind), from_environment("CPS_SEED", 1))
      .go(from_environment("CPS_STEPS", kind.windows ? 2 * kSteps : kSteps));
}
GST_END_TEST;

static Suite *random_suite() {
  Suite *suite = suite_create("pipelines-random");
  TCase *tests = make_tests(suite, 120 + from_environment("CPS_STEPS", kSteps));
  const int line = from_environment("CPS_LINE", -1);
  tcase_add_loop_test(tests, test_random_walk, std::max(line, 0), line < 0 ? G_N_ELEMENTS(kKinds) : line + 1);
  return suite;
}

GST_CHECK_MAIN(random)
