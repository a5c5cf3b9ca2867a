// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that end within their header: a clip or an error, never silence. Read by pulling, as of a disk, and pushed.
#include "tests/pipelines/ffmpegfiles.h"

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <thread>

namespace {

using namespace pipes;

struct Kind {
  const char *name, *codec;
};

// By demuxer and by type finder.
constexpr Kind kKinds[] = {
    {"h264.mp4", "-c:v libx264 -preset ultrafast"},
    {"fragments.mp4", "-c:v libx264 -preset ultrafast -movflags frag_keyframe+empty_moov"},
    {"h264.mkv", "-c:v libx264 -preset ultrafast"},
    {"mpeg4.avi", "-c:v mpeg4"},
    {"h264.ts", "-c:v libx264 -preset ultrafast"},
    {"mpeg2.mpg", "-c:v mpeg2video"},
    {"flv1.flv", "-c:v flv"},
    {"theora.ogg", "-c:v libtheora"},
    {"wmv2.wmv", "-c:v wmv2"},
    {"rv10.rm", "-c:v rv10"},
    {"mpeg2.mxf", "-c:v mpeg2video"},
    {"mpeg4.nut", "-c:v mpeg4"},
    {"vp8.ivf", "-c:v libvpx -deadline realtime"},
    {"clip.gif", ""},
    {"clip.y4m", ""},
    {"raw.h264", "-c:v libx264 -preset ultrafast"},
};

// Headers differ in length; whole ones are among these, too.
constexpr size_t kLengths[] = {1, 12, 40, 100, 180, 300, 600, 1000, 2000, 4000};

Outcome read(const std::string &what, const std::string &path) {
  Line line(frames_of(path));
  Watchdog watchdog(line.pipeline(), what);
  return line.run();
}

Outcome read_pushed(const std::string &what, const std::string &path, const std::string &bytes) {
  fail_unless(mkfifo(path.c_str(), 0600) == 0);
  std::thread writer([&path, &bytes] { std::ofstream(path, std::ios::binary) << bytes; });
  Outcome outcome = read(what, path);
  // Where the bin has refused it unread, the writer still waits for a reader.
  const int end = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  writer.join();
  close(end);
  unlink(path.c_str());
  return outcome;
}

void check(const std::string &what, const Outcome &outcome) {
  fail_unless(outcome.eos || outcome.failed(), "%s: neither an end nor an error", what.c_str());
  g_print("%s: %s\n", what.c_str(), outcome.eos ? "frames" : outcome.error.c_str());
}

} // namespace

GST_START_TEST(test_cut_headers) {
  if (!have_ffmpeg())
    return;
  signal(SIGPIPE, SIG_IGN);
  const TempDir folder;
  const Pictures pictures(6);
  const Kind &kind = kKinds[__i__];
  const std::string whole_file = folder.file(kind.name);
  ffmpeg(pictures.input() + kind.codec + " " + whole_file);
  const std::string whole = read_file(whole_file);
  for (const size_t length : kLengths) {
    const std::string what = std::to_string(length) + " bytes of " + kind.name, path = folder.file("cut");
    const std::string bytes = whole.substr(0, length);
    write_file(path, bytes);
    check(what, read(what, path));
    unlink(path.c_str());
    check(what + ", pushed", read_pushed(what + ", pushed", path, bytes));
  }
}
GST_END_TEST;

// qtdemux looks for what its fragments are of, and goes round and round.
GST_START_TEST(test_fragments_of_nothing) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Pictures pictures(30);
  const std::string path = folder.file("fragments.mp4");
  ffmpeg(pictures.input() + "-c:v libx264 -g 8 -movflags frag_keyframe+empty_moov " + path);
  std::string bytes = read_file(path);
  bytes.replace(bytes.find("moov"), 4, "free");
  write_file(path, bytes);
  check_error(path, {});
}
GST_END_TEST;

static Suite *cut_headers_suite() {
  Suite *suite = suite_create("pipelines-cutheaders");
  TCase *tests = make_tests(suite);
  tcase_add_loop_test(tests, test_cut_headers, 0, G_N_ELEMENTS(kKinds));
  tcase_add_test(tests, test_fragments_of_nothing);
  return suite;
}

GST_CHECK_MAIN(cut_headers)
