// SPDX-License-Identifier: LGPL-2.1-or-later
// What uniformdecodebin finds in files: the video, wherever its data lie, and whether or not it can be rewound.
#include "tests/pipelines/ffmpegfiles.h"

namespace {

using namespace pipes;

constexpr const char *kSound = "-f lavfi -i sine=frequency=440:sample_rate=48000:duration=";

} // namespace

// A second of sound lies before the video, or the other way round. Where the container has no time for that, the
// sound's first data lie before the video's.
GST_START_TEST(test_sound) {
  if (!have_ffmpeg())
    return;
  struct Row {
    const char *name, *video, *audio;
    bool shifts;
  };
  static const Row rows[] = {
      {"vp8.webm", "libvpx -deadline realtime -cpu-used 8", "libopus", true},
      {"vp8.mkv", "libvpx -deadline realtime -cpu-used 8", "libvorbis", true},
      {"vp9.webm", "libvpx-vp9 -deadline realtime -cpu-used 8", "libopus", true},
      {"vp9v.webm", "libvpx-vp9 -deadline realtime -cpu-used 8", "libvorbis", true},
      {"av1.webm", "libaom-av1 -usage realtime -cpu-used 8", "libopus", true},
      {"av1.mp4", "libaom-av1 -usage realtime -cpu-used 8", "aac", true},
      {"h264.mp4", "libx264 -preset ultrafast", "aac", true},
      {"h265.mp4", "libx265 -preset ultrafast -x265-params log-level=none:pools=2", "aac", true},
      {"h264.mov", "libx264 -preset ultrafast", "pcm_s16le", true},
      {"h264.ts", "libx264 -preset ultrafast", "aac", true},
      {"mpeg2.ts", "mpeg2video -q:v 3", "mp2", true},
      {"h264.flv", "libx264 -preset ultrafast", "aac", true},
      {"flv1.flv", "flv -q:v 3", "libmp3lame -ar 44100", true},
      {"mpeg4.avi", "mpeg4 -q:v 3", "libmp3lame", false},
      {"h264.avi", "libx264 -preset ultrafast -bf 0", "libmp3lame", false},
      {"h264.mkv", "libx264 -preset ultrafast", "aac", true},
      {"mpeg2.mkv", "mpeg2video -q:v 3", "ac3", true},
      {"theora.ogg", "libtheora -q:v 8", "libvorbis", true},
  };
  const TempDir folder;
  const Pictures pictures;
  for (const Row &row : rows)
    for (const bool leads : {true, false}) {
      const std::string path = folder.file(std::string(leads ? "first-" : "later-") + row.name);
      const std::string shift = row.shifts ? "-itsoffset 1 " : "";
      const std::string video = (leads ? shift : "") + pictures.input();
      const std::string audio = (leads ? "" : shift) + kSound + "2 ";
      ffmpeg((leads ? audio + video : video + audio) + "-map 0 -map 1 -fps_mode passthrough -c:v " + row.video +
             " -c:a " + row.audio + " " + path);
      check_file(path, path);
    }
}
GST_END_TEST;

// tsdemux (1.22) goes to the end where sound leads and the start is sought.
GST_START_TEST(test_sought_start) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Pictures pictures;
  const std::string path = folder.file("clip.ts");
  ffmpeg(std::string(kSound) + "2 -itsoffset 1 " + pictures.input() +
         "-map 0 -map 1 -c:v libx264 -preset ultrafast -c:a aac " + path);
  Line line(frames_of(path));
  Frames seen;
  seen.watch(line, "sink", "sink");
  fail_unless(line.run().eos);
  for (int i = 0; i < 2; i++) {
    seen.clear();
    fail_unless(gst_element_seek_simple(line.pipeline(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, 0));
    const Outcome outcome = line.finish();
    fail_unless(outcome.eos, "%s", outcome.error.c_str());
    check_clip(path, seen.all(), spread(count_up(0, kFrames), kSampled), kFrames);
  }
}
GST_END_TEST;

// Their demuxers and parsers refuse to go back to the start, and the source is opened once more.
GST_START_TEST(test_cannot_rewind) {
  if (!have_ffmpeg())
    return;
  static const struct {
    const char *name, *options;
  } rows[] = {
      {"vp8.ivf", "-c:v libvpx -deadline realtime -cpu-used 8"},
      {"vp9.ivf", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"},
      {"av1.ivf", "-c:v libaom-av1 -usage realtime -cpu-used 8"},
      {"clip.mjpeg", "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p"},
      {"clip.gif", ""},
  };
  const TempDir folder;
  const Pictures pictures;
  for (const auto &row : rows) {
    const std::string path = folder.file(row.name);
    ffmpeg(pictures.input() + row.options + " " + path);
    check_file(path, path);

    std::string bytes = read_file(path);
    Line line(frames_of(""));
    const Owned<GstElement> bin = line.get("bin");
    g_object_set(bin.get(), "stream", in_memory(bytes).get(), nullptr);
    Frames seen;
    seen.watch(line, "sink", "sink");
    for (const GstState rest : {GST_STATE_READY, GST_STATE_NULL, GST_STATE_NULL}) {
      const Outcome outcome = line.run();
      fail_unless(outcome.eos, "%s in memory: %s", row.name, outcome.error.c_str());
      check_clip(row.name, seen.all(), spread(count_up(0, kFrames), kSampled), kFrames);
      line.reach(rest);
      line.forget_messages();
      seen.clear();
    }
  }
}
GST_END_TEST;

GST_START_TEST(test_stills) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Pictures picture(1, 640, 480); // more than a block of the source's
  for (const char *name : {"still.jpg", "still.png"}) {
    ffmpeg(picture.input() + "-frames:v 1 -q:v 1 " + folder.file(name));
    fail_unless(read_file(folder.file(name)).size() > 8192);
    check_file(name, folder.file(name), 1);
  }
}
GST_END_TEST;

// What becomes of a seek upstream, in place of what the element would do.
enum class Seek {
  Refused,        // at once
  RefusedInFlush, // once it has begun to flush, as that of RealMedia is
  LeadsToTheEnd,  // though it is said to have worked
};

static gboolean seek_badly(GstPad *pad, GstObject *parent, GstEvent *event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_SEEK)
    return gst_pad_event_default(pad, parent, event);
  const auto seek = static_cast<Seek>(GPOINTER_TO_INT(g_object_get_data(G_OBJECT(pad), "seek")));
  const guint32 number = gst_event_get_seqnum(event);
  gst_event_unref(event);
  const auto push = [&](GstEvent *made) {
    gst_event_set_seqnum(made, number);
    gst_pad_push_event(pad, made);
  };
  if (seek == Seek::Refused)
    return FALSE;
  push(gst_event_new_flush_start());
  if (seek == Seek::RefusedInFlush)
    return FALSE;
  push(gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  push(gst_event_new_segment(&segment));
  push(gst_event_new_eos());
  return TRUE;
}

static gboolean admit(GstPad *pad, GstObject *parent, GstQuery *query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_SEEKING)
    return gst_pad_query_default(pad, parent, query);
  gst_query_set_seeking(query, GST_FORMAT_TIME, FALSE, 0, -1);
  return TRUE;
}

// Every h264parse of the line seeks like that.
static void spoil_seeks(const Line &line, Seek seek) {
  const auto spoil = [](GstBin *, GstBin *, GstElement *element, gpointer how) {
    const GstElementFactory *factory = gst_element_get_factory(element);
    if (!factory || strcmp(GST_OBJECT_NAME(factory), "h264parse") != 0)
      return;
    const Owned<GstPad> pad(gst_element_get_static_pad(element, "src"));
    g_object_set_data(G_OBJECT(pad.get()), "seek", how);
    gst_pad_set_event_function(pad.get(), seek_badly);
  };
  g_signal_connect(line.pipeline(), "deep-element-added", G_CALLBACK(+spoil), GINT_TO_POINTER(static_cast<int>(seek)));
}

// The bin reads again; a planner without one says what is wrong. Nobody waits for ever.
GST_START_TEST(test_refused_seeks) {
  const TempDir folder;
  const std::string path = folder.file("clip.mp4");
  encode(path, kH264B, "mp4mux", kFrames);
  for (const Seek seek : {Seek::Refused, Seek::RefusedInFlush, Seek::LeadsToTheEnd}) {
    Line line(frames_of("", ""));
    spoil_seeks(line, seek);
    const Owned<GstElement> bin = line.get("bin");
    set_text(bin.get(), "uri", uri_of(path));
    check_frames("seek " + std::to_string(static_cast<int>(seek)), line);
  }
  static const struct {
    Seek seek;
    bool admitted; // by a query, so that the planner tries first
    bool fails;
  } rows[] = {
      {Seek::Refused, false, true},
      {Seek::RefusedInFlush, false, true},
      {Seek::Refused, true, false}, // it estimates then
      {Seek::RefusedInFlush, true, true},
  };
  for (const auto &row : rows) {
    Line line("filesrc location=" + path +
              " ! qtdemux ! h264parse name=parser ! frameplanner ! avdec_h264 ! "
              "uniformsampler ! fakesink name=sink");
    const Owned<GstElement> parser = line.get("parser");
    const Owned<GstPad> pad(gst_element_get_static_pad(parser.get(), "src"));
    g_object_set_data(G_OBJECT(pad.get()), "seek", GINT_TO_POINTER(static_cast<int>(row.seek)));
    gst_pad_set_event_function(pad.get(), seek_badly);
    if (row.admitted)
      gst_pad_set_query_function(pad.get(), admit);
    Watchdog watchdog(line.pipeline(), "planner alone");
    const Outcome outcome = line.run();
    fail_unless(outcome.failed() == row.fails, "%s", outcome.error.c_str());
    fail_unless(!row.fails || outcome.error.find("second time") != std::string::npos, "%s", outcome.error.c_str());
  }
}
GST_END_TEST;

// Phones put larger stills into the same file, over the same time.
GST_START_TEST(test_film_with_stills) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Pictures film, stills(2, 320, 192);
  for (const char *name : {"clip.mp4", "clip.mov", "clip.mkv"})
    for (const bool leads : {true, false}) {
      const std::string path = folder.file(name), one = film.input(), other = stills.input(2);
      ffmpeg((leads ? one + other : other + one) + "-map 0 -map 1 -c:v libx264 -preset ultrafast " + path);
      check_file(path, path);
      const Outcome outcome = run(patches_of(path, std::string("video-track=") + (leads ? "1" : "0")));
      assert_equals_uint64(outcome.only_clip().clip->source_width, 320);
    }
}
GST_END_TEST;

// One frame where there is nothing else, and none of a film.
GST_START_TEST(test_covers) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Pictures film, cover(1, 640, 480);
  const std::string picture = folder.file("cover.jpg");
  ffmpeg(cover.input() + "-frames:v 1 -q:v 1 -pix_fmt yuvj420p " + picture);
  const std::string sound = std::string(kSound) + "3 -i " + picture + " -map 0 -map 1 ";
  for (const char *name : {"sound.m4a", "sound.mp3", "sound.flac"}) {
    const std::string path = folder.file(name);
    ffmpeg(sound + "-c:v copy -disposition:v:0 attached_pic " + path);
    check_file(path, path, 1);
  }
  const std::string path = folder.file("film.mp4");
  ffmpeg(film.input() + kSound + "2 -i " + picture +
         " -map 0 -map 1 -map 2 -c:v:0 libx264 -preset ultrafast -c:v:1 copy -disposition:v:1 attached_pic " + path);
  check_file(path, path);
}
GST_END_TEST;

// Wherever it is in reading again, the bin stops at once, and reads anew.
GST_START_TEST(test_stop_in_between) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Pictures film, cover(1, 640, 480);
  const std::string ivf = folder.file("film.ivf"), picture = folder.file("cover.jpg"), sound = folder.file("sound.m4a");
  ffmpeg(film.input() + "-c:v libvpx -deadline realtime -cpu-used 8 " + ivf);
  ffmpeg(cover.input() + "-frames:v 1 -q:v 1 -pix_fmt yuvj420p " + picture);
  ffmpeg(std::string(kSound) + "3 -i " + picture + " -map 0 -map 1 -c:v copy -disposition:v:0 attached_pic " + sound);
  for (const std::string &path : {ivf, sound}) {
    Line line(frames_of(path));
    Watchdog watchdog(line.pipeline(), path);
    for (int i = 0; i < 60; i++) {
      line.start();
      g_usleep(static_cast<gulong>(i) * 500);
      line.reach(i % 2 == 0 ? GST_STATE_READY : GST_STATE_NULL);
      line.forget_messages();
    }
    check_frames(path, line, path == ivf ? kFrames : 1);
  }
}
GST_END_TEST;

// The reason, where GStreamer has none or one that nobody understands.
GST_START_TEST(test_reasons) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Pictures pictures;
  const auto made = [&](const char *name, const std::string &options) {
    ffmpeg(pictures.input() + options + " " + folder.file(name));
    return folder.file(name);
  };
  const std::string key = "0123456789abcdef0123456789abcdef";
  const Outcome encrypted = check_error(made("encrypted.mp4", "-c:v libx264 -preset ultrafast -encryption_scheme "
                                                              "cenc-aes-ctr -encryption_key " +
                                                                  key + " -encryption_kid " + key),
                                        {"encrypted", "cenc"});
  fail_unless(encrypted.domain == GST_STREAM_ERROR && encrypted.code == GST_STREAM_ERROR_CODEC_NOT_FOUND);
  check_error(made("animated.png", "-f apng"), {"animated PNG"});
  check_error(made("animated.webp", "-c:v libwebp_anim"), {"animated WebP"});
}
GST_END_TEST;

// Sound alone is not read to its end, for nobody knows how long it goes on.
GST_START_TEST(test_long_sound) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const std::string path = folder.file("sound.mp3");
  ffmpeg(std::string(kSound) + "300 -c:a libmp3lame -b:a 64k " + path);
  std::string bytes = read_file(path);
  Line line(frames_of(""));
  const Owned<GstElement> bin = line.get("bin");
  const Stream stream = in_memory(bytes);
  g_object_set(bin.get(), "stream", stream.get(), nullptr);
  Watchdog watchdog(line.pipeline(), path);
  const Outcome outcome = line.run();
  fail_unless(outcome.error.find("no video") != std::string::npos, "%s", outcome.error.c_str());
  line.reach(GST_STATE_NULL);
  const auto read = static_cast<size_t>(g_seekable_tell(G_SEEKABLE(stream.get())));
  fail_unless(read < bytes.size() / 2, "%zu of %zu bytes have been read", read, bytes.size());
}
GST_END_TEST;

// A piece of a recording begins with pictures that refer to what is gone. Decoders of libavcodec show those from the
// first whole one on, and so many there are, all of them as they are in the recording.
GST_START_TEST(test_begins_anywhere) {
  if (!have_ffmpeg())
    return;
  static const struct {
    const char *name, *options;
    bool from_key = false;
  } rows[] = {
      {"closed.ts", "-c:v libx264 -preset veryfast -x264-params keyint=20:bframes=3"},
      {"open.ts", "-c:v libx264 -preset veryfast -x264-params keyint=20:min-keyint=20:scenecut=0:bframes=3:open-gop=1"},
      {"fields.ts", "-c:v libx264 -preset veryfast -flags +ildct+ilme -x264-params "
                    "keyint=20:min-keyint=20:scenecut=0:bframes=3:open-gop=1:tff=1"},
      {"refresh.ts", "-c:v libx264 -preset veryfast -x264-params keyint=20:intra-refresh=1:bframes=0"},
      {"h265.ts",
       "-c:v libx265 -preset ultrafast -x265-params "
       "log-level=none:pools=2:keyint=20:min-keyint=20:scenecut=0:bframes=3:open-gop=1",
       true},
      {"mpeg2.ts", "-c:v mpeg2video -q:v 2 -g 15 -bf 2"},
  };
  constexpr int kRecorded = 100;
  constexpr size_t kPacket = 188;
  const TempDir folder;
  const Pictures pictures(kRecorded);
  for (const auto &row : rows) {
    const std::string path = folder.file(row.name);
    ffmpeg(pictures.input() + row.options + " " + path);
    const std::string whole = read_file(path);
    for (const size_t percent : {10, 25, 40, 55, 70}) {
      write_file(path, whole.substr(whole.size() * percent / 100 / kPacket * kPacket));
      const int shown = count_frames(path, row.from_key);
      const std::string what = std::string(row.name) + " from " + std::to_string(percent) + " % on";
      Line line(frames_of(path, "sequence-length=" + std::to_string(shown)));
      Frames seen;
      seen.watch(line, "sink", "sink");
      const Outcome outcome = line.run();
      fail_unless(outcome.eos && outcome.warnings.empty(), "%s: %s", what.c_str(), outcome.error.c_str());
      check_numbers(what, numbers_of(seen.all()), count_up(kRecorded - shown, kRecorded));
      for (const Seen &frame : seen.all()) {
        assert_equals_uint64(frame.total, static_cast<guint64>(shown));
        assert_equals_int(frame.status, CPS_FRAME_STATUS_OK);
      }
    }
  }
}
GST_END_TEST;

// Demuxers of gst-libav read on behind the end of what is cut off.
GST_START_TEST(test_cut_off) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Pictures pictures;
  for (const char *name : {"clip.gif", "clip.cpk"}) {
    const std::string path = folder.file(name), options = name == std::string("clip.cpk") ? "-f film_cpk " : "";
    ffmpeg(pictures.input() + options + path);
    const std::string whole = read_file(path);
    for (const size_t percent : {20, 60, 95}) {
      write_file(path, whole.substr(0, whole.size() * percent / 100));
      Line line(frames_of(path));
      Watchdog watchdog(line.pipeline(), path);
      const Outcome outcome = line.run();
      g_print("%s, %zu %%: %s\n", name, percent, outcome.eos ? "frames" : outcome.error.c_str());
    }
  }
}
GST_END_TEST;

static Suite *search_suite() {
  Suite *suite = suite_create("pipelines-search");
  TCase *tests = make_tests(suite);
  tcase_add_test(tests, test_sound);
  tcase_add_test(tests, test_sought_start);
  tcase_add_test(tests, test_cannot_rewind);
  tcase_add_test(tests, test_stills);
  tcase_add_test(tests, test_refused_seeks);
  tcase_add_test(tests, test_film_with_stills);
  tcase_add_test(tests, test_covers);
  tcase_add_test(tests, test_stop_in_between);
  tcase_add_test(tests, test_reasons);
  tcase_add_test(tests, test_long_sound);
  tcase_add_test(tests, test_begins_anywhere);
  tcase_add_test(tests, test_cut_off);
  return suite;
}

GST_CHECK_MAIN(search)
