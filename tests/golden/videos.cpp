// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole files through the line of the README: the results of the slow oracle, and of the original with its matrix.
#include "tests/golden/golden.h"

namespace {

using golden::kDemo, golden::kFullRange, golden::kNasa, golden::kTenBits, golden::Video;

// "" where this checkout or this GStreamer lacks something.
std::string decoding(const Video &video) {
  const std::string before = golden::reading(video);
  return before.empty() ? "" : before + video.decoder + " ! ";
}

// Calls check(what, options, result, input) for each configuration of the video's golden file with this ending, unless
// something is missing. `input`: the line up to the decoder.
template <typename Check> void for_each_result(const Video &video, const char *ending, const Check &check) {
  const std::string path = pipes::shared_file(std::string("golden/") + video.name + ending);
  const std::string input = path.empty() ? "" : decoding(video);
  if (input.empty())
    return;
  const golden::Results results(path);
  for (const auto &[name, result] : results.configurations())
    check(std::string(video.name) + " " + name, golden::config_of(result), result, input);
}

void check_oracle(const Video &video) {
  for_each_result(
      video, ".y.json", [](const std::string &what, JsonObject *config, JsonObject *result, const std::string &input) {
        const pipes::Outcome outcome = pipes::run(input + golden::elements(config));
        const pipes::Tensors &clip = outcome.only_clip();
        fail_unless(outcome.warnings.empty(), "%s", outcome.warnings.empty() ? "" : outcome.warnings[0].c_str());
        golden::check_result(what, clip, result);
      });
}

// Ranking by replenishment, of which the oracle's files hold indices and scores alone.
void check_replenished(const std::string &what, const pipes::Tensors &clip, JsonObject *result) {
  JsonArray *indices = json_object_get_array_member(result, "indices");
  std::map<int64_t, double> expected; // scores by patch
  for (guint i = 0; i < json_array_get_length(indices); i++)
    expected.emplace(json_array_get_int_element(indices, i), golden::golden_number(result, "scores", i));
  size_t both = 0;
  double error = 0;
  for (size_t i = 0; i < clip.count(); i++)
    if (const auto found = expected.find(clip.index(i)); found != expected.end()) {
      both++;
      error = std::max(error,
                       std::fabs(static_cast<double>(clip.scores[i]) - found->second) / std::max(found->second, 1.0));
    }
  const double iou = static_cast<double>(both) / static_cast<double>(expected.size() + clip.count() - both);
  g_print("%s, by replenishment: IoU %.4f, scores within %.2g\n", what.c_str(), iou, error);
  fail_unless(iou >= 0.998, "%s: IoU %g", what.c_str(), iou);
  // The oracle resizes in floating point: a sample halfway between two values may fall on the other side.
  fail_unless(error < 0.01, "%s: scores differ by %g", what.c_str(), error);
}

void check_replenishment(const Video &video) {
  for_each_result(video, ".replenishment.json",
                  [](const std::string &what, JsonObject *config, JsonObject *result, const std::string &input) {
                    const pipes::Outcome outcome = pipes::run(input + golden::replenished_elements(config));
                    check_replenished(what, outcome.only_clip(), result);
                  });
}

// The original's patch means, of all patches whatever the configuration selected.
void check_original(const Video &video) {
  const std::string path = pipes::shared_file(std::string("golden/") + video.name + ".rgb601.json");
  const std::string input = path.empty() ? "" : decoding(video);
  if (input.empty())
    return;
  const golden::Results results(path);
  std::map<std::string, pipes::Outcome> runs; // by what decides on frames and sizes
  for (const auto &[name, result] : results.configurations()) {
    JsonObject *config = golden::config_of(result);
    const auto option = [&, options = config](const char *key) {
      return std::to_string(json_object_get_int_member(options, key));
    };
    const std::string line = input + "uniformsampler sequence-length=" + option("sequence_length") +
                             " ! patchenergy ! patchselect k-keep=2147483647 output-dtype=f32 color-matrix=bt601" +
                             " input-size=" + option("input_size") + " patch-size=" + option("patch_size") +
                             " ! tensormetasink name=sink";
    if (!runs.count(line))
      runs.emplace(line, pipes::run(line));
    const pipes::Tensors &clip = runs.at(line).only_clip();
    golden::check_frame_ids(name, clip, result);
    const size_t count = golden::golden_count(result);
    double sum = 0, bias = 0;
    for (size_t i = 0; i < count; i++) {
      const auto index = static_cast<size_t>(golden::golden_fields(result, i)[3]);
      fail_unless(index < clip.count() && clip.index(index) == static_cast<int64_t>(index));
      const double difference = golden::mean_of(clip.values(index)) - golden::golden_number(result, "patch_means", i);
      sum += std::fabs(difference);
      bias += difference;
    }
    const double mean = sum / static_cast<double>(count);
    g_print("%s %s: patch means differ by %.3f (%+.3f)\n", video.name, name.c_str(), mean,
            bias / static_cast<double>(count));
    fail_unless(mean <= 1.5, "%s %s: patch means differ by %g", video.name, name.c_str(), mean);
  }
}

} // namespace

#define VIDEO_TEST(name, check, video)                                                                                 \
  GST_START_TEST(name) {                                                                                               \
    check(video);                                                                                                      \
  }                                                                                                                    \
  GST_END_TEST

VIDEO_TEST(test_oracle_demo, check_oracle, kDemo);
VIDEO_TEST(test_oracle_full_range, check_oracle, kFullRange);
VIDEO_TEST(test_oracle_nasa, check_oracle, kNasa);
VIDEO_TEST(test_oracle_ten_bits, check_oracle, kTenBits);
VIDEO_TEST(test_replenishment_demo, check_replenishment, kDemo);
VIDEO_TEST(test_replenishment_full_range, check_replenishment, kFullRange);
VIDEO_TEST(test_replenishment_ten_bits, check_replenishment, kTenBits);
VIDEO_TEST(test_original_demo, check_original, kDemo);
VIDEO_TEST(test_original_full_range, check_original, kFullRange);
VIDEO_TEST(test_original_ten_bits, check_original, kTenBits);

static Suite *videos_suite() {
  Suite *suite = suite_create("golden-videos");
  TCase *tests = pipes::make_tests(suite);
  tcase_add_test(tests, test_oracle_demo);
  tcase_add_test(tests, test_oracle_full_range);
  tcase_add_test(tests, test_oracle_nasa);
  tcase_add_test(tests, test_oracle_ten_bits);
  tcase_add_test(tests, test_replenishment_demo);
  tcase_add_test(tests, test_replenishment_full_range);
  tcase_add_test(tests, test_replenishment_ten_bits);
  tcase_add_test(tests, test_original_demo);
  tcase_add_test(tests, test_original_full_range);
  tcase_add_test(tests, test_original_ten_bits);
  return suite;
}

GST_CHECK_MAIN(videos)
