// SPDX-License-Identifier: LGPL-2.1-or-later
// What tensormetasink writes: every entry of the metadata, and tensors that are what the queue hands out.
#include "tests/pipelines/bins.h"
#include "tests/pipelines/clips.h"

#include <json-glib/json-glib.h>

#include <map>

namespace {

using namespace pipes;

constexpr int kCount = 40;

// A safetensors file.
class TensorFile {
public:
  explicit TensorFile(const std::string &path) : bytes_(read_file(path)), parser_(json_parser_new()) {
    fail_unless(bytes_.size() > 8);
    const guint64 length = GST_READ_UINT64_LE(bytes_.data());
    fail_unless(length < bytes_.size() && length % 8 == 0);
    GError *error = nullptr;
    fail_unless(json_parser_load_from_data(parser_, bytes_.data() + 8, static_cast<gssize>(length), &error), "%s",
                error ? error->message : "");
    header_ = json_node_get_object(json_parser_get_root(parser_));
    data_ = 8 + length;
  }
  ~TensorFile() { g_object_unref(parser_); }
  TensorFile(const TensorFile &) = delete;
  TensorFile &operator=(const TensorFile &) = delete;

  JsonObject *metadata() const { return json_object_get_object_member(header_, "__metadata__"); }
  std::string value(const char *key) const {
    fail_unless(json_object_has_member(metadata(), key), "there is no %s in the metadata", key);
    return json_object_get_string_member(metadata(), key);
  }
  JsonObject *tensor(const char *name) const { return json_object_get_object_member(header_, name); }
  gint64 offset(const char *name, guint end) const {
    return json_array_get_int_element(json_object_get_array_member(tensor(name), "data_offsets"), end);
  }
  std::string data(const char *name) const {
    const auto from = static_cast<size_t>(offset(name, 0)), to = static_cast<size_t>(offset(name, 1));
    return bytes_.substr(data_ + from, to - from);
  }
  size_t data_size() const { return bytes_.size() - data_; }
  guint tensors() const { return json_object_get_size(header_) - 1; }

private:
  std::string bytes_;
  JsonParser *parser_;
  JsonObject *header_;
  size_t data_;
};

constexpr const char *kElements = "frameplanner ! avdec_h264 ! uniformsampler name=sampler sequence-length=6 ! "
                                  "patchenergy energy-pct=90.5 ! patchselect k-keep=100 mean=\"<1.0,2.0,3.5>\" ! ";

template <typename T> std::string bytes_of(const std::vector<T> &values) {
  return {reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T)};
}

std::string shape_of(const TensorFile &file, const char *name) {
  const Owned<gchar> text(json_to_string(json_object_get_member(file.tensor(name), "shape"), FALSE));
  return text.get();
}

} // namespace

GST_START_TEST(test_metadata) {
  const TempDir folder;
  const std::string path = folder.file("a \"b\" c.mp4");
  encode(folder.file("clip.mp4"), kH264B, "mp4mux", kCount);
  std::filesystem::rename(folder.file("clip.mp4"), path);
  Line line("filesrc name=src ! qtdemux ! h264parse ! " + std::string(kElements) +
            "tensormetasink name=sink location=" + folder.file("out-%05d.safetensors"));
  const Owned<GstElement> source = line.get("src");
  g_object_set(source.get(), "location", path.c_str(), nullptr);
  fail_unless(line.run().eos);
  const TensorFile file(folder.file("out-00000.safetensors"));
  fail_unless_equals_int(folder.files().size(), 2);

  const std::map<std::string, std::string> expected = {
      {"sampled_frame_ids", "[0, 7, 15, 23, 31, 39]"},
      {"pts_ns", "[0, 280000000, 600000000, 920000000, 1240000000, 1560000000]"},
      {"is_i", "[true, false, false, false, false, false]"},
      {"frame_status", "[\"ok\", \"ok\", \"ok\", \"ok\", \"ok\", \"ok\"]"},
      {"fps", "25"},
      {"duration_sec", "1.6"},
      {"source", path},
      {"source_width", "160"},
      {"source_height", "96"},
      {"target_width", "280"},
      {"target_height", "168"},
      {"grid_height", "12"},
      {"grid_width", "20"},
      {"clip_index", "0"},
      {"spec_version", "1"},
      {"uniform_strategy", "auto"},
      {"sequence_length", "6"},
      {"stream_frames", "40"},
      {"frame_ids", "[]"},
      {"start", "-1"},
      {"stop", "-1"},
      {"sample_fps", "0/1"},
      {"max_frames", "0"},
      {"on_error", "substitute"},
      {"apply_rotation", "false"},
      {"energy_mode", "motion-residual"},
      {"energy_pct", "90.5"},
      {"input_size", "224"},
      {"min_pixels", "0"},
      {"max_pixels", "0"},
      {"size_rule", "round"},
      {"resample", "bilinear"},
      {"patch_size", "14"},
      {"k_keep", "100"},
      {"ranking", "energy"},
      {"min_score", "0"},
      {"selection_unit", "patch"},
      {"static_fallback", "false"},
      {"static_abs_thresh", "2"},
      {"static_rel_thresh", "0.15"},
      {"static_uniform_frames", "4"},
      {"output_layout", "patches"},
      {"canvases", "0"},
      {"output_dtype", "bf16"},
      {"color_matrix", "auto"},
      {"scale", "1"},
      {"mean", "[1, 2, 3.5]"},
      {"std", "[]"},
  };
  for (const auto &[key, value] : expected)
    fail_unless(file.value(key.c_str()) == value, "%s is %s instead of %s", key.c_str(),
                file.value(key.c_str()).c_str(), value.c_str());
  fail_unless_equals_int(static_cast<int>(json_object_get_size(file.metadata())), static_cast<int>(expected.size()));
}
GST_END_TEST;

// The file and the queue hold the same tensors, without a gap between them.
GST_START_TEST(test_tensors) {
  const TempDir folder;
  encode(folder.file("clip.mp4"), kH264B, "mp4mux", kCount);
  const Outcome outcome = run("filesrc location=" + folder.file("clip.mp4") + " ! qtdemux ! h264parse ! " + kElements +
                              "tensormetasink name=sink max-buffers=2 location=" + folder.file("out.safetensors"));
  const Tensors &clip = outcome.only_clip();
  const TensorFile file(folder.file("out.safetensors"));
  fail_unless_equals_int(static_cast<int>(file.tensors()), 3);
  fail_unless(shape_of(file, "patches") == "[100,3,14,14]" && shape_of(file, "meta_fields") == "[100,6]" &&
              shape_of(file, "meta_scores") == "[100]");
  fail_unless_equals_string(json_object_get_string_member(file.tensor("patches"), "dtype"), "BF16");
  fail_unless_equals_string(json_object_get_string_member(file.tensor("meta_fields"), "dtype"), "I64");
  fail_unless_equals_string(json_object_get_string_member(file.tensor("meta_scores"), "dtype"), "F32");
  fail_unless(file.data("patches") == bytes_of(clip.pixels));
  fail_unless(file.data("meta_fields") == bytes_of(clip.fields));
  fail_unless(file.data("meta_scores") == bytes_of(clip.scores));
  size_t covered = 0;
  for (const char *name : {"patches", "meta_fields", "meta_scores"})
    covered += file.data(name).size();
  assert_equals_uint64(covered, file.data_size());
}
GST_END_TEST;

// The other layout, through the bin.
GST_START_TEST(test_canvases) {
  const TempDir folder;
  encode(folder.file("clip.mp4"), kH264B, "mp4mux", kCount);
  const Outcome outcome = run(bin_of("patchstreambin", folder.file("clip.mp4"),
                                     "sequence-length=6 output-layout=canvas selection-unit=block2x2 canvases=2") +
                              " ! tensormetasink location=" + folder.file("out.safetensors"));
  fail_unless(outcome.eos, "%s", outcome.error.c_str());
  const TensorFile file(folder.file("out.safetensors"));
  fail_unless_equals_int(static_cast<int>(file.tensors()), 3);
  const std::string height = file.value("target_height"), width = file.value("target_width");
  const int patches = 2 * std::stoi(file.value("grid_height")) * std::stoi(file.value("grid_width"));
  fail_unless(shape_of(file, "canvases") == "[2," + height + "," + width + ",3]");
  fail_unless(shape_of(file, "patch_positions") == "[" + std::to_string(patches) + ",3]");
  fail_unless(shape_of(file, "meta_scores") == "[" + std::to_string(patches) + "]");
  fail_unless_equals_string(json_object_get_string_member(file.tensor("canvases"), "dtype"), "U8");
  fail_unless(file.value("output_layout") == "canvas" && file.value("canvases") == "2");
}
GST_END_TEST;

// An empty clip is a clip.
GST_START_TEST(test_empty_clip) {
  const TempDir folder;
  encode(folder.file("clip.h264"), kH264, "", 3);
  const Outcome outcome = run(
      "filesrc location=" + folder.file("clip.h264") + " ! h264parse ! frameplanner ! avdec_h264 ! uniformsampler " +
      "! patchenergy ! patchselect k-keep=0 ! tensormetasink location=" + folder.file("out.safetensors"));
  fail_unless(outcome.eos, "%s", outcome.error.c_str());
  const TensorFile file(folder.file("out.safetensors"));
  fail_unless(shape_of(file, "patches") == "[0,3,14,14]");
  assert_equals_uint64(file.data_size(), 0);
}
GST_END_TEST;

static Suite *files_suite() {
  Suite *suite = suite_create("pipelines-files");
  TCase *tests = make_tests(suite);
  tcase_add_test(tests, test_metadata);
  tcase_add_test(tests, test_tensors);
  tcase_add_test(tests, test_canvases);
  tcase_add_test(tests, test_empty_clip);
  return suite;
}

GST_CHECK_MAIN(files)
