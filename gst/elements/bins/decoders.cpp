// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/bins/decoders.h"

#include "gst/elements/common/memorykind.h"
#ifdef HAVE_AVFORMAT
#include "gst/elements/libav/avcodeccaps.h"
#endif

#include <algorithm>
#include <cstring>
#include <string>

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

// GStreamer 1.22 ranks its stateless decoders second; they are preferred, because nv*dec may mix up frames.
static bool is_stateless(const GstElementFactory *factory) {
  const char *name = GST_OBJECT_NAME(factory);
  return g_str_has_prefix(name, "nv") && strstr(name, "sl") != nullptr;
}

// Decoders that plugins rank below others although they are exact and faster, or know more about the stream. CPU time
// and elapsed time for 300 frames of 1280x720 at 4 Mbit/s, two cores:
static constexpr const char *kPreferred[] = {
    "dav1ddec",    // av1dec (libaom) takes 2.5 times as long
    "avdec_vp8",   // 1.3 s, on all cores; vp8dec 1.2 s on one, and it does not report that VP8 is BT.601
    "avdec_mjpeg", // 0.9 s; jpegdec 0.7 s, but it halves the chroma of 4:4:4 and mistakes a limited range for a full
                   // one
};
// AV1 is decoded by libdav1d in avcodecdec if libavcodec includes it, because av1dec also ends the stream at the first
// error. For other codecs the ranks are right: avdec_vp9 takes 1.6 s and vp9dec 1.7 s, but avdec_vp9 loses track of
// frames that are shown again. avdec_h265 takes 0.4 s, libde265dec 0.7 s. mpeg2dec needs half the time of
// avdec_mpeg2video, but outputs two frames fewer. avdec_dvvideo is exact and faster than dvdec.

// True for JPEG that libjpeg decodes, but libav does not, or only to formats that GStreamer has no name for.
static bool is_only_of_libjpeg(const GstStructure *caps) {
  const gchar *sampling = gst_structure_get_string(caps, "sampling"),
              *colors = gst_structure_get_string(caps, "colorspace");
  gint marker = 0; // SOF9 and up: arithmetic coding
  gst_structure_get_int(caps, "sof-marker", &marker);
  return g_strcmp0(sampling, "YCbCr-4:4:0") == 0 || g_strcmp0(colors, "CMYK") == 0 || g_strcmp0(colors, "YCCK") == 0 ||
         marker >= 9;
}

#ifdef HAVE_AVFORMAT
static bool is_ours(GstElementFactory *factory) {
  return g_str_equal(GST_OBJECT_NAME(factory), "avcodecdec");
}

static bool is_better(GstElementFactory *factory, const GstCaps *caps) {
  return is_ours(factory) && is_better_of_avcodec(caps);
}

// Adds or removes avcodecdec: it has no rank, and its caps include codecs that this libavcodec may lack.
static void consider_ours(std::vector<Owned<GstElementFactory>> &found, const GstCaps *caps) {
  const auto at = std::find_if(found.begin(), found.end(), [](const auto &one) { return is_ours(one.get()); });
  if (at != found.end()) {
    if (!avcodec_has(caps))
      found.erase(at);
    return;
  }
  Owned<GstElementFactory> ours(gst_element_factory_find("avcodecdec"));
  if (ours && is_better_of_avcodec(caps) && gst_element_factory_can_sink_all_caps(ours.get(), caps))
    found.push_back(std::move(ours));
}
#else
static bool is_better(GstElementFactory *, const GstCaps *) {
  return false;
}

static void consider_ours(std::vector<Owned<GstElementFactory>> &, const GstCaps *) {}
#endif

// Preferred decoders rank just above the plugins' own ranks, so that users who change ranks (GST_PLUGIN_FEATURE_RANK)
// can override the preference. On the CPU, decoders below GST_RANK_MARGINAL are not used, except avcodecdec.
static guint rank_of(GstElementFactory *factory, const GstCaps *caps) {
  const guint own = gst_plugin_feature_get_rank(GST_PLUGIN_FEATURE(factory));
  const char *name = GST_OBJECT_NAME(factory);
  const bool preferred =
      is_better(factory, caps) || std::any_of(std::begin(kPreferred), std::end(kPreferred),
                                              [name](const char *one) { return g_str_equal(name, one); });
  const bool exempt = is_only_of_libjpeg(gst_caps_get_structure(caps, 0));
  return preferred && !exempt ? std::max(own, guint{GST_RANK_PRIMARY} + 1) : own;
}

static bool goes_before(const Owned<GstElementFactory> &a, const Owned<GstElementFactory> &b, const GstCaps *caps) {
  if (is_stateless(a.get()) != is_stateless(b.get()))
    return is_stateless(a.get());
  const guint rank_a = rank_of(a.get(), caps), rank_b = rank_of(b.get(), caps);
  return rank_a != rank_b ? rank_a > rank_b : gst_plugin_feature_rank_compare_func(a.get(), b.get()) < 0;
}

static std::vector<Owned<GstElementFactory>> decoders(const GstCaps *caps, GstRank rank,
                                                      bool (*fits)(GstElementFactory *)) {
  std::vector<Owned<GstElementFactory>> found;
#ifdef HAVE_AVFORMAT
  if (is_of_avcodec(caps)) {
    if (Owned<GstElementFactory> ours(gst_element_factory_find("avcodecdec")); ours && fits(ours.get()))
      found.push_back(std::move(ours));
    return found;
  }
#endif
  constexpr GstElementFactoryListType kPictures =
      GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO | GST_ELEMENT_FACTORY_TYPE_MEDIA_IMAGE;
  GList *all = gst_element_factory_list_get_elements(GST_ELEMENT_FACTORY_TYPE_DECODER | kPictures, rank);
  // If the caps are fixed, a decoder must accept all of them, because a decoder that needs further fields would wait
  // for them. codec-alpha is set to FALSE in any case, because alpha is not read: this excludes decoders that also
  // decode alpha, which is a second stream.
  const Owned<GstCaps> pictures(gst_caps_copy(caps));
  gst_caps_set_simple(pictures.get(), "codec-alpha", G_TYPE_BOOLEAN, FALSE, nullptr);
  GList *taking = gst_element_factory_list_filter(all, pictures.get(), GST_PAD_SINK, gst_caps_is_fixed(caps));
  for (const GList *item = taking; item; item = item->next)
    if (fits(GST_ELEMENT_FACTORY(item->data)))
      found.emplace_back(GST_ELEMENT_FACTORY(gst_object_ref(item->data)));
  if (rank > GST_RANK_NONE) // CPU decoders
    consider_ours(found, caps);
  gst_plugin_feature_list_free(taking);
  gst_plugin_feature_list_free(all);
  std::sort(found.begin(), found.end(), [caps](const auto &a, const auto &b) { return goes_before(a, b, caps); });
  return found;
}

std::vector<Owned<GstElementFactory>> cpu_decoders(const GstCaps *caps) {
  return decoders(caps, GST_RANK_MARGINAL, [](GstElementFactory *factory) {
    return !gst_element_factory_list_is_type(factory, GST_ELEMENT_FACTORY_TYPE_HARDWARE);
  });
}

std::vector<Owned<GstElementFactory>> gpu_decoders(const GstCaps *caps) {
  // Rank NONE, because decoders of the second and later GPUs have no rank.
  return decoders(caps, GST_RANK_NONE, puts_out_cuda_memory);
}

bool is_decodable(const GstCaps *caps) {
  return gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-raw") || !cpu_decoders(caps).empty() ||
         !gpu_decoders(caps).empty();
}

bool is_on_other_gpu(GstElement *decoder, int device_id) {
  if (!g_object_class_find_property(G_OBJECT_GET_CLASS(decoder), "cuda-device-id"))
    return false;
  GValue actual = G_VALUE_INIT; // a guint in some decoders, a gint in others
  g_value_init(&actual, G_TYPE_INT);
  g_object_get_property(G_OBJECT(decoder), "cuda-device-id", &actual);
  return g_value_get_int(&actual) != device_id;
}

// Sets the value of the property's range that is nearest to `wanted`.
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

// Decoders of codecs that allow any pixel format.
static constexpr const char *kAnyFormat[] = {
    "avdec_ffv1",  "avdec_ffvhuff", "avdec_magicyuv", "avdec_utvideo", "avdec_prores", "avdec_cfhd",
    "avdec_qtrle", "avdec_mjpeg",   "avdec_jpeg2000", "avdec_png",     "avdec_apng",   "avdec_tiff",
    "avdec_dpx",   "avdec_exr",     "avdec_sgi",      "avdec_pam",     "avdec_hap",    "avdec_dxv",
};

// True if the pictures may have a format that GStreamer has no name for.
static bool may_lack_format(GstElement *decoder, const GstCaps *caps) {
  for (const char *name : kAnyFormat)
    if (is_made_by(decoder, name))
      return true;
  const GstStructure *stream = gst_caps_get_structure(caps, 0);
  const gchar *chroma = gst_structure_get_string(stream, "chroma-format");
  guint depth = 8;
  gst_structure_get_uint(stream, "bit-depth-luma", &depth);
  return g_strcmp0(chroma, "4:4:0") == 0 || (g_strcmp0(chroma, "4:0:0") == 0 && depth > 8) ||
         (depth != 8 && depth != 10 && depth != 12);
}

void set_exact_output(GstElement *decoder, const GstCaps *caps) {
  GObjectClass *klass = G_OBJECT_GET_CLASS(decoder);
  // By default dav1ddec omits steps that are part of the picture.
  if (g_object_class_find_property(klass, "inloop-filters"))
    gst_util_set_object_arg(G_OBJECT(decoder), "inloop-filters", "deblock+cdef+restoration");
  if (g_object_class_find_property(klass, "apply-grain"))
    g_object_set(decoder, "apply-grain", TRUE, nullptr);
  // With direct rendering gst-libav decodes into GStreamer's memory; if GStreamer has no name for the format, it
  // crashes (at least up to 1.22).
  if (g_object_class_find_property(klass, "direct-rendering") && may_lack_format(decoder, caps))
    g_object_set(decoder, "direct-rendering", FALSE, nullptr);
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
