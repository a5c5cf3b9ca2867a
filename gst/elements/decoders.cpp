// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/decoders.h"

#include "gst/elements/memorykind.h"

#include <algorithm>
#include <cstring>

namespace cps {

static bool puts_out_cuda_memory(GstElementFactory *factory) {
  for (const GList *item = gst_element_factory_get_static_pad_templates(factory); item; item = item->next) {
    auto *pad = static_cast<GstStaticPadTemplate *>(item->data);
    if (pad->direction != GST_PAD_SRC)
      continue;
    const Owned<GstCaps> caps(gst_static_pad_template_get_caps(pad));
    for (guint i = 0; i < gst_caps_get_size(caps.get()); i++)
      if (gst_caps_features_contains(gst_caps_get_features(caps.get(), i), kCudaFeature))
        return true;
  }
  return false;
}

// The stateless decoders of GStreamer 1.22, which come second by rank, tell frames apart where nv*dec may not.
static bool is_stateless(const GstElementFactory *factory) {
  const char *name = GST_OBJECT_NAME(factory);
  return g_str_has_prefix(name, "nv") && strstr(name, "sl") != nullptr;
}

static bool goes_before(const Owned<GstElementFactory> &a, const Owned<GstElementFactory> &b) {
  if (is_stateless(a.get()) != is_stateless(b.get()))
    return is_stateless(a.get());
  return gst_plugin_feature_rank_compare_func(a.get(), b.get()) < 0;
}

static std::vector<Owned<GstElementFactory>> decoders(const GstCaps *caps, GstRank rank,
                                                      bool (*fits)(GstElementFactory *)) {
  constexpr GstElementFactoryListType kPictures =
      GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO | GST_ELEMENT_FACTORY_TYPE_MEDIA_IMAGE;
  GList *all = gst_element_factory_list_get_elements(GST_ELEMENT_FACTORY_TYPE_DECODER | kPictures, rank);
  // All of the caps: a decoder that wants more than they say would wait for it. Alpha is not read, so that those which
  // decode it, a second stream beside the pictures, are left out, whatever the caps have.
  const Owned<GstCaps> pictures(gst_caps_copy(caps));
  gst_caps_set_simple(pictures.get(), "codec-alpha", G_TYPE_BOOLEAN, FALSE, nullptr);
  GList *taking = gst_element_factory_list_filter(all, pictures.get(), GST_PAD_SINK, gst_caps_is_fixed(caps));
  std::vector<Owned<GstElementFactory>> found;
  for (const GList *item = taking; item; item = item->next)
    if (fits(GST_ELEMENT_FACTORY(item->data)))
      found.emplace_back(GST_ELEMENT_FACTORY(gst_object_ref(item->data)));
  gst_plugin_feature_list_free(taking);
  gst_plugin_feature_list_free(all);
  std::sort(found.begin(), found.end(), goes_before);
  return found;
}

std::vector<Owned<GstElementFactory>> cpu_decoders(const GstCaps *caps) {
  return decoders(caps, GST_RANK_MARGINAL, [](GstElementFactory *factory) {
    return !gst_element_factory_list_is_type(factory, GST_ELEMENT_FACTORY_TYPE_HARDWARE);
  });
}

std::vector<Owned<GstElementFactory>> gpu_decoders(const GstCaps *caps) {
  // Those of the second GPU and up have no rank.
  return decoders(caps, GST_RANK_NONE, puts_out_cuda_memory);
}

bool is_on_other_gpu(GstElement *decoder, int device_id) {
  if (!g_object_class_find_property(G_OBJECT_GET_CLASS(decoder), "cuda-device-id"))
    return false;
  GValue actual = G_VALUE_INIT; // a guint of some, a gint of others
  g_value_init(&actual, G_TYPE_INT);
  g_object_get_property(G_OBJECT(decoder), "cuda-device-id", &actual);
  return g_value_get_int(&actual) != device_id;
}

// The value of its range that is nearest.
static void set_nearest(GstElement *element, GParamSpec *spec, gint64 wanted) {
  GValue number = G_VALUE_INIT, value = G_VALUE_INIT;
  g_value_init(&number, G_TYPE_INT64);
  g_value_set_int64(&number, wanted);
  g_value_init(&value, spec->value_type);
  if (g_value_transform(&number, &value)) {
    g_param_value_validate(spec, &value);
    g_object_set_property(G_OBJECT(element), spec->name, &value);
  }
}

void set_decoder_threads(GstElement *decoder, guint threads, ThreadType type) {
  GObjectClass *klass = G_OBJECT_GET_CLASS(decoder);
  if (threads > 0)
    for (const char *name : {"max-threads", "threads", "n-threads"})
      if (GParamSpec *spec = g_object_class_find_property(klass, name))
        set_nearest(decoder, spec, threads);
  if (type != ThreadType::Auto && g_object_class_find_property(klass, "thread-type"))
    gst_util_set_object_arg(G_OBJECT(decoder), "thread-type", type == ThreadType::Frame ? "frame" : "slice");
}

} // namespace cps

GType cps_thread_type_get_type() {
  static GType type = [] {
    static const GEnumValue values[] = {
        {static_cast<gint>(cps::ThreadType::Auto), "As the decoder has it", "auto"},
        {static_cast<gint>(cps::ThreadType::Frame), "Several frames at a time", "frame"},
        {static_cast<gint>(cps::ThreadType::Slice), "Several slices of a frame at a time", "slice"},
        {0, nullptr, nullptr},
    };
    return g_enum_register_static("CpsDecodeThreadType", values);
  }();
  return type;
}
