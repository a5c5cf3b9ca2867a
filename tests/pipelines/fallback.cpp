// SPDX-License-Identifier: LGPL-2.1-or-later
// What uniformdecodebin reads with libavformat, because no demuxer of GStreamer's reads it.
#include "tests/pipelines/ffmpegfiles.h"

namespace {

using namespace pipes;

constexpr int kWidth = 320, kHeight = 192; // DNxHR has no smaller ones than 256x120

struct Kind {
  const char *name, *codec;
  const char *tag = "", *other_tag = ""; // that the file gets in its place
};

// Containers, codecs by names that GStreamer has none for, and codecs that gst-libav has no caps for.
constexpr Kind kKinds[] = {
    {"mpeg2.mxf", "-c:v mpeg2video -q:v 2"},
    {"b-frames.mxf", "-c:v mpeg2video -q:v 2 -bf 2"},
    {"h264.mxf", "-c:v libx264 -preset ultrafast"},
    {"dnxhr.mxf", "-c:v dnxhd -profile:v dnxhr_hq -pix_fmt yuv422p"},
    {"smv2.avi", "-c:v libx264 -preset ultrafast -vtag SMV2"},
    {"mpeg2.wtv", "-c:v mpeg2video -q:v 2"},
    {"snow.avi", "-c:v snow -strict -2 -q:v 2"},
    {"flashsv.mkv", "-c:v flashsv"},
    {"zmbv.mov", "-c:v zmbv"},
    {"rgb555.avi", "-c:v rawvideo -pix_fmt rgb555le"},
    {"vcr2.avi", "-c:v mpeg2video -q:v 2", "mpg2", "VCR2"},
};

void replace_all(const std::string &path, const std::string &text, const std::string &by) {
  std::string bytes = read_file(path);
  for (size_t at = 0; (at = bytes.find(text, at)) != std::string::npos; at += by.size())
    bytes.replace(at, text.size(), by);
  write_file(path, bytes);
}

std::string write_kind(const TempDir &folder, const Pictures &pictures, const Kind &kind) {
  const std::string path = folder.file(kind.name);
  ffmpeg(pictures.input() + kind.codec + " " + path);
  if (*kind.tag)
    replace_all(path, kind.tag, kind.other_tag);
  return path;
}

bool reads_with_libavformat(Line &line) {
  return child_of(line.get("bin").get(), "avformatdemux") != nullptr;
}

} // namespace

GST_START_TEST(test_kinds) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Pictures pictures(kFrames, kWidth, kHeight);
  for (const Kind &kind : kKinds) {
    const std::string path = write_kind(folder, pictures, kind);
    Line line(frames_of(path));
    check_frames(kind.name, line);
    fail_unless(reads_with_libavformat(line), "%s has been read without the fallback", kind.name);
  }
}
GST_END_TEST;

// A stream has been read to somewhere by the time that libavformat begins.
GST_START_TEST(test_streams) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Pictures pictures(kFrames, kWidth, kHeight);
  for (const Kind &kind : {kKinds[0], kKinds[4], kKinds[7]}) {
    const std::string bytes = read_file(write_kind(folder, pictures, kind));
    Line line(frames_of(""));
    const Stream stream = in_memory(bytes);
    g_object_set(line.get("bin").get(), "stream", stream.get(), nullptr);
    check_frames(kind.name, line);
  }
}
GST_END_TEST;

// What libavformat cannot read either has the error of what GStreamer has found, or what libavformat has where that
// comes first.
GST_START_TEST(test_errors) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Pictures pictures(kFrames, kWidth, kHeight);
  const std::string noise = folder.file("noise");
  std::string bytes;
  for (guint i = 0, value = 1; i < 100000; i++, value = value * 1103515245 + 12345)
    bytes.push_back(static_cast<char>(value >> 16));
  write_file(noise, bytes);
  check_error(noise, {"Could not determine type"});

  const std::string mxf = write_kind(folder, pictures, kKinds[0]);
  write_file(mxf, read_file(mxf).substr(0, 200) + bytes);
  check_error(mxf, {"libavformat", "Invalid data"});

  const std::string codec = folder.file("codec.avi");
  ffmpeg(pictures.input() + "-c:v mpeg4 " + codec);
  replace_all(codec, "FMP4", "QqQq");
  check_error(codec, {"No decoder", "video/x-avi-unknown"});
}
GST_END_TEST;

// A file that names others: none of them is opened.
GST_START_TEST(test_playlists) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Pictures pictures(kFrames, kWidth, kHeight);
  const std::string video = write_kind(folder, pictures, kKinds[0]), list = folder.file("list.ffconcat");
  write_file(list, "ffconcat version 1.0\nfile " + video + "\n");
  check_error(list, {});
}
GST_END_TEST;

GST_START_TEST(test_cut_off) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Pictures pictures(kFrames, kWidth, kHeight);
  for (const Kind &kind : kKinds) {
    const std::string path = write_kind(folder, pictures, kind), whole = read_file(path);
    for (const size_t percent : {3, 40, 95}) {
      write_file(path, whole.substr(0, whole.size() * percent / 100));
      Line line(frames_of(path));
      Watchdog watchdog(line.pipeline(), path);
      const Outcome outcome = line.run();
      g_print("%s, %zu %%: %s\n", kind.name, percent, outcome.eos ? "frames" : outcome.error.c_str());
    }
  }
}
GST_END_TEST;

// Whatever it is about to do.
GST_START_TEST(test_stop_in_between) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Pictures pictures(kFrames, kWidth, kHeight);
  for (const Kind &kind : {kKinds[0], kKinds[4], kKinds[7]}) {
    const std::string path = write_kind(folder, pictures, kind);
    for (gulong wait = 0; wait < 40; wait += 3) {
      Line line(frames_of(path));
      Watchdog watchdog(line.pipeline(), path);
      g_print("%s, stopped after %lu ms\n", kind.name, wait);
      gst_element_set_state(line.pipeline(), wait % 2 ? GST_STATE_PLAYING : GST_STATE_PAUSED);
      g_usleep(wait * 1000);
      line.reach(GST_STATE_NULL);
    }
  }
}
GST_END_TEST;

static Suite *fallback_suite() {
  Suite *suite = suite_create("pipelines-fallback");
  TCase *tests = make_tests(suite);
  tcase_add_test(tests, test_kinds);
  tcase_add_test(tests, test_streams);
  tcase_add_test(tests, test_errors);
  tcase_add_test(tests, test_playlists);
  tcase_add_test(tests, test_cut_off);
  tcase_add_test(tests, test_stop_in_between);
  return suite;
}

GST_CHECK_MAIN(fallback)
