// SPDX-License-Identifier: LGPL-2.1-or-later
// Seeks, state changes, several pipelines, and pipelines with a second branch.
#include "tests/common/watchdog.h"
#include "tests/pipelines/clips.h"

namespace {

using namespace pipes;

constexpr int kCount = 100; // 4 s
constexpr int kLength = 8;

std::string full_line(const std::string &path, const std::string &demuxer = "qtdemux ! ") {
  return "filesrc location=" + path + " ! " + demuxer +
         "h264parse ! frameplanner ! avdec_h264 ! uniformsampler name=sampler sequence-length=8 ! "
         "patchenergy ! patchselect k-keep=64 ! tensormetasink name=sink";
}

const std::vector<int> kWhole = spread(count_up(0, kCount), kLength);

void check_whole(const std::string &what, const Outcome &outcome, const Frames &frames) {
  const Tensors &clip = outcome.only_clip();
  check_clip(what, frames.all(), kWhole, kCount);
  assert_equals_uint64(clip.clip->clip_index, 0);
  fail_unless_equals_int(static_cast<int>(clip.count()), 64);
}

void seek(Line &line, GstClockTime start, GstClockTime stop) {
  fail_unless(gst_element_seek(
      line.pipeline(), 1.0, GST_FORMAT_TIME, static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE),
      GST_SEEK_TYPE_SET, static_cast<gint64>(start), GST_SEEK_TYPE_SET, static_cast<gint64>(stop)));
}

struct Encoded {
  const char *encoder, *muxer, *demuxer;
};
constexpr Encoded kSeekable[] = {
    {kH264B, "mp4mux", "qtdemux"}, {kH264B, "matroskamux", "matroskademux"}, {kH264Open, "mp4mux", "qtdemux"}};

} // namespace

// Seeks after the end of the stream: sections of it, then all of it once more.
GST_START_TEST(test_seeks) {
  const Encoded &encoded = kSeekable[__i__];
  const TempDir folder;
  const std::string path = folder.file("clip");
  encode(path, encoded.encoder, encoded.muxer, kCount);
  Line line(full_line(path, encoded.demuxer + std::string(" ! ")));
  Frames frames;
  frames.watch(line, "sampler");
  check_whole("first clip", line.run(), frames);

  const struct {
    GstClockTime start, stop;
    int first, end;
  } sections[] = {{1 * GST_SECOND, 2 * GST_SECOND, 25, 50},
                  {GST_SECOND * 5 / 2, GST_CLOCK_TIME_NONE, 63, kCount},
                  {0, GST_CLOCK_TIME_NONE, 0, kCount},
                  {GST_SECOND * 3, GST_SECOND * 31 / 10, 75, 78}};
  guint clip_index = 0;
  for (const auto &section : sections) {
    seek(line, section.start, section.stop);
    const Outcome outcome = line.finish();
    const Tensors &clip = outcome.only_clip();
    assert_equals_uint64(clip.clip->clip_index, ++clip_index);
    const std::vector<int> expected = spread(count_up(section.first, section.end), kLength);
    const std::string what = std::string(encoded.muxer) + ", clip " + std::to_string(clip_index);
    check_numbers(what, numbers_of(frames.of_clip(clip_index)), expected);
    fail_unless(clip.frame_ids() == std::vector<uint64_t>(expected.begin(), expected.end()), "%s", what.c_str());
    for (guint i = 0; i < clip.clip->n_frames; i++)
      fail_unless(clip.clip->frames[i].pts / GST_MSECOND == static_cast<guint64>(expected[i]) * 40, "%s", what.c_str());
  }
}
GST_END_TEST;

// Seeks while the planner reads, rewinds or the decoder runs: the last one counts.
GST_START_TEST(test_early_seeks) {
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  encode(path, kH264B, "mp4mux", kCount);
  for (int delay = 0; delay < 12; delay++) {
    Line line(full_line(path));
    Frames frames;
    frames.watch(line, "sampler");
    line.start();
    for (gint64 duration; !gst_element_query_duration(line.pipeline(), GST_FORMAT_TIME, &duration);)
      g_usleep(100); // the demuxer has not read its headers
    g_usleep(static_cast<gulong>(delay) * 1500);
    seek(line, 1 * GST_SECOND, 2 * GST_SECOND);
    // The end that came before the seek, if it did, is not the one
    Outcome outcome = line.finish();
    fail_unless(outcome.eos, "%s", outcome.error.c_str());
    if (outcome.clips.empty() || outcome.clips.back().frame_ids()[0] != 25)
      outcome = line.finish();
    fail_if(outcome.clips.empty());
    const std::vector<int> expected = spread(count_up(25, 50), kLength);
    fail_unless(outcome.clips.back().frame_ids() == std::vector<uint64_t>(expected.begin(), expected.end()), "delay %d",
                delay);
    check_numbers("early seek", numbers_of(frames.of_clip(outcome.clips.back().clip->clip_index)), expected);
  }
}
GST_END_TEST;

GST_START_TEST(test_pause_and_resume) {
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  encode(path, kH264B, "mp4mux", kCount);
  Line line(full_line(path));
  Frames frames;
  frames.watch(line, "sampler");
  line.on_buffer("sampler", "src", [](GstPad *, GstBuffer *) { g_usleep(5000); });
  line.start();
  for (int i = 0; i < 3; i++) {
    g_usleep(10000);
    line.start(GST_STATE_PAUSED);
    line.start();
  }
  check_whole("paused", line.finish(), frames);
}
GST_END_TEST;

// The demuxer's pads come and go with each round.
GST_START_TEST(test_state_cycles) {
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  encode(path, kH264B, "mp4mux", kCount);
  Line line(full_line(path, "qtdemux name=demuxer queue name=video ! "));
  link_pads(line);
  Frames frames;
  frames.watch(line, "sampler");
  for (int round = 0; round < 4; round++) {
    check_whole("round " + std::to_string(round), line.run(), frames);
    frames.clear();
    line.reach(round == 2 ? GST_STATE_NULL : GST_STATE_READY);
  }
}
GST_END_TEST;

// Left at any moment, and started again. Without a demuxer, which gst_parse_launch links only once.
GST_START_TEST(test_early_stops) {
  const TempDir folder;
  const std::string path = folder.file("clip.h264");
  encode(path, kH264B, "", kCount);
  for (int delay = 0; delay < 12; delay++) {
    Line other(full_line(path, ""));
    other.start();
    g_usleep(static_cast<gulong>(delay) * 1500);
    other.reach(GST_STATE_READY);
    other.forget_messages();
    other.start();
    other.finish().only_clip();
  }
}
GST_END_TEST;

GST_START_TEST(test_two_at_once) {
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  encode(path, kH264B, "mp4mux", kCount);
  Line lines[] = {Line(full_line(path)), Line(full_line(path))};
  Frames frames[2];
  for (int i = 0; i < 2; i++) {
    frames[i].watch(lines[i], "sampler");
    lines[i].start();
  }
  Outcome outcomes[] = {lines[0].finish(), lines[1].finish()};
  for (int i = 0; i < 2; i++)
    check_whole("pipeline " + std::to_string(i), outcomes[i], frames[i]);
  fail_unless(outcomes[0].clips[0].pixels == outcomes[1].clips[0].pixels);
}
GST_END_TEST;

// Audio that is linked: reading ahead would wait for it for ever, so the frames are estimated.
GST_START_TEST(test_audio_branch) {
  if (!have_elements({"avenc_aac", "avdec_aac"}))
    return;
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  encode_with_audio(path, kCount);
  for (const char *queue : {"", "queue ! "})
    for (const bool paused_first : {false, true}) {
      Line line("filesrc location=" + path + " ! qtdemux name=d d.video_0 ! " + queue +
                "h264parse ! frameplanner ! avdec_h264 ! uniformsampler name=sampler sequence-length=8 ! patchenergy ! "
                "patchselect k-keep=64 ! tensormetasink name=sink d.audio_0 ! queue ! fakesink");
      Frames frames;
      frames.watch(line, "sampler");
      if (paused_first)
        line.reach(GST_STATE_PAUSED);
      const Outcome outcome = line.run();
      fail_unless(outcome.warned_of("another branch"));
      fail_unless(outcome.warned_of("estimate"));
      fail_unless(outcome.only_clip().count() == 64);
      check_numbers("beside audio", numbers_of(frames.all()), kWhole);
    }
}
GST_END_TEST;

// An application waits in PAUSED until all progress that it is told of is complete, and a sink waits there for PLAYING.
GST_START_TEST(test_progress) {
  const TempDir folder;
  const std::string path = folder.file("clip");
  encode(path, kH264B, "mp4mux", kCount);
  Line line("filesrc location=" + path + " ! qtdemux ! h264parse ! identity sleep-time=8000 ! frameplanner ! " +
            "avdec_h264 ! uniformsampler frame-ids=\"<40, 99, 99>\" ! fakesink name=sink");
  Watchdog watchdog(line.pipeline(), "progress");
  const Owned<GstBus> bus(gst_element_get_bus(line.pipeline()));
  line.reach(GST_STATE_PAUSED);
  int started = 0, completed = 0, sampling = 0;
  while (GstMessage *message = gst_bus_pop(bus.get())) {
    GstProgressType type = GST_PROGRESS_TYPE_CONTINUE;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_PROGRESS)
      gst_message_parse_progress(message, &type, nullptr, nullptr);
    started += type == GST_PROGRESS_TYPE_START;
    completed += type == GST_PROGRESS_TYPE_COMPLETE;
    sampling += gst_message_has_name(message, "sampling");
    gst_message_unref(message);
  }
  assert_equals_int(started, 1); // of the index
  assert_equals_int(completed, 1);
  fail_unless(sampling >= 1);
  fail_unless(line.run().eos);
}
GST_END_TEST;

static Suite *states_suite() {
  Suite *suite = suite_create("pipelines-states");
  TCase *tests = make_tests(suite);
  tcase_add_loop_test(tests, test_seeks, 0, G_N_ELEMENTS(kSeekable));
  tcase_add_test(tests, test_early_seeks);
  tcase_add_test(tests, test_pause_and_resume);
  tcase_add_test(tests, test_state_cycles);
  tcase_add_test(tests, test_early_stops);
  tcase_add_test(tests, test_two_at_once);
  tcase_add_test(tests, test_audio_branch);
  tcase_add_test(tests, test_progress);
  return suite;
}

GST_CHECK_MAIN(states)
