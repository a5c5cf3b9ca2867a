// SPDX-License-Identifier: LGPL-2.1-or-later
// The whole chain against golden/synth.json.
#include "kernels/energy.h"
#include "kernels/geometry.h"
#include "kernels/pixels.h"
#include "kernels/sampling.h"
#include "kernels/scores.h"
#include "kernels/select.h"
#include "tests/kernels/synthclip.h"

#include <gst/check/gstcheck.h>
#include <json-glib/json-glib.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>

namespace {

using namespace synth;

cps::PictureView view(const std::vector<uint8_t> &pixels) {
  cps::PictureView picture;
  picture.model = cps::ColorModel::Rgb;
  picture.size = {kWidth, kHeight};
  for (int p = 0; p < 3; ++p) {
    picture.plane[p].data = pixels.data() + p;
    picture.plane[p].stride = 3 * kWidth;
    picture.plane[p].step = 3;
    picture.plane[p].width = kWidth;
    picture.plane[p].height = kHeight;
  }
  return picture;
}

struct Config {
  cps::SamplingPlan plan;
  cps::TargetOptions target;
  cps::SelectOptions select;
  double percentile = 95.0;
};

Config read_config(JsonObject *json) {
  Config config;
  const auto number = [&](const char *name, auto &value) {
    if (json_object_has_member(json, name))
      value = static_cast<std::decay_t<decltype(value)>>(json_object_get_double_member(json, name));
  };
  number("sequence_length", config.plan.sequence_length);
  number("input_size", config.target.input_size);
  number("min_pixels", config.target.min_pixels);
  number("max_pixels", config.target.max_pixels);
  number("patch_size", config.target.patch_size);
  number("k_keep", config.select.k_keep);
  number("energy_pct", config.percentile);
  config.select.patch_size = config.target.patch_size;
  if (json_object_has_member(json, "selection_unit") &&
      std::string(json_object_get_string_member(json, "selection_unit")) == "block2x2")
    config.select.unit = cps::SelectionUnit::Block2x2;
  return config;
}

struct Clip {
  std::vector<uint64_t> ids;
  std::vector<uint8_t> random_access;
  cps::Size grid;
  std::vector<double> scores;
  std::vector<int64_t> selected;
  std::vector<double> means; // of the pixels of each selected patch
};

Clip run(const Config &config) {
  Clip clip;
  std::string error;
  cps::Sampling sampling;
  fail_unless(cps::resolve_sampling(config.plan, kFrames, {}, sampling, error), "%s", error.c_str());
  clip.ids = sampling.ids;

  const cps::Size source{kWidth, kHeight}, target = cps::target_size(source, config.target);
  const int patch = config.target.patch_size;
  const cps::PictureView layout = view({});
  cps::EnergyMaps search(layout, {cps::EnergyMode::MotionResidual, config.percentile});
  cps::PatchScorer scorer(source, target, patch);
  const cps::PictureResizer resizer(layout, target);
  const cps::PatchCutter cutter(target, 3, patch, cps::rgb_to_rgb(), {}, cps::PixelType::F32);

  clip.grid = scorer.grid_size();
  const auto patches = static_cast<size_t>(clip.grid.width * clip.grid.height), frames = clip.ids.size();
  std::vector<float> energy(static_cast<size_t>(search.map_size().width * search.map_size().height));
  std::vector<uint16_t> stored(resizer.samples() * frames);
  clip.scores.resize(patches * frames);
  for (size_t i = 0; i < frames; ++i) {
    const std::vector<uint8_t> pixels = draw(static_cast<int>(clip.ids[i]));
    if (i > 0 && clip.ids[i] == clip.ids[i - 1])
      search.repeat(energy.data());
    else
      search.next(view(pixels), i == 0, energy.data());
    scorer.run(energy.data(), &clip.scores[i * patches]);
    resizer.run(view(pixels), &stored[i * resizer.samples()]);
    clip.random_access.push_back(clip.ids[i] % kKeyInterval == 0);
  }

  clip.selected =
      cps::select_patches(clip.scores.data(), static_cast<int>(frames), clip.grid, clip.random_access, config.select);
  std::vector<float> values(cutter.patch_bytes() / sizeof(float));
  for (const int64_t index : clip.selected) {
    const auto frame = static_cast<size_t>(index) / patches;
    cutter.run(&stored[frame * resizer.samples()], index % static_cast<int64_t>(patches), values.data());
    double sum = 0.0;
    for (const float value : values)
      sum += static_cast<double>(value);
    clip.means.push_back(sum / static_cast<double>(values.size()));
  }
  return clip;
}

void check_clip(const char *name, const Clip &clip, JsonObject *golden) {
  JsonArray *ids = json_object_get_array_member(golden, "sampled_frame_ids");
  fail_unless_equals_int(static_cast<int>(json_array_get_length(ids)), static_cast<int>(clip.ids.size()));
  for (guint i = 0; i < clip.ids.size(); ++i)
    fail_unless(clip.ids[i] == static_cast<uint64_t>(json_array_get_int_element(ids, i)), "%s: id %u", name, i);

  JsonArray *fields = json_object_get_array_member(golden, "fields");
  JsonArray *scores = json_object_get_array_member(golden, "scores");
  JsonArray *means = json_object_get_array_member(golden, "patch_means");
  fail_unless_equals_int(static_cast<int>(json_array_get_length(fields)), static_cast<int>(clip.selected.size()));
  const int64_t patches = static_cast<int64_t>(clip.grid.width) * clip.grid.height;
  for (guint i = 0; i < clip.selected.size(); ++i) {
    const int64_t index = clip.selected[i], frame = index / patches, within = index % patches;
    const int64_t expected[6] = {frame,
                                 static_cast<int64_t>(clip.ids[static_cast<size_t>(frame)]),
                                 clip.random_access[static_cast<size_t>(frame)],
                                 index,
                                 within / clip.grid.width,
                                 within % clip.grid.width};
    JsonArray *field = json_array_get_array_element(fields, i);
    for (guint j = 0; j < 6; ++j)
      fail_unless(json_array_get_int_element(field, j) == expected[j], "%s: patch %u, field %u is %d instead of %d",
                  name, i, j, static_cast<int>(expected[j]), static_cast<int>(json_array_get_int_element(field, j)));
    const double score = clip.scores[static_cast<size_t>(index)];
    fail_unless(std::fabs(score - json_array_get_double_element(scores, i)) < 1e-3, "%s: score %u is %g", name, i,
                score);
    fail_unless(std::fabs(clip.means[i] - json_array_get_double_element(means, i)) < 2e-2,
                "%s: mean %u is %g instead of %g", name, i, clip.means[i], json_array_get_double_element(means, i));
  }
}

} // namespace

GST_START_TEST(test_synthetic_clip) {
  const char *shared = g_getenv("CPS_SHARED_DIR");
  const std::string path = std::string(shared ? shared : ".") + "/golden/synth.json";
  if (!g_file_test(path.c_str(), G_FILE_TEST_EXISTS)) {
    g_print("skipped: there is no %s\n", path.c_str());
    return;
  }
  JsonParser *parser = json_parser_new();
  GError *error = nullptr;
  fail_unless(json_parser_load_from_file(parser, path.c_str(), &error), "%s", error ? error->message : "");
  JsonObject *root = json_node_get_object(json_parser_get_root(parser));

  GList *names = json_object_get_members(root);
  fail_unless_equals_int(static_cast<int>(g_list_length(names)), 8);
  for (GList *name = names; name; name = name->next) {
    const auto *config_name = static_cast<const char *>(name->data);
    JsonObject *golden = json_object_get_object_member(root, config_name);
    check_clip(config_name, run(read_config(json_object_get_object_member(golden, "config"))), golden);
  }
  g_list_free(names);
  g_object_unref(parser);
}
GST_END_TEST;

static Suite *synth_suite() {
  Suite *suite = suite_create("synth");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_synthetic_clip);
  return suite;
}

GST_CHECK_MAIN(synth)
