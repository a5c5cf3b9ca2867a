// SPDX-License-Identifier: LGPL-2.1-or-later
// Clips for the bitstream tests: encoded, read from files or made by hand, parsed and decoded.
#pragma once

#include "gst/bitstream/pictureparser.h"
#include "gst/bitstream/streamindex.h"
#include "tests/bitstream/bitwriter.h"

#include <gst/check/gstcheck.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

struct Unref {
  void operator()(GstElement *element) const { gst_object_unref(element); }
  void operator()(GstElementFactory *factory) const { gst_object_unref(factory); }
  void operator()(GstSample *sample) const { gst_sample_unref(sample); }
  void operator()(GstBuffer *buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstCaps *caps) const { gst_caps_unref(caps); }
};
template <typename T> using Ref = std::unique_ptr<T, Unref>;

// Access units, or decoded pictures, with their caps.
using Clip = std::vector<Ref<GstSample>>;

inline Bytes bytes_of(GstBuffer *buffer) {
  Bytes bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

inline Ref<GstBuffer> buffer_of(const Bytes &bytes) {
  return Ref<GstBuffer>(bytes.empty() ? gst_buffer_new() : gst_buffer_new_memdup(bytes.data(), bytes.size()));
}

inline bool have_elements(std::initializer_list<const char *> names) {
  for (const char *name : names) {
    Ref<GstElementFactory> factory(gst_element_factory_find(name));
    if (!factory) {
      g_print("skipped: no element %s\n", name);
      return false;
    }
  }
  return true;
}

// Everything that reaches the appsink `out` of a pipeline, in order. `input` feeds its appsrc `in`, if it has one;
// `setup` sets what a description cannot.
inline Clip run(const std::string &description, const Clip *input = nullptr,
                const std::function<void(GstBin *)> &setup = nullptr) {
  GError *error = nullptr;
  Ref<GstElement> pipeline(gst_parse_launch(description.c_str(), &error));
  fail_unless(pipeline && !error, "%s: %s", description.c_str(), error ? error->message : "");
  Ref<GstElement> out(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  g_object_set(out.get(), "sync", FALSE, nullptr);
  if (setup)
    setup(GST_BIN(pipeline.get()));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  if (input) {
    Ref<GstElement> in(gst_bin_get_by_name(GST_BIN(pipeline.get()), "in"));
    g_object_set(in.get(), "format", GST_FORMAT_TIME, "max-bytes", G_GUINT64_CONSTANT(0), nullptr);
    GstFlowReturn flow;
    for (const auto &sample : *input)
      g_signal_emit_by_name(in.get(), "push-sample", sample.get(), &flow);
    g_signal_emit_by_name(in.get(), "end-of-stream", &flow);
  }
  Clip clip;
  for (GstSample *sample = nullptr;; clip.emplace_back(sample)) {
    g_signal_emit_by_name(out.get(), "pull-sample", &sample);
    if (!sample)
      break;
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return clip;
}

inline Ref<GstSample> sample_of(const Bytes &bytes, GstCaps *caps, GstClockTime pts) {
  auto buffer = buffer_of(bytes);
  GST_BUFFER_PTS(buffer.get()) = pts;
  return Ref<GstSample>(gst_sample_new(buffer.get(), caps, nullptr, nullptr));
}

// Hand-written access units as a byte stream of `media_type`.
inline Clip clip_of(const std::vector<Bytes> &units, const char *media_type) {
  Ref<GstCaps> caps(gst_caps_new_simple(media_type, "stream-format", G_TYPE_STRING, "byte-stream", "alignment",
                                        G_TYPE_STRING, "au", nullptr));
  Clip clip;
  for (const Bytes &unit : units)
    clip.push_back(sample_of(unit, caps.get(), clip.size() * 40 * GST_MSECOND));
  return clip;
}

struct Parsed {
  std::vector<cps::CodedPicture> pictures; // one an access unit
  std::vector<bool> understood;
  cps::StreamIndex index;
};

// What the parse-only pass of the planner does.
inline Parsed parse(const Clip &clip) {
  Parsed parsed;
  fail_if(clip.empty());
  GstCaps *caps = gst_sample_get_caps(clip[0].get());
  auto parser = cps::PictureParser::create(caps);
  fail_unless(parser != nullptr);
  for (const auto &sample : clip) {
    if (caps != gst_sample_get_caps(sample.get()))
      fail_unless(parser->set_caps(caps = gst_sample_get_caps(sample.get())));
    GstBuffer *buffer = gst_sample_get_buffer(sample.get());
    cps::CodedPicture picture;
    parsed.understood.push_back(parser->parse(buffer, picture));
    parsed.pictures.push_back(picture);
    parsed.index.add(picture, {GST_BUFFER_PTS(buffer), GST_BUFFER_DTS(buffer)}, false);
    assert_equals_uint64(parser->summarize(buffer).fingerprint, picture.fingerprint);
  }
  if (parser->loses_last())
    parsed.index.hide_last();
  parsed.index.finish(parser->orders_by_pts());
  return parsed;
}

inline std::vector<uint32_t> frames_of(const cps::StreamIndex &index) {
  std::vector<uint32_t> frames;
  for (size_t i = 0; i < index.units(); ++i)
    frames.push_back(index.unit(i).frame);
  return frames;
}

inline void check_frames(const cps::StreamIndex &index, const std::vector<uint32_t> &expected) {
  const auto frames = frames_of(index);
  assert_equals_uint64(frames.size(), expected.size());
  for (size_t i = 0; i < frames.size(); ++i)
    fail_unless(frames[i] == expected[i], "unit %zu: frame %d, not %d", i, static_cast<int>(frames[i]),
                static_cast<int>(expected[i]));
}

inline std::vector<uint64_t> fingerprints_of(const Clip &clip) {
  std::vector<uint64_t> fingerprints;
  for (const auto &picture : parse(clip).pictures)
    fingerprints.push_back(picture.fingerprint);
  return fingerprints;
}

inline std::vector<uint32_t> random_access_units(const Parsed &parsed) {
  std::vector<uint32_t> units;
  for (size_t i = 0; i < parsed.pictures.size(); ++i)
    if (parsed.pictures[i].random_access)
      units.push_back(static_cast<uint32_t>(i));
  return units;
}

// The display order that the encoder had: that of the time stamps of its input.
inline void check_order_by_pts(const Clip &clip, const Parsed &parsed, const std::string &what) {
  std::vector<GstClockTime> sorted;
  for (const auto &sample : clip)
    sorted.push_back(GST_BUFFER_PTS(gst_sample_get_buffer(sample.get())));
  std::sort(sorted.begin(), sorted.end());
  fail_unless(parsed.index.frames() == clip.size(), "%s: %u frames of %zu units", what.c_str(), parsed.index.frames(),
              clip.size());
  for (size_t i = 0; i < clip.size(); ++i) {
    fail_unless(parsed.understood[i], "%s: unit %zu not understood", what.c_str(), i);
    const auto &unit = parsed.index.unit(i);
    fail_unless(sorted[unit.frame] == unit.pts, "%s: unit %zu is not frame %u", what.c_str(), i, unit.frame);
    fail_unless(&parsed.index.frame(unit.frame) == &unit);
  }
}

inline void check_unique(std::vector<uint64_t> fingerprints) {
  std::sort(fingerprints.begin(), fingerprints.end());
  fail_unless(std::adjacent_find(fingerprints.begin(), fingerprints.end()) == fingerprints.end());
  fail_unless(fingerprints.front() != 0);
}

// Damages every unit of a clip in turn: nothing may crash, and each unit with a slice stays one picture.
inline void check_survives_damage(const Clip &clip) {
  std::mt19937 random(1);
  auto parser = cps::PictureParser::create(gst_sample_get_caps(clip[0].get()));
  fail_unless(parser != nullptr);
  cps::StreamIndex index;
  for (int round = 0; round < 20; ++round) {
    for (const auto &sample : clip) {
      Bytes bytes = bytes_of(gst_sample_get_buffer(sample.get()));
      if (random() % 4 == 0)
        bytes.resize(random() % bytes.size());
      for (unsigned flips = random() % 8; flips > 0 && !bytes.empty(); --flips) {
        const size_t range = random() % 2 ? bytes.size() : std::min<size_t>(bytes.size(), 80);
        bytes[random() % range] ^= static_cast<uint8_t>(1u << random() % 8);
      }
      auto buffer = buffer_of(bytes);
      cps::CodedPicture picture;
      const bool understood = parser->parse(buffer.get(), picture);
      fail_unless(understood || (picture.has_picture && picture.output && !picture.second_field));
      assert_equals_uint64(parser->summarize(buffer.get()).fingerprint, picture.fingerprint);
      index.add(picture, {GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE}, false);
    }
    parser->reset();
  }
  index.finish();
  for (uint32_t id = 0; id < index.frames(); ++id)
    assert_equals_int(index.frame(id).frame, id);
}

// A file of the golden set, "" with a message where this checkout does not have it.
inline std::string shared_video(const std::string &name) {
  const std::string path = std::string(SHARED_DIR) + "/videos/" + name;
  if (g_file_test(path.c_str(), G_FILE_TEST_EXISTS))
    return path;
  g_print("skipped: no %s\n", path.c_str());
  return "";
}
