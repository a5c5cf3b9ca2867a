// SPDX-License-Identifier: LGPL-2.1-or-later
// Files that ffmpeg writes from numbered frames, and what uniformdecodebin makes of them.
#pragma once

#include "tests/pipelines/bins.h"

#include "tests/common/command.h"
#include "tests/common/text.h"
#include "tests/common/watchdog.h"

#include <algorithm>
#include <gio/gio.h>
#include <sstream>

namespace pipes {

constexpr int kFrames = 30, kSampled = 6;

inline bool have_ffmpeg() {
  const Owned<gchar> found(g_find_program_in_path("ffmpeg"));
  if (!found)
    g_print("skipped: no ffmpeg\n");
  return found != nullptr;
}

// Its arguments, which have no spaces within.
inline std::vector<std::string> ffmpeg_command(const std::string &arguments) {
  std::istringstream words("ffmpeg -v error -y " + arguments);
  std::vector<std::string> command;
  for (std::string word; words >> word;)
    command.push_back(word);
  return command;
}

inline void ffmpeg(const std::string &arguments) {
  test::output_of(ffmpeg_command(arguments));
}

// False with a message where ffmpeg here does not do it, for want of an encoder.
inline bool can_ffmpeg(const std::string &arguments) {
  const test::Ran ran = test::run_command(ffmpeg_command(arguments));
  if (!ran.well)
    g_print("skipped: %s", ran.messages.c_str());
  return ran.well;
}

// How many frames ffmpeg shows, or those from the first key frame on.
inline int count_frames(const std::string &path, bool from_key) {
  const std::string keys = test::output_of({"ffprobe", "-v", "quiet", "-select_streams", "v:0", "-show_entries",
                                            "frame=key_frame", "-of", "default=nk=1:nw=1", path});
  return static_cast<int>(std::count(keys.begin() + (from_key ? keys.find('1') : 0), keys.end(), '\n'));
}

// Pictures as they are, for ffmpeg to encode.
class Pictures {
public:
  explicit Pictures(int frames = kFrames, int width = kClipWidth, int height = kClipHeight)
      : size_(std::to_string(width) + "x" + std::to_string(height)) {
    std::string bytes;
    for (int i = 0; i < frames; i++) {
      const Owned<GstBuffer> frame = numbered_frame(i, width, height);
      GstMapInfo map;
      fail_unless(gst_buffer_map(frame.get(), &map, GST_MAP_READ));
      bytes.append(reinterpret_cast<const char *>(map.data), map.size);
      gst_buffer_unmap(frame.get(), &map);
    }
    write_file(folder_.file("yuv"), bytes);
  }

  std::string input(int rate = kClipRate) const {
    return "-f rawvideo -pix_fmt yuv420p -video_size " + size_ + " -framerate " + std::to_string(rate) + " -i " +
           folder_.file("yuv") + " ";
  }

private:
  TempDir folder_;
  std::string size_;
};

// All of what `line` reads: the sampled frames of `frames`, exactly.
inline void check_frames(const std::string &what, Line &line, int frames = kFrames) {
  Watchdog watchdog(line.pipeline(), what);
  Frames seen;
  seen.watch(line, "sink", "sink");
  const Outcome outcome = line.run();
  fail_unless(outcome.eos, "%s: %s (%s)", what.c_str(), outcome.error.c_str(), outcome.debug.c_str());
  fail_unless(!outcome.warned_of("estimate"), "%s: %s", what.c_str(), outcome.warnings[0].c_str());
  check_clip(what, seen.all(), spread(count_up(0, frames), kSampled), frames);
}

inline void check_file(const std::string &what, const std::string &path, int frames = kFrames) {
  Line line(frames_of(path));
  check_frames(what, line, frames);
}

inline Outcome check_error(const std::string &path, std::initializer_list<const char *> words) {
  Line line(frames_of(path));
  Watchdog watchdog(line.pipeline(), path);
  Outcome outcome = line.run();
  fail_unless(outcome.failed(), "%s: no error", path.c_str());
  g_print("%s\n", outcome.error.c_str());
  for (const char *word : words)
    fail_unless(outcome.error.find(word) != std::string::npos, "\"%s\" does not say \"%s\"", outcome.error.c_str(),
                word);
  return outcome;
}

using Stream = cps::Owned<GInputStream>;

inline Stream in_memory(const std::string &bytes) {
  return Stream(g_memory_input_stream_new_from_data(bytes.data(), static_cast<gssize>(bytes.size()), nullptr));
}

} // namespace pipes
