// SPDX-License-Identifier: LGPL-2.1-or-later
// Clips by the encoders of VP8 and VP9, which take the same options.
#pragma once

#include "tests/bitstream/subsets.h"

// Temporal layers: the layer of each frame of a period, and by how much each layer divides the frame rate.
struct Layers {
  std::vector<int> ids;
  std::vector<int> decimators;
  std::vector<int> bitrates;
};

struct VpxOptions {
  std::string encoder; // and its options
  int frames = 40;
  std::string path = ""; // elements behind the encoder
  std::string caps = ""; // of the raw pictures
  Layers layers = {};
};

inline void set_array(GstElement *encoder, const char *property, const std::vector<int> &values) {
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  GValueArray *array = g_value_array_new(0);
  for (const int i : values) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, G_TYPE_INT);
    g_value_set_int(&value, i);
    g_value_array_append(array, &value);
  }
  g_object_set(encoder, property, array, nullptr);
  g_value_array_free(array);
  G_GNUC_END_IGNORE_DEPRECATIONS
}

inline Clip encode_vpx(const VpxOptions &options) {
  const auto setup = [&](GstBin *bin) {
    const Layers &layers = options.layers;
    if (layers.ids.empty())
      return;
    Ref<GstElement> encoder(gst_bin_get_by_name(bin, "enc"));
    g_object_set(encoder.get(), "temporal-scalability-number-layers", static_cast<int>(layers.decimators.size()),
                 "temporal-scalability-periodicity", static_cast<int>(layers.ids.size()), nullptr);
    set_array(encoder.get(), "temporal-scalability-layer-id", layers.ids);
    set_array(encoder.get(), "temporal-scalability-rate-decimator", layers.decimators);
    set_array(encoder.get(), "temporal-scalability-target-bitrate", layers.bitrates);
  };
  return run(source(options.frames, "ball", options.caps) + options.encoder + " name=enc deadline=1 threads=1 ! " +
                 options.path + "appsink name=out",
             nullptr, setup);
}
