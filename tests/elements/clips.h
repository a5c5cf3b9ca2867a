// SPDX-License-Identifier: LGPL-2.1-or-later
// Sequences of noise for the elements that make clips of tensors, and what comes out.
#pragma once

#include "kernels/geometry.h"
#include "tests/common/frames.h"
#include "tests/common/harness.h"
#include "tests/common/tensors.h"

#include <gst/codecpatch/codecpatch.h>

#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace clips {

using test::Harness;
using test::Owned;
using test::Region;

struct Clip {
  GstVideoInfo info = {};
  Region region;
  std::vector<reference::Picture> pictures;
  std::vector<std::vector<float>> maps; // the frames' energy; none where they have none
  std::vector<guint64> ids;
  std::vector<bool> random_access;

  guint length() const { return static_cast<guint>(pictures.size()); }
  cps::Size size() const { return {region.width, region.height}; }
};

// Without energy.
inline Clip noise_pictures(const GstVideoInfo &info, const Region &region, guint length, unsigned seed = 1) {
  Clip clip;
  clip.info = info;
  clip.region = region;
  for (guint i = 0; i < length; ++i) {
    clip.pictures.push_back(
        test::noise_picture(test::format_named(GST_VIDEO_INFO_NAME(&info)), region, 100 * seed + i));
    clip.ids.push_back(3 * i + 2);
    clip.random_access.push_back(false);
  }
  return clip;
}

inline std::vector<float> noise_map(const cps::Size &size, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> map(static_cast<size_t>(size.width) * static_cast<size_t>(size.height));
  for (float &value : map)
    value = static_cast<float>(random() % 1000) / 999.0f;
  return map;
}

inline Clip with_energy(Clip clip, unsigned seed = 1) {
  for (guint i = 0; i < clip.length(); ++i)
    clip.maps.push_back(noise_map(cps::small_size(clip.size()), 100 * seed + i));
  return clip;
}

// `map` as the energy of a frame of this size.
inline void add_energy(GstBuffer *frame, const std::vector<float> &map, const cps::Size &frame_size) {
  const cps::Size small = cps::small_size(frame_size);
  GstBuffer *memory = gst_buffer_new_memdup(map.data(), map.size() * sizeof(float));
  cps_buffer_add_energy_meta(frame, memory, static_cast<guint>(small.width), static_cast<guint>(small.height),
                             static_cast<guint>(frame_size.width), static_cast<guint>(frame_size.height),
                             g_quark_from_static_string("motion-residual"), 95);
}

// The metas of frame `position`, as uniformsampler and patchenergy leave them.
inline Owned<GstBuffer> with_metas(Owned<GstBuffer> buffer, const Clip &clip, guint position, guint clip_index = 0) {
  buffer = test::sampled(std::move(buffer), clip.ids[position], position, clip.length(),
                         clip.random_access[position] ? CPS_FRAME_FLAG_RANDOM_ACCESS : CPS_FRAME_FLAG_NONE, clip_index);
  if (clip.region.width != clip.info.width || clip.region.height != clip.info.height)
    test::add_crop(buffer.get(), clip.region);
  if (!clip.maps.empty())
    add_energy(buffer.get(), clip.maps[position], clip.size());
  return buffer;
}

inline Owned<GstBuffer> frame(const Clip &clip, guint position, guint clip_index = 0) {
  Owned<GstBuffer> buffer = test::noise_buffer(clip.info.size);
  test::write_picture(buffer.get(), clip.info, clip.pictures[position], clip.region.x, clip.region.y);
  return with_metas(std::move(buffer), clip, position, clip_index);
}

// Pushes the clip and returns its tensors; nothing comes before the last frame.
inline Owned<GstBuffer> run(const Harness &element, const Clip &clip, guint clip_index = 0) {
  for (guint i = 0; i < clip.length(); ++i) {
    fail_unless(element.pull() == nullptr);
    const GstFlowReturn flow = element.push(frame(clip, i, clip_index));
    fail_unless(flow == GST_FLOW_OK, "frame %u: %s, %s", i, gst_flow_get_name(flow), element.error().c_str());
  }
  Owned<GstBuffer> tensors = element.pull();
  fail_unless(tensors != nullptr && element.pull() == nullptr);
  element.check_quiet();
  return tensors;
}

inline const CpsClip *clip_of(GstBuffer *tensors) {
  return cps_buffer_get_tensor_meta(tensors)->clip;
}

using Metadata = std::map<std::string, std::string>;

inline Metadata metadata_of(GstBuffer *tensors) {
  Metadata metadata;
  cps_clip_foreach_metadata(
      clip_of(tensors),
      [](const gchar *key, const gchar *value, gpointer out) {
        const bool is_new = static_cast<Metadata *>(out)->emplace(key, value).second;
        fail_unless(is_new, "%s twice", key);
      },
      &metadata);
  return metadata;
}

// Exactly these.
inline void check_metadata(GstBuffer *tensors, const Metadata &expected) {
  const Metadata metadata = metadata_of(tensors);
  for (const auto &[key, value] : expected) {
    fail_unless(metadata.count(key) == 1, "no %s", key.c_str());
    fail_unless(metadata.at(key) == value, "%s: %s", key.c_str(), metadata.at(key).c_str());
  }
  for (const auto &[key, value] : metadata)
    fail_unless(expected.count(key) == 1, "%s is new", key.c_str());
}

// The answer of a source.
inline std::function<bool(GstQuery *)> with_uri(const char *uri) {
  return [uri](GstQuery *query) {
    if (GST_QUERY_TYPE(query) != GST_QUERY_URI)
      return false;
    gst_query_set_uri(query, uri);
    return true;
  };
}

struct Colors {
  double kr, kb;
  bool full_range;
};
constexpr Colors kBt601 = {0.299, 0.114, false}, kBt709 = {0.2126, 0.0722, false}, kBt2020 = {0.2627, 0.0593, false},
                 kFullBt601 = {0.299, 0.114, true}, kFullBt709 = {0.2126, 0.0722, true};

} // namespace clips
