// SPDX-License-Identifier: LGPL-2.1-or-later
// Windows of files: each clip is what a session with the window's start and stop reads.
#include "tests/pipelines/ffmpegfiles.h"
#include "tests/pipelines/sessions.h"

#include <map>

using namespace pipes;
using test::TempDir;

namespace {

constexpr int kSeconds = 4;

// Where tensors are made. The stand-in for CUDA runs these tests once more.
const char *process_backend() {
  const char *backend = g_getenv("CPS_PROCESS_BACKEND");
  return backend ? backend : "cpu";
}

using Options = std::vector<std::string>;

Session open_with(const std::string &path, const Options &options) {
  std::vector<const gchar *> list;
  for (const std::string &text : options)
    list.push_back(text.c_str());
  list.push_back(nullptr);
  Failure failure;
  Session session(cps_session_open_path(path.c_str(), list.data(), failure));
  fail_unless(session != nullptr, "%s", failure.text().c_str());
  return session;
}

std::map<std::string, std::string> all_metadata(const Clip &clip) {
  std::map<std::string, std::string> entries;
  cps_tensors_foreach_metadata(
      clip.get(),
      [](const gchar *key, const gchar *value, gpointer map) {
        (*static_cast<std::map<std::string, std::string> *>(map))[key] = value;
      },
      &entries);
  entries.erase("clip_index");
  return entries;
}

// Checks that both have the same tensors and metadata.
void check_same(const Clip &clip, const Clip &alone, const std::string &where) {
  const auto is = all_metadata(clip), should_be = all_metadata(alone);
  for (const auto &[key, value] : should_be)
    fail_unless(is.count(key) && is.at(key) == value, "%s: %s is %s, not %s", where.c_str(), key.c_str(),
                is.count(key) ? is.at(key).c_str() : "missing", value.c_str());
  assert_equals_int(is.size(), should_be.size());
  for (guint i = 0; i < cps_tensors_get_count(alone.get()); i++) {
    const gchar *name = cps_tensors_get_name(alone.get(), i);
    fail_unless(tensor_bytes(clip, name) == tensor_bytes(alone, name), "%s: %s differs", where.c_str(), name);
  }
}

// Reads all windows, and each alone.
guint check_windows(const std::string &path, const Options &plan, const Options &output) {
  Options options = output;
  options.insert(options.end(), {"process-backend", process_backend(), "on-error", "fail"});
  Options windows = options;
  windows.insert(windows.end(), plan.begin(), plan.end());
  const Session session = open_with(path, windows);
  guint count = 0;
  for (;; count++) {
    Failure failure;
    const Clip clip(cps_session_next(session.get(), failure));
    fail_unless(failure.code() == -1, "%s", failure.text().c_str());
    if (!clip)
      return count;
    assert_text(metadata(clip, "clip_index"), std::to_string(count));
    Options single = options;
    single.insert(single.end(), {"start", metadata(clip, "start"), "stop", metadata(clip, "stop"), "sequence-length",
                                 metadata(clip, "sequence_length")});
    check_same(clip, next_clip(open_with(path, single)), path + ", clip " + std::to_string(count));
  }
}

struct Kind {
  const char *name;
  const char *arguments; // of ffmpeg, for `name`
  const char *remuxed;   // the file that is made of it, with `remux` as the arguments for its input; nullptr: none
  const char *remux;
};

constexpr Kind kKinds[] = {
    {"pyramid.mp4", "-c:v libx264 -preset veryfast -g 250 -bf 3 -x264-params b-pyramid=normal", "pyramid.ts", ""},
    {"closed.mp4", "-c:v libx264 -preset veryfast -g 50 -bf 2 -movflags frag_keyframe+empty_moov", nullptr, nullptr},
    {"open.mkv", "-c:v libx264 -preset veryfast -g 40 -x264-params open-gop=1:bframes=3", nullptr, nullptr},
    {"edited.mov", "-c:v libx264 -preset veryfast -g 60 -bf 3", "cut.mov", "-ss 0.7"},
    {"variable.mp4", "-vf setpts=N/25/TB+floor(N/7)*0.11/TB -fps_mode vfr -c:v libx264 -preset veryfast -g 75", nullptr,
     nullptr},
    {"vp9.webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 50", nullptr, nullptr},
};

} // namespace

// Each kind of file with a ratio of hop to window, a length and an output; with CPS_ALL in the environment, with each.
GST_START_TEST(test_windows_of_files) {
  if (!have_ffmpeg())
    return;
  const TempDir folder;
  const Options outputs[] = {{"k-keep", "40", "input-size", "112"},
                             {"ranking", "replenishment", "k-keep", "40", "input-size", "112"},
                             {"output", "frames", "width", "96", "height", "64"}};
  const char *const hops[] = {"1000000000", "500000000", "250000000", "2000000000"}, *const lengths[] = {"4", "16"};
  constexpr size_t kPlans = G_N_ELEMENTS(outputs) * G_N_ELEMENTS(hops) * G_N_ELEMENTS(lengths);
  size_t turn = 0;
  for (const Kind &kind : kKinds) {
    if (turn > 0 && !g_getenv("CPS_ALL") && strcmp(process_backend(), "gpu") == 0)
      break; // where the stand-in for CUDA runs, frames are slow, and the same whatever they come from
    std::string path = folder.file(kind.name);
    if (!can_ffmpeg("-f lavfi -i testsrc2=rate=25:size=160x96:duration=" + std::to_string(kSeconds) + " " +
                    kind.arguments + " -pix_fmt yuv420p " + path))
      continue;
    if (kind.remuxed) {
      ffmpeg(std::string(kind.remux) + " -i " + path + " -c copy " + folder.file(kind.remuxed));
      path = folder.file(kind.remuxed);
    }
    for (size_t plan = 0; plan < (g_getenv("CPS_ALL") ? kPlans : 1); plan++, turn += 5) { // 5 is prime to all sizes
      const size_t hop = turn % G_N_ELEMENTS(hops);
      const guint count = check_windows(path,
                                        {"window", "1000000000", "hop", hops[hop], "sequence-length",
                                         lengths[turn / G_N_ELEMENTS(hops) % G_N_ELEMENTS(lengths)]},
                                        outputs[turn % G_N_ELEMENTS(outputs)]);
      fail_unless(count >= 2, "%s, hop %s: %d clips", path.c_str(), hops[hop], count);
    }
  }
}
GST_END_TEST;

static Suite *windows_suite() {
  Suite *suite = suite_create("pipelines-windows");
  TCase *tests = make_tests(suite);
  tcase_add_test(tests, test_windows_of_files);
  return suite;
}

GST_CHECK_MAIN(windows)
