// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst/elements/libavcodecs.h"

#include <string>

namespace cps {

static const char *const kNamed = "video/x-cps-libav"; // one of PLANNER_CAPS
static const char *const kDecoder = "decoder";

static Owned<GstCaps> sink_caps(GstElementFactory *factory) {
  for (const GList *item = gst_element_factory_get_static_pad_templates(factory); item; item = item->next) {
    auto *pad = static_cast<GstStaticPadTemplate *>(item->data);
    if (pad->direction == GST_PAD_SINK)
      return Owned<GstCaps>(gst_static_pad_template_get_caps(pad));
  }
  return nullptr;
}

Owned<GstCaps> caps_of_libav_decoder(const char *name) {
  const std::string element = std::string("avdec_") + name;
  const Owned<GstElementFactory> factory(gst_element_factory_find(element.c_str()));
  const Owned<GstCaps> taken = factory ? sink_caps(factory.get()) : nullptr;
  if (!taken || gst_caps_get_size(taken.get()) == 0)
    return nullptr;
  if (gst_structure_has_name(gst_caps_get_structure(taken.get(), 0), "unknown/unknown"))
    return Owned<GstCaps>(gst_caps_new_simple(kNamed, kDecoder, G_TYPE_STRING, element.c_str(), nullptr));
  Owned<GstCaps> caps(gst_caps_fixate(gst_caps_copy_nth(taken.get(), 0)));
  gst_structure_remove_fields(gst_caps_get_structure(caps.get(), 0), "width", "height", "framerate", nullptr);
  return caps;
}

bool name_decoder(const GstCaps *caps) {
  return gst_caps_get_size(caps) > 0 && gst_structure_has_name(gst_caps_get_structure(caps, 0), kNamed);
}

Owned<GstElementFactory> named_decoder(const GstCaps *caps) {
  const gchar *name =
      name_decoder(caps) ? gst_structure_get_string(gst_caps_get_structure(caps, 0), kDecoder) : nullptr;
  return Owned<GstElementFactory>(name ? gst_element_factory_find(name) : nullptr);
}

static GstPadProbeReturn answer_query(GstPad *, GstPadProbeInfo *info, gpointer) {
  GstQuery *query = GST_PAD_PROBE_INFO_QUERY(info);
  if (GST_QUERY_TYPE(query) == GST_QUERY_ACCEPT_CAPS) {
    gst_query_set_accept_caps_result(query, TRUE);
    return GST_PAD_PROBE_HANDLED;
  }
  if (GST_QUERY_TYPE(query) != GST_QUERY_CAPS)
    return GST_PAD_PROBE_OK;
  const Owned<GstCaps> caps(gst_caps_new_empty_simple(kNamed));
  gst_query_set_caps_result(query, caps.get());
  return GST_PAD_PROBE_HANDLED;
}

void accept_named_caps(GstElement *decoder) {
  const Owned<GstPad> sinkpad(gst_element_get_static_pad(decoder, "sink"));
  constexpr auto kQueries = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH);
  gst_pad_add_probe(sinkpad.get(), kQueries, answer_query, nullptr, nullptr);
}

} // namespace cps
