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

inline JsonObject *config_of(JsonObject *result) {
  return json_object_get_object_member(result, "config");
}

// The elements from sampler to sink, with the options of a configuration as properties.
inline std::string elements(JsonObject *config) {
  std::string sampler = "uniformsampler name=sampler", energy = "patchenergy",
              select = "patchselect name=select output-dtype=f32";
  GList *members = json_object_get_members(config);
  for (GList *name = members; name; name = name->next) {
    std::string key = static_cast<const char *>(name->data);
    if (key == "output_dtype")
      continue;
    const Owned<gchar> value(json_to_string(json_object_get_member(config, key.c_str()), FALSE));
    std::string &element = key == "sequence_length" ? sampler : key == "energy_pct" ? energy : select;
    std::replace(key.begin(), key.end(), '_', '-');
    element += " " + key + "=" + value.get();
  }
  g_list_free(members);
  return sampler + " ! " + energy + " ! " + select + " ! tensormetasink name=sink";
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

} // namespace golden
