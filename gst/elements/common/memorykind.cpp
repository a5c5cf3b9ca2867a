// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/common/memorykind.h"

#include "gst/codecpatch/cpsdlpack.h"
#include "gst/elements/common/cudasupport.h"
#include "gst/elements/common/picture.h"

#include <string>

namespace cps {

const char *const kCudaFeature = "memory:CUDAMemory";

static bool is_cuda(const GstCaps *caps, guint i) {
  const GstCapsFeatures *features = gst_caps_get_features(caps, i);
  return features && gst_caps_features_contains(features, kCudaFeature);
}

bool is_cuda_caps(const GstCaps *caps) {
  return is_cuda(caps, 0);
}

// Checks by name, because this works in builds without CUDA: GStreamer's pitched memory and our linear one.
bool is_cuda_memory(GstMemory *memory) {
  return gst_memory_is_type(memory, "gst.cuda.memory") || gst_memory_is_type(memory, CPS_CUDA_MEMORY_TYPE);
}

Owned<GstCaps> video_template_caps() {
  Owned<GstCaps> caps(gst_caps_from_string(GST_VIDEO_CAPS_MAKE(CPS_VIDEO_FORMATS)));
  if (cuda_available())
    gst_caps_append(caps.get(),
                    gst_caps_from_string(GST_VIDEO_CAPS_MAKE_WITH_FEATURES("memory:CUDAMemory", CPS_VIDEO_FORMATS)));
  return caps;
}

Owned<GstCaps> tensor_template_caps(const char *fields) {
  Owned<GstCaps> caps(gst_caps_from_string((std::string("other/tensors, ") + fields).c_str()));
  if (cuda_available())
    gst_caps_append(caps.get(),
                    gst_caps_from_string((std::string("other/tensors(") + kCudaFeature + "), " + fields).c_str()));
  return caps;
}

void add_pad_template(GstElementClass *klass, const char *name, GstPadDirection direction, GstCaps *caps) {
  gst_element_class_add_pad_template(klass, gst_pad_template_new(name, direction, GST_PAD_ALWAYS, caps));
}

Owned<GstCaps> video_caps_for_peer(GstPad *sinkpad, GstPad *srcpad, GstCaps *filter) {
  const Owned<GstCaps> video(gst_pad_get_pad_template_caps(sinkpad)), tensors(gst_pad_get_pad_template_caps(srcpad));
  const Owned<GstCaps> taken(gst_pad_peer_query_caps(srcpad, tensors.get()));
  Owned<GstCaps> caps(gst_caps_new_empty());
  for (guint kind = 0; kind < gst_caps_get_size(video.get()); kind++) {
    const Owned<GstCaps> of_kind(gst_caps_copy_nth(tensors.get(), kind));
    if (gst_caps_can_intersect(of_kind.get(), taken.get()))
      gst_caps_append(caps.get(), gst_caps_copy_nth(video.get(), kind));
  }
  if (filter)
    caps.reset(gst_caps_intersect_full(filter, caps.get(), GST_CAPS_INTERSECT_FIRST));
  return caps;
}

void prefer_other_memory(GstQuery *query) {
  GstCaps *filter = nullptr, *answer = nullptr;
  gst_query_parse_caps(query, &filter);
  gst_query_parse_caps_result(query, &answer);
  if (!filter || gst_caps_is_any(filter) || gst_caps_get_size(filter) < 2 || gst_caps_is_any(answer))
    return;
  for (guint i = 0; i < gst_caps_get_size(filter); i++) // not fixed: the capabilities of a decoder
    if (const Owned<GstCaps> of_kind(gst_caps_copy_nth(filter, i)); !gst_caps_is_fixed(of_kind.get()))
      return;
  Owned<GstCaps> copies(gst_caps_new_empty());
  for (guint i = 0; i < gst_caps_get_size(answer); i++)
    if (is_cuda(answer, i) != is_cuda(filter, 0))
      gst_caps_append(copies.get(), gst_caps_copy_nth(answer, i));
  if (!gst_caps_is_empty(copies.get()))
    gst_query_set_caps_result(query, copies.get());
}

} // namespace cps
