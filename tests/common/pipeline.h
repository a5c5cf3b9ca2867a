// SPDX-License-Identifier: LGPL-2.1-or-later
// Pipelines under test: runs them to their end under a watchdog, and collects the results.
#pragma once

#include "gst/codecpatch/codecpatch.h"
#include "gst/codecpatch/owned.h"
#include "tests/common/tempdir.h"

#include <gst/app/gstappsrc.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <list>
#include <string>
#include <utility>
#include <vector>

// Included last, because its macros have the names of functions of the standard library.
#include <gst/check/gstcheck.h>

namespace pipes {

using cps::Owned;
using test::TempDir;

// The time after which a test counts as hung. It is far above the actual times, and is scaled by Check's factor for
// slow machines.
inline const GstClockTime kPatience = [] {
  const char *const factor = g_getenv("CK_TIMEOUT_MULTIPLIER");
  return static_cast<GstClockTime>(40 * GST_SECOND * (factor ? g_ascii_strtod(factor, nullptr) : 1));
}();

// --- Files ---

// The path of a file in the folder of golden results and videos; "" after printing a message if this checkout does not
// have it.
inline std::string shared_file(const std::string &name) {
  const char *folder = g_getenv("CPS_SHARED_DIR");
  const std::string path = std::string(folder ? folder : ".") + "/" + name;
  if (std::filesystem::exists(path))
    return path;
  g_print("skipped: there is no %s\n", path.c_str());
  return "";
}

inline std::string read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  fail_unless(file.good(), "cannot read %s", path.c_str());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void write_file(const std::string &path, const std::string &bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  fail_unless(file.good(), "cannot write %s", path.c_str());
}

// Returns false after printing a message if this GStreamer lacks one of them.
inline bool have_elements(std::initializer_list<const char *> names) {
  for (const char *name : names) {
    const Owned<GstElementFactory> factory(gst_element_factory_find(name));
    if (!factory) {
      g_print("skipped: no element %s\n", name);
      return false;
    }
  }
  return true;
}

// --- Results ---

// One clip from tensormetasink.
struct Tensors {
  Owned<CpsClip> clip;
  CpsTensor patches;           // shape and type
  std::vector<uint8_t> pixels; // raw bytes of the patches tensor
  std::vector<int64_t> fields; // six per patch
  std::vector<float> scores;   // one per patch

  size_t count() const { return scores.size(); }
  int64_t field(size_t patch, size_t column) const { return fields[6 * patch + column]; }
  int64_t index(size_t patch) const { return field(patch, 3); }
  size_t patch_values() const { return static_cast<size_t>(3 * patches.dims[2] * patches.dims[3]); }
  // The values of a patch; f32 only.
  std::vector<float> values(size_t patch) const {
    fail_unless_equals_int(patches.dtype, CPS_DTYPE_F32);
    std::vector<float> out(patch_values());
    std::memcpy(out.data(), pixels.data() + patch * out.size() * sizeof(float), out.size() * sizeof(float));
    return out;
  }
  std::vector<uint64_t> frame_ids() const {
    std::vector<uint64_t> ids;
    for (guint i = 0; i < clip->n_frames; i++)
      ids.push_back(clip->frames[i].frame_id);
    return ids;
  }
};

template <typename T> std::vector<T> tensor_values(GstBuffer *buffer, const char *name) {
  const CpsTensor *tensor = cps_tensor_meta_find(cps_buffer_get_tensor_meta(buffer), name);
  fail_unless(tensor != nullptr, "there is no tensor %s", name);
  std::vector<T> values(cps_tensor_get_size(tensor) / sizeof(T));
  GstMapInfo map;
  fail_unless(cps_tensor_map(tensor, buffer, &map, GST_MAP_READ));
  std::copy_n(map.data, values.size() * sizeof(T), reinterpret_cast<uint8_t *>(values.data())); // may be empty
  cps_tensor_unmap(tensor, buffer, &map);
  return values;
}

inline Tensors read_tensors(GstSample *sample) {
  GstBuffer *buffer = gst_sample_get_buffer(sample);
  const CpsTensorMeta *meta = cps_buffer_get_tensor_meta(buffer);
  fail_unless(meta != nullptr, "the buffer has no tensors");
  Tensors out;
  out.clip.reset(cps_clip_ref(meta->clip));
  out.patches = *cps_tensor_meta_find(meta, "patches");
  out.pixels = tensor_values<uint8_t>(buffer, "patches");
  out.fields = tensor_values<int64_t>(buffer, "meta_fields");
  out.scores = tensor_values<float>(buffer, "meta_scores");
  fail_unless_equals_int(static_cast<int>(out.fields.size()), static_cast<int>(6 * out.count()));
  return out;
}

// The result of a run.
struct Outcome {
  bool eos = false;  // or the end of a segment, if the application has sought one
  GQuark domain = 0; // of the error, 0: none
  int code = 0;
  std::string error, debug, element; // the element that posted it
  std::vector<std::string> warnings;
  std::vector<Tensors> clips; // from the tensormetasink `sink`, if there is one

  bool failed() const { return domain != 0; }
  const Tensors &only_clip() const {
    fail_unless(eos, "no end of stream: %s (%s)", error.c_str(), debug.c_str());
    fail_unless(!failed(), "%s (%s)", error.c_str(), debug.c_str());
    fail_unless_equals_int(static_cast<int>(clips.size()), 1);
    return clips[0];
  }
  bool warned_of(const std::string &text) const {
    for (const std::string &warning : warnings)
      if (warning.find(text) != std::string::npos)
        return true;
    return false;
  }
};

// --- Pipelines ---

// A pipeline from its description. The test fails if a wait exceeds kPatience, or if GLib logs a critical message.
class Line {
public:
  using Watch = std::function<void(GstPad *, GstBuffer *)>;
  using Keep = std::function<bool(GstPad *, GstBuffer *)>;

  explicit Line(const std::string &description) : description_(description) {
    g_log_set_always_fatal(static_cast<GLogLevelFlags>(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL));
    GError *error = nullptr;
    pipeline_.reset(gst_parse_launch(description.c_str(), &error));
    fail_unless(pipeline_ && !error, "%s: %s", description.c_str(), error ? error->message : "");
    if (!GST_IS_PIPELINE(pipeline_.get())) {
      GstElement *pipeline = gst_pipeline_new(nullptr);
      gst_bin_add(GST_BIN(pipeline), pipeline_.release());
      pipeline_.reset(pipeline);
    }
    bus_.reset(gst_element_get_bus(pipeline_.get()));
  }
  ~Line() {
    if (pipeline_)
      gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }
  Line(const Line &) = delete;
  Line &operator=(const Line &) = delete;

  GstElement *pipeline() const { return pipeline_.get(); }
  Owned<GstElement> get(const char *name) const {
    return Owned<GstElement>(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
  }

  // Calls `watch` from the streaming thread for each buffer that passes the pad.
  void on_buffer(const char *element, const char *pad, Watch watch) {
    filter(element, pad, [watch](GstPad *at, GstBuffer *buffer) {
      watch(at, buffer);
      return true;
    });
  }

  // Drops the buffers at the pad for which `keep` returns false.
  void filter(const char *element, const char *pad_name, Keep keep) {
    const Owned<GstElement> owner = get(element);
    const Owned<GstPad> pad(gst_element_get_static_pad(owner.get(), pad_name));
    filters_.push_back(std::move(keep));
    gst_pad_add_probe(
        pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad *at, GstPadProbeInfo *info, gpointer data) {
          return (*static_cast<Keep *>(data))(at, GST_PAD_PROBE_INFO_BUFFER(info)) ? GST_PAD_PROBE_OK
                                                                                   : GST_PAD_PROBE_DROP;
        },
        &filters_.back(), nullptr);
  }

  // Gives the appsrc `in` all of its data.
  void feed(GstCaps *caps, std::vector<Owned<GstBuffer>> buffers) {
    const Owned<GstElement> in = get("in");
    auto *source = GST_APP_SRC(in.get());
    g_object_set(source, "format", GST_FORMAT_TIME, "max-bytes", guint64{0}, nullptr);
    gst_app_src_set_caps(source, caps);
    for (Owned<GstBuffer> &buffer : buffers)
      gst_app_src_push_buffer(source, buffer.release());
    gst_app_src_end_of_stream(source);
  }

  // May fail; the bus then has the error.
  void start(GstState state = GST_STATE_PLAYING) { gst_element_set_state(pipeline_.get(), state); }

  // Must not fail.
  void reach(GstState state) {
    start(state);
    const GstStateChangeReturn result = gst_element_get_state(pipeline_.get(), nullptr, nullptr, kPatience);
    fail_unless(result == GST_STATE_CHANGE_SUCCESS || result == GST_STATE_CHANGE_NO_PREROLL, "%s: no %s",
                description_.c_str(), gst_element_state_get_name(state));
  }

  // Discards the messages that have been posted so far.
  void forget_messages() const {
    gst_bus_set_flushing(bus_.get(), TRUE);
    gst_bus_set_flushing(bus_.get(), FALSE);
  }

  // Waits for the end of stream or an error and collects the clips that the sink has by then. At the end of a segment
  // it waits for the first clip, because demuxers report that end before the decoder has output everything.
  Outcome finish() {
    Outcome outcome;
    guint64 patience = 0;
    while (!outcome.eos && !outcome.failed()) {
      GstMessage *message =
          gst_bus_timed_pop_filtered(bus_.get(), kPatience,
                                     static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_SEGMENT_DONE |
                                                                 GST_MESSAGE_ERROR | GST_MESSAGE_WARNING));
      fail_unless(message != nullptr, "%s: hangs", description_.c_str());
      read_message(message, outcome);
      if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_SEGMENT_DONE)
        patience = kPatience;
      gst_message_unref(message);
    }
    const Owned<GstElement> sink = get("sink");
    if (sink && g_signal_lookup("try-pull-tensors", G_OBJECT_TYPE(sink.get())))
      while (const Owned<GstSample> sample{pull(sink.get(), std::exchange(patience, 0))})
        outcome.clips.push_back(read_tensors(sample.get()));
    return outcome;
  }

  Outcome run() {
    start();
    return finish();
  }

  // Stops the data flow, also after an error.
  void stop() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

private:
  static GstSample *pull(GstElement *sink, guint64 patience) {
    GstSample *sample = nullptr;
    g_signal_emit_by_name(sink, "try-pull-tensors", patience, &sample);
    return sample;
  }

  static void read_message(GstMessage *message, Outcome &outcome) {
    GError *error = nullptr;
    gchar *debug = nullptr;
    switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_EOS:
    case GST_MESSAGE_SEGMENT_DONE:
      outcome.eos = true;
      break;
    case GST_MESSAGE_WARNING:
      gst_message_parse_warning(message, &error, &debug);
      outcome.warnings.emplace_back(error->message);
      break;
    default:
      gst_message_parse_error(message, &error, &debug);
      outcome.domain = error->domain;
      outcome.code = error->code;
      outcome.error = error->message;
      outcome.debug = debug ? debug : "";
      outcome.element = GST_OBJECT_NAME(GST_MESSAGE_SRC(message));
    }
    g_clear_error(&error);
    g_free(debug);
  }

  std::string description_;
  Owned<GstElement> pipeline_;
  Owned<GstBus> bus_;
  std::list<Keep> filters_; // a list, because probes hold their addresses
};

inline Outcome run(const std::string &description) {
  return Line(description).run();
}

// A test case of the suite. Check kills tests that take longer.
inline TCase *make_tests(Suite *suite, double seconds = 120) {
  // Check forks a process for each test. Loading the plugin before that loads its hundred libraries only once.
  const Owned<GstPlugin> libav(gst_plugin_load_by_name("libav"));
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, seconds);
  return tests;
}

} // namespace pipes
