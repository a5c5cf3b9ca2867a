// SPDX-License-Identifier: LGPL-2.1-or-later
// Seeks of the application: before and while the stream is indexed, in still scenes, of segments, and whose events they
// become downstream.
#include "tests/pipelines/sections.h"

#include <atomic>
#include <chrono>
#include <condition_variable>

namespace {

using namespace pipes;

std::string line_of(const std::string &path, const std::string &demuxer, const std::string &parser = "h264parse") {
  return "filesrc location=" + path + " ! " + demuxer + (demuxer.empty() ? "" : " ! ") + parser +
         " name=parser ! frameplanner ! " + decoder_of(parser) +
         " ! uniformsampler name=sampler sequence-length=" + std::to_string(kLength) +
         " ! patchenergy ! patchselect k-keep=16 ! tensormetasink name=sink";
}

constexpr Section halves(guint start, guint stop) {
  constexpr GstClockTime kHalf = GST_SECOND / 2;
  return {start * kHalf, stop * kHalf};
}

// Returns the number of the seek.
guint32 seek(const Line &line, const Section &section, int flags = 0) {
  Owned<GstEvent> event = seek_event(section, GST_SEEK_FLAG_ACCURATE | flags);
  const guint32 seqnum = gst_event_get_seqnum(event.get());
  fail_unless(gst_element_send_event(line.pipeline(), event.release()));
  return seqnum;
}

std::vector<int> ids_of(const Outcome &outcome) {
  const std::vector<uint64_t> ids = outcome.only_clip().frame_ids();
  return {ids.begin(), ids.end()};
}

void check_section(const std::string &what, const Outcome &outcome, const std::vector<int> &expected) {
  fail_if(outcome.warned_of("truncated"), "%s", what.c_str());
  fail_if(outcome.warned_of("estimate"), "%s", what.c_str());
  const CpsClip &clip = *outcome.only_clip().clip;
  for (guint i = 0; i < clip.n_frames; i++)
    fail_unless(clip.frames[i].status == CPS_FRAME_STATUS_OK, "%s: frame %u", what.c_str(), i);
  check_numbers(what, ids_of(outcome), expected);
}

// Stops the stream before its access unit `unit`, counted from 0 over all readings, until a flush.
class Hold {
public:
  Hold(const Line &line, int unit) : unit_(unit) {
    const Owned<GstElement> parser = line.get("parser");
    const Owned<GstPad> pad(gst_element_get_static_pad(parser.get(), "src"));
    gst_pad_add_probe(
        pad.get(), static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER),
        [](GstPad *, GstPadProbeInfo *, gpointer self) { return static_cast<Hold *>(self)->see(); }, this, nullptr);
  }

  void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    const std::chrono::nanoseconds patience(kPatience);
    fail_unless(reached_.wait_for(lock, patience, [this] { return seen_ > unit_; }), "the stream does not come");
  }

private:
  GstPadProbeReturn see() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool hold = seen_++ == unit_;
    reached_.notify_all();
    return hold ? GST_PAD_PROBE_OK : GST_PAD_PROBE_PASS;
  }

  int unit_, seen_ = 0;
  std::mutex mutex_;
  std::condition_variable reached_;
};

// The numbers of the events that reach the sink and belong to one playback.
class Numbers {
public:
  explicit Numbers(const Line &line) {
    const Owned<GstElement> sink = line.get("sink");
    const Owned<GstPad> pad(gst_element_get_static_pad(sink.get(), "sink"));
    gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        [](GstPad *, GstPadProbeInfo *info, gpointer self) {
          static_cast<Numbers *>(self)->see(GST_PAD_PROBE_INFO_EVENT(info));
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
  }

  // All that have come since the last check are `seqnum`, and both are among them.
  void check(const std::string &what, guint32 seqnum) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<GstEventType> types;
    for (const auto &[type, number] : seen_) {
      fail_unless(number == seqnum, "%s: %s is %u instead of %u", what.c_str(), gst_event_type_get_name(type), number,
                  seqnum);
      types.push_back(type);
    }
    fail_unless(types == std::vector<GstEventType>({GST_EVENT_SEGMENT, GST_EVENT_EOS}), "%s: %d events", what.c_str(),
                static_cast<int>(types.size()));
    seen_.clear();
  }
  void clear() {
    const std::lock_guard<std::mutex> lock(mutex_);
    seen_.clear();
  }

private:
  void see(GstEvent *event) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT || GST_EVENT_TYPE(event) == GST_EVENT_EOS)
      seen_.emplace_back(GST_EVENT_TYPE(event), gst_event_get_seqnum(event));
  }

  std::mutex mutex_;
  std::vector<std::pair<GstEventType, guint32>> seen_;
};

// Stops the stream where the planner asks what is wanted, until a flush comes.
class HeldPlan {
public:
  explicit HeldPlan(const Line &line) {
    const Owned<GstElement> sampler = line.get("sampler");
    const Owned<GstPad> pad(gst_element_get_static_pad(sampler.get(), "sink"));
    gst_pad_add_probe(
        pad.get(),
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH |
                                     GST_PAD_PROBE_TYPE_EVENT_FLUSH),
        [](GstPad *, GstPadProbeInfo *info, gpointer self) {
          static_cast<HeldPlan *>(self)->see(info);
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
  }

  void wait() { wait_for(asked_, "nobody asks"); }

private:
  void see(GstPadProbeInfo *info) {
    const bool flush = GST_IS_EVENT(info->data);
    if (!flush && (asked_ || !cps_query_is_plan_request(GST_PAD_PROBE_INFO_QUERY(info))))
      return;
    if (flush && !asked_)
      return;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      (flush ? flushed_ : asked_) = true;
      changed_.notify_all();
    }
    if (!flush)
      wait_for(flushed_, "nobody flushes");
  }

  void wait_for(const std::atomic<bool> &what, const char *otherwise) {
    std::unique_lock<std::mutex> lock(mutex_);
    fail_unless(changed_.wait_for(lock, std::chrono::nanoseconds(kPatience), [&] { return what.load(); }), "%s",
                otherwise);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> asked_{false}, flushed_{false};
};

// Streams in MPEG-TS begin at any time.
GstClockTime first_time(const std::string &path, const std::string &demuxer) {
  Line line(line_of(path, demuxer));
  return line.run().only_clip().clip->frames[0].pts;
}

// Where the application's first seek finds the planner: before its first access unit, in the first reading, in the
// second.
constexpr int kHolds[] = {0, 20, kCount + 20};

} // namespace

// The stop of a seek that comes early is not that of the stream.
GST_START_TEST(test_early_stops) {
  const Container &container = kContainers[__i__];
  const TempDir folder;
  const std::string path = folder.file("clip");
  encode(path, kH264B, container.muxer, kCount, container.width, container.height);
  const GstClockTime offset = first_time(path, container.demuxer);
  for (const auto &[first, second] : {std::pair(halves(3, 5), halves(0, 6)), std::pair(halves(0, 2), halves(4, 6))})
    for (const int hold : kHolds) {
      const std::string what = std::string(container.muxer) + ", from " + std::to_string(first.start / GST_MSECOND) +
                               " ms, held at " + std::to_string(hold);
      Line line(line_of(path, container.demuxer));
      Frames frames;
      frames.watch(line, "sampler");
      Hold stream(line, hold);
      line.start(GST_STATE_PAUSED);
      stream.wait();
      seek(line, first);
      line.start();
      Outcome outcome = line.finish();
      check_section(what, outcome, first.frames_like(ids_of(outcome), offset));
      frames.clear();
      seek(line, second);
      outcome = line.finish();
      check_section(what + ", again", outcome, second.frames_like(ids_of(outcome), offset));
      check_numbers(what, numbers_of(frames.all()), ids_of(outcome));
    }
}
GST_END_TEST;

// A seek comes while the planner works out that it has to read from further back for the one before. Raw streams always
// are read from their beginning.
GST_START_TEST(test_seek_while_planning) {
  const TempDir folder;
  const std::string path = folder.file("clip.h264");
  encode(path, kH264B, "", kCount);
  Line line(line_of(path, ""));
  line.run().only_clip();
  HeldPlan plan(line);
  seek(line, halves(1, 2));
  plan.wait();
  seek(line, halves(3, 5));
  check_section("seek while planning", line.finish(), halves(3, 5).frames());
}
GST_END_TEST;

// Pictures that are all alike: only their times tell which they are.
GST_START_TEST(test_still_scenes) {
  const struct {
    const char *encoder, *muxer, *demuxer;
  } rows[] = {{"x264enc speed-preset=ultrafast key-int-max=10", "mp4mux", "qtdemux"},
              {"x264enc speed-preset=ultrafast key-int-max=10 bframes=2", "matroskamux", "matroskademux"},
              {"x265enc speed-preset=ultrafast key-int-max=10 option-string=qp=20:no-open-gop=1", "mp4mux", "qtdemux"}};
  const auto &row = rows[__i__];
  const std::string encoder = row.encoder, parser = parser_of(encoder);
  if (!have_elements({encoder.substr(0, encoder.find(' ')).c_str(), parser.c_str(), decoder_of(parser).c_str()}))
    return;
  const TempDir folder;
  const std::string path = folder.file("clip");
  const Outcome made = run("videotestsrc pattern=black num-buffers=90 ! video/x-raw,width=160,height=96,framerate=30/1 "
                           "! " +
                           encoder + " ! " + parser + " ! " + row.muxer + " ! filesink location=" + path);
  fail_unless(made.eos, "%s", made.error.c_str());
  Line line(line_of(path, row.demuxer, parser));
  check_section(encoder, line.run(), {0, 29, 59, 89});
  seek(line, halves(4, 6));
  check_section(encoder + ", the end", line.finish(), {60, 69, 79, 89});
  seek(line, halves(2, 4));
  check_section(encoder + ", the middle", line.finish(), {30, 39, 49, 59});
}
GST_END_TEST;

// Seeks of segments end with SEGMENT_DONE instead of EOS, the first reading too. tsdemux knows no such seeks.
GST_START_TEST(test_segment_seeks) {
  const Container &container = kContainers[__i__];
  const TempDir folder;
  const std::string path = folder.file("clip");
  encode(path, kH264B, container.muxer, kCount, container.width, container.height);
  for (const Section &section : {halves(0, 2), halves(3, 5)}) {
    const std::string what = std::string(container.muxer) + ", from " + std::to_string(section.start / GST_MSECOND);
    for (const int hold : kHolds) {
      Line line(line_of(path, container.demuxer));
      Hold stream(line, hold);
      line.start();
      stream.wait();
      seek(line, section, GST_SEEK_FLAG_SEGMENT);
      check_section(what + ", held at " + std::to_string(hold), line.finish(), section.frames());
    }
    Line line(line_of(path, container.demuxer));
    line.run().only_clip();
    seek(line, section, GST_SEEK_FLAG_SEGMENT);
    check_section(what, line.finish(), section.frames());
  }
}
GST_END_TEST;

// Downstream can tell which seek an end of stream is due to.
GST_START_TEST(test_numbers) {
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  encode(path, kH264B, "mp4mux", kCount);
  for (const int hold : kHolds) {
    const std::string what = "held at " + std::to_string(hold);
    Line line(line_of(path, "qtdemux"));
    Numbers numbers(line);
    Hold stream(line, hold);
    line.start();
    stream.wait();
    numbers.clear();
    const guint32 first = seek(line, halves(2, 4));
    line.finish().only_clip();
    numbers.check(what, first);
    const guint32 second = seek(line, halves(0, 6));
    line.finish().only_clip();
    numbers.check(what + ", again", second);
  }
}
GST_END_TEST;

static Suite *seeks_suite() {
  Suite *suite = suite_create("pipelines-seeks");
  TCase *tests = make_tests(suite);
  tcase_add_loop_test(tests, test_early_stops, 0, G_N_ELEMENTS(kContainers));
  tcase_add_test(tests, test_seek_while_planning);
  tcase_add_loop_test(tests, test_still_scenes, 0, 3);
  tcase_add_loop_test(tests, test_segment_seeks, 0, 2);
  tcase_add_test(tests, test_numbers);
  return suite;
}

GST_CHECK_MAIN(seeks)
