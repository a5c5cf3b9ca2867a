// SPDX-License-Identifier: LGPL-2.1-or-later
// Golden results: read, run by a pipeline, compared.
#pragma once

#include "tests/common/pipeline.h"

#include <json-glib/json-glib.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace golden {

using pipes::Owned;

// A file of golden results, one member a configuration.
class Results {
public:
  explicit Results(const std::string &path) : parser_(json_parser_new()) {
    GError *error = nullptr;
    fail_unless(json_parser_load_from_file(parser_.get(), path.c_str(), &error), "%s", error ? error->message : "");
    JsonObject *root = json_node_get_object(json_parser_get_root(parser_.get()));
    GList *members = json_object_get_members(root);
    for (GList *name = members; name; name = name->next) {
      const auto *key = static_cast<const char *>(name->data);
      configurations_.emplace(key, json_object_get_object_member(root, key));
    }
    g_list_free(members);
    fail_if(configurations_.empty());
  }

  const std::map<std::string, JsonObject *> &configurations() const { return configurations_; }

private:
  struct Free {
    void operator()(JsonParser *parser) const { g_object_unref(parser); }
  };
  std::unique_ptr<JsonParser, Free> parser_;
  std::map<std::string, JsonObject *> configurations_;
};

// A video with golden results.
struct Video {
  const char *name, *parser, *decoder;
};
constexpr Video kDemo = {"demo", "h264parse", "avdec_h264"};
constexpr Video kFullRange = {"bt709_full_range", "h264parse", "avdec_h264"};
constexpr Video kNasa = {"nasa_13013", "h264parse", "avdec_h264"};
constexpr Video kTenBits = {"h265_10bits", "h265parse", "avdec_h265"};

// What comes before the decoder; "" where this checkout or this GStreamer lacks something.
inline std::string reading(const Video &video) {
  const std::string path = pipes::shared_file(std::string("videos/") + video.name + ".mp4");
  if (path.empty() || !pipes::have_elements({"qtdemux", video.parser, video.decoder}))
    return "";
  return "filesrc location=" + path + " ! qtdemux ! " + video.parser + " ! frameplanner ! ";
}

inline JsonObject *config_of(JsonObject *result) {
  return json_object_get_object_member(result, "config");
}

// The options of a configuration as properties of the three elements.
struct Options {
  std::string sampler, energy, select;
};
inline Options options_of(JsonObject *config) {
  Options options;
  GList *members = json_object_get_members(config);
  for (GList *name = members; name; name = name->next) {
    std::string key = static_cast<const char *>(name->data);
    if (key == "output_dtype")
      continue;
    const Owned<gchar> value(json_to_string(json_object_get_member(config, key.c_str()), FALSE));
    std::string &element = key == "sequence_length" ? options.sampler
                           : key == "energy_pct"    ? options.energy
                                                    : options.select;
    std::replace(key.begin(), key.end(), '_', '-');
    element += " " + key + "=" + value.get();
  }
  g_list_free(members);
  return options;
}

// The elements from sampler to sink, and `between` those that sample and those that process.
inline std::string elements(JsonObject *config, const std::string &between = "") {
  const Options options = options_of(config);
  return "uniformsampler name=sampler" + options.sampler + " ! " + (between.empty() ? "" : between + " ! ") +
         "patchenergy" + options.energy + " ! patchselect name=select output-dtype=f32" + options.select +
         " ! tensormetasink name=sink";
}
inline std::string replenished_elements(JsonObject *config) {
  const Options options = options_of(config);
  return "uniformsampler name=sampler" + options.sampler + " ! patchselect name=select ranking=replenishment" +
         options.select + " ! tensormetasink name=sink";
}

inline void check_frame_ids(const std::string &what, const pipes::Tensors &clip, JsonObject *result) {
  JsonArray *expected = json_object_get_array_member(result, "sampled_frame_ids");
  const std::vector<uint64_t> ids = clip.frame_ids();
  fail_unless_equals_int(static_cast<int>(ids.size()), static_cast<int>(json_array_get_length(expected)));
  for (guint i = 0; i < ids.size(); i++)
    fail_unless(ids[i] == static_cast<uint64_t>(json_array_get_int_element(expected, i)), "%s: frame %u is %d",
                what.c_str(), i, static_cast<int>(ids[i]));
}

// The six columns of a golden patch.
inline std::vector<int64_t> golden_fields(JsonObject *result, size_t patch) {
  JsonArray *row =
      json_array_get_array_element(json_object_get_array_member(result, "fields"), static_cast<guint>(patch));
  std::vector<int64_t> fields;
  for (guint i = 0; i < 6; i++)
    fields.push_back(json_array_get_int_element(row, i));
  return fields;
}

inline size_t golden_count(JsonObject *result) {
  return json_array_get_length(json_object_get_array_member(result, "fields"));
}

inline double golden_number(JsonObject *result, const char *list, size_t at) {
  return json_array_get_double_element(json_object_get_array_member(result, list), static_cast<guint>(at));
}

// How a clip compares with a golden result.
struct Agreement {
  double iou = 0;         // of the selected patches
  double score_error = 0; // largest, over the patches that both have
};

// Fails where a patch that both have differs in its fields.
inline Agreement compare(const std::string &what, const pipes::Tensors &clip, JsonObject *result) {
  std::map<int64_t, size_t> positions; // patch index -> row of the clip
  for (size_t i = 0; i < clip.count(); i++)
    positions.emplace(clip.index(i), i);
  const size_t expected = golden_count(result);
  size_t both = 0;
  Agreement agreement;
  for (size_t i = 0; i < expected; i++) {
    const std::vector<int64_t> fields = golden_fields(result, i);
    const auto found = positions.find(fields[3]);
    if (found == positions.end())
      continue;
    both++;
    for (size_t column = 0; column < 6; column++)
      fail_unless(clip.field(found->second, column) == fields[column], "%s: patch %d, field %d is %d instead of %d",
                  what.c_str(), static_cast<int>(fields[3]), static_cast<int>(column),
                  static_cast<int>(clip.field(found->second, column)), static_cast<int>(fields[column]));
    const auto score = static_cast<double>(clip.scores[found->second]);
    agreement.score_error = std::max(agreement.score_error, std::fabs(score - golden_number(result, "scores", i)));
  }
  const size_t all = expected + clip.count() - both;
  agreement.iou = all ? static_cast<double>(both) / static_cast<double>(all) : 1.0;
  return agreement;
}

inline double mean_of(const std::vector<float> &values) {
  double sum = 0.0;
  for (const float value : values)
    sum += static_cast<double>(value);
  return sum / static_cast<double>(values.size());
}

// The largest error of the 32 whole patches of the result.
inline double pixel_error(const pipes::Tensors &clip, JsonObject *result) {
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

// Fails where a clip is not what the oracle made of the same video.
inline void check_result(const std::string &what, const pipes::Tensors &clip, JsonObject *result) {
  check_frame_ids(what, clip, result);
  JsonArray *target = json_object_get_array_member(result, "target");
  assert_equals_uint64(clip.clip->target_height, static_cast<guint64>(json_array_get_int_element(target, 0)));
  assert_equals_uint64(clip.clip->target_width, static_cast<guint64>(json_array_get_int_element(target, 1)));
  const Agreement agreement = compare(what, clip, result);
  g_print("%s: IoU %.4f, scores within %.2g\n", what.c_str(), agreement.iou, agreement.score_error);
  fail_unless(agreement.iou >= 0.998, "%s: IoU %g", what.c_str(), agreement.iou);
  fail_unless(agreement.score_error < 1e-3, "%s: scores differ by %g", what.c_str(), agreement.score_error);
  if (!json_object_has_member(result, "pixels"))
    return;
  const double error = pixel_error(clip, result);
  g_print("%s: pixels within %.4f\n", what.c_str(), error);
  fail_unless(error <= 1.0 / 64, "%s: pixels differ by %g", what.c_str(), error);
}

} // namespace golden
