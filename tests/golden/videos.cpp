// Whole files through the line of the README: the results of the slow oracle, and of the original with its matrix.
#include "tests/golden/golden.h"

namespace {

struct Video {
  const char *name, *parser, *decoder;
};
constexpr Video kDemo = {"demo", "h264parse", "avdec_h264"};
constexpr Video kFullRange = {"bt709_full_range", "h264parse", "avdec_h264"};
constexpr Video kNasa = {"nasa_13013", "h264parse", "avdec_h264"};
constexpr Video kTenBits = {"h265_10bits", "h265parse", "avdec_h265"};

// "" where this checkout or this GStreamer lacks something.
std::string reading(const Video &video) {
  const std::string path = pipes::shared_file(std::string("videos/") + video.name + ".mp4");
  if (path.empty() || !pipes::have_elements({"qtdemux", video.parser, video.decoder}))
    return "";
  return "filesrc location=" + path + " ! qtdemux ! " + video.parser + " ! frameplanner ! " + video.decoder + " ! ";
}

// The largest error of the 32 whole patches of the result.
double pixel_error(const pipes::Tensors &clip, JsonObject *result) {
  std::map<int64_t, size_t> positions;
  for (size_t i = 0; i < clip.count(); i++)
    positions.emplace(clip.index(i), i);
  JsonArray *patches = json_object_get_array_member(result, "pixels");
  fail_unless_equals_int(static_cast<int>(json_array_get_length(patches)), 32);
  double error = 0;
  for (guint i = 0; i < 32; i++) {
    JsonObject *patch = json_array_get_object_element(patches, i);
    const int64_t index = json_object_get_int_member(patch, "index");
    const auto found = positions.find(index);
    fail_unless(found != positions.end(), "patch %d has not been selected", static_cast<int>(index));
    const std::vector<float> values = clip.values(found->second);
    JsonArray *expected = json_object_get_array_member(patch, "rgb");
    fail_unless_equals_int(static_cast<int>(json_array_get_length(expected)), static_cast<int>(values.size()));
    for (guint v = 0; v < values.size(); v++)
      error = std::max(error, std::fabs(static_cast<double>(values[v]) - json_array_get_double_element(expected, v)));
  }
  return error;
}

void check_oracle(const Video &video) {
  const std::string path = pipes::shared_file(std::string("golden/") + video.name + ".y.json");
  const std::string input = path.empty() ? "" : reading(video);
  if (input.empty())
    return;
  const golden::Results results(path);
  for (const auto &[name, result] : results.configurations()) {
    const std::string what = std::string(video.name) + " " + name;
    const pipes::Outcome outcome = pipes::run(input + golden::elements(golden::config_of(result)));
    const pipes::Tensors &clip = outcome.only_clip();
    fail_unless(outcome.warnings.empty(), "%s", outcome.warnings.empty() ? "" : outcome.warnings[0].c_str());
    golden::check_frame_ids(what, clip, result);
    JsonArray *target = json_object_get_array_member(result, "target");
    assert_equals_uint64(clip.clip->target_height, static_cast<guint64>(json_array_get_int_element(target, 0)));
    assert_equals_uint64(clip.clip->target_width, static_cast<guint64>(json_array_get_int_element(target, 1)));
    const golden::Agreement agreement = golden::compare(what, clip, result);
    g_print("%s: IoU %.4f, scores within %.2g\n", what.c_str(), agreement.iou, agreement.score_error);
    fail_unless(agreement.iou >= 0.998, "%s: IoU %g", what.c_str(), agreement.iou);
    fail_unless(agreement.score_error < 1e-3, "%s: scores differ by %g", what.c_str(), agreement.score_error);
    if (!json_object_has_member(result, "pixels"))
      continue;
    const double error = pixel_error(clip, result);
    g_print("%s: pixels within %.4f\n", what.c_str(), error);
    fail_unless(error <= 1.0 / 64, "%s: pixels differ by %g", what.c_str(), error);
  }
}

// The original's patch means, of all patches whatever the configuration selected.
void check_original(const Video &video) {
  const std::string path = pipes::shared_file(std::string("golden/") + video.name + ".rgb601.json");
  const std::string input = path.empty() ? "" : reading(video);
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

VIDEO_TEST(oracle_demo, check_oracle, kDemo)
VIDEO_TEST(oracle_full_range, check_oracle, kFullRange)
VIDEO_TEST(oracle_nasa, check_oracle, kNasa)
VIDEO_TEST(oracle_ten_bits, check_oracle, kTenBits)
VIDEO_TEST(original_demo, check_original, kDemo)
VIDEO_TEST(original_full_range, check_original, kFullRange)
VIDEO_TEST(original_ten_bits, check_original, kTenBits)

static Suite *videos_suite() {
  Suite *suite = suite_create("golden-videos");
  TCase *tests = pipes::make_tests(suite);
  tcase_add_test(tests, oracle_demo);
  tcase_add_test(tests, oracle_full_range);
  tcase_add_test(tests, oracle_nasa);
  tcase_add_test(tests, oracle_ten_bits);
  tcase_add_test(tests, original_demo);
  tcase_add_test(tests, original_full_range);
  tcase_add_test(tests, original_ten_bits);
  return suite;
}

GST_CHECK_MAIN(videos)
